"""Raw records and former versions that arrived before a time, taken away without any mapping missing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg.sql import SQL

from hde.rows import RawTable
from hde.store.merge_statements import statements_of
from hde.store.raw_tables import history

Cursor = psycopg.Cursor[Any]


def expire(cursor: Cursor, table: RawTable, account: int, before: datetime, run: int) -> int:
    """Move what arrived before then to history, with a new `_seq`, and forget what was wrong with it. How many."""
    values = {"account": account, "before": before, "at": datetime.now(before.tzinfo), "run": run}
    cursor.execute(statements_of(table).expire, values)
    count = cursor.rowcount
    cursor.execute(
        "DELETE FROM meta.issues WHERE account = %s AND origin = 'raw' AND raw_table = %s AND last_seen < %s",
        (account, table.name, before),
    )
    return count


def drop_former(cursor: Cursor, table: RawTable, account: int, before: datetime) -> int:
    """Delete versions that arrived before then. How many had been replaced; those that mark a record as gone stay until
    every mapping that reads the table has seen them.
    """
    cursor.execute(
        SQL(
            "WITH gone AS (DELETE FROM {} WHERE _account = %(account)s AND _fetched_at < %(before)s AND (_op <> 'D'"
            " OR _seq <= COALESCE((SELECT min(seq) FROM meta.consumers WHERE account = %(account)s"
            " AND mapping_hash <> '' AND raw_table IN (%(table)s::text, %(table)s::text || ' (with)')), _seq))"
            " RETURNING _op) SELECT count(*) FILTER (WHERE _op <> 'D') FROM gone"
        ).format(history(table)),
        {"account": account, "before": before, "table": table.name},
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
