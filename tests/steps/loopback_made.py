"""A source on loopback that a test tells what to answer, and small connectors that read it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent, indent
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DAY = timedelta(days=1)
HOLDS_FOR = 30.0
"""Seconds a held answer waits for a test that has failed."""

CONNECTOR = """
name: made
settings: {{url: {{}}, key: {{default: somebody, secret: true}}}}
http:
  base_url: "{{{{ settings.url }}}}"
  headers: {{X-Key: "{{{{ settings.key }}}}"}}
  parallel: {parallel}
{http}
{account}
shared:
  windowed:
    params: {{start: "{{{{ window.start }}}}", end: "{{{{ window.end }}}}", cursor: "{{{{ page.cursor }}}}"}}
    records: records
    pagination: {{kind: cursor, next: next}}
    window: {{time: at, step: 30d, settle: 2d, from: 100d}}
    key: [id]
    columns: {{id: bigint, at: timestamptz, v: int}}
resources:
{resources}
"""


def windowed(*names: str, **more: str) -> str:
    """Resources of records with a time; `more` are further lines of each."""
    lines = "".join(f"\n    {name}: {value}" for name, value in more.items())
    return "\n".join(f"  {name}:\n    like: windowed\n    path: /{name}{lines}" for name in names)


def write_made(folder: Path, resources: str, http: str = "") -> Path:
    """`connectors/made.yaml` of these resources, without an account."""
    file = folder / "connectors" / "made.yaml"
    file.parent.mkdir(exist_ok=True)
    top = 'name: made\nsettings: {url: {}}\nhttp:\n  base_url: "{{ settings.url }}"\n'
    file.write_text(f"{top}{indent(dedent(http), '  ')}\nresources:\n{indent(dedent(resources), '  ')}")
    return file


def write_connector(
    folder: Path,
    *names: str,
    http: str = "",
    account: str = "account: {path: /me, id: id}",
    parallel: int = 4,
    **more: str,
) -> Path:
    """`connectors/made.yaml` in a folder; where there is no mapping, records stay raw."""
    file = folder / "connectors" / "made.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(CONNECTOR.format(parallel=parallel, http=http, account=account, resources=windowed(*names, **more)))
    return file


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    at: float
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    method: str = "GET"
    body: str = ""

    @property
    def span(self) -> tuple[datetime, datetime]:
        start, end = (datetime.fromisoformat(self.query[name]) for name in ("start", "end"))
        return start, end


@dataclass(frozen=True)
class Reply:
    body: Any = None
    """JSON, or bytes as they are."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Source:
    """Answers with what `answer` makes of a request, `None` meaning the records below; keeps what was asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.records: dict[str, list[dict[str, Any]]] = {}
        self.page = 10
        self.answer: Callable[[Seen], Reply | None] = lambda seen: None
        self.sent: Callable[[Seen], None] = lambda seen: None
        self.held = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(body))
                seen = Seen(time.monotonic(), parts.path, query, headers, form, self.command, body)
                outer.seen.append(seen)
                reply = outer.answer(seen) or outer.listed(seen)
                answer = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                self.wfile.flush()
                outer.sent(seen)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None: ...

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fill(self, *names: str, every: timedelta = DAY, days: int = 99) -> None:
        """A record for each step of the last days, of each resource."""
        now = datetime.now(UTC)
        times = [now - days * DAY + number * every for number in range(int(days * DAY / every))]
        for name in names:
            self.records[name] = [
                {"id": number, "at": at.isoformat(), "v": number} for number, at in enumerate(times, start=1)
            ]

    def listed(self, seen: Seen) -> Reply:
        """A page of the records within the window, or who is asking."""
        if seen.path == "/me":
            return Reply({"id": f"id-of-{seen.headers['x-key']}"})
        start, end = seen.span
        found = [
            record
            for record in self.records.get(seen.path.strip("/"), [])
            if start <= datetime.fromisoformat(record["at"]) < end
        ]
        first = int(seen.query.get("cursor", "0"))
        following = first + self.page
        return Reply(
            {
                "records": found[first:following],
                "next": str(following) if following < len(found) else None,
            }
        )

    def asked(self, *names: str) -> list[Seen]:
        """Requests for these resources so far."""
        return [seen for seen in self.seen if seen.path.strip("/") in names]

    def hold(self) -> None:
        """Called while answering: the answer waits until the test lets it go."""
        self.held.wait(HOLDS_FOR)
