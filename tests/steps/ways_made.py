"""Ways to a PostgreSQL that are not the straight one: proxies on loopback that cut, share, or only pretend."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
ANOTHER_PID = 7


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that answers each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=served, args=(client,), daemon=True).start()

        def served(client: socket.socket) -> None:
            with client, suppress(OSError, EOFError):
                answer(client)

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def to_postgres(folder: str) -> socket.socket:
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(str(Path(folder) / ".s.PGSQL.5432"))
    return upstream


class Cutting:
    """Cuts the connection at some COMMITs, of all that pass: before it, or before its answer is handed on."""

    def __init__(self, folder: str, *, before: tuple[int, ...] = (), after: tuple[int, ...] = ()) -> None:
        self._folder, self._before, self._after = folder, before, after
        self._counting = threading.Lock()
        self.commits = 0

    def __call__(self, client: socket.socket) -> None:
        with to_postgres(self._folder) as upstream:
            unheard = threading.Event()
            threading.Thread(target=self._back, args=(upstream, client, unheard), daemon=True).start()
            while data := client.recv(65536):
                number = self._number() if data.endswith(COMMIT) else 0
                if number and number in self._before:
                    break
                if number and number in self._after:
                    unheard.set()
                upstream.sendall(data)
            for end in (client, upstream):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _number(self) -> int:
        with self._counting:
            self.commits += 1
            return self.commits

    @staticmethod
    def _back(upstream: socket.socket, client: socket.socket, unheard: threading.Event) -> None:
        with suppress(OSError):
            while (data := upstream.recv(65536)) and not unheard.is_set():
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


class Pooler:
    """Signs clients in with numbers of its own, as poolers do; `shares` one session among all, message by message."""

    def __init__(self, folder: str, *, shares: bool) -> None:
        self._folder, self._shares = folder, shares
        self._turn = threading.Lock()
        self._greeting: list[bytes] = []
        self._upstreams: list[socket.socket] = []

    def close(self) -> None:
        for upstream in self._upstreams:
            upstream.close()

    def __call__(self, client: socket.socket) -> None:
        start = read_start(client)
        with self._turn:
            if self._upstreams and self._shares:
                upstream = self._upstreams[0]
                client.sendall(b"".join(self._greeting))
            else:
                upstream = to_postgres(self._folder)
                self._upstreams.append(upstream)
                upstream.sendall(start)
                self._greeting = signed_in(client, upstream)
        while (kind_and_body := read_message(client))[:1] != b"X":
            with self._turn:
                upstream.sendall(kind_and_body)
                while kind_and_body[:1] not in (b"Q", b"S"):
                    kind_and_body = read_message(client)
                    upstream.sendall(kind_and_body)
                while (answer := read_message(upstream))[:1] != b"Z":
                    client.sendall(answer)
                client.sendall(answer)


def signed_in(client: socket.socket, upstream: socket.socket) -> list[bytes]:
    """Hands the sign-in on; what another client may be greeted with."""
    greeting: list[bytes] = []
    while True:
        message = read_message(upstream)
        if message[:1] == b"K":
            message = message[:5] + struct.pack("!i", ANOTHER_PID) + message[9:]
        client.sendall(message)
        asks = message[:1] == b"R" and message[5:9] in (b"\0\0\0\x0a", b"\0\0\0\x0b")
        if asks:
            upstream.sendall(read_message(client))
        elif message[:1] != b"R" or message[5:9] == bytes(4):
            greeting.append(message)
        if message[:1] == b"Z":
            return greeting


def of_version(version: str) -> Callable[[socket.socket], None]:
    """A PostgreSQL that says how old it is, and no more."""

    def answer(client: socket.socket) -> None:
        read_start(client)
        said = b"server_version\0" + version.encode() + b"\0"
        client.sendall(message(b"R", bytes(4)) + message(b"S", said) + message(b"K", bytes(8)) + message(b"Z", b"I"))
        while read_message(client)[:1] != b"X":
            pass

    return answer


def something_else(client: socket.socket) -> None:
    """What listens there is no PostgreSQL."""
    read_start(client)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hangs_up(client: socket.socket) -> None:
    client.recv(8)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def read_start(client: socket.socket) -> bytes:
    length = exactly(client, 4)
    return length + exactly(client, struct.unpack("!i", length)[0] - 4)


def read_message(end: socket.socket) -> bytes:
    head = exactly(end, 5)
    return head + exactly(end, struct.unpack("!i", head[1:])[0] - 4)


def exactly(end: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = end.recv(count - len(found))
        if not more:
            raise EOFError
        found += more
    return found
