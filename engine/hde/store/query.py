"""Questions a person asks in SQL: read-only, and answered with PostgreSQL's own words when they are wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import psycopg
from psycopg.types.string import TextLoader

from hde.errors import WrongUse
from hde.store.database import Connection, Database, lock_number


def answer(database: Database, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and rows. WrongUse says what PostgreSQL did not like."""
    with _reading(database) as cursor:
        cursor.execute(sql.encode(), prepare=True)  # prepared, it can only be one statement: no COMMIT before another
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], cursor.fetchall()


def as_csv(database: Database, sql: str, out: TextIO) -> None:
    """The answer as CSV with a header, streamed; values as PostgreSQL writes them."""
    with _reading(database) as cursor:
        for known in psycopg.postgres.types:
            for oid in (known.oid, known.array_oid):
                cursor.adapters.register_loader(oid, TextLoader)
        writer = csv.writer(out, lineterminator="\n")
        rows = cursor.stream(sql.encode())  # by the extended protocol: it can only be one statement
        first = next(rows, None)
        writer.writerow([column.name for column in cursor.description or ()])
        if first is not None:
            writer.writerow(first)
        writer.writerows(rows)


@contextmanager
def _reading(database: Database) -> Iterator[psycopg.Cursor[tuple[object, ...]]]:
    """A cursor that can only read: data, and in our own cluster nothing of the machine either."""
    with database.connection() as connection:
        if database.is_ours:
            _as_reader(connection)
        connection.read_only = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET default_transaction_read_only = on")
                yield cursor
        except psycopg.errors.ReadOnlySqlTransaction:
            raise WrongUse("hde query only reads. To write, connect with psql: `hde db start` says how") from None
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:
            raise WrongUse(f"PostgreSQL: {error.diag.message_primary or error}") from None


def _as_reader(connection: Connection) -> None:
    """The owner of the embedded cluster is a superuser, who may run programs and read files through SQL."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (lock_number("reader"),))
        row = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'hde_reader'").fetchone()
        if row is None:
            connection.execute("CREATE ROLE hde_reader NOLOGIN")
            connection.execute("GRANT pg_read_all_data TO hde_reader")
    connection.execute("SET ROLE hde_reader")
    connection.commit()
