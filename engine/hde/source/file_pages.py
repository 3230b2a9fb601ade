"""A file as pages: so many records at once, whatever its size, in the form in which answers come as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from hde.errors import Unreadable
from hde.issues import Issue
from hde.rows import Row
from hde.source.decoded import body_of
from hde.source.files import SourceFile
from hde.source.formats import Record, streamed
from hde.source.formats.shape import path_of
from hde.source.pages import Page
from hde.source.reader import RowReader
from hde.source.unpacking import LARGEST_ANSWER
from hde.spec.connector import Resource

PAGE = 1_000
"""Records of a page."""
PAGE_BYTES = 8 * 1024 * 1024
"""Their text together; a page of large records has fewer of them."""
END = "end of file"


def read_file(
    resource: Resource, file: SourceFile, scope: Mapping[str, object], *, where: str, arrived: Callable[[], int]
) -> Iterator[Page]:
    """The pages of a file. Unreadable names the file and the place, after the records that came before the damage.

    `scope` is what columns may name beside `$file`; `arrived` is called once a page and numbers it.
    """
    reader = RowReader(resource, {**scope, "file": file.scope})
    yield from batched(_records(resource, file, where), reader, arrived)


def batched(records: Iterator[Record], reader: RowReader, arrived: Callable[[], int]) -> Iterator[Page]:
    """Records as pages; what ends them ends the pages, after those that came before it."""
    batch = _Batch(reader)
    count = 0
    try:
        for record in records:
            batch.add(record)
            if batch.is_full:
                count += batch.size
                yield batch.page(arrived(), {"records": count}, None)
                batch = _Batch(reader)
    except Unreadable:
        if batch.size:
            yield batch.page(arrived(), None, None)
        raise
    yield batch.page(arrived(), None, END)


def _records(resource: Resource, file: SourceFile, where: str) -> Iterator[Record]:
    try:
        with file.open() as stream:
            path = path_of(resource.format, resource.records)
            if path is not None:
                yield from streamed(stream, resource.format, path)
                return
            whole = stream.read(LARGEST_ANSWER + 1)
            if len(whole) > LARGEST_ANSWER:
                raise Unreadable(
                    f"larger than {LARGEST_ANSWER // 1024 // 1024} MB, which only a plain path to the records can read:"
                    f" records: {resource.records!r} needs the whole file at once"
                )
            yield from body_of(whole, resource.format).records(resource.records)
    except Unreadable as error:
        raise Unreadable(f"{where}: {file.name}: {error}") from None


class _Batch:
    """Records on their way into a page."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._rows: list[Row] = []
        self._unkeyed: list[Issue] = []
        self._bytes = 0
        self.size = 0

    @property
    def is_full(self) -> bool:
        return self.size >= PAGE or self._bytes >= PAGE_BYTES

    def add(self, record: Record) -> None:
        self.size += 1
        if isinstance(record, Issue):
            self._unkeyed.append(record)
            return
        self._bytes += len(record)
        found = self._reader.identify(record)
        if isinstance(found, list):
            self._unkeyed += found
        else:
            self._rows.append(found)

    def page(self, ordinal: int, next_: Mapping[str, object] | None, stopped: str | None) -> Page:
        return page_of_file(ordinal, next_, stopped, self._rows, self._unkeyed)


def page_of_file(
    ordinal: int, next_: Mapping[str, object] | None, stopped: str | None, rows: list[Row], unkeyed: list[Issue]
) -> Page:
    return Page(
        rows=rows,
        unkeyed=unkeyed,
        next=next_,
        stopped=stopped,
        outcome="read",
        ordinal=ordinal,
        received_at=datetime.now(UTC),
        server_time=None,
        requests=0,
    )
