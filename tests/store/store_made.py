"""Raw tables, records and short ways to store them, for the tests of the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from hde.rows import RawRow, RawTable, RawType
from hde.source.exact import decode_exactly
from hde.source.values import FITS, KEY_FITS
from hde.store import merge, raw_tables
from hde.store.database import Connection, transaction
from hde.store.merge import Arrival, Counts

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
THINGS = RawTable("made_raw", "things", (("id", "text"), ("v", "bigint")), ("id",))
SCALES_OF = RawTable("made_raw", "scales", (("id", "text"), ("weight", "float")), ("id",), observe=True)


def table(name: str, key: Sequence[str] = ("id",), /, **columns: RawType) -> RawTable:
    return RawTable("made_raw", name, tuple(columns.items()), tuple(key))


def raw(of: RawTable, record: object) -> RawRow:
    """A record (or its JSON text) as the source wing would hand it over."""
    text = record if isinstance(record, str) else json.dumps(record)
    decoded = decode_exactly(text.encode())
    values = {
        column: None if decoded.get(column) is None else (KEY_FITS if column in of.key else FITS)[kind](decoded[column])
        for column, kind in of.columns
    }
    return RawRow(
        tuple(str(values[column]) for column in of.key),
        tuple(values.values()),
        text.encode(),
        sha256(text.encode()).digest()[:16],
    )


def prepared(connection: Connection, *tables: RawTable) -> None:
    for of in tables:
        raw_tables.prepare(connection, of, [], lambda payload: ())


def store(
    connection: Connection, of: RawTable, account: int, *records: object, at: datetime = AT, expect_new: bool = False
) -> Counts:
    """One batch in one transaction."""
    return store_rows(connection, of, account, [raw(of, record) for record in records], at, expect_new)


def store_rows(
    connection: Connection, of: RawTable, account: int, rows: Iterable[RawRow], at: datetime = AT,
    expect_new: bool = False,
) -> Counts:  # fmt: skip
    arrivals = [Arrival(row, at) for row in rows]
    with transaction(connection) as cursor:
        merge.lock_account(cursor, of.schema, account)
        merged = merge.merge(cursor, of, account, arrivals, 7, expect_new=expect_new)
        return merged.take(arrival.row.key for arrival in arrivals)


def vanish(connection: Connection, of: RawTable, account: int, *keys: tuple[str, ...], at: datetime = AT) -> int:
    with transaction(connection) as cursor:
        merge.lock_account(cursor, of.schema, account)
        return merge.move_to_history(cursor, of, account, keys, at, 8)


def ask(connection: Connection, sql: str, *values: object) -> list[Any]:
    """Rows; a row of one column is its value."""
    found = connection.execute(sql.encode(), values or None).fetchall()
    connection.commit()
    return [row[0] if len(row) == 1 else row for row in found]


def counted(counts: Counts) -> tuple[int, int, int]:
    return counts.new, counts.changed, counts.unchanged
