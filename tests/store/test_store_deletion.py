"""What a complete reading may say about what it did not hold, and when it is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from store_made import ask, prepared, raw, store, table, vanish

from hde.rows import RawTable
from hde.store.database import Connection, transaction
from hde.store.deletion import Missing, TimeOf, beyond_guard, missing_from
from hde.store.ledger import Span

SLEEPS = table("sleeps", id="bigint", start="timestamptz", day="date")
RECOVERIES = table("recoveries", ("cycle",), cycle="bigint", sleep="bigint")
AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def missing(
    connection: Connection,
    of: RawTable,
    account: int,
    seen: list[tuple[str, ...]],
    span: Span | None = None,
    time: TimeOf | None = None,
) -> Missing:
    with transaction(connection) as cursor:
        return missing_from(cursor, of, account, seen, span, time)


@pytest.mark.parametrize(
    ("gone", "scope", "share", "beyond"),
    [
        (0, 0, 0.3, False),
        (10, 10, 0.3, False),
        (11, 11, 0.3, True),
        (11, 36, 0.3, True),
        (11, 37, 0.3, False),
        (30, 100, 0.3, False),
        (31, 100, 0.3, True),
        (50, 100, 0.5, False),
        (51, 100, 0.5, True),
        (100, 100, 1, False),
        (11, 1000, 0, True),
    ],
)
def test_guard_is_for_more_than_ten_records_and_the_declared_share(
    gone: int, scope: int, share: float, beyond: bool
) -> None:
    assert beyond_guard(gone, scope, share) is beyond


def test_a_snapshot_speaks_of_the_whole_resource_of_its_account(connection: Connection, account: int) -> None:
    prepared(connection, SLEEPS)
    for one in (account, account + 1):
        store(connection, SLEEPS, one, {"id": 1}, {"id": 2}, {"id": 3})
    found = missing(connection, SLEEPS, account, [("1",), ("3",), ("99",)])
    assert found == Missing((("2",),), 3)


@pytest.mark.parametrize("column", ["start", "day"])
def test_a_window_speaks_of_records_from_its_start_to_before_its_end(
    connection: Connection, account: int, column: str
) -> None:
    prepared(connection, SLEEPS)
    times = {1: AT - DAY, 2: AT, 3: AT + DAY, 4: AT + 2 * DAY}
    records = [{"id": id, "start": at.isoformat(), "day": at.date().isoformat()} for id, at in times.items()]
    store(connection, SLEEPS, account, *records, {"id": 5})
    span, of = Span(AT, AT + 2 * DAY), TimeOf(column)
    assert set(missing(connection, SLEEPS, account, [], span, of).keys) == {("2",), ("3",)}
    assert missing(connection, SLEEPS, account, [("2",)], span, of) == Missing((("3",),), 2)
    assert missing(connection, SLEEPS, account, [], Span(None, AT), of) == Missing((("1",),), 1)


def test_a_window_without_a_time_speaks_of_nothing(connection: Connection, account: int) -> None:
    prepared(connection, SLEEPS)
    store(connection, SLEEPS, account, {"id": 1, "start": AT.isoformat()})
    assert missing(connection, SLEEPS, account, [], Span(None, AT + DAY), None) == Missing((), 0)


def test_time_may_stand_in_another_record(connection: Connection, account: int) -> None:
    prepared(connection, SLEEPS, RECOVERIES)
    for one in (account, account + 1):
        store(connection, SLEEPS, one, {"id": 1, "start": AT.isoformat()}, {"id": 2, "start": (AT + DAY).isoformat()})
    store(connection, RECOVERIES, account, *({"cycle": 10 + id, "sleep": id} for id in (1, 2, 3)))
    of = TimeOf("start", SLEEPS, "sleep")
    assert missing(connection, RECOVERIES, account, [], Span(AT, AT + DAY), of) == Missing((("11",),), 1)


KEYED: list[tuple[RawTable, list[dict[str, object]]]] = [
    (table("t", ("k",), k="boolean"), [{"k": True}, {"k": False}]),
    (table("t", ("k",), k="timestamptz"), [{"k": "2026-01-01T00:00:00Z"}, {"k": "2026-01-01T01:00:00.100+01:30"}]),
    (table("t", ("k",), k="uuid"), [{"k": "A" * 32}, {"k": "b" * 32}]),
    (table("t", ("a", "b"), a="text", b="int"), [{"a": "x\t", "b": 1}, {"a": "", "b": -2}]),
    (table("t", (), a="text"), [{"a": "x"}]),
]


@pytest.mark.parametrize(("of", "records"), KEYED)
def test_what_was_seen_is_recognised_by_every_kind_of_key(
    connection: Connection, account: int, of: RawTable, records: list[dict[str, object]]
) -> None:
    prepared(connection, of)
    store(connection, of, account, *records)
    keys = [raw(of, record).key for record in records]
    assert missing(connection, of, account, keys) == Missing((), len(keys))
    found = missing(connection, of, account, keys[1:])
    assert found.keys == (keys[0],)
    assert vanish(connection, of, account, *found.keys) == 1
    assert ask(connection, "SELECT count(*) FROM made_raw.t") == [len(keys) - 1]
