"""Reaching a database and being refused by it: no row value and no password in any message."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from store_made import AT, THINGS, ask, prepared, raw

from hde.errors import DatabaseUnreachable, HdeError
from hde.store import merge
from hde.store.database import Connection, Database, DatabaseError, as_url, open_database, transaction
from hde.store.merge import Arrival

MARK = "marked-value"


def unique(connection: Connection) -> None:
    for _ in range(2):
        connection.execute("INSERT INTO person VALUES (%s, 60)", (MARK,))


def cast(connection: Connection) -> None:
    connection.execute("SELECT %s::text::int", (MARK,))


def check(connection: Connection) -> None:
    connection.execute("INSERT INTO person VALUES (%s, 999)", (MARK,))


def raised(connection: Connection) -> None:
    connection.execute("DO $$ BEGIN RAISE EXCEPTION 'marked-value' USING DETAIL = 'marked-value'; END $$")


def copied(connection: Connection) -> None:
    with connection.cursor().copy("COPY person FROM STDIN") as copy:
        copy.write(b"a\tmarked-value\n")


def merged(connection: Connection) -> None:
    row = raw(THINGS, {"id": MARK, "v": 1})
    with transaction(connection) as cursor:
        merge.merge(cursor, THINGS, 1, [Arrival(row._replace(values=(MARK, MARK)), AT)], 1)


def client_side(connection: Connection) -> None:
    connection.execute("SELECT %s", (MARK + "\0",))


def killed(connection: Connection) -> None:
    connection.execute("SELECT pg_terminate_backend(pg_backend_pid()), %s", (MARK,))


FAILING: list[tuple[Callable[[Connection], None], str]] = [
    (unique, "23505 (UniqueViolation) at table person, constraint person_pkey"),
    (cast, "22P02 (InvalidTextRepresentation)"),
    (check, "23514 (CheckViolation) at table person, constraint person_pulse_check"),
    (raised, "P0001 (RaiseException)"),
    (copied, "22P02"),
    (merged, "22P02"),
    (client_side, "DataError"),
    (killed, "the embedded database"),
]


@pytest.mark.parametrize(("fail", "says"), FAILING, ids=[fail.__name__ for fail, _ in FAILING])
def test_errors_name_what_failed_and_never_show_a_row(
    database: Database, fail: Callable[[Connection], None], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with database.connection() as connection:
        prepared(connection, THINGS)
        connection.execute("CREATE TABLE person (name text PRIMARY KEY, pulse int CHECK (pulse < 300))")
        connection.commit()
    caplog.set_level(logging.DEBUG)
    with pytest.raises(HdeError) as refused, database.connection() as connection:
        fail(connection)
    assert says in str(refused.value)
    told: BaseException | None = refused.value
    while told is not None:
        assert MARK not in f"{told} {told!r} {told.args}"
        assert not getattr(told, "__notes__", None)
        told = told.__context__
    without_source_lines = "".join(traceback.format_exception(refused.value, limit=0, chain=True))
    assert MARK not in without_source_lines
    assert MARK not in caplog.text


SECRET = "marked%zz-password"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://someone:{SECRET}@localhost/x",
        f"postgresql://someone:{SECRET}",
        f"host=localhost password='{SECRET}",
        f"host=localhost password={SECRET} more",
        f"postgresql://localhost/x?password={SECRET}&nosuch=1",
        "postgresql://someone:marked-password@localhost:1/x",
        "postgresql+psycopg://someone:marked-password@localhost:1/x",
        "postgresql://someone:marked-password@/x?host=/nowhere/at/all",
    ],
)
def test_a_password_in_a_connection_string_is_in_no_message(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HDE_DATABASE_URL", url)
    with (
        pytest.raises(DatabaseUnreachable, match="HDE_DATABASE_URL") as refused,
        open_database(tmp_path) as database,
        database.connection(),
    ):
        pass
    assert "marked" not in "".join(traceback.format_exception(refused.value, limit=0))
    assert len(str(refused.value).splitlines()) == 1


def test_sessions_are_alike_whatever_the_server_is_set_to(database: Database) -> None:
    changed = make_conninfo(database.conninfo, options="-c TimeZone=Asia/Tokyo -c DateStyle=German")
    with Database(changed).connection() as connection:
        found = ask(connection, "SELECT '2026-01-01 00:00:00+09'::timestamptz::text, '2026-02-01'::date::text")
        assert found == [("2025-12-31 15:00:00+00", "2026-02-01")]


def test_open_database_takes_what_the_environment_names(database_url: str, tmp_path: Path) -> None:
    with open_database(tmp_path) as database, database.connection() as connection:
        assert ask(connection, "SELECT current_database()::text") == ["for_a_test"]
    assert not list(tmp_path.glob("pg*"))


def test_a_url_leads_where_the_conninfo_does_without_its_password() -> None:
    parts = {
        "user": "a b@c/d",
        "dbname": "d e",
        "host": "/home/Application Support/h+d",
        "port": "5432",
        "passfile": "/home/Application Support/x?y&z",
    }
    url = as_url(make_conninfo(password="marked", **parts))
    assert conninfo_to_dict(url) == parts
    assert "marked" not in url


def test_a_transaction_that_fails_is_rolled_back_and_the_connection_goes_on(connection: Connection) -> None:
    with pytest.raises(psycopg.Error), transaction(connection) as cursor:
        cursor.execute("SELECT 1/0")
    assert ask(connection, "SELECT current_setting('synchronous_commit'), current_setting('enable_seqscan')") == [
        ("on", "on")
    ]
    assert issubclass(DatabaseError, HdeError)
