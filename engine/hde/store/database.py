"""Reaching Postgres: one way to connect, the same session everywhere, and errors without row values."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from hde.errors import DatabaseUnreachable, HdeError
from hde.store.refusals import MOMENTARY, DatabaseError, not_reached, refusal, state_at_sign_in

__all__ = ["Connection", "Database", "DatabaseError", "as_url", "lock_number", "open_database", "reading", "repeated",
           "transaction", "values_hidden"]  # fmt: skip
OLDEST = 150_000
Connection = psycopg.Connection[Any]
T = TypeVar("T")
_SETTINGS = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "client_encoding": "UTF8", "bytea_output": "hex",
    "IntervalStyle": "postgres",
    # What holds a lock first and reads then must see what was committed while it waited.
    "default_transaction_isolation": "read committed",
    # A slow source must not cost a lock that a run, or a refresh of a token, holds meanwhile.
    "idle_session_timeout": "0", "idle_in_transaction_session_timeout": "0",
    # The locks of a machine that is gone go after two minutes, not after two hours.
    "tcp_keepalives_idle": "60", "tcp_keepalives_interval": "15", "tcp_keepalives_count": "4",
}  # fmt: skip
_SESSION = "SELECT pg_backend_pid()" + "".join(f", set_config('{n}', '{v}', false)" for n, v in _SETTINGS.items())
_PARAMETERS = {
    "connect_timeout": "10", "keepalives_idle": "60", "keepalives_interval": "15", "keepalives_count": "4",
    "tcp_user_timeout": "120000",
}  # fmt: skip
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_DATA_PATH = "SELECT set_config('synchronous_commit', 'off', true)" + "".join(
    f", set_config('enable_{plan}', 'off', true)" for plan in ("hashjoin", "mergejoin", "seqscan", "bitmapscan", "sort")
)


@dataclass(frozen=True)
class Database:
    """A Postgres that can be connected to. Connections are made by whoever needs one, and closed by them."""

    conninfo: str
    is_ours: bool = False
    """The embedded one, whose cluster holds nothing but this."""

    @contextmanager
    def connection(self, *, autocommit: bool = False) -> Iterator[Connection]:
        """A connection with our session settings. Errors leave it as DatabaseError or DatabaseUnreachable."""
        connection = self.connect(autocommit=autocommit)
        try:
            with values_hidden():
                yield connection
        finally:
            connection.close()

    def connect(self, *, autocommit: bool) -> Connection:
        """For whoever closes it themselves, and hides the values in its errors."""
        connection = self._connected()
        try:
            if (version := connection.info.server_version) < OLDEST:
                raise DatabaseUnreachable(
                    f"HDE_DATABASE_URL: PostgreSQL {version // 10_000} is too old; 15 or later is needed"
                )
            with values_hidden():
                row = connection.execute(_SESSION).fetchone()
                if row and row[0] != connection.info.backend_pid:
                    self._refuse_shared_sessions(connection)
                connection.autocommit = autocommit
        except HdeError:
            connection.close()
            raise
        return connection

    def _connected(self) -> Connection:
        """Where the server is full, or just starting, a moment is waited."""
        pauses = iter(_PAUSES)
        while True:
            try:
                said = {name: value for name, value in conninfo_to_dict(self.conninfo).items() if value is not None}
                return psycopg.connect(**{**_PARAMETERS, **said}, autocommit=True)  # type: ignore[arg-type]
            except psycopg.ProgrammingError:  # says the part it could not read, which may be the password
                raise DatabaseUnreachable(
                    "HDE_DATABASE_URL cannot be read; it looks like postgresql://USER:PASSWORD@HOST:PORT/DATABASE,"
                    " with %40 for an @ in the password, %25 for a %"
                ) from None
            except psycopg.Error as error:
                pause = next(pauses, None)
                if pause is None or state_at_sign_in(error) not in MOMENTARY:
                    raise not_reached(error) from None
            time.sleep(pause)

    def _refuse_shared_sessions(self, connection: Connection) -> None:
        """Something stands between: what answered at sign-in is another process than what answers now. Where two
        connections meet the same one, sessions are shared, and neither locks nor settings are ours.
        """
        for _ in range(3):
            with closing(self._connected()) as other:
                pids = [one.execute("SELECT pg_backend_pid()").fetchone() for one in (connection, other, connection)]
            if pids[1] in (pids[0], pids[2]):
                raise DatabaseUnreachable(
                    "HDE_DATABASE_URL leads through a pooler that shares sessions (pgbouncer with pool_mode ="
                    " transaction?), and hde needs its own.\nPoint it to PostgreSQL itself, or to a pool with"
                    " pool_mode = session."
                )


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
        told = refusal(error)
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


def repeated(work: Callable[[], T]) -> T:
    """Again, a few times, where the transaction gave way to another one. Only for what keeps nothing in memory."""
    for pause in _PAUSES:
        try:
            return work()
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            time.sleep(pause)
    return work()


def lock_number(name: str) -> int:
    """A signed 32-bit number for an advisory lock."""
    number = zlib.crc32(f"hde:{name}".encode())
    return number - 2**32 if number >= 2**31 else number


def _libpq(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1] if url.startswith("postgresql+") else url


def _emptied(error: BaseException | None, told: str) -> None:
    """`from None` hides an error from tracebacks and keeps it in __context__, where others would find its text."""
    while error is not None:
        if isinstance(error, psycopg.Error):
            error.args = (told,)
        error = error.__context__


def as_url(conninfo: str) -> str:
    """A connection string as a URL for other programs. The password is not in it: libpq finds it through `passfile`."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value not in (None, "")}
    parts.pop("password", None)
    user, database = parts.pop("user", ""), parts.pop("dbname", "")
    # libpq takes a + as it stands: a space in a path must become %20.
    return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?{urlencode(parts, quote_via=quote)}"
