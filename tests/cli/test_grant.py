"""`hde db grant`: whoever is given one of its roles runs hde with it, as far as that role goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from run_made import ask, call, do

from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID
from hde.store import grants
from hde.store.database import Database, as_url


@pytest.fixture
def roles(server: str) -> Iterator[None]:
    """Gone with the test: roles belong to the whole server."""
    yield
    with psycopg.connect(server, autocommit=True) as connection:
        for name in ("fetcher", "somebody", grants.ADMIN, grants.ANALYST, grants.INGEST, grants.OWNER):
            connection.execute(f"DROP ROLE IF EXISTS {name}".encode())


@pytest.fixture
def database(roles: None, database: Database) -> Database:
    """Made after the roles, so that it is gone before them."""
    return database


def test_a_run_needs_no_more_than_hde_ingest(
    serve: Callable[..., whoop.Sandbox],
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sandbox = serve(days=5)
    assert call("run", "whoop").code == 0  # somebody who may makes the tables
    granted = call("db", "grant")
    assert granted.code == 0, granted.said
    assert "GRANT hde_analyst TO somebody" in granted.out
    do(database_url, "CREATE ROLE fetcher LOGIN PASSWORD 'of-a-test' IN ROLE hde_ingest")
    do(database_url, "CREATE ROLE somebody LOGIN")
    rows = call("db", "grant", "--rows-of", str(USER_ID), "--to", "somebody")
    assert rows.code == 0, rows.said  # from here on canonical tables are kept apart by row
    (passfile := tmp_path / "pgpass").touch(mode=0o600)
    passfile.write_text("*:*:*:fetcher:of-a-test\n")
    as_fetcher = make_conninfo(database.conninfo, user="fetcher", passfile=str(passfile))
    monkeypatch.setenv("HDE_DATABASE_URL", as_url(as_fetcher))
    sandbox.advance(days=2)

    for command in (("run", "whoop"), ("run", "whoop", "--daily-refresh"), ("remap", "whoop"), ("status",)):
        found = call(*command)
        assert found.code == 0, (command, found.said)

    assert ask(database_url, "SELECT count(DISTINCT run_id) > 1 FROM canonical.biometrics_vitals") == [True]
    refused = call("db", "grant")
    assert refused.code == 2
    assert "takes a superuser" in refused.err


def test_rows_need_a_role_and_an_account(database_url: str) -> None:
    for options in (("--rows-of", "me"), ("--to", "somebody")):
        found = call("db", "grant", *options)
        assert found.code == 2
        assert "go together" in found.err
    assert "no account me" in call("db", "grant", "--rows-of", "me", "--to", "somebody").err
    assert ask(database_url, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'hde\\_owner'") == [0]  # all or nothing
