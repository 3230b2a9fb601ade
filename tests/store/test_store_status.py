"""What `hde status` is told: per stream and account, never mixed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from psycopg.types.range import Range
from store_made import THINGS, prepared, store

from hde.issues import Issue
from hde.store import issues, journal, ledger, queues
from hde.store.database import Connection, transaction
from hde.store.ledger import Progress, Span, Stream, WindowRecord
from hde.store.merge import Counts
from hde.store.queues import Queue
from hde.store.status import status

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DAY = timedelta(days=1)


def read(connection: Connection, account: int, resource: str, start: int, end: int, stopped: str | None) -> None:
    with transaction(connection) as cursor:
        window = WindowRecord(Stream(account, resource, "h"), Span(NOW - start * DAY, NOW - end * DAY), NOW)
        ledger.advance(cursor, window, Progress(1, 1, Counts(), 0.0, {"next": 1}, NOW, stopped), 1)
        if stopped:
            ledger.cover(cursor, window, DAY)


def test_streams_tell_their_own_windows_gaps_and_errors(connection: Connection, account: int) -> None:
    read(connection, account, "sleeps", 90, 80, "end")
    read(connection, account, "sleeps", 70, 60, "end")
    read(connection, account, "sleeps", 50, 40, None)
    read(connection, account, "cycles", 50, 0, "end")
    with transaction(connection) as cursor:
        ledger.fail(cursor, WindowRecord(Stream(account, "workouts", "h"), Span(None, NOW), NOW), "it said no", 1)
    hole = Range(NOW - 80 * DAY, NOW - 70 * DAY)
    before = Range(None, NOW - 90 * DAY)
    assert status(connection).streams == [
        ("made", "someone", "cycles", NOW - DAY, [Range(None, NOW - 50 * DAY)], None, 0, None),
        ("made", "someone", "sleeps", NOW - 60 * DAY, [before, hole], None, 1, None),
        ("made", "someone", "workouts", None, [], None, 0, "it said no"),
    ]


def test_the_elements_of_a_fan_out_are_told_as_one(connection: Connection, account: int) -> None:
    with transaction(connection) as cursor:
        for parent, start in (("a", 90), ("b", 30)):
            stream = Stream(account, "days", "h", parent, NOW - 90 * DAY)
            window = WindowRecord(stream, Span(NOW - start * DAY, NOW - DAY), NOW)
            ledger.advance(cursor, window, Progress(1, 1, Counts(), 0.0, None, NOW, "end"), 1)
            ledger.cover(cursor, window, DAY)
        queue = Queue(account, "for_each:days", THINGS)
        queues.owe(cursor, queue, 7, "it said no")
    owed = [Range(NOW - 90 * DAY, NOW - 30 * DAY)]
    error = "1 records owe a request: it said no"
    assert status(connection).streams == [("made", "someone", "days", NOW - DAY, owed, None, 0, error)]


def test_what_was_read_before_history_begins_owes_nothing(connection: Connection, account: int) -> None:
    stream = Stream(account, "sleeps", "h", begin=NOW - 90 * DAY)
    with transaction(connection) as cursor:
        window = WindowRecord(stream, Span(NOW - 400 * DAY, NOW - 390 * DAY), NOW)
        ledger.advance(cursor, window, Progress(1, 1, Counts(), 0.0, None, NOW, "end"), 1)
        ledger.cover(cursor, window, DAY)
    assert status(connection).streams == [("made", "someone", "sleeps", NOW - 390 * DAY, [], None, 0, None)]


def test_an_error_is_told_until_its_window_was_read(connection: Connection, account: int) -> None:
    with transaction(connection) as cursor:
        ledger.fail(cursor, WindowRecord(Stream(account, "sleeps", "h"), Span(NOW - 9 * DAY, NOW), NOW), "no", 1)
    read(connection, account, "sleeps", 5, 0, "end")
    assert [row[-1] for row in status(connection).streams] == ["no"]
    connection.commit()
    read(connection, account, "sleeps", 9, 5, "end")
    assert [row[-1] for row in status(connection).streams] == [None]


def test_connections_issues_and_tables_are_told(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "b", "v": 1})
    store(connection, THINGS, account, {"id": "a", "v": 2})
    with transaction(connection) as cursor:
        issues.record(cursor, account, "raw", "things", {key: [Issue("v", "type")] for key in "ab"}, 1)
        issues.record(cursor, account, "raw", "things", {"b": []}, 1)
    run = journal.begin_run(connection, "run", journal.Account(account, "made", "someone", {}))
    told = status(connection)
    assert [(*row[:3], row[4]) for row in told.connections] == [("made", "someone", "connected", "running, or killed")]
    assert told.issues == [("made", "someone", "raw", "things", "v", "type", "error", 1)]
    assert ("made_raw.things", 2) in told.tables
    assert ("canonical.workouts", 0) in told.tables
    assert all("history" not in name for name, _ in told.tables)
    journal.end_run(connection, run, "done", {})
    assert status(connection).connections[0][4] == "done"
