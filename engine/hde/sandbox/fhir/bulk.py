"""Bulk data: an export that is asked for, waited for, fetched in files and thrown away, as the standard's
asynchronous pattern has it. Files are made when the export is asked for, so they are of one instant."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hde.sandbox.clock import Clock
from hde.sandbox.exchange import Reply
from hde.sandbox.fhir.bundles import outcome
from hde.sandbox.fhir.chart import Resource
from hde.sandbox.fhir.moments import span
from hde.sandbox.fhir.record import Json
from hde.sandbox.fhir.search import Refused

NDJSON = "application/fhir+ndjson"
JSON = "application/json"


@dataclass
class Export:
    client: str
    manifest: Json
    files: Mapping[str, bytes]
    polls_left: int
    polled: float = float("-inf")


@dataclass
class Bulk:
    """`polls` are answered with 202 before an export is ready; `wait` is what Retry-After says meanwhile."""

    clock: Clock
    base: str = ""
    polls: int = 2
    wait: int = 1
    rows: int = 200
    """In a file."""
    exports: dict[str, Export] = field(default_factory=dict)
    started: int = 0

    def kick_off(
        self, client: str, request: str, types: Iterable[str], since: str, source: Source, alone: bool
    ) -> Reply:
        """Begins an export. Raises Refused where the client has one already, or `since` is no instant."""
        if alone and any(export.client == client for export in self.exports.values()):
            raise Refused(429, "throttled", "Another export of this client is not yet done with. DELETE it first.")
        after = _instant(since)
        files, manifest = self._files(types, after, source)
        name = secrets.token_hex(8)
        manifest = {
            "transactionTime": self.clock.date().astimezone(UTC).isoformat(),
            "request": request,
            "requiresAccessToken": source.needs_token,
            **{part: [self._place(name, entry) for entry in entries] for part, entries in manifest.items()},
        }
        self.exports[name] = Export(client, manifest, files, self.polls)
        self.started += 1
        return Reply(202, headers={"Content-Location": f"{self.base}/export/{name}"})

    def _place(self, export: str, entry: Json) -> Json:
        return {**entry, "url": f"{self.base}/export/{export}/{entry['url']}"}

    def _files(self, types: Iterable[str], after: datetime | None, source: Source) -> tuple[dict[str, bytes], Json]:
        files: dict[str, bytes] = {}
        manifest: Json = {"output": [], "error": [], "deleted": []}
        for kind in types:
            if not source.has(kind):
                said = outcome("error", "not-supported", f"{kind} cannot be exported")
                self._add(files, manifest["error"], "OperationOutcome", f"error.{kind}", [said])
                continue
            found = [one.body for one in source.resources(kind) if after is None or one.updated > after]
            for at in range(0, len(found), self.rows):
                page = found[at : at + self.rows]
                self._add(files, manifest["output"], kind, f"{kind}.{at // self.rows + 1}", page)
        gone = defaultdict[str, list[Json]](list)
        for kind, key, when in source.deleted():
            if after is not None and when > after:
                gone[kind].append({"request": {"method": "DELETE", "url": f"{kind}/{key}"}})
        for kind, entries in gone.items():
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            self._add(files, manifest["deleted"], "Bundle", f"deleted.{kind}", [bundle])
        return files, manifest

    def _add(self, files: dict[str, bytes], part: list[Json], kind: str, name: str, rows: list[Json]) -> None:
        name = f"{name}.ndjson"
        files[name] = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        part.append({"type": kind, "url": name, "count": len(rows)})

    def status(self, name: str, method: str) -> Reply:
        """What has become of an export. Raises Refused for one that nobody asked for, or asks for too often."""
        export = self._known(name)
        if method == "DELETE":
            del self.exports[name]
            return Reply(202)
        now = self.clock.seconds()
        early = now - export.polled < self.wait / 2
        export.polled = now
        if early:
            raise Refused(429, "throttled", "Wait as long as Retry-After says.")
        if export.polls_left > 0:
            export.polls_left -= 1
            done = 100 - 100 * (export.polls_left + 1) // (self.polls + 1)
            return Reply(202, headers={"X-Progress": f"{done}% done", "Retry-After": str(self.wait)})
        return Reply(200, json.dumps(export.manifest).encode(), JSON)

    def file(self, name: str, file: str) -> Reply:
        """Raises Refused."""
        body = self._known(name).files.get(file)
        if body is None:
            raise Refused(404, "not-found", "There is no such file.")
        return Reply(200, body, NDJSON)

    def _known(self, name: str) -> Export:
        if name not in self.exports:
            raise Refused(404, "not-found", "There is no such export.")
        return self.exports[name]


@dataclass(frozen=True)
class Source:
    """What may be exported, and to whom the files are given."""

    has: Callable[[str], bool]
    resources: Callable[[str], Iterable[Resource]]
    deleted: Callable[[], Iterable[tuple[str, str, datetime]]]
    needs_token: bool


def _instant(text: str) -> datetime | None:
    try:
        return span(text).start if text else None
    except ValueError:
        raise Refused(400, "value", "_since must be an instant, like 2026-05-20T15:30:00Z") from None
