"""Serves pre-built pages of records, so that the server is never the bottleneck.

    python3 benchmarks/page_server.py --records 100000 --size 1000     prints a JSON line, runs until killed

`?cursor=N` is page N. `?start=T` is the first page of the window that T lies in where there are `--windows`, else of
everything; at the last record's time it is that record, later there is nothing. `/stats` tells how it was asked,
`/reset` forgets it.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import shapes

SECONDS = 60.0
"""Over how long a stretch the most requests are counted."""


def answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def pages(texts: Iterator[bytes], size: int, prefix: str = "") -> list[bytes]:
    """Complete HTTP answers, one a page; cursors are `prefix` and the page's number."""
    built: list[bytes] = []
    following = list(islice(texts, size))
    while following:
        page, following = following, list(islice(texts, size))
        next_ = f'"{prefix}{len(built) + 1}"' if following else "null"
        built.append(answer(b'{"records": [%s], "next_token": %s}' % (b", ".join(page), next_.encode())))
    return built


NOTHING = answer(b'{"records": [], "next_token": null}')
ME = answer(b'{"user_id": 10129}')


class Book:
    """Every page there is, and how they were asked for."""

    def __init__(self, texts: Iterator[bytes], starts: Sequence[datetime], size: int, windows: bool, now: datetime):
        self.last = shapes.iso(starts[-1])
        self.bounds: list[str] = []
        self.by_cursor: dict[str, bytes] = {}
        held = list(texts)
        if windows:
            step, first = timedelta(days=shapes.step_days(now)), shapes.first_start(now)
            for number in range(shapes.SPANS):
                begin, end = (bisect.bisect_left(starts, first + at * step) for at in (number, number + 1))
                self.bounds.append(shapes.iso(first + number * step))
                self._add(pages(iter(held[begin:end]), size, f"{number}."), f"{number}.")
        self._add(pages(iter(held), size), "")
        self.tail = pages(iter(held[-1:]), 1)[0]
        self.reset()

    def _add(self, built: Sequence[bytes], prefix: str) -> None:
        self.by_cursor |= {f"{prefix}{number}": page for number, page in enumerate(built or [NOTHING])}

    def reset(self) -> None:
        self.asked: list[float] = []
        self.in_flight = self.most_in_flight = 0

    def page(self, target: str) -> bytes:
        url = urlsplit(target)
        if url.path == "/stats":
            return answer(json.dumps(self.stats()).encode())
        if url.path == "/reset":
            self.reset()
            return answer(b"{}")
        self.asked.append(time.monotonic())
        if url.path == "/me":
            return ME
        query = parse_qs(url.query)
        if "cursor" in query:
            return self.by_cursor[query["cursor"][0]]
        start = query.get("start", [""])[0]
        if start[:19] >= self.last[:19]:  # to the second, however it is written
            return self.tail if start[:19] == self.last[:19] else NOTHING
        window = bisect.bisect_right(self.bounds, start) - 1 if start else -1
        return self.by_cursor[f"{window}.0" if window >= 0 else "0"]

    def stats(self) -> dict[str, int]:
        """Requests, the most in flight at once, and the most within any stretch of SECONDS."""
        most = begin = 0
        for end, at in enumerate(self.asked):
            while at - self.asked[begin] >= SECONDS:
                begin += 1
            most = max(most, end - begin + 1)
        return {"requests": len(self.asked), "most_in_flight": self.most_in_flight, "most_in_a_minute": most}


class Connection(asyncio.Protocol):
    """One client: requests without a body, answered in order."""

    def __init__(self, book: Book, latency: float) -> None:
        self.book, self.latency = book, latency
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            found = self.book.page(head.split(b" ", 2)[1].decode())
            self.book.in_flight += 1
            self.book.most_in_flight = max(self.book.most_in_flight, self.book.in_flight)
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.send, found)
            else:
                self.send(found)

    def send(self, found: bytes) -> None:
        self.book.in_flight -= 1
        if not self.transport.is_closing():
            self.transport.write(found)


async def serve(book: Book, latency: float, told: dict[str, object]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(book, latency), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}", **told}), flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1_000, help="records a page")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="sleep")
    parser.add_argument("--windows", action="store_true", help=f"pages of {shapes.SPANS} windows of time as well")
    options = parser.parse_args()
    now = datetime.now(UTC)
    starts = shapes.starts(options.records, now)
    texts = shapes.records(options.shape, options.records, now)
    book = Book(texts, starts, options.size, options.windows, now)
    told: dict[str, object] = {
        "from": shapes.first_start(now).date().isoformat(),
        "step_days": shapes.step_days(now),
        "last": book.last,
    }
    try:
        asyncio.run(serve(book, options.latency, told))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
