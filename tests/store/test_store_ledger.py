"""What is owed, how it is cut, and how a window goes on, ends, fails or is dropped."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_made import ask

from hde.store import ledger
from hde.store.cuts import RECENT, cut
from hde.store.database import Connection, transaction
from hde.store.ledger import Progress, Span, Stream, WindowRecord
from hde.store.merge import Counts

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return BEGIN + (number - 1) * DAY


def stream(account: int, request: str = "hash") -> Stream:
    return Stream(account, "sleeps", request)


def owed(
    connection: Connection,
    account: int,
    *,
    begin: datetime | None = BEGIN,
    now: datetime = NOW,
    settle: timedelta = WEEK,
) -> list[tuple[datetime | None, datetime]]:
    with transaction(connection) as cursor:
        return [(span.start, span.end) for span in ledger.owed(cursor, stream(account), begin, now, settle)]


def read(
    connection: Connection,
    account: int,
    start: datetime | None,
    end: datetime,
    *,
    asked_at: datetime = NOW,
    settle: timedelta = WEEK,
) -> None:
    with transaction(connection) as cursor:
        window = WindowRecord(stream(account), Span(start, end), asked_at)
        ledger.advance(cursor, window, Progress(1, 1, Counts(), 0.0, None, asked_at, "end"), 1)
        ledger.cover(cursor, window, settle)


def test_first_run_owes_the_whole_target(connection: Connection, account: int) -> None:
    assert owed(connection, account) == [(BEGIN, NOW)]
    assert owed(connection, account, begin=None) == [(None, NOW)]


def test_what_is_younger_than_settle_is_never_covered(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW)
    assert owed(connection, account) == [(NOW - WEEK, NOW)]
    (covered,) = ask(connection, "SELECT upper(covered) FROM meta.streams")
    assert covered == NOW - WEEK


def test_a_window_that_failed_in_the_middle_stays_owed(connection: Connection, account: int) -> None:
    read(connection, account, day(1), day(10))
    read(connection, account, day(20), NOW)
    assert owed(connection, account) == [(day(10), day(20)), (NOW - WEEK, NOW)]


@pytest.mark.parametrize("later", [DAY, 3 * WEEK])
def test_later_runs_owe_what_is_new_and_what_had_not_settled(
    connection: Connection, account: int, later: timedelta
) -> None:
    read(connection, account, BEGIN, NOW)
    assert owed(connection, account, now=NOW + later) == [(NOW - WEEK, NOW + later)]


def test_a_longer_settle_owes_more_at_once_and_a_shorter_one_no_less(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW)
    assert owed(connection, account, settle=20 * DAY) == [(NOW - 20 * DAY, NOW)]
    assert owed(connection, account, settle=DAY) == [(NOW - WEEK, NOW)]


def test_a_beginning_moved_back_owes_what_lies_before(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW)
    assert owed(connection, account, begin=BEGIN - WEEK) == [(BEGIN - WEEK, BEGIN), (NOW - WEEK, NOW)]
    assert owed(connection, account, begin=None) == [(None, BEGIN), (NOW - WEEK, NOW)]
    assert owed(connection, account, begin=day(10)) == [(NOW - WEEK, NOW)]


@pytest.mark.parametrize("begin", [NOW, NOW + DAY])
def test_nothing_is_owed_of_a_history_that_begins_in_the_future(
    connection: Connection, account: int, begin: datetime
) -> None:
    assert owed(connection, account, begin=begin) == []


def test_a_clock_set_back_owes_nothing_beyond_it(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW)
    assert owed(connection, account, now=NOW - 20 * DAY) == [(NOW - 20 * DAY - WEEK, NOW - 20 * DAY)]


def test_an_open_window_is_not_owed_twice(connection: Connection, account: int) -> None:
    with transaction(connection) as cursor:
        window = WindowRecord(stream(account), Span(day(5), day(10)), NOW)
        ledger.advance(cursor, window, Progress(1, 1, Counts(), 0.0, {"next": "x"}, NOW, None), 1)
        ledger.advance(
            cursor, WindowRecord(stream(account), None, NOW), Progress(1, 1, Counts(), 0.0, {"a": 1}, NOW, None), 1
        )
    assert owed(connection, account) == [(BEGIN, day(5)), (day(10), NOW)]


def test_streams_do_not_see_each_others_coverage(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW)
    with transaction(connection) as cursor:
        for other in (Stream(account, "cycles", "hash"), Stream(account, "sleeps", "hash", "a parent")):
            assert ledger.owed(cursor, other, BEGIN, NOW, WEEK) == [Span(BEGIN, NOW)]


def test_coverage_ends_at_the_settle_of_when_it_was_asked_not_stored(connection: Connection, account: int) -> None:
    read(connection, account, BEGIN, NOW, asked_at=NOW - 2 * DAY)
    assert owed(connection, account) == [(NOW - 2 * DAY - WEEK, NOW)]
    read(connection, account, NOW - DAY, NOW)
    assert owed(connection, account) == [(NOW - 2 * DAY - WEEK, NOW)]


def test_windows_are_cut_at_multiples_of_step_since_the_epoch() -> None:
    pieces = cut([Span(BEGIN, NOW)], 10 * DAY, NOW)
    edges = sorted({at for piece in pieces for at in (piece.start, piece.end) if at})
    assert all((at - EPOCH) % (10 * DAY) == timedelta(0) for at in edges[1:-1])
    assert (edges[0], edges[-1]) == (BEGIN, NOW)
    assert pieces[0].end == NOW
    assert [piece.start for piece in pieces[1:]] == sorted(piece.start for piece in pieces[1:] if piece.start)


def test_without_a_beginning_two_years_are_cut_and_the_rest_is_one_window() -> None:
    pieces = cut([Span(None, NOW)], 90 * DAY, NOW)
    assert pieces[0].end == NOW
    assert pieces[1].start is None
    assert NOW - RECENT - 90 * DAY < pieces[1].end <= NOW - RECENT
    assert len(pieces) == 10
    assert cut([Span(None, BEGIN - 3 * RECENT)], 90 * DAY, NOW) == [Span(None, BEGIN - 3 * RECENT)]


@pytest.mark.parametrize("start", [datetime.min.replace(tzinfo=UTC), EPOCH - DAY, EPOCH])
def test_windows_of_long_ago_are_cut_too(start: datetime) -> None:
    pieces = cut([Span(start, EPOCH + DAY)], 7 * 365 * DAY, NOW)
    ordered = sorted(pieces, key=lambda piece: piece.end)
    assert (ordered[0].start, ordered[-1].end) == (start, EPOCH + DAY)
    assert all(one.end == other.start for one, other in pairwise(ordered))


def test_without_a_step_a_span_is_one_window() -> None:
    spans = [Span(None, BEGIN), Span(day(10), NOW)]
    assert cut(spans, None, NOW) == [spans[1], spans[0]]
    assert cut([], None, NOW) == []


HOURS = st.integers(0, 40 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    read_before=st.lists(st.tuples(HOURS, HOURS, HOURS).map(sorted), max_size=4),
    begin=st.none() | HOURS,
    now=HOURS,
    settle=st.integers(0, 200).map(lambda hours: timedelta(hours=hours)),
    step=st.none() | st.integers(5, 2000).map(lambda hours: timedelta(hours=hours)),
)
def test_reading_all_that_is_owed_leaves_the_settle_tail(
    connection: Connection,
    account: int,
    read_before: list[list[datetime]],
    begin: datetime | None,
    now: datetime,
    settle: timedelta,
    step: timedelta | None,
) -> None:
    connection.execute("DELETE FROM meta.streams")
    connection.execute("DELETE FROM meta.windows")
    connection.commit()
    for start, end, asked_at in read_before:
        if start < end:
            read(connection, account, start, end, asked_at=min(asked_at, now), settle=settle)
    spans = [Span(*span) for span in owed(connection, account, begin=begin, now=now, settle=settle)]
    pieces = cut(spans, step, now)
    ordered = sorted(pieces, key=lambda piece: piece.end)
    joined: list[Span] = []
    for piece in ordered:
        assert piece.start is None or piece.start < piece.end
        if joined and joined[-1].end == piece.start:
            joined[-1] = dataclasses.replace(joined[-1], end=piece.end)
        else:
            joined.append(piece)
    assert joined == spans
    for piece in pieces:
        read(connection, account, piece.start, piece.end, asked_at=now, settle=settle)
    tail_begins = now - settle if begin is None else max(begin, now - settle)
    tail = [(tail_begins, now)] if tail_begins < now else []
    assert owed(connection, account, begin=begin, now=now, settle=settle) == tail
