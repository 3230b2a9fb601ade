"""The life of a window: open with its cursor, done, failed, dropped; and that the ledger stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from store_made import ask

from hde.store import journal, ledger
from hde.store.database import Connection, transaction
from hde.store.ledger import CURSOR_TTL, Progress, Span, Stream, WindowRecord
from hde.store.merge import Counts, Cursor

NOW = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)
SPAN = Span(NOW - timedelta(days=90), NOW)
MINUTE = timedelta(minutes=1)
_WRITTEN = (
    "SELECT state, cursor, cursor_at, requests, pages, new, changed, unchanged, vanished, seconds, warnings,"
    " stopped_because, ended_at IS NULL FROM meta.windows"
)


def stream(account: int, request: str = "hash") -> Stream:
    return Stream(account, "sleeps", request)


def progress(cursor: dict[str, object] | None, *, stopped: str | None = None, at: datetime = NOW) -> Progress:
    return Progress(2, 1, Counts(1, 2, 3, 4), 0.5, cursor, at, stopped)


def test_nothing_is_written_of_a_window_until_its_first_batch(connection: Connection, account: int) -> None:
    window = WindowRecord(stream(account), SPAN, NOW)
    assert window.id is None
    with transaction(connection) as cursor:
        ledger.advance(cursor, window, progress({"next": "a"}), 1)
    assert ask(connection, "SELECT id FROM meta.windows") == [window.id]


def test_batches_add_up_until_the_window_is_done(connection: Connection, account: int) -> None:
    window = WindowRecord(stream(account), SPAN, NOW)
    columns = "state, cursor, requests, pages, new, changed, unchanged, vanished, seconds, stopped_because"
    with transaction(connection) as cursor:
        ledger.advance(cursor, window, progress({"next": "a"}), 1)
    assert ask(connection, f"SELECT {columns} FROM meta.windows") == [
        ("open", {"next": "a"}, 2, 1, 1, 2, 3, 4, 0.5, None)
    ]
    with transaction(connection) as cursor:
        ledger.advance(cursor, window, progress(None, stopped="no next page"), 1)
    assert ask(connection, f"SELECT {columns} FROM meta.windows") == [
        ("done", None, 4, 2, 2, 4, 6, 8, 1.0, "no next page")
    ]
    assert ask(connection, "SELECT ended_at IS NOT NULL FROM meta.windows") == [True]


def test_pages_written_together_say_what_they_say_one_by_one(connection: Connection, account: int) -> None:
    pages = [
        (0, replace(progress({"next": "a"}, at=NOW - MINUTE), warnings=("old firmware",))),
        (1, progress({"next": "x"})),
        (0, replace(progress({"next": "b"}), warnings=("still old",))),
        (1, progress(None, stopped="no next page")),
    ]

    def written(advance: Callable[[Cursor, list[tuple[WindowRecord, Progress]]], None]) -> list[object]:
        windows = [WindowRecord(stream(account), SPAN, NOW), WindowRecord(stream(account), None, NOW)]
        with transaction(connection) as cursor:
            ledger.advance(cursor, windows[0], progress({"next": "before"}), 1)
            advance(cursor, [(windows[at], page) for at, page in pages])
        rows = ask(connection, f"{_WRITTEN} WHERE id = ANY(ARRAY[{windows[0].id}, {windows[1].id}]) ORDER BY id")
        return list(rows)

    def one_by_one(cursor: Cursor, steps: list[tuple[WindowRecord, Progress]]) -> None:
        for window, page in steps:
            ledger.advance(cursor, window, page, 1)

    together = written(lambda cursor, steps: ledger.advance_all(cursor, steps, 1))
    assert len(together) == 2
    assert together == written(one_by_one)


def opened(connection: Connection, account: int, cursor_state: dict[str, object] | None, at: datetime) -> WindowRecord:
    window = WindowRecord(stream(account), SPAN, NOW - MINUTE)
    with transaction(connection) as cursor:
        ledger.advance(cursor, window, progress(cursor_state, at=at), 1)
    return window


def test_an_open_window_is_gone_on_with_from_its_cursor(connection: Connection, account: int) -> None:
    window = opened(connection, account, {"next": "a"}, NOW - CURSOR_TTL)
    with transaction(connection) as cursor:
        (found,) = ledger.open_windows(cursor, stream(account), NOW)
    assert (found.id, found.span, found.asked_at) == (window.id, SPAN, NOW - MINUTE)
    assert found.cursor == {"next": "a"}
    assert found.resumed


@pytest.mark.parametrize(
    ("request_hash", "cursor_state", "at", "why"),
    [
        ("another", {"next": "a"}, NOW, "the request changed"),
        ("hash", {"next": "a"}, NOW - CURSOR_TTL - MINUTE, "the cursor is too old"),
        ("hash", None, NOW, "the cursor is too old"),
    ],
)
def test_an_open_window_that_cannot_be_gone_on_with_is_dropped_and_owed(
    connection: Connection,
    account: int,
    request_hash: str,
    cursor_state: dict[str, object] | None,
    at: datetime,
    why: str,
) -> None:
    opened(connection, account, cursor_state, at)
    with transaction(connection) as cursor:
        assert ledger.open_windows(cursor, stream(account, request_hash), NOW) == []
        assert ledger.owed(cursor, stream(account), SPAN.start, NOW, MINUTE) == [SPAN]
    assert ask(connection, "SELECT state, error, cursor FROM meta.windows") == [("dropped", why, None)]


def test_dropping_all_open_windows_leaves_those_of_others(connection: Connection, account: int) -> None:
    opened(connection, account, {"next": "a"}, NOW)
    with transaction(connection) as cursor:
        ledger.drop_open_windows(cursor, Stream(account, "cycles", "hash"), "not this")
        assert len(ledger.open_windows(cursor, stream(account), NOW)) == 1
        ledger.drop_open_windows(cursor, stream(account), "another range")
        assert ledger.open_windows(cursor, stream(account), NOW) == []


@pytest.mark.parametrize("begun", [True, False])
def test_a_failed_window_is_recorded_and_owed(connection: Connection, account: int, begun: bool) -> None:
    window = WindowRecord(stream(account), SPAN, NOW)
    with transaction(connection) as cursor:
        if begun:
            ledger.advance(cursor, window, progress({"next": "a"}), 1)
        ledger.fail(cursor, window, "it said no" + "x" * 1000, 1)
        assert ledger.open_windows(cursor, stream(account), NOW) == []
        assert ledger.owed(cursor, stream(account), SPAN.start, NOW, MINUTE) == [SPAN]
    ((state, error, requests),) = ask(connection, "SELECT state, error, requests FROM meta.windows")
    assert (state, error[:10], len(error), requests) == ("failed", "it said no", 500, 2 if begun else 0)


def test_a_snapshot_remembers_when_it_was_taken_and_covers_no_time(connection: Connection, account: int) -> None:
    with transaction(connection) as cursor:
        window = WindowRecord(stream(account), None, NOW)
        ledger.advance(cursor, window, progress(None, stopped="end"), 1)
        ledger.cover(cursor, window, 0 * MINUTE)
    assert ask(connection, "SELECT snapshot_at, covered = '{}' FROM meta.streams") == [(NOW, True)]


def test_another_request_is_noticed_until_it_is_accepted(connection: Connection, account: int) -> None:
    def changed(request: str) -> bool:
        with transaction(connection) as cursor:
            return ledger.request_changed(cursor, stream(account, request))

    def covered(request: str) -> None:
        with transaction(connection) as cursor:
            ledger.cover(cursor, WindowRecord(stream(account, request), SPAN, NOW), 0 * MINUTE)

    assert not changed("hash")
    covered("hash")
    assert (changed("hash"), changed("another")) == (False, True)
    covered("another")
    assert changed("another")
    ledger.accept_request(connection, stream(account, "another"))
    connection.commit()
    assert (changed("hash"), changed("another")) == (True, False)


def test_what_is_older_than_ninety_days_goes_whatever_became_of_it(connection: Connection, account: int) -> None:
    old = datetime.now(UTC) - timedelta(days=91)
    for age in (old, datetime.now(UTC)):
        for state in ("open", "done", "failed", "dropped"):
            connection.execute(
                "INSERT INTO meta.windows (account, run_id, resource, asked_at, state, request_hash, cursor_at,"
                " ended_at) VALUES (%s, 1, 'x', %s, %s, 'h', %s, %s)",
                (account, age, state, age, None if state == "open" else age),
            )
        for finished in (age, None):
            connection.execute(
                "INSERT INTO meta.runs (command, connector, account, started_at, finished_at)"
                " VALUES ('run', 'made', %s, %s, %s)",
                (account, age, finished),
            )
        for closed in (age, None):
            connection.execute(
                "INSERT INTO meta.issues (account, origin, raw_table, record, path, rule, level, json_type, run_id,"
                " first_seen, closed_at) VALUES (%s, 'raw', 't', %s, '', 'r', 'error', '', 1, %s, %s)",
                (account, f"{age} {closed}", age, closed),
            )
    connection.commit()
    with transaction(connection) as cursor:
        ledger.prune(cursor)
    left = [ask(connection, f"SELECT count(*) FROM meta.{name}")[0] for name in ("windows", "runs", "issues")]
    assert left == [4, 2, 3]


def test_runs_are_begun_and_ended_at_once(connection: Connection, account: int) -> None:
    made = journal.Account(account, "made", "someone", {})
    run = journal.begin_run(connection, "run", made)
    connection.rollback()
    journal.end_run(connection, run, "done", {"rows": 1})
    connection.rollback()
    assert ask(connection, "SELECT id, outcome, report, finished_at >= started_at FROM meta.runs") == [
        (run, "done", {"rows": 1}, True)
    ]
