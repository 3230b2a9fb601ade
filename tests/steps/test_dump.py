"""`hde db dump` and `hde db restore`: everything in one file and back, whole or not at all, on PostgreSQL 18 and 15."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from faults_made import everything, member, three_days_ago
from killed_made import own_server
from reality_made import (
    DEBIANS,
    PASSWORD,
    as_runner,
    command,
    database_of_runner,
    needs_15,
    server_of,
    with_runner,
)
from run_made import ask, call, do
from test_reality import any_server_of

from hde.store import embedded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
FROM, TO = "of_a_runner", "restored"
DAYS = 10


@pytest.fixture(scope="module", params=["18", pytest.param("15", marks=needs_15)])
def any_server(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "18":
        yield with_runner(request.getfixturevalue("server"))
        return
    with server_of(DEBIANS) as server:
        yield with_runner(server.conninfo)


@pytest.fixture(scope="module")
def when() -> datetime:
    return three_days_ago()


@pytest.fixture
def full(any_server: str, when: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that a run has filled, somebody else's schema beside it."""
    with database_of_runner(any_server, FROM) as url:
        monkeypatch.setenv("HDE_DATABASE_URL", url)
        with member(monkeypatch, None, days=DAYS, now=when):
            assert call("run", "whoop").code == 0
            do(
                url,
                "INSERT INTO meta.tokens (connector, external_id, sealed, generation) VALUES ('x', 'y', 'sealed', 1)",
            )
            command(any_server, FROM, "CREATE SCHEMA of_others", "CREATE TABLE of_others.t AS SELECT 1 AS n")
            yield url


@pytest.fixture
def bare(any_server: str) -> Iterator[str]:
    with psycopg.connect(any_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TO} OWNER runner TEMPLATE template0".encode())
    yield as_runner(any_server, TO)
    with psycopg.connect(any_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {TO} WITH (FORCE)".encode())


def all_rows(url: str) -> dict[str, list[Any]]:
    """Of every table of hde."""
    tables = ask(url, "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                 " WHERE schemaname IN ('meta', 'canonical', 'whoop_raw') ORDER BY 1")  # fmt: skip
    return {table: sorted(ask(url, f"SELECT t::text FROM {table} t")) for table in tables}


def test_a_dump_restored_elsewhere_is_the_same_and_the_next_run_goes_on(
    full: str, bare: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    real = subprocess.Popen

    def spied(arguments: list[str], *more: Any, **named: Any) -> Any:
        seen.append(arguments)
        return real(arguments, *more, **named)

    monkeypatch.setattr("hde.store.dump.subprocess.Popen", spied)
    file = tmp_path / "all.dump"
    before = all_rows(full)
    assert call("db", "dump", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [left.name for left in tmp_path.iterdir() if "dump" in left.name] == ["all.dump"]
    monkeypatch.setenv("HDE_DATABASE_URL", bare)
    found = call("db", "restore", str(file))
    assert found.code == 0, found.said
    assert all_rows(bare) == before
    assert ask(bare, "SELECT sealed FROM meta.tokens") == ["sealed"]
    assert ask(bare, "SELECT to_regclass('of_others.t')") == [None]
    assert len(seen) >= 4
    assert PASSWORD not in str(seen)
    found = call("run", "whoop", "--json")
    assert found.code == 0, found.said
    assert found.of("sleeps")["new"] == 0
    assert everything(bare) == everything(full)


def test_what_is_there_is_not_replaced_unless_that_is_said_and_then_in_one_transaction(
    full: str, any_server: str, tmp_path: Path
) -> None:
    file, before = tmp_path / "all.dump", all_rows(full)
    assert call("db", "dump", str(file)).code == 0
    assert call("db", "dump", str(file)).code == 2, "a dump overwrites nothing"
    do(full, "DELETE FROM canonical.sleep_sessions")
    after = all_rows(full)
    found = call("db", "restore", str(file))
    assert (found.code, "--replace" in found.err) == (2, True), found.said
    whole = file.read_bytes()
    cut = tmp_path / "cut.dump"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    found = call("db", "restore", str(cut), "--replace", "--yes")
    assert (found.code, "cannot be read" in found.err) == (2, True), found.said
    command(any_server, FROM, "CREATE VIEW of_others.v AS SELECT 1", "CREATE TABLE of_others.u (a int)")
    assert all_rows(full) == after
    found = call("db", "restore", str(file), "--replace", "--yes")
    assert found.code == 0, found.said
    assert all_rows(full) == before
    assert ask(any_server_of(any_server), "SELECT n FROM of_others.t") == [1]


def nothing(file: Path) -> None:
    file.unlink()


def not_a_dump(file: Path) -> None:
    file.write_bytes(b"SELECT 'marked-value';\n")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


def garbled(file: Path) -> None:
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + b"\xa5" * 2000 + whole[middle + 2000 :])


DAMAGED = {
    "missing": (nothing, 2, "No such file"),
    "foreign": (not_a_dump, 2, "is no dump"),
    "truncated": (truncated, 2, "cannot be read"),
    "garbled": (garbled, 2, "cannot be read"),
}


@pytest.mark.parametrize("any_server", ["18"], indirect=True)
def test_a_file_that_cannot_be_restored_is_named_and_changes_nothing(
    full: str, bare: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole.dump"
    assert call("db", "dump", str(whole)).code == 0
    newer = tmp_path / "newer.dump"
    do(full, "UPDATE meta.alembic_version SET version_num = '9999'")
    monkeypatch.setattr("hde.store.migrate.ensure", lambda database: None)  # what the newer hde would have done
    assert call("db", "dump", str(newer)).code == 0
    monkeypatch.setenv("HDE_DATABASE_URL", bare)
    found = call("db", "restore", str(newer))
    assert (found.code, "a newer one made it" in found.err) == (4, True), found.said
    for name, (damage, code, says) in DAMAGED.items():
        file = tmp_path / f"{name}.dump"
        file.write_bytes(whole.read_bytes())
        damage(file)
        found = call("db", "restore", str(file))
        assert (found.code, says in found.err) == (code, True), (name, found.said)
        assert "marked-value" not in found.said
        assert len(found.err.strip().splitlines()) <= 2
        assert ask(bare, "SELECT to_regnamespace('meta'), to_regnamespace('whoop_raw')") == [(None, None)]


def test_an_embedded_database_is_dumped_whole_and_restored_into_a_new_home(
    when: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.dump"
    with own_server(monkeypatch) as home, member(monkeypatch, None, days=DAYS, now=when):
        assert call("run", "whoop").code == 0
        with embedded.attached(home) as conninfo:
            do(conninfo, "CREATE SCHEMA mine; CREATE VIEW mine.v AS SELECT 7 AS n")
            before = everything(conninfo)
            assert call("db", "dump", str(file)).code == 0
    with own_server(monkeypatch) as home:
        found = call("db", "restore", str(file))
        assert found.code == 0, found.said
        with embedded.attached(home) as conninfo:
            assert everything(conninfo) == before
            assert ask(conninfo, "SELECT n FROM mine.v") == [7]
        found = call("db", "restore", str(file))
        assert (found.code, "mine" in found.err) == (2, True)
