"""A source on loopback that answers as a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from hde.source.session import Patience
from hde.spec.connector import Connector, Http, RawColumn, Request, Resource
from hde.spec.template import compile_template, compile_tree

QUICK = Patience(first=0.01, most=0.02, tries=3, waits=4, all_waits=5)


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    raw_path: str

    def __getitem__(self, name: str) -> str | None:
        return self.query.get(name, [None])[0]


@dataclass
class Reply:
    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    cut_at: int | None = None
    """Bytes after which the connection breaks, though Content-Length promised more."""
    hold: threading.Event | None = None


class Source:
    """`answer` is called with each request; what it returns is sent. JSON unless bytes are given."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Any] = lambda seen: {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, parts.path, parse_qs(parts.query), headers, body, self.path)
                outer.seen.append(seen)
                self._send(outer.answer(seen))

            do_POST = do_PUT = do_DELETE = do_GET

            def _send(self, given: Any) -> None:
                reply = given if isinstance(given, Reply) else Reply(given)
                if reply.hold is not None:
                    reply.hold.wait(20)
                if reply.hang_up:
                    self.close_connection = True
                    return
                body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
                say = self.send_response_only if "Date" in reply.headers else self.send_response
                say(reply.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | reply.headers
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body if reply.cut_at is None else body[: reply.cut_at])
                if reply.cut_at is not None:
                    self.close_connection = True

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
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def in_turn(self, *replies: Any) -> None:
        """Answers one after the other, the last one for ever."""
        numbers = count()
        self.answer = lambda seen: replies[min(next(numbers), len(replies) - 1)]


def request(path: str = "/things", **parts: Any) -> Request:
    """`params`, `headers`, `form` and `json` as they would stand in YAML."""
    compiled = {name: value if name == "method" else compile_tree(value) for name, value in parts.items()}
    return Request(compile_template(path), **compiled)


def resource(path: str = "/things", **parts: Any) -> Resource:
    columns = parts.pop("columns", {"id": "bigint"})
    sent = {name: parts.pop(name) for name in ("params", "headers", "method", "form", "json") if name in parts}
    return Resource(
        name="things",
        request=request(path, **sent),
        key=parts.pop("key", ("id",)),
        columns=tuple(RawColumn(name.replace(".", "_").strip("$"), type_, name) for name, type_ in columns.items()),
        **parts,
    )


def connector(url: str, **parts: Any) -> Connector:
    http = parts.pop("http", {})
    compiled = {name: compile_tree(http.pop(name)) for name in ("params", "headers") if name in http}
    return Connector(
        name=parts.pop("name", "demo"),
        file=Path("demo.yaml"),
        http=Http(compile_template(url), **compiled, **http),
        resources={},
        **parts,
    )
