"""The simulated source: answers each request as the connector's YAML says its source does, with made records.

It uses every freedom the YAML leaves a source: pages smaller than asked for, an empty page before the last, a filter
that leaves out as much at both ends of a window as `widen` asks for more.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hde.contract.recognise import Asked, Captures, captured, names_of, recognised
from hde.contract.shape import CannotBeMade, answer_with, merged
from hde.contract.supply import Supplied, Supply, instant
from hde.source.windows import DAY, grain_of
from hde.spec.connector import Connector, Cursor, LinkHeader, Offset, PageNumber, Resource, Where, Window

IDENTITY = "/hde-contract-account"
TOKEN = "hde-page-"
MARK = "20260101000000"
"""The bookmark that is handed out."""
SHARES = 8
"""Among so many elements of a fan-out the records are divided."""


class Unclear(Exception):
    """A request that cannot be answered, or an answer that cannot be made. Says why."""


@dataclass
class Simulated:
    """A running source, and what it was asked."""

    connector: Connector
    supply: Supply
    scope: Mapping[str, object]
    account: Mapping[str, object]
    page: int
    """Records of a page, where the YAML leaves that to the source."""
    url: str = ""
    unclear: dict[str, set[str]] = field(default_factory=dict)
    """By resource (`''`: no resource's request), what could not be answered."""
    served: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    _pages: dict[str, tuple[str, list[Supplied], int]] = field(default_factory=dict)
    _emptied: set[tuple[int, int]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> tuple[int, object, dict[str, str]]:
        """Status, body and headers."""
        if asked.path.endswith(IDENTITY):
            return 200, dict(self.account), {}
        with self._lock:
            name = ""
            try:
                token = self._token(asked)
                if token:
                    name, records, at = self._pages[token]
                    return 200, *self._paged(self.connector.resources[name], records, at, {}, asked)
                found = recognised(self.connector, self.scope, asked)
                if found is None and self._is_receipt(asked):
                    return 200, {}, {}
                if found is None:
                    raise Unclear(f"{asked.method} {asked.path}: no resource of the connector asks so")
                resource, captures = found
                name = resource.name
                if resource.format.kind not in ("json", "ndjson") or resource.format.zip:
                    raise Unclear(f"answers in {resource.format.kind} are not simulated")
                records = list(self._listed(resource, captures))
                return 200, *self._paged(resource, records, 0, captures, asked)
            except (Unclear, CannotBeMade) as error:
                self.unclear.setdefault(name, set()).add(str(error))
                return 400, {"error": str(error)}, {}

    def _is_receipt(self, asked: Asked) -> bool:
        """Whether it is one of the requests that follow a stored record: sent for their effect, so any answer does."""
        receipts = [one.when_stored.request for one in self.connector.resources.values() if one.when_stored]
        return any(captured(request, self.scope, asked) is not None for request in receipts)

    def _token(self, asked: Asked) -> str:
        at = asked.text.find(TOKEN)
        if at < 0:
            return ""
        token = asked.text[at : at + len(TOKEN) + 8]
        if token not in self._pages:
            raise Unclear("a page that was never announced")
        return token

    def _listed(self, resource: Resource, captures: Captures) -> Iterator[Supplied]:
        records = self.supply.records[resource.name]
        if captures.get("bookmark"):
            return  # nothing has changed since it was handed out
        if resource.for_each is not None:
            each = "\n".join(text for name, text in sorted(captures.items()) if name.partition(".")[0] == "each")
            records = records[zlib.crc32(each.encode()) % SHARES :: SHARES]
        if resource.records is None and not resource.pagination and not resource.window:
            records = records[:1]
        window = resource.window
        if window is None:
            yield from records
            return
        if window.order == "newest_first":
            yield from reversed(records)
            return
        start, end = _span(window, resource, captures)
        for one in records:
            if one.at is None or ((start is None or start <= one.at) and (end is None or one.at < end)):
                yield one

    def _paged(
        self, resource: Resource, records: list[Supplied], at: int, captures: Captures, asked: Asked
    ) -> tuple[object, dict[str, str]]:
        spec = resource.pagination
        match spec:
            case None:
                marks: dict[Where | None, object] = {resource.bookmark.next: MARK} if resource.bookmark else {}
                return self._body(resource, records, {}), _headers(marks)
            case PageNumber():
                size = _whole(captures.get("page.size")) or spec.size or self.page
                at = (_whole(captures.get("page.number"), spec.first) - spec.first) * size
            case Offset():
                size = _whole(captures.get("page.size")) or spec.size or self.page
                size = size if spec.stop == "short" else min(size, self.page)
                at = _whole(captures.get("page.offset"))
            case _:
                size = self.page
        taken = records[at : at + size]
        is_last = at + size >= len(records)
        following = at + size
        if isinstance(spec, PageNumber | Offset):
            parts: dict[Where | None, object] = {spec.more: not is_last, spec.total: len(records)}
            return self._body(resource, taken, parts), _headers(parts)
        if not is_last and at == size and not self._was_empty(records, at):
            taken, following, is_last = [], at, False  # an empty page that names a next one is no end
        token = "" if is_last else self._announce(resource, records, following)
        link = f"{self.url}{asked.path}?page={token}" if token else None
        if isinstance(spec, LinkHeader):
            headers = {"Link": f'<{link}>; rel="next", <{self.url}>; rel="first"'} if link else {}
            return self._body(resource, taken, {}), headers
        parts = {spec.next: (token or None) if isinstance(spec, Cursor) else link}
        return self._body(resource, taken, parts), _headers(parts)

    def _was_empty(self, records: list[Supplied], at: int) -> bool:
        """Whether the empty page before this place was given already."""
        was = (id(records), at) in self._emptied
        self._emptied.add((id(records), at))
        return was

    def _announce(self, resource: Resource, records: list[Supplied], at: int) -> str:
        token = f"{TOKEN}{len(self._pages):08x}"
        self._pages[token] = (resource.name, records, at)
        return token

    def _body(self, resource: Resource, records: list[Supplied], parts: Mapping[Where | None, object]) -> object:
        self.served.setdefault(resource.name, set()).update(one.identity for one in records)
        found: object = [one.record for one in records]
        is_one = resource.records is None and not resource.pagination and not resource.window
        body = _made(resource.records, records[0].record if is_one and records else found, "records")
        marks: dict[Where | None, object] = {resource.bookmark.next: MARK} if resource.bookmark else {}
        for where, value in (*parts.items(), *marks.items()):
            if where is not None and where.body is not None and value is not None:
                key = "bookmark.next" if where in marks else "pagination"
                body = merged(body, _made(where.body, value, key))
        return Lines(records) if resource.format.kind == "ndjson" else body


def _made(path: str | None, value: object, key: str) -> object:
    try:
        return answer_with(path, value)
    except CannotBeMade:
        raise Unclear(f"{key}: no answer can be made in which {path!r} finds what it must") from None


@dataclass(frozen=True)
class Lines:
    """An answer of one record per line."""

    records: list[Supplied]


def _headers(parts: Mapping[Where | None, object]) -> dict[str, str]:
    return {
        where.header: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for where, value in parts.items()
        if where is not None and where.header is not None
    }


def _span(window: Window, resource: Resource, captures: Captures) -> tuple[datetime | None, datetime | None]:
    """What the source takes to be asked for, less what it leaves out at both ends."""
    named = names_of(resource.request)
    start = _instant(window, captures, "window.start", named)
    end = _instant(window, captures, "window.end", named)
    if end is not None and window.end == "inclusive":
        end += grain_of(window.format)
    if "window.end" not in named and start is not None and window.step is not None:
        end = start + DAY
    return (
        None if start is None else start + window.widen_before,
        None if end is None else end - window.widen_after,
    )


def _instant(window: Window, captures: Captures, name: str, named: set[str]) -> datetime | None:
    text = captures.get(name)
    if text is None:
        if name in named and any(name in source and source != name for source in captures):
            raise Unclear(f"{name} goes through a filter, which cannot be turned round")
        return None
    match window.format:
        case "rfc3339" | "date":
            found = instant(text)
        case "epoch":
            found = datetime.fromtimestamp(int(text), UTC) if text.lstrip("-").isdecimal() else None
        case "epoch_ms":
            found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text)) if text.isdecimal() else None
        case pattern:
            try:
                found = datetime.strptime(text, pattern).replace(tzinfo=UTC)
            except ValueError:
                found = None
    if found is None:
        raise Unclear(f"{name} arrives as {text!r}, which is no {window.format}")
    return found


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.lstrip("-").isdecimal() else otherwise


@contextmanager
def running(simulated: Simulated) -> Iterator[Simulated]:
    """On loopback for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body, headers = simulated.answer(_asked(self))
            lines = [json.dumps(one.record) for one in body.records] if isinstance(body, Lines) else [json.dumps(body)]
            content = "\n".join(lines).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    simulated.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield simulated
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    parts = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
    kind = handler.headers.get("Content-Type", "")
    given: Any = None
    if "json" in kind and body:
        given = json.loads(body)
    return Asked(
        method=handler.command,
        path=parts.path,
        query=parse_qs(parts.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in handler.headers.items()},
        json=given,
        form=parse_qs(body, keep_blank_values=True) if "form" in kind else {},
        text="\n".join((unquote(handler.path), unquote(body), *handler.headers.values())),
    )
