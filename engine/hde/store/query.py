"""Questions a person asks in SQL: read-only, and answered with PostgreSQL's own words when they are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import psycopg
from psycopg.sql import SQL

from hde.errors import WrongUse
from hde.store.database import Connection, Database


def answer(database: Database, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and rows. WrongUse says what PostgreSQL did not like."""
    with database.connection() as connection, _reading(connection), connection.cursor() as cursor:
        cursor.execute(sql.encode(), prepare=True)  # prepared, it can only be one statement: no COMMIT before another
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], cursor.fetchall()


def as_csv(database: Database, sql: str, out: BinaryIO) -> None:
    """The answer as CSV with a header, streamed."""
    # The line break ends a comment that the question may end with.
    statement = SQL("COPY ({}\n) TO STDOUT WITH (FORMAT csv, HEADER)").format(SQL(sql.strip().rstrip(";")))
    with database.connection() as connection, _reading(connection), connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for data in copy:
                out.write(bytes(data))
        out.flush()


@contextmanager
def _reading(connection: Connection) -> Iterator[None]:
    connection.execute("SELECT set_config('default_transaction_read_only', 'on', false)")
    connection.commit()
    connection.read_only = True
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction:
        raise WrongUse("hde query only reads. To write, connect with psql: `hde db start` says how") from None
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except psycopg.Error as error:
        raise WrongUse(f"PostgreSQL: {error.diag.message_primary or type(error).__name__}") from None
