"""How far each mapping has read: which raw records are due, and the watermarks that move with what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from hde.rows import RawTable, key_text
from hde.store.raw_tables import as_text, history, key_columns, name

Cursor = psycopg.Cursor[Any]
BATCH = 2_000


@dataclass(frozen=True)
class Refers:
    """`with:` of a mapping: the other table, and the column here that holds its key."""

    name: str
    table: RawTable
    column: str


@dataclass(frozen=True)
class Reader:
    """One mapping as a consumer of raw tables. `version` changes when its rows must be written again."""

    mapping: str
    version: str
    table: RawTable
    refers: tuple[Refers, ...]
    targets: tuple[str, ...]

    @property
    def tables(self) -> tuple[RawTable, ...]:
        return tuple(dict.fromkeys((self.table, *(refers.table for refers in self.refers))))

    @property
    def counterparts(self) -> dict[str, tuple[RawTable, tuple[str, ...]]]:
        """Watermark -> the other table, and all columns here that hold its key.

        A table whose records refer to each other is read twice, and has a second watermark.
        """
        found: dict[str, tuple[RawTable, tuple[str, ...]]] = {}
        for refers in self.refers:
            mark = f"{refers.table.name} (with)" if refers.table == self.table else refers.table.name
            found[mark] = (refers.table, (*found.get(mark, (refers.table, ()))[1], refers.column))
        return found

    @property
    def marks(self) -> tuple[str, ...]:
        return (self.table.name, *self.counterparts)


class Due(NamedTuple):
    """A raw record to be mapped: its payload as JSON text, when it was observed, and its counterparts' payloads."""

    key: str
    payload: str
    observed_at: object
    references: tuple[str | None, ...]


class Batch(NamedTuple):
    """Records to map, records that vanished, and the watermark that both reach."""

    due: list[Due]
    vanished: list[str]
    raw_table: str
    seq: int


@dataclass(frozen=True)
class State:
    seq: dict[str, int]
    mapping_hash: str | None
    targets: tuple[str, ...]


def state(cursor: Cursor, reader: Reader, account: int, *, lock: bool = False) -> State:
    """The watermarks by raw table. With `lock`, other mappers of the same account and mapping wait."""
    if lock:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", (f"map:{reader.mapping}", account))
    cursor.execute(
        "SELECT raw_table, seq, mapping_hash, targets FROM meta.consumers WHERE mapping = %s AND account = %s",
        (reader.mapping, account),
    )
    rows = cursor.fetchall()
    if not rows:
        return State({}, None, ())
    targets = dict.fromkeys(target for row in rows for target in row[3])
    return State({row[0]: row[1] for row in rows}, rows[0][2], tuple(targets))


def restart(cursor: Cursor, reader: Reader, account: int) -> None:
    """Begin again from raw's first record: a new mapping, or a new version of it."""
    for mark in reader.marks:
        move(cursor, reader, account, mark, 0)
    cursor.execute(
        "DELETE FROM meta.consumers WHERE mapping = %s AND account = %s AND NOT raw_table = ANY(%s)",
        (reader.mapping, account, list(reader.marks)),
    )


def move(cursor: Cursor, reader: Reader, account: int, raw_table: str, seq: int) -> None:
    cursor.execute(
        "INSERT INTO meta.consumers (mapping, account, raw_table, seq, mapping_hash, targets)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (mapping, account, raw_table) DO UPDATE SET"
        " seq = EXCLUDED.seq, mapping_hash = EXCLUDED.mapping_hash, targets = EXCLUDED.targets",
        (reader.mapping, account, raw_table, seq, reader.version, list(reader.targets)),
    )


def next_batch(cursor: Cursor, reader: Reader, account: int, marks: State) -> Batch | None:
    """The next records due, or None when nothing is.

    Records whose counterpart changed come first, of those mapped already (up to the own mark): whatever is beyond
    that mark is mapped after, and sees the counterparts as they are then.
    """
    own = marks.seq.get(reader.table.name, 0)
    for mark, (table, _) in reader.counterparts.items():
        seq = marks.seq.get(mark, 0)
        if own:
            batch = _batch(cursor, _statements(reader).through[mark], reader, account, seq, mark, own)
        else:
            batch = _nothing_to_revisit(cursor, table, account, seq, mark)
        if batch:
            return batch
    return _batch(cursor, _statements(reader).own, reader, account, own, reader.table.name)


def _nothing_to_revisit(cursor: Cursor, table: RawTable, account: int, seq: int, mark: str) -> Batch | None:
    cursor.execute(
        SQL(
            "SELECT GREATEST((SELECT max(_seq) FROM {} WHERE _account = %(a)s),"
            " (SELECT max(_seq) FROM {} WHERE _account = %(a)s AND _op = 'D'), 0)"
        ).format(name(table), history(table)),
        {"a": account},
    )
    row = cursor.fetchone()
    return Batch([], [], mark, int(row[0])) if row and row[0] > seq else None


def _batch(
    cursor: Cursor, statement: Composed, reader: Reader, account: int, mark: int, raw_table: str, own: int = 0
) -> Batch | None:
    cursor.execute(statement, {"account": account, "mark": mark, "own": own, "limit": BATCH})
    rows = cursor.fetchall()
    if not rows:
        return None
    due = due_of(reader)
    found = [(there, due(columns)) for _, there, *columns in rows if there is not None]
    changed = [one for there, one in found if there]
    return Batch(changed, [one.key for there, one in found if not there], raw_table, rows[-1][0])


def due_of(reader: Reader) -> Callable[[Sequence[Any]], Due]:
    """A function from the columns of `shown` to the record, its key as issues and canonical rows name it."""
    width = len(key_columns(reader.table))
    if width == 1:
        return lambda columns: Due(columns[2], columns[0], columns[1], tuple(columns[3:]))
    end = 2 + (width or 1)
    return lambda columns: Due(key_text(tuple(columns[2 : 2 + width])), columns[0], columns[1], tuple(columns[end:]))


class _Statements(NamedTuple):
    own: Composed
    through: dict[str, Composed]


@lru_cache(maxsize=256)
def _statements(reader: Reader) -> _Statements:
    through = {mark: _through_statement(reader, *other) for mark, other in reader.counterparts.items()}
    return _Statements(_own_statement(reader), through)


def _own_statement(reader: Reader) -> Composed:
    """Changed records and vanished ones that are not there again, by `_seq`."""
    table = reader.table
    again = SQL("EXISTS (SELECT 1 FROM {} r WHERE r._account = h._account{})").format(
        name(table), _same(key_columns(table), "r", "h")
    )
    return SQL(
        "(SELECT m._seq, true, {shown} FROM {raw} m{joins} WHERE m._account = %(account)s AND m._seq > %(mark)s"
        " ORDER BY m._seq LIMIT %(limit)s)"
        " UNION ALL"
        " (SELECT h._seq, CASE WHEN {again} THEN NULL ELSE false END, NULL, NULL, {keys}{nulls} FROM {past} h"
        " WHERE h._account = %(account)s AND h._op = 'D' AND h._seq > %(mark)s ORDER BY h._seq LIMIT %(limit)s)"
        " ORDER BY 1 LIMIT %(limit)s"
    ).format(
        shown=shown(reader), raw=name(table), joins=joins(reader), again=again, keys=_keys(table, "h"),
        nulls=SQL("").join(SQL(", NULL") for _ in reader.refers), past=history(table),
    )  # fmt: skip


def _through_statement(reader: Reader, other: RawTable, columns: Sequence[str]) -> Composed:
    """Records already mapped whose counterpart changed or vanished, by the counterpart's `_seq`."""
    (key,) = other.key
    # One look into an index per column: an OR would read all records of the account for each that moved.
    mapped = SQL(" UNION ALL ").join(
        SQL("SELECT * FROM {} WHERE _account = %(account)s AND {} = moved.key AND _seq <= %(own)s").format(
            name(reader.table), Identifier(column)
        )
        for column in columns
    )
    return SQL(
        "WITH moved AS ((SELECT _seq, {key} AS key FROM {other} WHERE _account = %(account)s AND _seq > %(mark)s"
        " ORDER BY _seq LIMIT %(limit)s) UNION ALL (SELECT _seq, {key} FROM {past} WHERE _account = %(account)s"
        " AND _op = 'D' AND _seq > %(mark)s ORDER BY _seq LIMIT %(limit)s) ORDER BY 1 LIMIT %(limit)s)"
        " SELECT moved._seq, CASE WHEN m._seq IS NOT NULL THEN true END, {shown} FROM moved"
        " LEFT JOIN LATERAL ({mapped} OFFSET 0) m ON true{joins}"
        " ORDER BY 1"
    ).format(
        key=Identifier(key), other=name(other), past=history(other), shown=shown(reader),
        mapped=mapped, joins=joins(reader),
    )  # fmt: skip


def shown(reader: Reader) -> Composed:
    """What a record is mapped from, `m` being its row: payload, when observed, key, counterparts' payloads."""
    observed = SQL("m._observed_at") if reader.table.observe else SQL("NULL::timestamptz")
    others = SQL("").join(SQL(", {}.payload::text").format(Identifier(f"w{i}")) for i in range(len(reader.refers)))
    return SQL("m.payload::text, {}, {}{}").format(observed, _keys(reader.table, "m"), others)


def _keys(table: RawTable, alias: str) -> Composed:
    columns = key_columns(table)
    if not columns:
        return SQL("{}._account::text").format(Identifier(alias))
    return SQL(", ").join(as_text(table, alias, column) for column in columns)


def joins(reader: Reader) -> Composed:
    """What `shown` needs beside `m`."""
    return SQL("").join(
        SQL(
            " LEFT JOIN LATERAL (SELECT payload FROM {} WHERE _account = m._account AND {} = m.{} OFFSET 0) {} ON true"
        ).format(
            name(refers.table), Identifier(refers.table.key[0]), Identifier(refers.column), Identifier(f"w{index}")
        )
        for index, refers in enumerate(reader.refers)
    )


def _same(columns: Sequence[str], left: str, right: str) -> Composed:
    return SQL("").join(
        SQL(" AND {}.{c} = {}.{c}").format(Identifier(left), Identifier(right), c=Identifier(column))
        for column in columns
    )


def orphaned(cursor: Cursor, connector: str, account: int, present: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(mapping, canonical table) whose rows nothing writes any more, since the mapping is gone from the YAML."""
    cursor.execute(
        "SELECT DISTINCT mapping, unnest(targets) FROM meta.consumers WHERE account = %s"
        " AND split_part(mapping, '/', 1) = %s AND NOT mapping = ANY(%s)",
        (account, connector, list(present)),
    )
    yield from cursor.fetchall()


def forget(cursor: Cursor, mapping: str, account: int) -> None:
    """What it left in meta: its marks go, its issues are of no concern any more."""
    cursor.execute("DELETE FROM meta.consumers WHERE mapping = %s AND account = %s", (mapping, account))
    cursor.execute(
        "UPDATE meta.issues SET closed_at = now() WHERE origin = %s AND account = %s AND closed_at IS NULL",
        (mapping, account),
    )
