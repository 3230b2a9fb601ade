"""Making and widening raw tables: nothing is narrowed, filled from memory, or made twice."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest
from store_made import THINGS, ask, counted, prepared, raw, store, table, vanish

from hde.errors import WrongUse
from hde.rows import RawTable, RawType
from hde.store import raw_tables
from hde.store.database import Connection, Database
from hde.store.raw_tables import Prepared, prepare

SHAPES = {
    "a key": THINGS,
    "two": table("pairs", ("a", "b"), a="text", b="bigint", v="float"),
    "none": table("profile", (), mail="text"),
    "observed": RawTable("made_raw", "body", (("weight", "float"),), (), observe=True),
    "payload only": RawTable("made_raw", "bare", (), ()),
    "odd names": RawTable(
        'a"b_raw', 'select "x"', (("order", "text"), ("Größe'; --", "int"), ("%s", "text")), ("order",)
    ),
    "longest": RawTable("made_raw", "n" * 55, (("c" * 63, "text"),), ("c" * 63,)),
}


def fill(account: int, payload: bytes) -> tuple[str | None, ...]:
    raise AssertionError("nothing was to be filled")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_is_made_once_and_then_left_as_it_is(connection: Connection, shape: str) -> None:
    of = SHAPES[shape]
    references = [of.columns[0][0]] if of.columns else []
    for _ in range(2):
        assert prepare(connection, of, references, fill) == Prepared()
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
    columns = ask(connection, sql, raw_tables.name(of).as_string(connection))
    always = ["payload", "_hash", "_received", "_seq", "_run_id", "_fetched_at"]
    observed = ["_observed_at"] if of.observe else []
    assert columns == ["_account", *observed, *(name for name, _ in of.columns), *always]


def test_tables_with_odd_names_can_be_merged_into(connection: Connection, account: int) -> None:
    of = dataclasses.replace(SHAPES["odd names"], columns=SHAPES["odd names"].columns[:2])
    prepared(connection, of)
    assert counted(store(connection, of, account, {"order": "1", "Größe'; --": 1})) == (1, 0, 0)
    assert counted(store(connection, of, account, {"order": "1", "Größe'; --": 2})) == (0, 1, 0)
    assert vanish(connection, of, account, ("1",)) == 1


def test_a_new_column_is_filled_from_the_payloads_of_all_accounts(
    connection: Connection, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_tables, "BATCH", 3)
    prepared(connection, THINGS)
    texts = [json.dumps({"id": f"r{number}", "v": number, "more": {"x": f"\t\\N{number}"}}) for number in range(8)]
    for one in (account + 1, account):
        store(connection, THINGS, one, *texts)
    wide = RawTable(
        "made_raw", "things", (*THINGS.columns, ("more_x", "text"), ("doc", "jsonb"), ("no", "date")), ("id",)
    )

    def from_payload(account: int, payload: bytes) -> tuple[str | None, ...]:
        held = json.loads(payload)
        return (held["id"], str(held["v"]), held["more"]["x"], json.dumps(held["more"]), None)

    before = ask(connection, "SELECT array_agg(_seq ORDER BY _seq) FROM made_raw.things")
    assert prepare(connection, wide, [], from_payload) == Prepared(("more_x", "doc", "no"))
    assert ask(connection, "SELECT count(*) FROM made_raw.things WHERE more_x = E'\\t\\\\N' || v") == [16]
    assert ask(connection, "SELECT count(*) FROM made_raw.things WHERE doc->>'x' = more_x AND no IS NULL") == [16]
    assert ask(connection, "SELECT array_agg(_seq ORDER BY _seq) FROM made_raw.things") == before
    assert counted(store(connection, THINGS, account, *texts)) == (0, 0, 8)


def test_an_interrupted_filling_adds_no_column(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a"})
    wide = table("things", id="text", v="bigint", w="text")
    with pytest.raises(AssertionError):
        prepare(connection, wide, [], fill)
    assert prepare(connection, wide, [], lambda account, payload: ("a", None, "filled")) == Prepared(("w",))
    assert ask(connection, "SELECT w FROM made_raw.things") == ["filled"]


def test_a_changed_type_is_refused_with_the_statement_that_changes_it(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    other = table("things", id="text", v="text")
    with pytest.raises(WrongUse, match="v is bigint in the database and text in the connector") as refused:
        prepare(connection, other, [], fill)
    connection.execute(str(refused.value).partition("To change it: ")[2].encode())
    assert prepare(connection, other, [], fill) == Prepared()
    assert ask(connection, "SELECT v FROM made_raw.things") == ["1"]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (table("things", ("v",), id="text", v="bigint"), r"has the key \[id\], the connector says \[v\]"),
        (table("things", ("id", "w"), id="text", v="bigint", w="text"), r"says \[id, w\]"),
        (RawTable("made_raw", "things", THINGS.columns, ("id",), observe=True), r"says \[id, _observed_at\]"),
        (table("things", (), id="text", v="bigint"), r"says \[\]"),
    ],
)
def test_a_changed_key_is_refused(connection: Connection, other: RawTable, says: str) -> None:
    prepared(connection, THINGS)
    with pytest.raises(WrongUse, match=says):
        prepare(connection, other, [], fill)
    assert prepare(connection, THINGS, [], fill) == Prepared()


def test_a_column_no_longer_declared_is_kept_and_named(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    narrow = table("things", id="text")
    assert prepare(connection, narrow, [], fill) == Prepared((), ("v",))
    assert counted(store(connection, narrow, account, {"id": "a", "v": 2}, {"id": "b"})) == (1, 1, 0)
    assert ask(connection, "SELECT id, v FROM made_raw.things ORDER BY 1") == [("a", 1), ("b", None)]


def test_columns_that_others_refer_by_are_indexed_whatever_their_names(connection: Connection) -> None:
    long = "n" * 50
    two: list[tuple[str, RawType]] = [("id", "text"), ("column_one", "text"), ("column_two", "text")]
    tables = [
        (table("a_b", id="text", c="text"), "c"),
        (table("a", id="text", b_c="text"), "b_c"),
        (RawTable("made_raw", long, tuple(two), ("id",)), "column_one"),
        (RawTable("made_raw", long, tuple(two), ("id",)), "column_two"),
    ]
    for of, column in tables:
        for _ in range(2):
            prepare(connection, of, [column], fill)
    indexed = ask(
        connection,
        "SELECT c.relname || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[1]"
        " WHERE c.relnamespace = 'made_raw'::regnamespace AND NOT i.indisprimary AND a.attname NOT LIKE '\\_%'"
        " ORDER BY 1",
    )
    assert indexed == ["a.b_c", "a_b.c", f"{long}.column_one", f"{long}.column_two"]


def test_several_that_prepare_at_once_make_it_once(database: Database) -> None:
    together = threading.Barrier(6)
    results: list[Prepared] = []

    def work() -> None:
        with database.connection() as connection:
            together.wait()
            results.extend(prepare(connection, of, ["id"], lambda account, payload: ()) for of in (THINGS, wide))

    wide = table("things", id="text", v="bigint", w="text")
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12
    assert results.count(Prepared(("w",))) == 1


def test_a_record_read_before_a_column_was_added_fits_afterwards(connection: Connection, account: int) -> None:
    prepared(connection, THINGS)
    store(connection, THINGS, account, {"id": "a", "v": 1})
    wide = table("things", id="text", v="bigint", w="bigint")
    prepare(connection, wide, [], lambda account, payload: raw(wide, payload.decode()).values)
    assert counted(store(connection, wide, account, {"id": "a", "v": 1, "w": 2})) == (0, 1, 0)
    assert ask(connection, "SELECT w FROM made_raw.things") == [2]
