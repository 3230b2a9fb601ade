"""The loopback port of a simulated provider: turns bytes into requests and replies into bytes, and can be stopped
without leaving a connection behind. It binds 127.0.0.1 only and decides no answer."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hde.sandbox.exchange import Reply, Request

HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024
DRIPS = 20
"""Pieces in which a body comes that is spread over time."""


class Server(ThreadingHTTPServer):
    """Answers every request with `serve(request)`, from several threads at once. Port 0 takes any free port."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, serve: Callable[[Request], Reply]) -> None:
        self.serve = serve
        self.open: dict[threading.Thread, socket.socket] = {}
        self.stopping = threading.Event()
        super().__init__((HOST, port), Handler)

    def server_bind(self) -> None:
        """As in HTTPServer, but without its reverse DNS lookup, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; anything else is ours and shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Ends `serve_forever` and the kept-alive connections, so that nothing answers afterwards."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for thread, connection in list(self.open.items()):
            with contextlib.suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one segment
    timeout = 120
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.open[threading.current_thread()] = self.connection

    def finish(self) -> None:
        self.server.open.pop(threading.current_thread(), None)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what a sandbox was asked is in its `log`."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(Reply(413, headers={"Connection": "close"}))
            return
        body = self.rfile.read(int(length))
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=url.path,
            query=_first_of_each(url.query),
            authorization=self.headers.get("Authorization", ""),
            form=_first_of_each(body.decode("utf-8", "replace")) if is_form else None,
            headers={name.lower(): value for name, value in self.headers.items()},
            pairs=tuple(parse_qsl(url.query, keep_blank_values=True)),
        )
        self._send(self.server.serve(request))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer

    def _send(self, reply: Reply) -> None:
        delay, spread, share = reply.delivery
        self.server.stopping.wait(delay)
        if share == 0:
            self._reset()
            return
        self._send_head(reply)
        body = reply.body if share is None else reply.body[: int(len(reply.body) * share)]
        if spread:
            self._drip(body, spread)
        else:
            self.wfile.write(body)
        if share is not None:
            self.wfile.flush()
            self._reset()

    def _send_head(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        self.send_header("Server", self.server_version)
        for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _drip(self, body: bytes, seconds: float) -> None:
        size = len(body) // DRIPS + 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            self.server.stopping.wait(seconds / DRIPS)

    def _reset(self) -> None:
        """Ends the connection as a crash does: without the farewell that a close would send."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if os.name == "posix":
            os.close(self.connection.detach())
        else:
            self.connection.close()


def _first_of_each(text: str) -> dict[str, str]:
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))
