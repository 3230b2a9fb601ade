"""What was: former versions, vanished records, observations; and that any sequence of batches can be replayed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_made import AT, SCALES_OF, SECOND, THINGS, ask, counted, prepared, raw, store, vanish

from hde.issues import Issue
from hde.rows import RawTable
from hde.store import issues, ledger, merge
from hde.store.database import Connection, transaction
from hde.store.ledger import Progress, Span, Stream, WindowRecord
from hde.store.merge import Arrival, Counts

BODY = RawTable("made_raw", "body", (("weight", "float"),), (), observe=True, volatile=(("asked",),))


def test_replaced_and_vanished_versions_are_kept_with_growing_seq(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    store(connection, THINGS, account, {"id": "a", "v": 2}, at=AT + SECOND)
    vanish(connection, THINGS, account, ("a",), at=AT + 2 * SECOND)
    columns = "_op::text, payload->>'v', _seq, _run_id, _ended_run, _fetched_at, _ended_at"
    past = ask(connection, f"SELECT {columns} FROM made_raw.things_history ORDER BY _seq")
    assert past == [("U", "1", 1, 7, 7, AT, AT + SECOND), ("D", "2", 3, 7, 8, AT + SECOND, AT + 2 * SECOND)]
    assert ask(connection, "SELECT count(*) FROM made_raw.things") == [0]


def test_a_vanished_record_that_comes_back_is_new(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    for _ in range(2):
        assert counted(store(connection, THINGS, account, {"id": "a", "v": 1})) == (1, 0, 0)
        assert vanish(connection, THINGS, account, ("a",), ("never there",)) == 1
    assert counted(store(connection, THINGS, account, {"id": "a", "v": 1})) == (1, 0, 0)
    assert ask(connection, "SELECT _seq FROM made_raw.things_history ORDER BY 1") == [2, 4]
    assert ask(connection, "SELECT _seq FROM made_raw.things") == [5]


def weights(connection: Connection, of: RawTable) -> list[Any]:
    return ask(connection, f"SELECT weight, _observed_at FROM made_raw.{of.name} ORDER BY _observed_at")


def test_observations_keep_each_consecutive_version(connection: Connection, account: int) -> None:
    prepared(connection, BODY)
    times = [AT + number * SECOND for number in range(5)]
    for weight, at in zip([80, 80.0, 81, 81, 80], times, strict=True):
        store(connection, BODY, account, {"weight": weight, "asked": at.isoformat()}, at=at)
    assert weights(connection, BODY) == [(80, times[0]), (81, times[2]), (80, times[4])]


def test_observations_move_on_though_the_clock_goes_back(connection: Connection, account: int) -> None:
    prepared(connection, BODY)
    tick = dt.timedelta(microseconds=1)
    for weight, at in [(80, AT), (81, AT - SECOND), (82, AT), (82, AT - SECOND)]:
        store(connection, BODY, account, {"weight": weight}, at=at)
    assert weights(connection, BODY) == [(80, AT), (81, AT + tick), (82, AT + 2 * tick)]


def test_observations_of_several_records_do_not_mix(connection: Connection, account: int) -> None:
    prepared(connection, SCALES_OF)
    two = [{"id": "it's", "weight": 80}, {"id": "b", "weight": None}]
    assert counted(store(connection, SCALES_OF, account, *two)) == (2, 0, 0)
    assert counted(store(connection, SCALES_OF, account + 1, *two)) == (2, 0, 0)
    assert counted(store(connection, SCALES_OF, account, *two, at=AT + SECOND)) == (0, 0, 2)
    assert ask(connection, "SELECT count(*) FROM made_raw.scales") == [4]


def window(account: int) -> WindowRecord:
    return WindowRecord(Stream(account, "things", "hash"), Span(AT - 90 * SECOND, AT), AT)


def test_a_batch_that_fails_leaves_nothing_of_itself(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    state = [
        "SELECT id, v, _seq FROM made_raw.things",
        "SELECT count(*) FROM made_raw.things_history",
        "SELECT count(*) FROM meta.windows",
        "SELECT count(*) FROM meta.streams",
        "SELECT count(*) FROM meta.issues",
    ]
    before = [ask(connection, sql) for sql in state]
    progress = Progress(1, 1, Counts(), 0.1, None, AT, "end")

    def fails_at_its_end() -> None:
        with transaction(connection) as cursor:
            merge.lock_account(cursor, THINGS.schema, account)
            rows = [Arrival(raw(THINGS, {"id": key, "v": 2}), AT) for key in "ab"]
            merge.merge(cursor, THINGS, account, rows, 7)
            issues.record(cursor, account, "raw", "things", {"a": [Issue("v", "type")]}, 7)
            ledger.advance(cursor, one := window(account), progress, 7)
            ledger.cover(cursor, one, 0 * SECOND)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_at_its_end()
    assert [ask(connection, sql) for sql in state] == before


def test_a_page_that_breaks_off_within_copy_leaves_nothing(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    good = [raw(THINGS, {"id": f"r{number}", "v": number}) for number in range(50)]
    broken = good[0]._replace(key=("x",), values=("x", "not a number"))
    with pytest.raises(Exception, match="bigint"), transaction(connection) as cursor:
        merge.merge(cursor, THINGS, account, [Arrival(row, AT) for row in (*good, broken)], 7)
    connection.rollback()
    assert ask(connection, "SELECT count(*) FROM made_raw.things") == [0]


RECORD = st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.booleans())
BATCH = st.tuples(st.lists(RECORD, max_size=6), st.frozensets(st.sampled_from("abcd"), max_size=2), st.booleans())


@settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(batches=st.lists(BATCH, max_size=6))
def test_any_sequence_of_batches_ends_as_in_a_dict_and_history_replays_it(
    connection: Connection, account: int, batches: list[tuple[list[tuple[str, int, bool]], frozenset[str], bool]]
) -> None:
    prepared(connection, THINGS)
    connection.execute("TRUNCATE made_raw.things, made_raw.things_history")
    connection.commit()
    model: dict[str, int] = {}
    past: dict[str, list[tuple[str, int]]] = {key: [] for key in "abcd"}
    for records, gone, expect_new in batches:
        spelled = [
            json.dumps({"id": key, "v": value} if plain else {"v": value, "id": key}) for key, value, plain in records
        ]
        latest = {key: value for key, value, _ in records}
        changed = {key for key in latest if key in model and model[key] != latest[key]}
        new = latest.keys() - model.keys()
        counts = store(connection, THINGS, account, *spelled, expect_new=expect_new)
        assert counted(counts) == (len(new), len(changed), len(latest) - len(new) - len(changed))
        for key in changed:
            past[key].append(("U", model[key]))
        model |= latest
        assert vanish(connection, THINGS, account, *((key,) for key in gone)) == len(gone & model.keys())
        for key in gone & model.keys():
            past[key].append(("D", model.pop(key)))
    assert dict(ask(connection, "SELECT id, v FROM made_raw.things")) == model
    assert dict(ask(connection, "SELECT id, (payload->>'v')::int FROM made_raw.things")) == model
    found: dict[str, list[tuple[str, int]]] = {key: [] for key in "abcd"}
    sql = "SELECT id, _op::text, (payload->>'v')::int FROM made_raw.things_history ORDER BY _seq"
    for key, op, value in ask(connection, sql):
        found[key].append((op, value))
    assert found == past
    both = "SELECT _seq FROM made_raw.things UNION ALL SELECT _seq FROM made_raw.things_history"
    seqs = ask(connection, both)
    assert len(set(seqs)) == len(seqs)
