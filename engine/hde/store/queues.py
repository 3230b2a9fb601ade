"""Requests that hang on single raw records (a fan-out's, a receipt): which are due, done, or owed one by one.

A queue reads a raw table by `_seq`, as mappings do. Its mark moves over what is done and over what has failed; the
latter is remembered by itself, so that one record that always fails holds nobody up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed

from hde.rows import RawTable, key_text
from hde.store.raw_tables import as_text, key_columns, name

Cursor = psycopg.Cursor[Any]
BATCH = 500


@dataclass(frozen=True)
class Queue:
    """`name` says whose requests: `for_each:RESOURCE`, `when_stored:RESOURCE`."""

    account: int
    name: str
    table: RawTable


class Record(NamedTuple):
    seq: int
    key: str
    payload: str
    """JSON text."""


def mark(cursor: Cursor, queue: Queue) -> int:
    """Everything up to this `_seq` is done, or owed by itself."""
    cursor.execute(
        "SELECT seq FROM meta.consumers WHERE mapping = %s AND account = %s AND raw_table = %s",
        (queue.name, queue.account, queue.table.name),
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def move(cursor: Cursor, queue: Queue, seq: int) -> None:
    cursor.execute(
        "INSERT INTO meta.consumers AS c (mapping, account, raw_table, seq, mapping_hash) VALUES (%s, %s, %s, %s, '')"
        " ON CONFLICT (mapping, account, raw_table) DO UPDATE SET seq = GREATEST(c.seq, EXCLUDED.seq)",
        (queue.name, queue.account, queue.table.name, seq),
    )


def restart(cursor: Cursor, queue: Queue) -> None:
    """Every record is due again."""
    where = (queue.name, queue.account)
    cursor.execute("DELETE FROM meta.consumers WHERE mapping = %s AND account = %s", where)
    cursor.execute("DELETE FROM meta.owed_records WHERE queue = %s AND account = %s", where)


def owed(cursor: Cursor, queue: Queue) -> list[Record]:
    """Records whose request failed before and that are still there as they were; the others are forgotten here."""
    cursor.execute(
        SQL(
            "DELETE FROM meta.owed_records o WHERE o.account = %(account)s AND o.queue = %(queue)s"
            " AND NOT EXISTS (SELECT 1 FROM {} r WHERE r._account = o.account AND r._seq = o.seq)"
        ).format(name(queue.table)),
        {"account": queue.account, "queue": queue.name},
    )
    statement = _select(
        queue, SQL("_seq IN (SELECT seq FROM meta.owed_records WHERE account = %(a)s AND queue = %(q)s)")
    )
    cursor.execute(statement, {"a": queue.account, "q": queue.name, "limit": None})
    return list(_records(queue, cursor))


def after(cursor: Cursor, queue: Queue, seq: int) -> list[Record]:
    """The next records beyond `seq`, a batch of them."""
    cursor.execute(_select(queue, SQL("_seq > %(seq)s")), {"a": queue.account, "seq": seq, "limit": BATCH})
    return list(_records(queue, cursor))


def owe(cursor: Cursor, queue: Queue, seq: int, error: str) -> None:
    cursor.execute(
        "INSERT INTO meta.owed_records (account, queue, seq, error) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (account, queue, seq) DO UPDATE SET error = EXCLUDED.error",
        (queue.account, queue.name, seq, error[:500]),
    )


def settle(cursor: Cursor, queue: Queue, seq: int) -> None:
    """This record's request was answered: it owes nothing."""
    cursor.execute(
        "DELETE FROM meta.owed_records WHERE account = %s AND queue = %s AND seq = %s",
        (queue.account, queue.name, seq),
    )


def _select(queue: Queue, condition: SQL) -> Composed:
    columns = [as_text(queue.table, "r", column) for column in key_columns(queue.table)]
    return SQL(
        "SELECT _seq, payload::text{} FROM {} r WHERE _account = %(a)s AND {} ORDER BY _seq LIMIT %(limit)s"
    ).format(SQL("").join(SQL(", ") + column for column in columns), name(queue.table), condition)


def _records(queue: Queue, cursor: Cursor) -> Iterator[Record]:
    for seq, payload, *key in cursor.fetchall():
        yield Record(seq, key_text(tuple(key)), payload)
