"""Reaching Postgres: one way to connect, the same session everywhere, and errors without row values."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from hde.errors import DatabaseUnreachable, HdeError

OLDEST = 150_000
Connection = psycopg.Connection[Any]
_SESSION = (
    "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),"
    " set_config('client_encoding', 'UTF8', false), set_config('bytea_output', 'hex', false),"
    " set_config('IntervalStyle', 'postgres', false)"
)
_DATA_PATH = "SELECT set_config('synchronous_commit', 'off', true)" + "".join(
    f", set_config('enable_{plan}', 'off', true)" for plan in ("hashjoin", "mergejoin", "seqscan", "bitmapscan", "sort")
)


class DatabaseError(HdeError):
    """Postgres refused a statement. Holds SQLSTATE and names, never a value."""


@dataclass(frozen=True)
class Database:
    """A Postgres that can be connected to. Connections are made by whoever needs one, and closed by them."""

    conninfo: str
    is_ours: bool = False
    """The embedded one, whose cluster holds nothing but this."""

    @contextmanager
    def connection(self, *, autocommit: bool = False) -> Iterator[Connection]:
        """A connection with our session settings. Errors leave it as DatabaseError or DatabaseUnreachable."""
        connection = self._connect(autocommit)
        try:
            with values_hidden():
                yield connection
        finally:
            connection.close()

    def _connect(self, autocommit: bool) -> Connection:
        try:
            connection = psycopg.connect(self.conninfo, autocommit=True, connect_timeout=10)
        except psycopg.ProgrammingError:  # says the part it could not read, which may be the password
            raise DatabaseUnreachable(
                "HDE_DATABASE_URL cannot be read; it looks like postgresql://USER:PASSWORD@HOST:PORT/DATABASE,"
                " with %40 for an @ in the password, %25 for a %"
            ) from None
        except psycopg.Error as error:
            raise _unreachable(error) from None
        try:
            if (version := connection.info.server_version) < OLDEST:
                raise DatabaseUnreachable(
                    f"HDE_DATABASE_URL: PostgreSQL {version // 10_000} is too old; 15 or later is needed"
                )
            with values_hidden():
                connection.execute(_SESSION)
                connection.autocommit = autocommit
        except HdeError:
            connection.close()
            raise
        return connection


@contextmanager
def open_database(home: Path) -> Iterator[Database]:
    """The database named by HDE_DATABASE_URL, else the embedded one of `home`, started if it does not run.

    The named one is not asked yet: whether it can be reached, and is new enough, shows at the first connection.
    """
    url = os.environ.get("HDE_DATABASE_URL")
    if not url:
        from hde.store import embedded  # another database needs nothing of it

        with embedded.attached(home) as conninfo:
            yield Database(conninfo, is_ours=True)
        return
    yield Database(_libpq(url))


@contextmanager
def values_hidden() -> Iterator[None]:
    """PostgreSQL's messages carry row values (DETAIL, CONTEXT); none of it passes here, tracebacks included."""
    try:
        yield
    except psycopg.Error as error:
        is_away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        told = _unreachable(error) if is_away else DatabaseError(_named(error))
        _emptied(error, str(told))
        raise told from None


@contextmanager
def transaction(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    """A transaction of the data path.

    Rows and coverage would be lost together at a power cut, so it need not wait for the disk. Every statement in it
    looks up a batch in a large table; new and temporary tables have no statistics, and the planner would read or sort
    the whole table for each batch.
    """
    # Inside another transaction this one would be a savepoint: nothing committed, and the lock held on.
    assert connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        cursor.execute(_DATA_PATH)
        yield cursor


@contextmanager
def reading(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    """One moment of the database, for reading only: what several statements find fits together."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        with transaction(connection) as cursor:
            yield cursor
    finally:
        connection.isolation_level = None
        connection.read_only = None


def lock_number(name: str) -> int:
    """A signed 32-bit number for an advisory lock."""
    number = zlib.crc32(f"hde:{name}".encode())
    return number - 2**32 if number >= 2**31 else number


def _libpq(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1] if url.startswith("postgresql+") else url


def _unreachable(error: psycopg.Error) -> DatabaseUnreachable:
    where = "the database of HDE_DATABASE_URL" if os.environ.get("HDE_DATABASE_URL") else "the embedded database"
    if error.sqlstate:
        return DatabaseUnreachable(f"{where} refused: {_named(error)}")
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return DatabaseUnreachable(f"{where} cannot be reached: {reason}")


def _emptied(error: BaseException | None, told: str) -> None:
    """`from None` hides an error from tracebacks and keeps it in __context__, where others would find its text."""
    while error is not None:
        if isinstance(error, psycopg.Error):
            error.args = (told,)
        error = error.__context__


def _named(error: psycopg.Error) -> str:
    diagnosis = error.diag
    names = {
        "table": diagnosis.table_name, "column": diagnosis.column_name, "constraint": diagnosis.constraint_name,
    }  # fmt: skip
    said = ", ".join(f"{what} {name}" for what, name in names.items() if name)
    kind = type(error).__name__
    return f"PostgreSQL error {error.sqlstate or '?'} ({kind})" + (f" at {said}" if said else "")


def as_url(conninfo: str) -> str:
    """A connection string as a URL for other programs. The password is not in it: libpq finds it through `passfile`."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value not in (None, "")}
    parts.pop("password", None)
    user, database = parts.pop("user", ""), parts.pop("dbname", "")
    # libpq takes a + as it stands: a space in a path must become %20.
    return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?{urlencode(parts, quote_via=quote)}"
