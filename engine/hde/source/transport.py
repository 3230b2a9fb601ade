"""One request, one answer, within bounds: time, bytes, origin. Retries nothing and decides nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

import httpx

import hde
from hde.errors import Stopped, Unreadable, WrongUse

TIMEOUT = httpx.Timeout(connect=10, read=60, write=60, pool=10)
LARGEST = 256 * 1024 * 1024
"""Bytes of a body, unpacked."""
LONGEST = 900.0
"""Seconds an answer may take altogether: a read timeout alone lets a dripping server go on for ever."""
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


@dataclass(frozen=True)
class Reply:
    """What came back, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes
    received_at: datetime
    server_time: datetime | None
    url: str
    rest: httpx.Response | None = None
    """Where the body was not read: whoever asked for it so reads and closes it."""


def new_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """An HTTP/1.1 client that follows no redirect by itself and reaches this machine without a proxy.

    With a `transport` of its own nothing goes another way.
    """
    return _Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        headers={
            "User-Agent": f"hde/{hde.__version__}",
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        },
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=32),
        mounts=None if transport is not None else dict.fromkeys(_LOOPBACK),
    )


class _Cookies(httpx.Cookies):
    """httpx asks the standard library for cookies after each answer, at a tenth of a request's price."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


class _Client(httpx.Client):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kept: httpx.Cookies = _Cookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._kept

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._kept = _Cookies(cookies)


class Line:
    """A client whose waiting reads are cut when `stop` is set, from whatever thread they wait in."""

    def __init__(
        self, stop: threading.Event, *, largest: int = LARGEST, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._client = new_client(transport)
        self._stop = stop
        self._largest = largest
        self._streams: set[object] = set()
        self._changing = threading.Lock()
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._cut_on_stop, name="hde-stop", daemon=True)
        self._watch.start()

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        self._watch.join()
        self._client.close()

    def request(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Request:
        try:
            return self._client.build_request(
                method, url, headers=dict(headers), content=content, extensions={"trace": self._trace}
            )
        except (httpx.InvalidURL, ValueError):  # the latter from host names in Unicode
            raise WrongUse("the address of a request is no URL: check the base_url and the path") from None

    def send(self, request: httpx.Request, auth: httpx.Auth | None, *, unread: bool = False) -> Reply:
        """The answer, read whole; with `unread` one that is a success is not, and is the caller's to read and close.

        httpx.RequestError where it breaks, Unreadable where it is too much, Stopped.
        """
        try:
            response = self._client.send(request, auth=auth, stream=True)
            if unread and response.is_success:
                return replied(response, b"", rest=response)
            try:
                return self._read(response)
            finally:
                response.close()
        except httpx.RequestError:
            if self._stop.is_set():
                raise Stopped("stopped while waiting for an answer") from None
            raise

    def _read(self, response: httpx.Response) -> Reply:
        deadline = time.monotonic() + LONGEST
        packed = response.headers.get("content-encoding", "").strip().lower()
        if packed not in _ENCODINGS:
            raise Unreadable("the answer is packed in a way that was not asked for (Content-Encoding)")
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes() if packed else response.iter_raw():
            size += len(chunk)
            if size > self._largest:
                raise Unreadable(f"the answer is larger than {self._largest // 1024 // 1024} MB: ask for smaller pages")
            if self._stop.is_set():
                raise Stopped("stopped while reading an answer")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer takes too long", request=response.request)
            chunks.append(chunk)
        return replied(response, b"".join(chunks))

    def _trace(self, event: str, info: Mapping[str, object]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._changing:
                self._streams = {stream for stream in self._streams if _socket_of(stream) is not None}
                self._streams.add(info["return_value"])

    def _cut_on_stop(self) -> None:
        # Two events cannot be waited for at once: `stop` belongs to the run, `closed` to this client.
        while not self._closed.wait(0.2):
            if self._stop.is_set():
                with self._changing:
                    for stream in self._streams:
                        _shut(stream)


def replied(response: httpx.Response, body: bytes, rest: httpx.Response | None = None) -> Reply:
    """An answer whose body has been read by now, or is the `rest`."""
    return Reply(
        status=response.status_code,
        headers=response.headers,
        body=body,
        received_at=datetime.now(UTC),
        server_time=_http_date(response.headers.get("date")),
        url=str(response.request.url),
        rest=rest,
    )


def _socket_of(stream: object) -> socket.socket | None:
    ask = getattr(stream, "get_extra_info", None)
    found = ask("socket") if ask is not None else None
    return found if isinstance(found, socket.socket) and found.fileno() >= 0 else None


def _shut(stream: object) -> None:
    """Wake whoever reads from this connection; closing alone would leave them waiting."""
    found = _socket_of(stream)
    if found is not None:
        with suppress(OSError):
            socket.socket.shutdown(found, socket.SHUT_RDWR)


@lru_cache(maxsize=16)
def _http_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
