"""Which records are due to a mapping: changed ones, those whose counterpart changed, and vanished ones; each once."""

from __future__ import annotations

import pytest
from store_made import SCALES_OF, THINGS, ask, prepared, store, table, vanish

from hde.rows import RawTable
from hde.store import consumers
from hde.store.consumers import Batch, Reader, Refers
from hde.store.database import Connection, transaction

PARENTS = table("parents", id="bigint", name="text")
CHILDREN = table("children", id="text", parent="bigint", other="bigint")
ONE = Reader("made/children", "v1", CHILDREN, (Refers("parent", PARENTS, "parent"),), ("workouts",))
ALONE = Reader("made/things", "v1", THINGS, (), ("workouts",))
BOTH = Reader(
    "made/children", "v1", CHILDREN, (Refers("a", PARENTS, "parent"), Refers("b", PARENTS, "other")), ("workouts",)
)
KIN = table("kin", id="text", mother="text")
SELF = Reader("made/kin", "v1", KIN, (Refers("mother", KIN, "mother"),), ("workouts",))


def take(connection: Connection, reader: Reader, account: int) -> Batch | None:
    with transaction(connection) as cursor:
        marks = consumers.state(cursor, reader, account, lock=True)
        batch = consumers.next_batch(cursor, reader, account, marks)
        if batch:
            consumers.move(cursor, reader, account, batch.raw_table, batch.seq)
    return batch


def due(connection: Connection, reader: Reader, account: int) -> tuple[list[str], list[str]]:
    """Keys to be mapped and keys that vanished, until nothing is due."""
    mapped: list[str] = []
    vanished: list[str] = []
    for _ in range(50):
        batch = take(connection, reader, account)
        if batch is None:
            return mapped, vanished
        mapped += [one.key for one in batch.due]
        vanished += batch.vanished
    raise AssertionError("never ends")


def references(connection: Connection, reader: Reader, account: int) -> dict[str, tuple[str | None, ...]]:
    found: dict[str, tuple[str | None, ...]] = {}
    while batch := take(connection, reader, account):
        found |= {one.key: one.references for one in batch.due}
    return found


def test_changed_records_are_due_once(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "b", "v": 1})
    store(connection, THINGS, account + 1, {"id": "not mine", "v": 1})
    assert due(connection, ALONE, account) == (["a", "b"], [])
    assert due(connection, ALONE, account) == ([], [])
    store(connection, THINGS, account, {"id": "a", "v": 2}, {"id": "b", "v": 1}, {"id": "c", "v": 1})
    assert sorted(due(connection, ALONE, account)[0]) == ["a", "c"]


def test_a_due_record_comes_with_its_payload(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, '{"id": "a", "n": 1.10, "t": "\\t\\u00fc"}')
    batch = take(connection, ALONE, account)
    assert batch
    assert batch.due == [("a", '{"n": 1.10, "t": "\\tü", "id": "a"}', None, ())]


def test_vanished_records_are_told_unless_they_are_there_again(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "b", "v": 1})
    due(connection, ALONE, account)
    vanish(connection, THINGS, account, ("a",), ("b",))
    store(connection, THINGS, account, {"id": "b", "v": 1})
    assert due(connection, ALONE, account) == (["b"], ["a"])
    store(connection, THINGS, account, {"id": "a", "v": 1})
    assert due(connection, ALONE, account) == (["a"], [])


def test_nothing_due_but_vanished_and_returned_records_ends(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    vanish(connection, THINGS, account, ("a",))
    store(connection, THINGS, account, {"id": "a", "v": 1})
    assert due(connection, ALONE, account) == (["a"], [])


def test_first_run_maps_each_record_once_with_its_counterpart(connection: Connection, account: int) -> None:
    prepared(connection, PARENTS, CHILDREN)
    store(connection, CHILDREN, account, {"id": "a", "parent": 1}, {"id": "b", "parent": 2}, {"id": "c"})
    store(connection, PARENTS, account, {"id": 1, "name": "one"})
    batches = [take(connection, ONE, account) for _ in range(3)]
    mapped = [(one.key, one.references) for batch in batches if batch for one in batch.due]
    assert sorted(mapped) == [("a", ('{"id": 1, "name": "one"}',)), ("b", (None,)), ("c", (None,))]
    assert take(connection, ONE, account) is None


def test_a_waiting_record_is_due_when_its_counterpart_arrives_changes_or_vanishes(
    connection: Connection, account: int
) -> None:
    prepared(connection, PARENTS, CHILDREN)
    store(connection, CHILDREN, account, {"id": "a", "parent": 1}, {"id": "b", "parent": 1}, {"id": "c", "parent": 2})
    due(connection, ONE, account)
    store(connection, PARENTS, account + 1, {"id": 1, "name": "of somebody else"})
    assert due(connection, ONE, account) == ([], [])
    for record in ({"id": 1, "name": "one"}, {"id": 1, "name": "two"}):
        store(connection, PARENTS, account, record, {"id": 9})
        assert {key: bool(of[0]) for key, of in references(connection, ONE, account).items()} == {"a": True, "b": True}
    vanish(connection, PARENTS, account, ("1",))
    assert references(connection, ONE, account) == {"a": (None,), "b": (None,)}


def test_a_record_stored_after_its_counterpart_is_due_once(connection: Connection, account: int) -> None:
    prepared(connection, PARENTS, CHILDREN)
    store(connection, CHILDREN, account, {"id": "a", "parent": 1})
    due(connection, ONE, account)
    store(connection, PARENTS, account, {"id": 2, "name": "x"})
    store(connection, CHILDREN, account, {"id": "b", "parent": 2})
    assert due(connection, ONE, account) == (["b"], [])


def test_two_references_to_one_table_are_both_followed(connection: Connection, account: int) -> None:
    prepared(connection, PARENTS, CHILDREN)
    store(connection, CHILDREN, account, {"id": "a", "parent": 1, "other": 2}, {"id": "b", "parent": 3, "other": 1})
    due(connection, BOTH, account)
    store(connection, PARENTS, account, {"id": 1, "name": "x"})
    found = references(connection, BOTH, account)
    assert {key: tuple(map(bool, of)) for key, of in found.items()} == {"a": (True, False), "b": (False, True)}
    store(connection, PARENTS, account, {"id": 2, "name": "y"})
    assert due(connection, BOTH, account) == (["a"], [])


def test_records_that_refer_to_each_other_are_all_mapped_and_followed(connection: Connection, account: int) -> None:
    prepared(connection, KIN)
    store(connection, KIN, account, {"id": "a", "mother": "b"}, {"id": "b"}, {"id": "c", "mother": "z"})
    found = references(connection, SELF, account)
    assert {key: bool(of[0]) for key, of in found.items()} == {"a": True, "b": False, "c": False}
    store(connection, KIN, account, {"id": "b", "x": 1}, {"id": "z"})
    assert sorted(due(connection, SELF, account)[0]) == ["a", "b", "c", "z"]
    vanish(connection, KIN, account, ("b",))
    assert due(connection, SELF, account) == (["a"], ["b"])


@pytest.mark.parametrize("reader", [ALONE, ONE, SELF], ids=["alone", "with", "itself"])
def test_batches_can_be_gone_on_with_at_any_of_them(
    connection: Connection, account: int, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BATCH", 3)
    prepared(connection, *reader.tables)
    store(connection, PARENTS, account, *({"id": number} for number in range(7))) if reader is ONE else None
    ids = [f"r{number}" for number in range(10)]
    store(connection, reader.table, account, *({"id": id, "v": 1, "parent": 1, "mother": "r1"} for id in ids))
    vanish(connection, reader.table, account, *((id,) for id in ids[:5]))
    mapped, vanished = due(connection, reader, account)
    assert sorted(mapped) == ids[5:]
    assert sorted(vanished) == ids[:5]


def test_restart_begins_again_and_forgets_tables_no_longer_read(connection: Connection, account: int) -> None:
    prepared(connection, PARENTS, CHILDREN)
    store(connection, PARENTS, account, {"id": 1})
    store(connection, CHILDREN, account, {"id": "a", "parent": 1}, {"id": "b"})
    vanish(connection, CHILDREN, account, ("b",))
    assert due(connection, ONE, account) == (["a"], ["b"])
    newer = Reader(ONE.mapping, "v2", CHILDREN, (), ("sleep_sessions",))
    with transaction(connection) as cursor:
        assert consumers.state(cursor, newer, account).mapping_hash == "v1"
        consumers.restart(cursor, newer, account)
        state = consumers.state(cursor, newer, account)
    assert (state.seq, state.mapping_hash, state.targets) == ({"children": 0}, "v2", ("sleep_sessions",))
    assert due(connection, newer, account) == (["a"], ["b"])


@pytest.mark.parametrize(
    ("of", "records", "keys"),
    [
        (table("t", ("a", "b"), a="text", b="boolean"), [{"a": 'x"\\', "b": True}], ['["x\\"\\\\","t"]']),
        (table("t", (), a="text"), [{"a": "x"}], [""]),
        (table("t", ("a",), a="timestamptz"), [{"a": "2026-01-01T02:00:00.50+02:00"}], ["2026-01-01 00:00:00.5+00"]),
        (SCALES_OF, [{"id": "a", "weight": 1}], ['["a","2026-01-05 12:00:00+00"]']),
    ],
)
def test_keys_are_told_as_they_stand_in_canonical_rows(
    connection: Connection, account: int, of: RawTable, records: list[object], keys: list[str]
) -> None:
    prepared(connection, of)
    store(connection, of, account, *records)
    assert due(connection, Reader("made/t", "v1", of, (), ()), account) == (keys, [])


def test_mappings_gone_from_the_yaml_are_found_with_their_tables(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a"})
    for mapping in ("made/things", "made/gone", "madeup/other"):
        due(connection, Reader(mapping, "v1", THINGS, (), ("workouts", "sleep_sessions")), account)
    with transaction(connection) as cursor:
        found = sorted(consumers.orphaned(cursor, "made", account, ["made/things"]))
        assert found == [("made/gone", "sleep_sessions"), ("made/gone", "workouts")]
        consumers.forget(cursor, "made/gone", account)
        assert list(consumers.orphaned(cursor, "made", account, ["made/things"])) == []
    assert ask(connection, "SELECT DISTINCT mapping FROM meta.consumers ORDER BY 1") == ["made/things", "madeup/other"]
