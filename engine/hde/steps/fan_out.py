"""Readings of a resource for each stored record of another: planned while they are read, so that no list of all of
them is ever held, and remembered record by record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from hde.errors import Unreadable
from hde.rows import RawTable
from hde.source.elements import Element, elements_of_record
from hde.spec.connector import Resource
from hde.spec.elements import parents_of
from hde.steps.plan import NO_SETTLE, Range, Reading, changed_request, stream_readings
from hde.store import ledger, queues
from hde.store.database import Connection, transaction
from hde.store.ledger import Stream, WindowRecord
from hde.store.merge import Cursor
from hde.store.queues import Queue, Record


@dataclass
class FanOut:
    """`readings` is drawn on by the threads that read, one at a time; `ended` is told by the one that stores."""

    open_connection: Callable[[], AbstractContextManager[Connection]]
    resource: Resource
    queue: Queue
    stream: Stream
    """That of the whole resource; an element's is the same with its key as parent."""
    asked: Range
    now: datetime
    planned: Callable[[], None]
    """Called for each reading."""
    failed: Callable[[str], None]
    """Called with what is wrong with a record that gives no elements."""
    _marks: _Marks = field(default_factory=lambda: _Marks())

    def readings(self) -> Generator[Reading, None, None]:
        """For every record, with a window or `again`; else for those that are new, changed, or owed."""
        with self.open_connection() as connection:
            if self.is_each_time:
                yield from self._of_every_record(connection)
                return
            with transaction(connection) as cursor:
                ledger.drop_open_windows_of(cursor, self.queue.account, self.resource.name, "read whole again")
                if self.asked.full:
                    queues.restart(cursor, self.queue)
                owed = queues.owed(cursor, self.queue)
                seq = queues.mark(cursor, self.queue)
            seen: set[str] = set()
            yield from self._snapshots(owed, seen, is_owed=True)
            while True:
                with transaction(connection) as cursor:
                    batch = queues.after(cursor, self.queue, seq)
                if not batch:
                    return
                yield from self._snapshots(batch, seen)
                seq = batch[-1].seq

    @property
    def is_each_time(self) -> bool:
        return is_each_time(self.resource)

    def ended(self, cursor: Cursor, reading: Reading, error: str | None) -> None:
        """A reading was stored to its end, or failed: what that means for its record, in the same transaction."""
        if reading.seq is None:
            return
        self._write(cursor, self._marks.ended(reading.seq, error))

    def finish(self, cursor: Cursor, *, complete: bool) -> None:
        """After a pass; a `complete` one says when all elements were last looked at, and with which request."""
        self._write(cursor, self._marks.flush())
        if complete and not self.is_each_time:
            ledger.cover(cursor, WindowRecord(self.stream, None, self.now), NO_SETTLE)

    def request_note(self, cursor: Cursor) -> str | None:
        """What to tell where the request is another one than the records were read with."""
        changed = ledger.request_changed(cursor, self.stream) and not self.asked.full
        return changed_request(self.resource) if changed else None

    def _snapshots(self, records: list[Record], seen: set[str], *, is_owed: bool = False) -> Iterator[Reading]:
        for record in records:
            self._marks.begin(record.seq, is_owed=is_owed)
            for element in self._elements(record):
                if element.key in seen:
                    continue
                seen.add(element.key)
                self._marks.begin(record.seq, is_owed=is_owed)
                self.planned()
                window = WindowRecord(replace(self.stream, parent=element.key), None, self.now)
                yield Reading(self.resource, window, element, record.seq)
            self._marks.release(record.seq)

    def _of_every_record(self, connection: Connection) -> Iterator[Reading]:
        present: list[str] = []
        for element in distinct_elements(connection, self.resource, self.queue, self._elements):
            present.append(element.key)
            stream = replace(self.stream, parent=element.key)
            with transaction(connection) as cursor:
                readings = stream_readings(cursor, self.resource, stream, element, self.asked, self.now)
            for reading in readings:
                self.planned()
                yield reading
        with transaction(connection) as cursor:
            ledger.forget_elements(cursor, self.queue.account, self.resource.name, present)

    def _elements(self, record: Record) -> list[Element]:
        assert self.resource.for_each is not None
        try:
            return elements_of_record(self.resource.for_each, record.payload, record.key)
        except Unreadable as error:
            self._marks.fail(record.seq, str(error))
            self.failed(f"{error} ({self.queue.table.name} {record.key})")
            return []

    def _write(self, cursor: Cursor, news: _News) -> None:
        for seq in news.settled:
            queues.settle(cursor, self.queue, seq)
        for seq, error in news.failed:
            queues.owe(cursor, self.queue, seq, error)
        if news.mark is not None:
            queues.move(cursor, self.queue, news.mark)


def is_each_time(resource: Resource) -> bool:
    """Whether every record is read for in every run, so that each element has a state of its own."""
    parents = parents_of(resource.for_each)
    return resource.window is not None or (parents is not None and parents.again)


def queue_of(resource: Resource, account: int, tables: Mapping[str, RawTable]) -> Queue:
    parents = parents_of(resource.for_each)
    assert parents is not None
    return Queue(account, f"for_each:{resource.name}", tables[parents.resource])


def distinct_elements(
    connection: Connection, resource: Resource, queue: Queue, elements: Callable[[Record], list[Element]]
) -> Iterator[Element]:
    """The elements of every stored record, each once."""
    seen: set[str] = set()
    seq = 0
    while True:
        with transaction(connection) as cursor:
            batch = queues.after(cursor, queue, seq)
        if not batch:
            return
        for record in batch:
            for element in elements(record):
                if element.key not in seen:
                    seen.add(element.key)
                    yield element
        seq = batch[-1].seq


def day_elements(connection: Connection, resource: Resource, queue: Queue) -> Iterator[Element]:
    """For a day that is read whole: a record that gives no elements stops it, as an unreadable page would."""
    assert resource.for_each is not None
    for_each = resource.for_each
    return distinct_elements(
        connection, resource, queue, lambda record: elements_of_record(for_each, record.payload, record.key)
    )


@dataclass
class _News:
    """What must be written after a reading has ended."""

    settled: list[int] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    mark: int | None = None


class _Marks:
    """Which records are under way, by their `_seq`. The mark may move up to the oldest of them, exclusive."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._open: dict[int, int] = {}
        self._owed: set[int] = set()
        self._errors: dict[int, str] = {}
        self._begun = 0
        self._written = 0
        self._news = _News()

    def begin(self, seq: int, *, is_owed: bool) -> None:
        """One more thing to be done for this record."""
        with self._changing:
            self._open[seq] = self._open.get(seq, 0) + 1
            if is_owed:
                self._owed.add(seq)
            else:
                self._begun = max(self._begun, seq)

    def fail(self, seq: int, error: str) -> None:
        with self._changing:
            self._errors[seq] = error

    def release(self, seq: int) -> None:
        """All readings of this record are planned. Nothing is written from here: what was stored may not be committed
        yet, so the news goes with what is stored next.
        """
        with self._changing:
            self._close(seq)

    def ended(self, seq: int, error: str | None) -> _News:
        """One reading is done. With the record's last one it is settled, or owed."""
        with self._changing:
            if error is not None:
                self._errors[seq] = error
            self._close(seq)
            return self._take()

    def flush(self) -> _News:
        with self._changing:
            return self._take()

    def _close(self, seq: int) -> None:
        self._open[seq] -= 1
        if self._open[seq]:
            return
        del self._open[seq]
        problem = self._errors.pop(seq, None)
        if problem is not None:
            self._news.failed.append((seq, problem))
        elif seq in self._owed:
            self._news.settled.append(seq)

    def _take(self) -> _News:
        news, self._news = self._news, _News()
        news.mark = self._mark()
        return news

    def _mark(self) -> int | None:
        under_way = [seq for seq in self._open if seq not in self._owed]
        mark = min(under_way) - 1 if under_way else self._begun
        if mark <= self._written:
            return None
        self._written = mark
        return mark
