"""Everything of one account, deleted in the caller's transaction; and what deleted rows leave in the files, swept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from hde.store.database import Database
from hde.store.grants import forget_rows
from hde.store.holdings import holdings
from hde.store.journal import Account
from hde.store.tokens import token_lock

Cursor = psycopg.Cursor[Any]


def forget(cursor: Cursor, account: Account) -> Mapping[str, int]:
    """Raw records, history, canonical rows, ledger, issues, queues, token, account: rows that went, by table."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", token_lock(account.connector, account.external_id))
    gone: dict[str, int] = {}
    for holding in holdings(cursor, account.connector):
        cursor.execute(SQL("DELETE FROM {} WHERE {}").format(holding.sql, holding.of(account.id)))
        gone[holding.title] = cursor.rowcount
    whose = {"connector": account.connector, "id": account.external_id}
    cursor.execute("DELETE FROM meta.tokens WHERE connector = %(connector)s AND external_id = %(id)s", whose)
    gone["meta.tokens"] = cursor.rowcount
    cursor.execute(_BUDGETS, whose)
    gone["meta.budgets"] = cursor.rowcount
    forget_rows(cursor, account.id)
    return {table: count for table, count in gone.items() if count}


# Counted under CONNECTOR/APP/ACCOUNT, with the app as 12 characters: see `Limit.scope`.
_BUDGETS = """
DELETE FROM meta.budgets
WHERE starts_with(scope, %(connector)s || '/')
    AND substr(scope, length(%(connector)s) + 14) IN ('/' || %(id)s, '/' || %(id)s || '@clock')
"""


def vacuum(database: Database, tables: Iterable[str]) -> None:
    """Rows that were deleted lie in the files until then. Our own tables are written anew, without them; in a database
    that others use, where that would lock them out, their space is only free to be written over.
    """
    how = SQL("VACUUM (FULL) {}") if database.is_ours else SQL("VACUUM {}")
    with database.connection(autocommit=True) as connection:
        for table in tables:
            connection.execute(how.format(Identifier(*table.split(".", 1))))
