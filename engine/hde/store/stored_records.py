"""Raw records as a mapping reads them, whatever its watermark says. Changes nothing, locks nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from hde.rows import RawTable
from hde.store.consumers import BATCH, Due, Reader, due_of, joins, shown
from hde.store.raw_tables import key_columns, name, sql_type

Cursor = psycopg.Cursor[Any]
Key = tuple[str, str]
"""Of a canonical row within its mapping: record and part."""
FIRST: Key = ("", "")


def is_there(cursor: Cursor, table: RawTable) -> bool:
    """Whether the raw table was made already."""
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (name(table).as_string(cursor),))
    row = cursor.fetchone()
    return bool(row and row[0])


def last_seq(cursor: Cursor, table: RawTable, account: int) -> int:
    """The newest version stored: a bound for those who read on while others write."""
    cursor.execute(SQL("SELECT COALESCE(max(_seq), 0) FROM {} WHERE _account = %s").format(name(table)), (account,))
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def after(cursor: Cursor, reader: Reader, account: int, mark: int, last: int) -> list[tuple[int, Due]]:
    """The next records by `_seq`, beyond `mark` and up to `last`; empty where there are no more."""
    cursor.execute(_statements(reader).after, {"account": account, "mark": mark, "last": last, "limit": BATCH})
    due = due_of(reader)
    return [(seq, due(columns)) for seq, *columns in cursor.fetchall()]


class LeftBehind(NamedTuple):
    """Rows of one stretch whose record is not in the raw table, and where the next stretch begins (None: nowhere)."""

    keys: list[Key]
    following: Key | None


def left_behind(cursor: Cursor, target: str, reader: Reader, account: int, begin: Key) -> LeftBehind:
    """Rows a mapping wrote from records that the raw table it reads does not hold (any more)."""
    raw_table = f"{reader.table.schema}.{reader.table.name}"
    cursor.execute(
        _left_behind(reader.table, target),
        {"account": account, "mapping": reader.mapping, "raw_table": raw_table,
         "record": begin[0], "part": begin[1], "limit": BATCH + 1},
    )  # fmt: skip
    rows = cursor.fetchall()
    following = (rows[BATCH][0], rows[BATCH][1]) if len(rows) > BATCH else None
    return LeftBehind([(record, part) for record, part, is_behind in rows[:BATCH] if is_behind], following)


class _Statements(NamedTuple):
    after: Composed


@lru_cache(maxsize=256)
def _statements(reader: Reader) -> _Statements:
    return _Statements(
        SQL(
            "SELECT m._seq, {} FROM {} m{} WHERE m._account = %(account)s AND m._seq > %(mark)s"
            " AND m._seq <= %(last)s ORDER BY m._seq LIMIT %(limit)s"
        ).format(shown(reader), name(reader.table), joins(reader))
    )


@lru_cache(maxsize=256)
def _left_behind(table: RawTable, target: str) -> Composed:
    same = SQL("").join(
        SQL(" AND r.{} = ({})::{}").format(Identifier(column), part, sql_type(table, column))
        for column, part in zip(key_columns(table), key_parts(table, "c.raw_source_id"), strict=True)
    )
    return SQL(
        "SELECT raw_source_id, part, CASE WHEN c.raw_table <> %(raw_table)s THEN true"
        " ELSE NOT EXISTS (SELECT 1 FROM {} r WHERE r._account = %(account)s{} OFFSET 0) END"
        " FROM {} c WHERE c.account = %(account)s AND c.mapping = %(mapping)s"
        " AND (c.raw_source_id, c.part) >= (%(record)s, %(part)s) ORDER BY raw_source_id, part LIMIT %(limit)s"
    ).format(name(table), same, Identifier("canonical", target))


def key_parts(table: RawTable, key: str) -> list[Composed]:
    """SQL of each key column's text out of a whole key's, `rows.key_text` the other way round."""
    whole = SQL(key)  # a name of ours
    columns = key_columns(table)
    if len(columns) == 1:
        return [SQL("{}").format(whole)]
    return [SQL("{}::jsonb ->> {}").format(whole, index) for index in range(len(columns))]
