"""Waits on this machine's loopback for the browser to come back from a sign-in. Judges nothing but the path."""

from __future__ import annotations

import html
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from hde.errors import SignInNeeded, WrongUse

Accepts = Callable[[str], bool]
"""Whether a query string belongs to the sign-in that is waited for."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>hde</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:18vh auto;padding:0 1rem}}</style>
<h1>{title}</h1><p>{text}</p></html>"""


@contextmanager
def listening(redirect_uri: str, accepts: Accepts) -> Iterator[Callable[[float], str]]:
    """Listens at `redirect_uri` (a loopback address); gives a function that waits and returns the query string.

    WrongUse where the port is taken, SignInNeeded where nobody comes back within the seconds it is given.
    """
    parts = urlsplit(redirect_uri)
    found: queue.Queue[str] = queue.Queue()
    handler = _handler(parts.path or "/", accepts, found)
    servers = _bound(parts.hostname or "localhost", parts.port or 80, handler)
    threads = [threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()

    def wait(seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                # In slices: an endless wait would not let Ctrl-C through on every system.
                return found.get(timeout=min(left, 0.2))
            except queue.Empty:
                continue
        raise SignInNeeded(f"nobody came back from the browser within {seconds:.0f} s; run it again")

    try:
        yield wait
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _bound(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> list[ThreadingHTTPServer]:
    servers: list[ThreadingHTTPServer] = []
    try:
        servers = [_server(family, address, port, handler) for family, address in _addresses(host)[:1]]
    except OSError as error:
        raise WrongUse(
            f"port {port} on {host} cannot be listened on ({error.strerror}): another program has it. "
            "Stop that one, or sign in with --no-browser"
        ) from None
    for family, address in _addresses(host)[1:]:
        try:
            servers.append(_server(family, address, port, handler))
        except OSError:
            continue  # the other address is enough where this machine has no IPv6
    return servers


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    four, six = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
    match host:
        case "127.0.0.1":
            return [four]
        case "::1":
            return [six]
        case "localhost":
            return [four, six]
    raise WrongUse(f"{host} is not this machine's loopback")


def _server(
    family: socket.AddressFamily, address: str, port: int, handler: type[BaseHTTPRequestHandler]
) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = family
        daemon_threads = True
        # On Windows this would let another program take over a port in use.
        allow_reuse_address = os.name != "nt"

    return Server((address, port), handler)


def _handler(path: str, accepts: Accepts, found: queue.Queue[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version = "hde"
        sys_version = ""

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != path or len(self.path) > 16_000:
                self._show(404, "Nothing here", "This address only waits for a sign-in to come back.")
            elif not accepts(asked.query):
                self._show(400, "Not this sign-in", "This answer belongs to no sign-in that was begun here.")
            else:
                self._show(200, "hde has your answer", "You can close this window and go back to the terminal.")
                found.put(asked.query)

        def _show(self, status: int, title: str, text: str) -> None:
            page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(page))),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("Connection", "close"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the request line holds the code."""

    return Handler
