"""Retention in the store: what is old goes to history, and history lets go of it when every mapping has seen it."""

from __future__ import annotations

from datetime import datetime, timedelta

from store_made import AT, SCALES_OF, THINGS, ask, prepared, store, table

from hde.rows import RawTable
from hde.store import retention
from hde.store.database import Connection, transaction
from hde.store.merge import lock_account

DAY = timedelta(days=1)


def expire(connection: Connection, of: RawTable, account: int, before: datetime) -> int:
    with transaction(connection) as cursor:
        lock_account(cursor, of.schema, account)
        return retention.expire(cursor, of, account, before, 9)


def drop_former(connection: Connection, of: RawTable, account: int, before: datetime) -> int:
    with transaction(connection) as cursor:
        return retention.drop_former(cursor, of, account, before)


def reads(connection: Connection, mapping: str, account: int, raw_table: str, seq: int) -> None:
    connection.execute(
        "INSERT INTO meta.consumers (mapping, account, raw_table, seq, mapping_hash) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (mapping, account, raw_table) DO UPDATE SET seq = EXCLUDED.seq",
        (mapping, account, raw_table, seq, "" if mapping.startswith("for_each") else "v"),
    )
    connection.commit()


def test_what_arrived_before_moves_and_what_arrived_since_stays(connection: Connection, account: int) -> None:
    keyless, paired = table("one", ()), table("paired", ("a", "b"), a="text", b="int")
    prepared(connection, THINGS, SCALES_OF, keyless, paired)
    for of, old, new in (
        (THINGS, {"id": "a", "v": 1}, {"id": "b", "v": 1}),
        (SCALES_OF, {"id": "a", "weight": 80}, {"id": "a", "weight": 81}),
        (paired, {"a": "x", "b": 1}, {"a": "x", "b": 2}),
    ):
        store(connection, of, account, old, at=AT)
        store(connection, of, account + 1, old, at=AT)
        store(connection, of, account, new, at=AT + 2 * DAY)
        assert expire(connection, of, account, AT + DAY) == 1
        assert expire(connection, of, account, AT + DAY) == 0
        left = f"SELECT _account, _fetched_at FROM made_raw.{of.name} ORDER BY 1"
        assert ask(connection, left) == [(account, AT + 2 * DAY), (account + 1, AT)]
        assert ask(connection, f"SELECT _account, _op FROM made_raw.{of.name}_history") == [(account, "D")]
    store(connection, keyless, account, {"any": 1}, at=AT)
    assert expire(connection, keyless, account, AT + DAY) == 1


def test_a_mark_of_a_gone_record_stays_until_the_slowest_mapping_has_seen_it(
    connection: Connection, account: int
) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1}, at=AT)
    store(connection, THINGS, account, {"id": "a", "v": 2}, at=AT + DAY / 2)
    assert expire(connection, THINGS, account, AT + DAY) == 1
    (seq,) = ask(connection, "SELECT _seq FROM made_raw.things_history WHERE _op = 'D'")
    marks = "SELECT count(*) FROM made_raw.things_history"
    reads(connection, "made/things", account, "things", seq)
    reads(connection, "made/others", account, "things", seq - 1)
    reads(connection, "for_each:others", account, "things", 0)  # asks for what is there, and never for what is gone
    reads(connection, "made/things", account, "others", 0)
    assert drop_former(connection, THINGS, account, AT + DAY) == 1  # the replaced version
    assert ask(connection, marks) == [1]
    reads(connection, "made/others", account, "things", seq)
    reads(connection, "made/others", account, "things (with)", seq - 1)
    assert drop_former(connection, THINGS, account, AT + DAY) == 0
    assert ask(connection, marks) == [1]
    reads(connection, "made/others", account, "things (with)", seq)
    drop_former(connection, THINGS, account, AT + DAY)
    assert ask(connection, marks) == [0]


def test_without_a_mapping_nothing_holds_history_back(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1}, at=AT)
    store(connection, THINGS, account, {"id": "a", "v": 2}, at=AT + 2 * DAY)
    drop_former(connection, THINGS, account, AT - DAY)
    assert ask(connection, "SELECT count(*) FROM made_raw.things_history") == [1]  # it is younger
    expire(connection, THINGS, account, AT + 3 * DAY)
    assert drop_former(connection, THINGS, account, AT + 3 * DAY) == 1
    assert ask(connection, "SELECT count(*) FROM made_raw.things_history") == [0]
