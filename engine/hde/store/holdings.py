"""Which tables hold rows of accounts, asked of the database itself: what no connector declares any more counts too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True)
class Holding:
    """A table of raw, canonical or meta, and the column that says whose each row is."""

    schema: str
    name: str
    account: str
    key: tuple[str, ...]
    """Its primary key, in order."""

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def kind(self) -> str:
        """raw, history, canonical or meta."""
        if self.schema in ("canonical", "meta"):
            return self.schema
        return "history" if self.name.endswith("_history") else "raw"

    @property
    def sql(self) -> Identifier:
        return Identifier(self.schema, self.name)

    def of(self, account: int | None) -> Composed:
        """The condition for the rows of an account; None: of all."""
        if account is None:
            return SQL("true").format()
        return SQL("{} = {}").format(Identifier(self.account), Literal(account))


def holdings(cursor: Cursor, connector: str | None = None) -> list[Holding]:
    """All of them, or those that may hold rows of one connector's accounts; meta.connections is the last."""
    cursor.execute(_HOLDINGS, {"connector": connector})
    return [Holding(schema, name, account, tuple(key)) for schema, name, account, key in cursor.fetchall()]


def lines(cursor: Cursor, holding: Holding, account: int | None) -> Iterator[bytes]:
    """Each row as one line of JSON, in the order of the key, else of the lines; streamed, however many."""
    key = SQL(", ").join(Identifier(column) for column in holding.key)
    # No column is called _row: it would be taken for the row.
    statement = SQL("COPY (SELECT row_to_json(_row)::text FROM {} _row WHERE {} ORDER BY {}) TO STDOUT").format(
        holding.sql, holding.of(account), key if holding.key else SQL("1")
    )
    with cursor.copy(statement) as copy:
        for (line,) in copy.rows():
            yield line.encode() + b"\n"


def columns(cursor: Cursor, holding: Holding) -> dict[str, str]:
    """Column -> type, in order."""
    cursor.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (holding.sql.as_string(cursor),),
    )
    return dict(cursor.fetchall())


_HOLDINGS = """
SELECT n.nspname::text, c.relname::text, a.attname::text, ARRAY(
    SELECT k.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS u(number, at), pg_attribute k
    WHERE i.indrelid = c.oid AND i.indisprimary AND k.attrelid = c.oid AND k.attnum = u.number ORDER BY u.at
)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND (
    (a.attname = '_account' AND n.nspname IN (
        SELECT replace(connector, '-', '_') || '_raw' FROM meta.connections
        WHERE connector = COALESCE(%(connector)s::text, connector)
    ))
    OR (a.attname = 'account' AND n.nspname IN ('meta', 'canonical'))
    OR (a.attname = 'id' AND n.nspname = 'meta' AND c.relname = 'connections')
)
ORDER BY (n.nspname = 'meta' AND c.relname = 'connections'), n.nspname NOT LIKE '%%\\_raw', n.nspname, c.relname
"""
