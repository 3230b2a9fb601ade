"""A source that prepares exports in the background, and a connector that orders them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopback_made import Reply, Seen, Source

TOP = """\
name: made
settings:
  url: {}
  key: {default: s3cret-of-ours, secret: true}
http:
  base_url: "{{ settings.url }}/api"
  headers: {X-Key: "{{ settings.key }}"}
exports:
  everything:
    path: /$export
    params: {_type: "Visit,Reading", _since: "{{ bookmark }}"}
    headers: {Prefer: respond-async}
    keep: {url: {header: Content-Location}}
    status: {path: "{{ export.url }}"}
    progress: {header: X-Progress}
    poll: {every: 1s, most: 1s, max_wait: WAIT}
    bookmark: transactionTime
    signed_in: requiresAccessToken
    warnings: {files: "error[].url", text: "issue[].diagnostics"}
    discard: {method: DELETE, path: "{{ export.url }}"}
    ORIGINS
shared:
  bulk:
    format: ndjson
    key: [id]
    columns: {id: text, v: int}
resources:
  readings:
    like: bulk
    export:
      of: everything
      files: "output[?type == 'Reading']"
      deleted: {files: "deleted[].url", records: "entry[?request.method == 'DELETE'].request.url", key: "Reading/{id}"}
  visits: {like: bulk, export: {of: everything, files: "output[?type == 'Visit'].url"} MORE}
"""


def write_exported(folder: Path, *, wait: str = "30m", more: str = "", origins: str = "") -> Path:
    """`connectors/made.yaml`; `more` goes into visits."""
    file = folder / "connectors" / "made.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(TOP.replace("WAIT", wait).replace(" MORE", f", {more}" if more else "").replace("ORIGINS", origins))
    return file


def lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@dataclass
class Exporter:
    """Answers as a bulk data server does. `files` is what an export holds: name -> type, records."""

    source: Source
    files: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)
    errors: list[Any] = field(default_factory=list)
    deleted: list[Any] = field(default_factory=list)
    looks: int = 2
    """How often a look finds it not ready."""
    time: str = "2026-01-01T00:00:00Z"
    requires_token: bool = True
    packed: bool = False
    elsewhere: str = ""
    """Origin of the files."""
    counts: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """Exports that are known, and how many looks they still need."""
    unknown: int = 404
    """What is answered about an export that is not known."""

    def __post_init__(self) -> None:
        self.source.answer = self.answer

    def answer(self, seen: Seen) -> Reply | None:
        if seen.path == "/api/$export":
            return self._ordered()
        if seen.path.startswith("/status/"):
            return self._state(seen)
        return self.file(seen)

    def _ordered(self) -> Reply:
        self.orders += 1
        name = f"/status/{self.orders}"
        self.left[name] = self.looks
        return Reply(b"", status=202, headers={"Content-Location": name})

    def _state(self, seen: Seen) -> Reply:
        if seen.path not in self.left:
            return Reply({"issue": []}, status=self.unknown)
        if seen.method == "DELETE":
            del self.left[seen.path]
            return Reply(b"", status=202)
        if self.left[seen.path]:
            self.left[seen.path] -= 1
            return Reply(b"", status=202, headers={"X-Progress": "40 %", "Retry-After": "0"})
        return Reply(self.manifest())

    def manifest(self) -> dict[str, Any]:
        host = self.elsewhere or self.source.url
        listed = {
            "output": [
                {"type": kind, "url": f"{host}/files/{name}", "count": self.counts.get(name, len(records))}
                for name, (kind, records) in self.files.items()
            ],
            "error": [{"type": "OperationOutcome", "url": f"{host}/files/errors"}] if self.errors else [],
            "deleted": [{"type": "Bundle", "url": f"{host}/files/deleted"}] if self.deleted else [],
        }
        return {"transactionTime": self.time, "requiresAccessToken": self.requires_token, **listed}

    def file(self, seen: Seen) -> Reply:
        name = seen.path.removeprefix("/files/")
        texts = {"errors": self.errors, "deleted": self.deleted, **{key: one[1] for key, one in self.files.items()}}
        if name not in texts:
            return Reply({}, status=404)
        text = lines(texts[name])
        kind = {"Content-Type": "application/fhir+ndjson"}
        return Reply(gzip.compress(text), headers=kind) if self.packed else Reply(text, headers=kind)

    def asked(self, beginning: str) -> list[Seen]:
        return [seen for seen in self.source.seen if seen.path.startswith(beginning)]
