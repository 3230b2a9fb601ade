"""`--daily-refresh`: yesterday's UTC day is read completely, then replaced in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hde.errors import HdeError, SignInNeeded, Stopped
from hde.source.pages import Page
from hde.spec.connector import Resource
from hde.steps.plan import Reading
from hde.steps.side_by_side import Readers
from hde.steps.store_pages import Storing
from hde.store import ledger, merge
from hde.store.database import transaction
from hde.store.deletion import missing_from
from hde.store.ledger import Progress, Span, Stream, WindowRecord
from hde.store.merge import Arrival, Counts, Cursor, Key


class DayKept(HdeError):
    """The source failed in the middle; the day stays as it was."""


@dataclass
class _Day:
    reading: Reading
    pages: list[Page]


def yesterday(now: datetime) -> Span:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - timedelta(days=1), today)


def day_readings(streams: Mapping[str, Stream], resources: Mapping[str, Resource], now: datetime) -> list[Reading]:
    span = yesterday(now)
    return [Reading(resource, WindowRecord(streams[resource.name], span, now)) for resource in resources.values()]


def read_day(reading_side: Readers[Reading, Page]) -> list[_Day]:
    """All pages of all resources, held until everything is there. DayKept where any could not be read.

    SignInNeeded and Stopped come through as they are.
    """
    days: dict[str, _Day] = {}
    try:
        while arrivals := reading_side.take(1 << 30):
            for arrival in arrivals:
                name = arrival.task.resource.name
                if isinstance(arrival.error, SignInNeeded | Stopped):
                    raise arrival.error
                if arrival.error:
                    raise DayKept(f"{name}: {arrival.error}\nThe day stays as it was; run --daily-refresh again.")
                if arrival.page:
                    days.setdefault(name, _Day(arrival.task, [])).pages.append(arrival.page)
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
            merge.lock_account(cursor, storing.tables[day.reading.resource.name].schema, storing.account)
        gone = {day.reading.resource.name: _gone(cursor, storing, day) for day in days}
        for day in days:
            name = day.reading.resource.name
            totals[name] = _store(cursor, storing, day, gone[name])
    for day in days:
        name = day.reading.resource.name
        for page in day.pages:
            storing.report.page(name, page.requests)
        last = day.pages[-1]
        storing.report.window_done(name, last.stopped if last.outcome == "skip" else None)
        storing.report.stored(name, totals[name])


def _gone(cursor: Cursor, storing: Storing, day: _Day) -> tuple[Key, ...] | None:
    """What the day no longer holds; None where its answer is not believed."""
    name = day.reading.resource.name
    if any(page.outcome == "skip" for page in day.pages):
        return ()
    seen = {row.key for page in day.pages for row in page.rows}
    table, time = storing.tables[name], storing.times.get(name)
    missing = missing_from(cursor, table, storing.account, seen, day.reading.window.span, time)
    return missing.keys if storing.believes(cursor, table, missing) else None


def _store(cursor: Cursor, storing: Storing, day: _Day, gone: tuple[Key, ...] | None) -> Counts:
    table, window = storing.tables[day.reading.resource.name], day.reading.window
    arrivals = [Arrival(row, page.received_at) for page in day.pages for row in page.rows]
    counts = storing.merge_rows(cursor, table, day.pages).take(arrival.row.key for arrival in arrivals)
    last = day.pages[-1]
    if gone:
        counts.vanished = storing.move_away(cursor, table, gone, last.received_at)
    requests = sum(page.requests for page in day.pages)
    progress = Progress(requests, len(day.pages), counts, 0.0, None, last.received_at, last.stopped or "end")
    ledger.advance(cursor, window, progress, storing.run)
    if last.outcome != "skip" and gone is not None:
        ledger.cover(cursor, window, day.reading.settle)
    return counts
