"""The raw merge: what counts as new, changed and unchanged, and that every key and value comes back as it went in."""

from __future__ import annotations

import json

import pytest
from store_made import AT, SECOND, THINGS, ask, counted, prepared, raw, store, store_rows, table, vanish

from hde.rows import RawRow, RawTable
from hde.store import merge
from hde.store.database import Connection, transaction
from hde.store.merge import Merged


def test_new_changed_and_unchanged_are_told_apart(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    assert counted(store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "b", "v": 1})) == (2, 0, 0)
    third = store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "b", "v": 2}, {"id": "c", "v": 1})
    assert counted(third) == (1, 1, 1)
    assert ask(connection, "SELECT id, v FROM made_raw.things ORDER BY id") == [("a", 1), ("b", 2), ("c", 1)]


def test_unchanged_records_are_not_rewritten(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    records = [{"id": f"r{number}", "v": number, "text": "x" * 300} for number in range(500)]
    versions = "SELECT array_agg((id, xmin, ctid, _seq) ORDER BY id)::text FROM made_raw.things"

    def logged() -> int:
        # of this connection alone: others of the same server write, too, and checkpoints make single records large
        ask(connection, "SELECT pg_stat_force_next_flush()")
        return int(ask(connection, "SELECT wal_records FROM pg_stat_get_backend_wal(pg_backend_pid())")[0])

    def written() -> int:
        before = logged()
        store(connection, THINGS, account, *records)
        return logged() - before

    first, before = written(), ask(connection, versions)
    again = written()
    assert ask(connection, versions) == before
    assert ask(connection, "SELECT count(*) FROM made_raw.things_history") == [0]
    assert again < first / 20


@pytest.mark.parametrize(
    "spelling",
    [
        '{"v":1,"id":"a","in":{"y":[1,2],"x":null}}',
        ' {\n\t"id" : "a",\r\n "v": 1, "in": {"x": null, "y": [1, 2]} } ',
        '{"id":"\\u0061","v":1,"in":{"x":null,"y":[1,2]}}',
    ],
)
def test_another_spelling_of_the_same_record_is_no_change(connection: Connection, account: int, spelling: str) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, '{"id":"a","v":1,"in":{"x":null,"y":[1,2]}}')
    before = ask(connection, "SELECT xmin::text, _seq FROM made_raw.things")
    assert counted(store(connection, THINGS, account, spelling)) == (0, 0, 1)
    assert ask(connection, "SELECT xmin::text, _seq FROM made_raw.things") == before


def test_another_order_of_a_list_and_null_against_absent_are_changes(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "l": [1, 2]}, {"id": "b", "v": None})
    assert counted(store(connection, THINGS, account, {"id": "a", "l": [2, 1]}, {"id": "b"})) == (0, 2, 0)


def test_the_last_of_equal_keys_in_a_batch_wins(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    assert counted(store(connection, THINGS, account, {"id": "a", "v": 1}, {"id": "a", "v": 2})) == (1, 0, 0)
    assert counted(store(connection, THINGS, account, {"id": "a", "v": 3}, {"id": "a", "v": 4})) == (0, 1, 0)
    assert ask(connection, "SELECT v FROM made_raw.things") == [4]
    assert ask(connection, "SELECT payload->>'v' FROM made_raw.things_history") == ["2"]


def test_counts_of_a_batch_are_shared_out_to_its_pages_once() -> None:
    merged = Merged({("a",)}, {("b",)})
    assert counted(merged.take([("a",), ("a",), ("c",)])) == (1, 0, 1)
    assert counted(merged.take([("a",), ("b",)])) == (0, 1, 1)


def test_accounts_do_not_see_each_other(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    assert counted(store(connection, THINGS, account + 1, {"id": "a", "v": 2})) == (1, 0, 0)
    assert vanish(connection, THINGS, account + 1, ("a",)) == 1
    assert ask(connection, "SELECT _account, v FROM made_raw.things") == [(account, 1)]


ODD_TEXT = [
    "", " ", "'", '"', "\\", "\\N", "\\.", "a\tb", "a\nb", "a\r\nb", "a,b", "{a,b}", "{}", "NULL", "%s", "%", "ü", "💤",
    "\x01", '["a"]', "e\u0301",
]  # fmt: skip
KEYS: dict[str, tuple[RawTable, list[dict[str, object]]]] = {
    "text": (table("t", k="text"), [{"k": text} for text in ODD_TEXT]),
    "uuid": (table("t", k="uuid"), [{"k": "A3E0C1D2-0000-4000-8000-00000000000A"}, {"k": "0" * 32}]),
    "bigint": (table("t", k="bigint"), [{"k": 2**63 - 1}, {"k": -(2**63)}, {"k": 0}, {"k": "12"}]),
    "int": (table("t", k="int"), [{"k": 2**31 - 1}, {"k": -(2**31)}]),
    "timestamptz": (
        table("t", k="timestamptz"),
        [{"k": "2026-01-01T00:00:00Z"}, {"k": "2026-01-01T00:00:00.5Z"}, {"k": "2026-06-01T00:00:00.123456789+02:00"},
         {"k": "0001-01-01T00:00:00Z"}, {"k": "9999-12-31T23:59:59.999999Z"}],
    ),
    "date": (table("t", k="date"), [{"k": "2026-02-28"}, {"k": "0001-01-01"}, {"k": "9999-12-31"}]),
    "boolean": (table("t", k="boolean"), [{"k": True}, {"k": False}]),
    "compound": (
        table("t", ("a", "b"), a="text", b="bigint"),
        [{"a": "x", "b": 1}, {"a": "x", "b": 2}, {"a": 'x","1', "b": 1}, {"a": "y", "b": 1}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
def test_records_are_found_again_by_every_kind_of_key(connection: Connection, account: int, kind: str) -> None:
    of, records = KEYS[kind]
    of = RawTable(of.schema, of.name, of.columns, of.key if len(of.columns) > 1 else ("k",))
    prepared(connection, of)
    keys = [raw(of, record).key for record in records]
    assert counted(store(connection, of, account, *records)) == (len(records), 0, 0)
    assert counted(store(connection, of, account, *records)) == (0, 0, len(records))
    spaced = [json.dumps(record, indent=1) for record in records]
    assert counted(store(connection, of, account, *spaced)) == (0, 0, len(records))
    assert counted(store(connection, of, account, *({**record, "x": 1} for record in records))) == (0, len(records), 0)
    assert vanish(connection, of, account, *keys) == len(records)
    assert ask(connection, "SELECT count(*) FROM made_raw.t") == [0]
    assert ask(connection, "SELECT _op::text, count(*)::int FROM made_raw.t_history GROUP BY 1 ORDER BY 1") == [
        ("D", len(records)), ("U", len(records)),
    ]  # fmt: skip


def test_without_a_key_an_account_has_one_row(connection: Connection, account: int) -> None:
    of = table("profile", (), name="text")
    prepared(connection, of)
    assert counted(store(connection, of, account, {"name": "A"})) == (1, 0, 0)
    assert counted(store(connection, of, account, '{"name" : "A"}')) == (0, 0, 1)
    assert counted(store(connection, of, account, {"name": "B"})) == (0, 1, 0)
    assert counted(store(connection, of, account, {"name": "C"}, {"name": "D"})) == (0, 1, 0)
    assert vanish(connection, of, account) == 0
    assert ask(connection, "SELECT name FROM made_raw.profile") == ["D"]
    assert vanish(connection, of, account, ()) == 1
    assert ask(connection, "SELECT payload->>'name' FROM made_raw.profile_history ORDER BY _seq") == ["A", "B", "D"]


@pytest.mark.parametrize("path", [("seen",), ("links", "next"), ("it's", "a\\b"), ("100%",), ("%s",), ("ü",)])
def test_what_changes_only_where_it_means_nothing_is_unchanged(
    connection: Connection, account: int, path: tuple[str, ...]
) -> None:
    of = RawTable("made_raw", "vol", (("id", "text"),), ("id",), volatile=(path, ("other",)))
    prepared(connection, of)

    def record(value: int) -> dict[str, object]:
        inner: object = value
        for name in reversed(path):
            inner = {name: inner}
        assert isinstance(inner, dict)
        return {"id": "a", **inner}

    store(connection, of, account, record(1))
    assert counted(store(connection, of, account, record(2))) == (0, 0, 1)
    assert counted(store(connection, of, account, {**record(3), "other": 1})) == (0, 0, 1)
    assert counted(store(connection, of, account, {**record(3), "another": 1})) == (0, 1, 0)


VALUES = table("vals", id="text", i="int", b="bigint", f="float", n="numeric", y="boolean", d="date", t="timestamptz",
               u="uuid", x="text", j="jsonb")  # fmt: skip
WHOLE = {"i": -5, "b": 2**60, "f": 0.1, "n": 12, "y": False, "d": "2026-01-02", "t": "2026-01-02T03:04:05.678901+02:00",
         "u": "a3e0c1d2-0000-4000-8000-00000000000a", "x": "\\N", "j": {"a": [1, "\t\n\\", None]}}  # fmt: skip
SHOWN = ("-5", str(2**60), "0.1", "12", "false", "2026-01-02", "2026-01-02 01:04:05.678901+00",
         "a3e0c1d2-0000-4000-8000-00000000000a", "\\N", '{"a": [1, "\\t\\n\\\\", null]}')  # fmt: skip


def test_values_of_every_type_come_back_and_nulls_stay_nulls(connection: Connection, account: int) -> None:
    prepared(connection, VALUES)
    columns = ", ".join(f"{name}::text" for name in WHOLE)
    store(connection, VALUES, account, {"id": "whole", **WHOLE}, {"id": "empty"}, {"id": "text", "x": ""})
    found = ask(connection, f"SELECT {columns} FROM made_raw.vals ORDER BY id")
    assert found == [(None,) * 10, (*(None,) * 8, "", None), SHOWN]
    store(connection, VALUES, account, {"id": "whole"}, {"id": "empty", **WHOLE}, {"id": "text", "x": "\\N"})
    found = ask(connection, f"SELECT {columns} FROM made_raw.vals ORDER BY id")
    assert found == [SHOWN, (*(None,) * 8, "\\N", None), (None,) * 10]


def test_numbers_keep_the_digits_they_were_written_with(connection: Connection, account: int) -> None:
    prepared(connection, VALUES)
    store(connection, VALUES, account, '{"id":"a","n":1.10,"j":123456789012345678901234567890.10}')
    found = ask(connection, "SELECT n::text, j::text, payload->>'n' FROM made_raw.vals")
    assert found == [("1.10", "123456789012345678901234567890.10", "1.10")]


@pytest.mark.parametrize("text", ODD_TEXT)
def test_odd_text_comes_back_in_columns_and_payload(connection: Connection, account: int, text: str) -> None:
    of = table("odd", id="bigint", x="text")
    prepared(connection, of)
    for other in ("before", text):
        store(connection, of, account, {"id": 1, "x": other, other or "empty": [other]})
    assert ask(connection, "SELECT x, payload->>'x' FROM made_raw.odd") == [(text, text)]


def test_text_as_received_is_kept_beside_a_payload_that_had_to_differ(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    received = b'{"id":"a","x":"\\u0000\\ud800\t\\\\N"}'
    made = raw(THINGS, '{"id":"a","x":"\\ufffd"}')
    store_rows(connection, THINGS, account, [RawRow(made.key, made.values, made.payload, made.hash, received)])
    assert ask(connection, "SELECT _received FROM made_raw.things") == [received]
    store(connection, THINGS, account, {"id": "a"})
    assert ask(connection, "SELECT _received FROM made_raw.things") == [None]
    assert ask(connection, "SELECT _received FROM made_raw.things_history") == [received]


def test_two_tables_of_one_name_in_two_schemas_share_a_connection(connection: Connection, account: int) -> None:
    other = RawTable("other_raw", "things", (("id", "bigint"), ("w", "date")), ("id",))
    prepared(connection, THINGS, other)
    for number in (1, 2):
        store(connection, THINGS, account, {"id": "a", "v": number})
        store(connection, other, account, {"id": 1, "w": f"2026-01-0{number}"})
    assert ask(connection, "SELECT w::text FROM other_raw.things") == ["2026-01-02"]
    with transaction(connection) as cursor:
        arrivals = [merge.Arrival(raw(of, {"id": 9}), AT + SECOND) for of in (other,)]
        assert counted(merge.merge(cursor, other, account, arrivals, 1).take([("9",)])) == (1, 0, 0)
