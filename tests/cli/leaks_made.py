"""A source whose every secret and every health value is marked, and the places where a mark may have gone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from loopback_made import Reply, Seen, Source
from run_made import Outcome, call

VALUE = "H3ALTH-of-somebody"
"""In every text that is somebody's."""
NUMBER = 419_778_654
SECRET = "S3CRET"
"""In every credential, whoever made it."""

CONNECTOR = """\
name: made
settings: {url: {}, id: {default: us}, secret: {secret: true}, redirect: {default: "http://localhost:1/cb"}}
http: {base_url: "{{ settings.url }}", headers: {X-Key: "{{ settings.secret }}"}}
auth:
  kind: oauth2_code
  client: {id: "{{ settings.id }}", secret: "{{ settings.secret }}"}
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}
  token: {url: "{{ settings.url }}/token"}
  revoke: {url: "{{ settings.url }}/revoke"}
account: {path: /me, id: id, keep: {zone: zone}}
resources:
  notes:
    path: /notes
    params: {start: "{{ window.start }}", key: "{{ settings.secret }}"}
    records: records
    key: [id]
    pagination: {kind: url, next: next}
    window: {time: at, settle: 1d, from: 2026-01-01}
    errors: [{body: "error == 'wrong'", do: fail}]
    columns: {id: text, at: timestamptz, beats: int, kind: text, note: text, weight: float, day: date}
"""
MAPPING = """\
from: notes
columns:
  start_time: at
  state: {path: kind, lookup: {good: final}}
to:
  biometrics_vitals:
    rows:
      heart_rate: {value: {path: beats, unit: /min}}
      weight: {value: {path: weight, unit: kg}}
ignore: {id: the key, note: words, day: not needed}
"""
AT = "2026-01-02T03:04:05Z"
GOOD = [
    {"id": f"g{n}", "at": AT, "beats": NUMBER % 200, "kind": "good", "note": VALUE, "weight": 41.9778654}
    for n in range(3)
]
BAD: list[object] = [
    {"id": "b1", "at": AT, "beats": int(f"{NUMBER}" * 6), "note": VALUE},
    {"id": "b2", "at": AT, "beats": VALUE, "weight": VALUE, "day": VALUE},
    {"id": "b3", "at": AT, "note": f"{VALUE}\0"},
    {"id": "b4", "at": VALUE},
    {"id": "b5", "at": AT, "beats": NUMBER, "kind": "good"},
    {"id": "b6", "at": AT, "kind": VALUE, "beats": 60},
    {"id": "b7", "at": AT, "beats": 41.9778654, "weight": {"in": VALUE}},
    {"id": None, "at": AT, "note": VALUE},
    {"id": VALUE * 300, "at": AT},
    {"id": {"is": VALUE}, "at": AT},
    VALUE,
    [VALUE],
    NUMBER,
]


@dataclass
class Provider:
    """Answers as `mood` says; gives marked tokens, and keeps what the machine's processes are called with meanwhile."""

    source: Source
    mood: str = "well"
    count: int = 0
    code: str = f"{SECRET}-code"
    said: list[Outcome] = field(default_factory=list)
    arguments: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.source.answer = self.answer

    @property
    def token(self) -> str:
        return f"{SECRET}-access-{self.count}"

    def answer(self, seen: Seen) -> Reply:
        self.arguments |= set(command_lines())
        match seen.path:
            case "/authorize":
                back = urlencode({"code": self.code, "state": seen.query["state"]})
                return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{back}"})
            case "/token":
                return self._token(seen)
            case "/revoke":
                return Reply({"error_description": f"{self.token} {VALUE}"}, status=400)
        if seen.headers.get("authorization") != f"Bearer {self.token}":
            return Reply({"error": f"{self.token} is not what you sent", "about": VALUE}, status=401)
        if seen.path == "/me":
            return Reply({"id": "member", "zone": "Europe/London"})
        return self._notes(seen)

    def _token(self, seen: Seen) -> Reply:
        if self.mood == "no token":
            return Reply({"error": "invalid_grant", "error_description": f"{seen.form} {VALUE}"}, status=400)
        self.count += 1
        return Reply(
            {"access_token": self.token, "refresh_token": f"{SECRET}-refresh-{self.count}", "expires_in": 3600}
        )

    def _notes(self, seen: Seen) -> Reply:
        told = f"{self.token} {seen.headers} {VALUE} {NUMBER}"
        page: dict[str, object] = {"records": GOOD, "next": None}
        match self.mood:
            case "bad records":
                return Reply({"records": [*BAD, *GOOD], "next": None})
            case "revised":
                return Reply({"records": [{**record, "note": f"{VALUE}-revised"} for record in GOOD], "next": None})
            case "refuses":
                return Reply({"message": told}, status=400, headers={"X-Said": VALUE, "WWW-Authenticate": VALUE})
            case "breaks":
                return Reply(told.encode(), status=500)
            case "html":
                return Reply(f"<html>{told}</html>".encode(), headers={"Content-Type": "text/html"})
            case "cut off":
                return Reply(json.dumps(page).encode()[:-40])
            case "elsewhere listed":
                return Reply({VALUE: page, "data": GOOD})
            case "says wrong":
                return Reply({"error": "wrong", "message": told})
            case "next elsewhere":
                return Reply(
                    {**page, "next": f"https://{SECRET}:{SECRET}@elsewhere.example/{VALUE}?token={self.token}"}
                )
            case "redirects":
                return Reply(status=302, headers={"Location": f"http://elsewhere.example/{VALUE}?token={self.token}"})
            case "expired":
                self.mood, self.count = "well", self.count + 1
                return Reply({"error": told}, status=401)
            case _:
                return Reply(page)

    def hde(self, *arguments: str) -> Outcome:
        """`hde -v ARGUMENTS`; what it says is kept."""
        found = call("-v", *arguments)
        self.said.append(found)
        return found


def write_made(folder: Path) -> None:
    for name, text in {"connectors/made.yaml": CONNECTOR, "mappings/made/notes.yaml": MAPPING}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def command_lines() -> Iterator[str]:
    """What every process of the machine was started with, where that can be read."""
    for place in Path("/proc").glob("[0-9]*/cmdline") if sys.platform == "linux" else ():
        try:
            yield place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def files_with(mark: str, *folders: Path, but: tuple[Path, ...] = ()) -> list[Path]:
    """Files below these folders that hold the mark; `but` is passed over, with all that lies in it."""
    found = []
    for folder in folders:
        for file in folder.rglob("*"):
            if any(one == file or one in file.parents for one in but) or not file.is_file():
                continue
            try:
                if mark.encode() in file.read_bytes():
                    found.append(file)
            except OSError:
                if os.path.exists(file):
                    raise
    return found
