"""Storing pages: batches of one resource, each one transaction of rows, issues, ledger, cursor and coverage."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from hde.errors import Stopped
from hde.issues import Issue
from hde.rows import RawRow, RawTable, key_text
from hde.source.pages import Page
from hde.source.reader import element_columns
from hde.spec.elements import parents_of
from hde.steps import without_key
from hde.steps.believing import Believing
from hde.steps.fan_out import FanOut
from hde.steps.plan import Reading
from hde.steps.report import Report
from hde.steps.side_by_side import Arrived
from hde.store import issues, ledger, merge
from hde.store.database import Connection, transaction
from hde.store.deletion import TimeOf, missing_from
from hde.store.ledger import Progress
from hde.store.merge import Arrival, Counts, Cursor, Key, Merged

BATCH_ROWS = 5_000
PageArrived = Arrived[Reading, Page]


@dataclass
class Storing:
    """Where pages of a run go. One connection; the account's lock is taken anew in each transaction."""

    connection: Connection
    tables: Mapping[str, RawTable]
    times: Mapping[str, TimeOf]
    account: int
    run: int
    report: Report
    believing: Believing
    fans: Mapping[str, FanOut] = field(default_factory=dict)
    """Of the resources that are read for stored records of another."""
    _began: float = field(default_factory=time.monotonic)
    _wrong: dict[str, int] = field(default_factory=dict)
    """By resource the records with something wrong in them that the open transaction has met."""
    _all_were_new: set[str] = field(default_factory=set)
    """Tables that held nothing of the last batch before it was stored."""

    def store(self, arrivals: Sequence[PageArrived]) -> None:
        """Store arrivals in order; consecutive pages of one resource share a transaction."""
        for name, group in groupby(arrivals, key=lambda arrival: arrival.task.resource.name):
            self._store_resource(name, list(group))

    def _store_resource(self, name: str, arrivals: list[PageArrived]) -> None:
        table = self.tables[name]
        pages = [(arrival.task, arrival.page) for arrival in arrivals if arrival.page]
        total = Counts()
        with transaction(self.connection) as cursor:
            merge.lock_account(cursor, table.schema, self.account)
            merged = self.merge_rows(cursor, table, pages)
            seconds = (time.monotonic() - self._began) / max(1, len(pages))
            steps: list[tuple[ledger.WindowRecord, Progress]] = []
            for reading, page in pages:
                counts = merged.take(row.key for row in page.rows)
                steps.append((reading.window, self._advance(cursor, table, reading, page, counts, seconds)))
                total.add(counts)
            ledger.advance_all(cursor, steps, self.run)
            for arrival in arrivals:
                if arrival.error and not isinstance(arrival.error, Stopped):  # a stopped window stays open
                    self._fail(cursor, arrival.task, str(arrival.error))
        self._began = time.monotonic()
        self._tell(name, arrivals, total)

    def merge_rows(self, cursor: Cursor, table: RawTable, pages: Sequence[tuple[Reading, Page]]) -> Merged:
        arrivals = [Arrival(row, page.received_at) for _, page in pages for row in page.rows]
        # In a first load whatever comes is new: what the last batch met says what to expect of the next.
        merged = merge.merge(
            cursor, table, self.account, arrivals, self.run, expect_new=table.name in self._all_were_new
        )
        if arrivals and not merged.has_met_stored:
            self._all_were_new.add(table.name)
        else:
            self._all_were_new.discard(table.name)
        found: dict[str, Iterable[Issue]] = {key_text(key): issues for key, issues in merged.read.items()}
        found |= self._read_again(cursor, table, merged, arrivals)
        found |= without_key.found_in(cursor, self.account, table.name, pages, merged)
        issues.record(cursor, self.account, "raw", table.name, found, self.run)
        errors = sum(any(issue.level == "error" for issue in of) for of in found.values() if of)
        self._wrong[table.name] = self._wrong.get(table.name, 0) + errors
        return merged

    def tell_issues(self) -> None:
        """What was wrong, once it is committed."""
        for name, count in self._wrong.items():
            self.report.found_issues(name, count)
        self._wrong.clear()

    def _read_again(
        self, cursor: Cursor, table: RawTable, merged: Merged, arrivals: Sequence[Arrival]
    ) -> dict[str, Iterable[Issue]]:
        """What is wrong now in records that did not change and had something wrong: the connector may have changed."""
        rows = {key_text(arrival.row.key): arrival.row for arrival in arrivals if arrival.row.key not in merged.read}
        wrong = issues.open_of(cursor, self.account, "raw", table.name, rows) if rows else {}
        read = {key: rows[key].read() for key in wrong}
        return {key: row.issues for key, row in read.items() if isinstance(row, RawRow)}

    def _advance(
        self, cursor: Cursor, table: RawTable, reading: Reading, page: Page, counts: Counts, seconds: float
    ) -> Progress:
        """A window's progress, yet to be written; at its natural end what it covers and what it no longer holds."""
        window = reading.window
        if page.server_time and page.server_time < window.asked_at:
            window.asked_at = page.server_time
        if page.bookmark is not None and reading.resource.bookmark:
            window.bookmark = _later(reading.resource.bookmark.take, window.bookmark or reading.bookmark, page.bookmark)
        if page.gone:
            counts.vanished += self.move_away(cursor, table, page.gone, page.received_at)
        covered: Sequence[Reading] = [reading] if page.stopped is not None and page.outcome != "skip" else []
        if reading.resource.missing == "delete":
            reading.whole.seen.update(row.key for row in page.rows)
            if page.stopped is not None:
                covered, vanished = self._whole_ended(cursor, table, reading, page)
                counts.vanished += vanished
        fan = self.fans.get(reading.resource.name)
        if fan is None or fan.is_each_time:
            for one in covered:
                ledger.cover(cursor, one.window, one.settle)
        if fan is not None and page.stopped is not None:
            fan.ended(cursor, reading, None)
        next_page = dict(page.next) if page.next else None
        return Progress(page.requests, 1, counts, seconds, next_page, page.received_at, page.stopped, page.warnings)

    def _fail(self, cursor: Cursor, reading: Reading, error: str) -> None:
        ledger.fail(cursor, reading.window, error, self.run)
        reading.whole.failed = True
        reading.whole.pending -= 1
        if fan := self.fans.get(reading.resource.name):
            fan.ended(cursor, reading, error)

    def _whole_ended(
        self, cursor: Cursor, table: RawTable, reading: Reading, page: Page
    ) -> tuple[Sequence[Reading], int]:
        """What a natural end covers, and how many records went to history with it.

        Of several readings of one scope the last that ends decides, and what is not believed stays owed for all.
        """
        whole = reading.whole
        whole.pending -= 1
        if whole.failed:
            return [], 0
        is_read = page.outcome != "skip"
        if not is_read or reading.window.resumed:
            whole.intact = False
        if is_read:
            whole.ended.append(reading)
        if not whole.intact:
            covered, whole.ended = whole.ended, []
            return covered, 0
        if whole.pending:
            return [], 0
        vanished = self._vanish(cursor, table, reading, page)
        return ([], 0) if vanished is None else (whole.ended, vanished)

    def _vanish(self, cursor: Cursor, table: RawTable, reading: Reading, page: Page) -> int | None:
        """How many records went to history; None where the answer is not believed, and its window stays owed."""
        time, of_element = self.times.get(table.name), self._of_element(reading)
        if of_element is None:
            return 0
        missing = missing_from(cursor, table, self.account, reading.whole.seen, reading.window.span, time, of_element)
        if not self.believing.believes(cursor, reading.resource, missing, reading.whole.seen):
            return None
        if not missing.keys:
            return 0
        return self.move_away(cursor, table, missing.keys, page.received_at)

    def _of_element(self, reading: Reading) -> dict[str, str] | None:
        """How the records of one element are told from those of others, where each is a scope of its own."""
        if parents_of(reading.resource.for_each) is None or reading.element is None:
            return {}
        return element_columns(reading.resource, reading.element.value)

    def move_away(self, cursor: Cursor, table: RawTable, keys: Sequence[Key], at: datetime) -> int:
        """Vanished records to history; what was wrong inside them is of no concern any more."""
        issues.record(cursor, self.account, "raw", table.name, {key_text(key): () for key in keys}, self.run)
        return merge.move_to_history(cursor, table, self.account, keys, at, self.run)

    def _tell(self, name: str, arrivals: list[PageArrived], counts: Counts) -> None:
        for arrival in arrivals:
            if isinstance(arrival.error, Stopped):
                self.report.stopped = True
            elif arrival.error:
                self.report.window_failed(name, str(arrival.error))
            elif arrival.page:
                self.report.page(name, arrival.page.requests)
                self.report.warned(name, arrival.page.warnings)
                if arrival.page.stopped:
                    self.report.window_done(name, arrival.page.stopped if arrival.page.outcome == "skip" else None)
        self.tell_issues()
        self.report.stored(name, counts)


def _later(take: str, former: object, found: object) -> object:
    """Which of two bookmarks a pass keeps; what cannot be compared is taken in its order."""
    if take == "max" and type(former) is type(found):
        return max(former, found)  # type: ignore[call-overload]  # both texts, or both whole numbers
    return found
