"""`--daily-refresh`: yesterday's UTC day is read completely, then replaced in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hde.errors import DatabaseUnreachable, HdeError, SignInNeeded, Stopped
from hde.source.elements import Element
from hde.source.pages import Page
from hde.spec.connector import Resource
from hde.steps.plan import Reading
from hde.steps.side_by_side import Readers
from hde.steps.store_pages import Storing
from hde.store import ledger, merge
from hde.store.database import transaction
from hde.store.deletion import missing_from
from hde.store.ledger import Progress, Span, Stream, WindowRecord
from hde.store.merge import Counts, Cursor, Key


class DayKept(HdeError):
    """The source failed in the middle; the day stays as it was."""


@dataclass
class _Day:
    """What one resource said of the day, for each of its elements."""

    resource: Resource
    readings: list[tuple[Reading, list[Page]]] = field(default_factory=list)

    @property
    def pages(self) -> list[Page]:
        return [page for _, pages in self.readings for page in pages]

    @property
    def is_complete(self) -> bool:
        return all(page.outcome != "skip" for page in self.pages)


def yesterday(now: datetime) -> Span:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - timedelta(days=1), today)


def day_reading(resource: Resource, stream: Stream, element: Element | None, now: datetime) -> Reading:
    return Reading(resource, WindowRecord(stream, yesterday(now), now), element)


def read_day(reading_side: Readers[Reading, Page]) -> list[_Day]:
    """All pages of all resources, held until everything is there. DayKept where any could not be read.

    SignInNeeded, Stopped and a lost database come through as they are.
    """
    days: dict[str, _Day] = {}
    pages: dict[int, list[Page]] = {}
    try:
        while arrivals := reading_side.take(1 << 30):
            for arrival in arrivals:
                name = arrival.task.resource.name
                if isinstance(arrival.error, SignInNeeded | Stopped | DatabaseUnreachable):
                    raise arrival.error
                if arrival.error:
                    raise DayKept(f"{name}: {arrival.error}\nThe day stays as it was; run --daily-refresh again.")
                if arrival.page and id(arrival.task) not in pages:
                    pages[id(arrival.task)] = []
                    day = days.setdefault(name, _Day(arrival.task.resource))
                    day.readings.append((arrival.task, pages[id(arrival.task)]))
                if arrival.page:
                    pages[id(arrival.task)].append(arrival.page)
    finally:
        reading_side.close()
    return list(days.values())


def replace_day(days: list[_Day], storing: Storing) -> None:
    """One transaction: what is absent moves to history, the rest is merged. Absence is judged before anything moves,
    since a record's time may stand in another record that is about to go.
    """
    totals: dict[str, Counts] = {}
    with transaction(storing.connection) as cursor:
        for day in days:
            merge.lock_account(cursor, storing.tables[day.resource.name].schema, storing.account)
        gone = {day.resource.name: _gone(cursor, storing, day) for day in days}
        for day in days:
            totals[day.resource.name] = _store(cursor, storing, day, gone[day.resource.name])
    storing.tell_issues()
    for day in days:
        name = day.resource.name
        for page in day.pages:
            storing.report.page(name, page.requests)
            storing.report.warned(name, page.warnings)
        for _, pages in day.readings:
            storing.report.window_done(name, pages[-1].stopped if pages[-1].outcome == "skip" else None)
        storing.report.stored(name, totals[name])


def _gone(cursor: Cursor, storing: Storing, day: _Day) -> tuple[Key, ...] | None:
    """What the day no longer holds; None where its answer is not believed."""
    name = day.resource.name
    if not day.is_complete:
        return ()
    seen = {row.key for page in day.pages for row in page.rows}
    table, time = storing.tables[name], storing.times.get(name)
    missing = missing_from(cursor, table, storing.account, seen, day.readings[0][0].window.span, time)
    return missing.keys if storing.believing.believes(cursor, day.resource, missing, seen) else None


def _store(cursor: Cursor, storing: Storing, day: _Day, gone: tuple[Key, ...] | None) -> Counts:
    table, total = storing.tables[day.resource.name], Counts()
    merged = storing.merge_rows(cursor, table, [(reading, page) for reading, pages in day.readings for page in pages])
    vanished = storing.move_away(cursor, table, gone, day.pages[-1].received_at) if gone else 0
    for reading, pages in day.readings:
        counts, last = merged.take(row.key for page in pages for row in page.rows), pages[-1]
        counts.vanished, vanished = vanished, 0
        warnings = tuple(text for page in pages for text in page.warnings)
        progress = Progress(
            sum(page.requests for page in pages), len(pages), counts, 0.0, None, last.received_at,
            last.stopped or "end", warnings,
        )  # fmt: skip
        ledger.advance(cursor, reading.window, progress, storing.run)
        if last.outcome != "skip" and gone is not None:
            ledger.cover(cursor, reading.window, reading.settle)
        total.add(counts)
    return total
