"""Leaving: `hde export` takes everything along, `hde forget` leaves nothing of an account."""

from __future__ import annotations

import gzip
import json
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from run_made import RAW, another_database, ask, call, canonical_hashes, do, raw_hashes

from hde.errors import WrongUse
from hde.places import make_home
from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID
from hde.steps.accounts import TOKEN_FILE
from hde.steps.export import export
from hde.store import journal
from hde.store.database import Database
from hde.store.holdings import Holding, holdings
from hde.store.only_run import only_run

ACCOUNT, OTHER = str(USER_ID), "4242424242"
OTHERS_ID = 77
TRACES = f"""
INSERT INTO meta.connections (id, connector, external_id) VALUES ({OTHERS_ID}, 'whoop', '{OTHER}');
INSERT INTO meta.tokens (connector, external_id, sealed, generation) VALUES
    ('whoop', '{ACCOUNT}', 'sealed', 1), ('whoop', '{OTHER}', 'sealed', 1);
INSERT INTO meta.budgets (scope, seconds, slot, spent) VALUES
    ('whoop/0123456789ab/{ACCOUNT}@clock', 60, 1, 1), ('whoop/0123456789ab/{OTHER}', 60, 1, 1);
INSERT INTO meta.owed_records (account, queue, seq, error)
    SELECT id, 'when_stored:sleeps', 1, 'refused' FROM meta.connections WHERE external_id = '{ACCOUNT}'
"""


def tables(url: str) -> list[Holding]:
    with Database(url).connection() as connection, connection.cursor() as cursor:
        return holdings(cursor)


@pytest.fixture
def filled(serve: Callable[..., whoop.Sandbox], database_url: str) -> str:
    """An account that was read twice, so that it has history; and another that holds the same under its own name."""
    sandbox = serve(days=5)
    assert call("run", "whoop").code == 0
    sandbox.advance(days=2)
    assert call("run", "whoop").code == 0
    do(database_url, TRACES)
    for table in tables(database_url)[:-1]:  # meta.connections is the last
        do(
            database_url,
            f"INSERT INTO {table.title} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(NULL::{table.title},"
            f" replace(to_jsonb(t)::text, '{ACCOUNT}', '{OTHER}')::jsonb || '{{\"{table.account}\": {OTHERS_ID}}}'"
            f" || CASE WHEN '{table.schema}' = 'meta' AND '{table.key[0]}' = 'id'"
            f" THEN jsonb_build_object('id', (to_jsonb(t)->>'id')::int + 1000) ELSE '{{}}' END)).*"
            f" FROM {table.title} t WHERE {table.account} <> {OTHERS_ID} ON CONFLICT DO NOTHING",
        )
    return database_url


def everything(url: str) -> dict[str, list[str]]:
    """All rows of all tables, as text."""
    names = ask(
        url,
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog',"
        " 'information_schema')",
    )
    return {name: sorted(ask(url, f"SELECT t::text FROM {name} t")) for name in names}


def of_other(url: str) -> dict[str, list[str]]:
    found = {
        table.title: sorted(ask(url, f"SELECT t::text FROM {table.title} t WHERE {table.account} = {OTHERS_ID}"))
        for table in tables(url)
    }
    return {**found, **{name: [row for row in everything(url)[name] if OTHER in row] for name in ("meta.tokens",)}}


def test_forgetting_leaves_nothing_of_the_account_and_all_of_others(filled: str) -> None:
    former = of_other(filled)
    assert all(former[f"whoop_raw.{table}"] for table in RAW)
    assert former["whoop_raw.sleeps_history"]
    (mine,) = ask(filled, "SELECT id FROM meta.connections WHERE external_id = %s", ACCOUNT)

    found = call("forget", "--account", ACCOUNT, "--yes")

    assert found.code == 0, found.said
    assert f"whoop/{ACCOUNT} is forgotten" in found.out
    assert "2 tokens" in found.out  # in the file, and in the database
    assert of_other(filled) == former
    for table in tables(filled):
        assert ask(filled, f"SELECT count(*) FROM {table.title} WHERE {table.account} = {mine}") == [0], table.title
    assert [name for name, rows in everything(filled).items() if ACCOUNT in "".join(rows)] == []
    assert ACCOUNT not in (make_home() / TOKEN_FILE).read_text()
    again = call("forget", "--account", ACCOUNT, "--yes")
    assert again.code == 2
    assert f"There are: whoop/{OTHER}" in again.err


def test_forgetting_is_all_or_nothing(filled: str) -> None:
    tokens = make_home() / TOKEN_FILE
    whole = tokens.read_bytes()
    for fails in ("the token file", "the database"):
        tokens.write_bytes(b"{" if fails == "the token file" else whole)
        if fails == "the database":
            do(
                filled,
                "CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'",
            )
            do(filled, "CREATE TRIGGER no BEFORE DELETE ON meta.connections FOR EACH ROW EXECUTE FUNCTION public.no()")
        before, kept = everything(filled), tokens.read_bytes()
        assert call("forget", "--account", ACCOUNT, "--yes").code != 0, fails
        assert everything(filled) == before
        assert tokens.read_bytes() == kept


def test_forgetting_asks_names_and_keeps_off_a_run(database: Database, database_url: str) -> None:
    with database.connection() as connection:
        one = journal.connect_account(connection, "made", "me", {})
        journal.connect_account(connection, "other", "me", {})
        connection.commit()
    unasked = call("forget", "--account", "made/me")
    assert unasked.code == 2
    assert "Delete everything of made/me" in unasked.err
    assert "--yes" in unasked.err
    ambiguous = call("forget", "--account", "me", "--yes")
    assert ambiguous.code == 2
    assert "say made/me or other/me" in ambiguous.err
    with only_run(database, one):
        assert call("forget", "--account", "made/me", "--yes").code == 5
    assert ask(database_url, "SELECT count(*) FROM meta.connections") == [2]
    assert call("forget", "--account", "made/me", "--yes").code == 0
    assert ask(database_url, "SELECT connector FROM meta.connections") == ["other"]
    with database.connection() as connection, pytest.raises(WrongUse, match="made/me was forgotten meanwhile"):
        journal.begin_run(connection, "run", one)  # a run that waited for its turn


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def lines_of(folder: Path, table: dict[str, Any]) -> Iterator[str]:
    path = folder / table["file"]
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from file


def test_an_export_holds_what_the_database_holds(filled: str, tmp_path: Path) -> None:
    """Loaded into another database by nothing but its manifest, it is the same."""
    found = call("export", "--to", str(tmp_path / "out"))
    assert found.code == 0, found.said
    exported = {table["table"]: table for table in manifest_of(tmp_path / "out")["tables"]}
    with another_database(filled, "of_an_export") as elsewhere:
        do(elsewhere, "CREATE SCHEMA whoop_raw")
        for name in ("meta.connections", *(name for name in exported if not name.startswith("meta."))):
            if name.startswith("whoop_raw."):
                listed = ", ".join(f'"{column}" {kind}' for column, kind in exported[name]["columns"].items())
                do(elsewhere, f"CREATE TABLE {name} ({listed})")
            load = f"INSERT INTO {name} SELECT * FROM jsonb_populate_recordset(NULL::{name}, %s::text::jsonb)"
            ask(elsewhere, f"{load} RETURNING 1", f"[{','.join(lines_of(tmp_path / 'out', exported[name]))}]")
        assert raw_hashes(elsewhere) == raw_hashes(filled)
        assert canonical_hashes(elsewhere) == canonical_hashes(filled)
        for resource in RAW:
            former = f"SELECT t::text FROM whoop_raw.{resource}_history t ORDER BY 1"
            assert ask(elsewhere, former) == ask(filled, former)


def test_an_export_of_one_account_holds_only_its_rows(filled: str, tmp_path: Path) -> None:
    stored = {table.title: table for table in tables(filled)}
    for form in ("--gzip", ""):
        out, again = tmp_path / f"out{form}", tmp_path / f"again{form}"
        for folder in (out, again):
            assert call("export", "--account", ACCOUNT, "--to", str(folder), *form.split()).code == 0
        manifest = manifest_of(out)
        assert manifest["account"] == f"whoop/{ACCOUNT}"
        assert {path.name for path in out.iterdir()} == {*(t["file"] for t in manifest["tables"]), "manifest.json"}
        assert {table["table"] for table in manifest["tables"]} == stored.keys()  # tokens and budgets are in neither
        for table in manifest["tables"]:
            written, path, whose = list(lines_of(out, table)), out / table["file"], stored[table["table"]].account
            assert ask(filled, f"SELECT count(*) FROM {table['table']} WHERE {whose} <> {OTHERS_ID}") == [len(written)]
            assert len(written) == table["rows"]
            assert (path.stat().st_size, sha256(path.read_bytes()).hexdigest()) == (table["bytes"], table["sha256"])
            assert OTHER not in "".join(written)
        assert manifest_of(again)["tables"] == manifest["tables"]


def test_an_export_is_its_owners_alone(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)  # an empty folder will do
    assert call("export", "--to", str(tmp_path / "out")).code == 0
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()} == {0o600}


def test_an_export_is_whole_or_not_there(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "parent"
    folder.mkdir()
    begun: list[str] = []

    def breaks_off(table: str) -> None:
        begun.append(table)
        if len(begun) == 4:
            assert [path.suffix for path in folder.iterdir()] == [".part"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(database, folder / "out", None, told=breaks_off)
    assert list(folder.iterdir()) == []


def test_an_export_takes_no_more_memory_for_a_larger_table(database: Database, tmp_path: Path) -> None:
    with database.connection() as connection, connection.transaction():
        journal.connect_account(connection, "made", "me", {})
        connection.execute("CREATE SCHEMA made_raw")
        connection.execute("CREATE TABLE made_raw.things (_account int, id int, t text, PRIMARY KEY (_account, id))")
        connection.execute(
            "INSERT INTO made_raw.things SELECT 1, g, repeat('x', 20000) FROM generate_series(1, 2000) g"
        )
    export(database, tmp_path / "first", None)  # what is loaded once is loaded
    tracemalloc.start()
    try:
        written = export(database, tmp_path / "out", None)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert written.bytes > 40_000_000
    with (tmp_path / "out" / "made_raw.things.ndjson").open() as lines:
        assert json.loads(next(lines)).keys() == {"_account", "id", "t"}


@pytest.mark.parametrize("there", ["a file in it", "a file"])
def test_an_export_writes_over_nothing(there: str, tmp_path: Path, database_url: str) -> None:
    mine = tmp_path / "out" if there == "a file" else tmp_path / "out" / "mine"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    found = call("export", "--to", str(tmp_path / "out"))
    assert found.code == 2
    assert "not an empty folder" in found.err
    assert mine.read_text() == "mine"
