"""What a complete reading no longer contains, and the guard that believes it only within bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from hde.rows import RawTable
from hde.store.ledger import Span
from hde.store.raw_tables import as_text, name, sql_type

MOST_ROWS = 10


@dataclass(frozen=True)
class TimeOf:
    """Where a record's own time stands: a column here, or a column of the record that `key` names in `other`."""

    column: str
    other: RawTable | None = None
    key: str | None = None


@dataclass(frozen=True)
class Missing:
    """Keys of the scope that were not seen, and how many records the scope holds."""

    keys: tuple[tuple[str, ...], ...]
    scope: int


def beyond_guard(gone: int, scope: int, share: float) -> bool:
    """More than 10 records and more than this share of the scope: rather an outage than deletions."""
    return gone > MOST_ROWS and gone > share * scope


def missing_from(
    cursor: psycopg.Cursor[Any],
    table: RawTable,
    account: int,
    seen: Collection[tuple[str, ...]],
    span: Span | None,
    time: TimeOf | None,
    element: Mapping[str, str] = MappingProxyType({}),
) -> Missing:
    """The scope is the whole resource (no span), or the records whose time lies within the span.

    `element` narrows it to the records that hold these texts in these columns: those of one element of a fan-out.
    """
    shown = SQL(", ").join(as_text(table, "r", column) for column in table.key)
    of_element = SQL("").join(
        SQL(" AND r.{} = %({})s::text::{}").format(Identifier(column), SQL(f"e{at}"), sql_type(table, column))
        for at, column in enumerate(element)
    )
    where = _within(time) if span else _ALL
    cursor.execute(
        SQL("SELECT {} FROM {} r{}{}").format(shown or SQL("NULL"), name(table), where, of_element),
        {
            "account": account, "start": span.start if span else None, "end": span.end if span else None,
            **{f"e{at}": value for at, value in enumerate(element.values())},
        },
    )  # fmt: skip
    scope = [tuple(row) for row in cursor.fetchall()] if table.key else [() for _ in cursor.fetchall()]
    return Missing(tuple(key for key in scope if key not in seen), len(scope))


_ALL = SQL(" WHERE r._account = %(account)s AND %(start)s::timestamptz IS NULL AND %(end)s::timestamptz IS NULL")


def _within(time: TimeOf | None) -> Composed:
    if time is None:
        return SQL(" WHERE false").format()
    if time.other is None:
        join, column = SQL("").format(), SQL("r.{}").format(Identifier(time.column))
    else:
        (other_key,) = time.other.key
        join = SQL(" JOIN {} o ON o._account = r._account AND o.{} = r.{}").format(
            name(time.other), Identifier(other_key), Identifier(time.key or "")
        )
        column = SQL("o.{}").format(Identifier(time.column))
    return SQL(
        "{} WHERE r._account = %(account)s AND tstzrange(%(start)s, %(end)s) @> ({})::timestamptz"
    ).format(join, column)  # fmt: skip
