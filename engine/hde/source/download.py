"""The files of an export as pages: fetched from where the source says they lie, read as they arrive, never held whole.

A file that breaks off is asked for again from its beginning: what came before is stored already and costs nothing.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import BinaryIO, Literal, cast
from urllib.parse import urljoin

import httpx

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.mapping.expression import FAILURES, compile
from hde.source.address import origin, shown
from hde.source.exact import decode_exactly
from hde.source.file_pages import END, PAGE, batched, page_of_file
from hde.source.formats import Record, streamed
from hde.source.formats.shape import plain_path
from hde.source.outgoing import Outgoing, made_headers
from hde.source.pages import MOST_WARNINGS, Page, told
from hde.source.reader import RowReader
from hde.source.rules import GONE, check_kind
from hde.source.session import MOST_REDIRECTS, Session
from hde.source.transport import Reply
from hde.source.unpacking import bounded, readable
from hde.source.values import KEY_FITS, Misfit
from hde.spec.connector import Resource
from hde.spec.export import Deleted, Export, Told

BUFFER = 256 * 1024
SOME = 512
"""Bytes by which a file is recognised."""
GZIP = b"\x1f\x8b"

Kind = Literal["records", "deleted", "told"]


@dataclass(frozen=True)
class Download:
    """A file of an export. Without `url` it stands for one that is not there: the export holds nothing of this kind."""

    name: str
    """Tells it apart from the other files of its resource, in this export. Holds nothing of its query."""
    url: str | None = field(default=None, repr=False)
    signed_in: bool = True
    count: int | None = None
    """How many records the source says it holds."""
    kind: Kind = "records"
    export: Export | None = None
    lost: Event = field(default_factory=Event, repr=False)
    """Set where the source does not have the files of its export any more."""


@dataclass
class _Broken(Exception):
    """The line broke in the midst of a file."""

    what: str


def read_download(
    session: Session, resource: Resource, file: Download, *, where: str, arrived: Callable[[], int]
) -> Iterator[Page]:
    """The pages of a file. Refused, Unreadable or Unreachable after those that came before the trouble."""
    if file.url is None:
        yield from batched(iter(()), RowReader(resource, session.scope({})), arrived)
        return
    failures = 0
    while True:
        try:
            yield from _read_once(session, resource, file, where, arrived)
            return
        except Refused as error:
            if error.status in GONE:
                file.lost.set()
                raise Refused(
                    f"{error}: the export has expired, and the next run orders it anew", error.status
                ) from None
            raise
        except _Broken as broken:
            failures += 1
            if failures >= session.patience.tries:
                raise Unreachable(f"{where}: broke off {failures} times ({broken.what})") from None
            session.pause(session.patience.backoff(failures))


def _read_once(
    session: Session, resource: Resource, file: Download, where: str, arrived: Callable[[], int]
) -> Iterator[Page]:
    reply, requests = _opened(session, file, where)
    assert reply.rest is not None
    with closing(reply.rest), _in_words(where):
        records = _counted(_records(resource, file, reply), file.count)
        if file.kind == "told":
            pages = _words(records, file, arrived)
        elif file.kind == "deleted":
            pages = _gone(records, resource, arrived)
        else:
            pages = batched(records, RowReader(resource, session.scope({})), arrived)
        for page in pages:
            yield replace(page, requests=requests, received_at=page.received_at)
            requests = 0


def _opened(session: Session, file: Download, where: str) -> tuple[Reply, int]:
    """The answer to the request for a file, redirects followed on the origins where files may lie."""
    url, signed_in, requests = str(file.url), file.signed_in, 0
    for _ in range(MOST_REDIRECTS + 1):
        headers = made_headers(session.connector.http, session.scope({})) if signed_in and is_own(session, url) else {}
        outgoing = Outgoing("GET", url, {**headers, "Accept": "*/*", "Accept-Encoding": "gzip"})
        reply, took = session.opened(outgoing, where, signed_in=signed_in)
        requests += took
        if reply.rest is not None:
            return reply, requests
        if not 300 <= reply.status < 400:
            raise Refused(f"{where}: answers {reply.status}", reply.status)
        target = checked(session, file.export, urljoin(url, reply.headers["location"]), where)
        signed_in = signed_in and origin(target) == origin(url)
        url = target
    raise Refused(f"{where}: redirects without end", reply.status)


def checked(session: Session, export: Export | None, url: str, where: str) -> str:
    """The address of a file; Refused where it lies on an origin that nobody has declared."""
    try:
        there = origin(url)
    except WrongUse as error:
        raise Refused(f"{where}: a file lies where no request may go: {error}", 0) from None
    declared = [one.render(session.scope({})) for one in (export.origins if export else ())]
    if there not in [origin(session.base_url), *(origin(one) for one in declared if one)]:
        raise Refused(
            f"{where}: a file lies on another origin, {shown(url)}, which is refused; if that is the source's own, list"
            " it in `origins` of the export",
            0,
        )
    return url.partition("#")[0]


def is_own(session: Session, url: str) -> bool:
    """Whether an address is on the API's own origin."""
    return origin(url) == origin(session.base_url)


def _records(resource: Resource, file: Download, reply: Reply) -> Iterator[Record]:
    packed = reply.headers.get("content-encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip"):
        raise Unreadable("is packed in a way that was not asked for (Content-Encoding)")
    received = _Received(reply)
    stream = cast("BinaryIO", io.BufferedReader(received, BUFFER))
    for _ in range(2):  # packed for the way, or the file itself, or both
        if _peek(stream).startswith(GZIP):
            stream = bounded(cast("BinaryIO", gzip.GzipFile(fileobj=stream)), lambda: received.count)
    start = _peek(stream)
    if start:
        check_kind(replace(reply, body=start), resource.format)
    path = plain_path(resource.records if file.kind == "records" else None)
    if path is None:
        raise Unreadable(f"records: {resource.records!r}: of a file only a plain path can be read")
    yield from streamed(stream, resource.format, path)


def _peek(stream: BinaryIO) -> bytes:
    return cast("io.BufferedReader", stream).peek(200)[:200]


def _counted(records: Iterator[Record], count: int | None) -> Iterator[Record]:
    seen = 0
    for record in records:
        seen += 1
        yield record
    if count is not None and seen != count:
        raise Unreadable(f"holds {seen} records, and the source says that it holds {count}")


def _words(records: Iterator[Record], file: Download, arrived: Callable[[], int]) -> Iterator[Page]:
    """What the source has to say, in a page without records."""
    assert file.export is not None
    assert file.export.warnings is not None
    said: Told = file.export.warnings
    texts: dict[str, None] = {}
    for found in _read(records, said.text):
        if len(texts) < MOST_WARNINGS:
            texts.update(dict.fromkeys(told(found)))
    yield replace(page_of_file(arrived(), None, END, [], []), warnings=tuple(texts)[:MOST_WARNINGS])


def _gone(records: Iterator[Record], resource: Resource, arrived: Callable[[], int]) -> Iterator[Page]:
    """Keys of what is gone, in pages without records."""
    assert resource.export is not None
    assert resource.export.deleted is not None
    said: Deleted = resource.export.deleted
    shape = key_shape(said.key)
    keys: dict[tuple[str, ...], None] = {}
    count = 0
    for found in _read(records, said.records):
        for text in found if isinstance(found, list) else [found]:
            match = shape.fullmatch(text) if isinstance(text, str) else None
            if match and (key := _key(resource, match.groupdict())):
                keys[key] = None
        if len(keys) >= PAGE:
            count += len(keys)
            yield replace(page_of_file(arrived(), {"records": count}, None, [], []), gone=tuple(keys))
            keys = {}
    yield replace(page_of_file(arrived(), None, END, [], []), gone=tuple(keys))


def _key(resource: Resource, texts: Mapping[str, str]) -> tuple[str, ...] | None:
    """The key as the raw table holds it; None where it fits no record."""
    try:
        return tuple(KEY_FITS[column.type](texts[name]) for name in resource.key if (column := resource.column(name)))
    except Misfit:
        return None


def key_shape(text: str) -> re.Pattern[str]:
    """`Observation/{id}` as a pattern with a group for each column."""
    parts = re.split(r"\{([a-z][a-z0-9_]*)\}", text)
    return re.compile("".join(f"(?P<{one}>.+)" if at % 2 else re.escape(one) for at, one in enumerate(parts)))


def _read(records: Iterator[Record], path: str) -> Iterator[object]:
    """What a JMESPath finds in each record; one that cannot be read says nothing."""
    expression = compile(path)
    for record in records:
        if isinstance(record, bytes):
            try:
                yield expression(decode_exactly(record))
            except (*FAILURES, ValueError, RecursionError):
                continue


@contextmanager
def _in_words(where: str) -> Iterator[None]:
    """What is wrong with a file, and where it was met."""
    try:
        with readable("the file"):
            yield
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None


class _Received(io.RawIOBase):
    """The bytes of an answer as they arrive, counted."""

    def __init__(self, reply: Reply) -> None:
        assert reply.rest is not None
        self._chunks = reply.rest.iter_raw()
        self._left = memoryview(b"")
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # the buffer protocol has no name before 3.12
        filled = 0
        while filled < min(len(view), SOME):  # a first look must see how a file begins
            if not self._left and not self._receive():
                break
            size = min(len(view) - filled, len(self._left))
            view[filled : filled + size] = self._left[:size]
            self._left = self._left[size:]
            filled += size
        return filled

    def _receive(self) -> bool:
        try:
            chunk = next(self._chunks, b"")
        except httpx.RequestError as error:
            raise _Broken(type(error).__name__) from None
        self.count += len(chunk)
        self._left = memoryview(chunk)
        return bool(chunk)
