"""The raw merge: probe, COPY what is new, stage what may have changed. Unchanged records are never sent.

Runs inside the caller's transaction, whose first statement must be `lock_account`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed

from hde.issues import Issue
from hde.rows import RawRow, RawTable, Row
from hde.store.copy_text import array, bytea, copy_in, escaped, escaped_bytes
from hde.store.database import lock_number
from hde.store.merge_statements import stage_of, statements_of

Cursor = psycopg.Cursor[Any]
Key = tuple[str, ...]
_TEXTUAL = ("text", "jsonb")


class Arrival(NamedTuple):
    row: Row
    fetched_at: datetime


@dataclass
class Counts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0

    def add(self, other: Counts) -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.vanished += other.vanished


@dataclass(frozen=True)
class Merged:
    """What a batch did, by key: what is in neither set was unchanged."""

    new: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    read: dict[Key, tuple[Issue, ...]] = field(default_factory=dict)
    """The records that were read as a whole, with what is wrong in them; the text of all others is stored already."""
    refused: dict[Key, list[Issue]] = field(default_factory=dict)
    """Those that turned out to be nothing that can be stored."""
    has_met_stored: bool = False
    """Whether any key of the batch was stored before."""

    def take(self, keys: Iterable[Key]) -> Counts:
        """The counts of a part of the batch. A key counts once, with the part that is taken first."""
        counts = Counts()
        for key in set(keys):
            if key in self.new:
                self.new.discard(key)
                counts.new += 1
            elif key in self.changed:
                self.changed.discard(key)
                counts.changed += 1
            elif key not in self.refused:
                counts.unchanged += 1
        return counts

    def take_in(self, key: Key, row: RawRow | list[Issue]) -> RawRow | None:
        """The row if it is one that can be stored. What was read of it stays known."""
        if isinstance(row, RawRow):
            self.read[key] = row.issues
            return row
        self.read.pop(key, None)
        self.refused[key] = row
        return None


def lock_account(cursor: Cursor, schema: str, account: int) -> None:
    """Within an account, order of `_seq` becomes order of commit: no reader's watermark passes an uncommitted row."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (lock_number(schema), account))


def merge(
    cursor: Cursor, table: RawTable, account: int, arrivals: Sequence[Arrival], run: int, *, expect_new: bool = False
) -> Merged:
    """Store a batch in the order of its arrival; the last of equal keys wins.

    `expect_new`: probably none is stored yet. Then nobody asks, and the primary key says if that was wrong.
    """
    if table.observe:
        return _observe(cursor, table, account, arrivals, run)
    latest = {arrival.row.key: arrival for arrival in arrivals}
    keys = sorted(latest, key=itemgetter(0) if len(table.key) == 1 else None)
    if expect_new and (merged := _all_new(cursor, table, account, [latest[key] for key in keys], run)):
        return merged
    stored = _probe(cursor, table, account, keys)
    new = [latest[key] for key in keys if key not in stored]
    other = [arrival for key, arrival in latest.items() if key in stored and stored[key] != arrival.row.hash]
    merged = Merged(has_met_stored=bool(stored))
    if new:
        _send(cursor, statements_of(table).copy_new, table, account, run, merged, new)
        merged.new.update(merged.read)
    if other:
        merged.changed.update(_replace(cursor, table, account, run, merged, other))
    return merged


def move_to_history(cursor: Cursor, table: RawTable, account: int, keys: Sequence[Key], at: datetime, run: int) -> int:
    """What vanished moves to history with a new `_seq`, so that mappings take its canonical rows along."""
    if not keys:
        return 0
    statements = statements_of(table)
    cursor.execute(statements.vanish, {"account": account, "at": at, "run": run, **_columns_of(keys)})
    return cursor.rowcount


def _probe(cursor: Cursor, table: RawTable, account: int, keys: list[Key]) -> dict[Key, bytes]:
    if not keys:
        return {}
    cursor.execute(statements_of(table).probe, {"account": account, **_columns_of(keys)})
    return {tuple(row[:-1]): row[-1] for row in cursor.fetchall()}


def _columns_of(keys: Sequence[Key]) -> dict[str, str]:
    return {f"k{index}": array(column) for index, column in enumerate(zip(*keys, strict=True))}


def _all_new(cursor: Cursor, table: RawTable, account: int, arrivals: list[Arrival], run: int) -> Merged | None:
    """Store all of them as new; None, and nothing is stored, where one is there already."""
    merged = Merged()
    try:
        with cursor.connection.transaction():
            _send(cursor, statements_of(table).copy_new, table, account, run, merged, arrivals)
    except psycopg.errors.UniqueViolation:
        return None
    merged.new.update(merged.read)
    return merged


def _send(
    cursor: Cursor, statement: Composed, table: RawTable, account: int, run: int, merged: Merged,
    arrivals: Sequence[Arrival],
) -> None:  # fmt: skip
    """COPY records, trusting them; where PostgreSQL refuses one, all of the batch are looked at closely."""
    try:
        with cursor.connection.transaction():
            copy_in(cursor, statement, _lines(table, account, run, merged, arrivals, trusted=True))
    except psycopg.DataError:
        copy_in(cursor, statement, _lines(table, account, run, merged, arrivals, trusted=False))


def _lines(
    table: RawTable, account: int, run: int, merged: Merged, arrivals: Iterable[Arrival], *, trusted: bool
) -> Iterator[bytes]:
    """Each record is read as a whole when its turn comes: PostgreSQL is at work on the last ones meanwhile."""
    textual = [index for index, (_, kind) in enumerate(table.columns) if kind in _TEXTUAL]
    start, former = "", None
    for unread, fetched_at in arrivals:
        row = merged.take_in(unread.key, unread.trusted() if trusted else unread.read())
        if row is None:
            continue
        if fetched_at is not former:  # one answer, one time
            start, former = f"{account}\t{run}\t{fetched_at.isoformat()}", fetched_at
        values = ["\\N" if value is None else value for value in row.values]
        for index in textual:
            if row.values[index] is not None:
                values[index] = escaped(values[index])
        head = "\t".join((start, *values, bytea(row.hash), bytea(row.received), ""))
        yield head.encode() + escaped_bytes(row.payload)


def _replace(
    cursor: Cursor, table: RawTable, account: int, run: int, merged: Merged, arrivals: list[Arrival]
) -> set[Key]:
    """The keys of those whose meaning changed."""
    statements = statements_of(table)
    cursor.execute(statements.make_stage)
    _send(cursor, statements.copy_stage, table, account, run, merged, arrivals)
    cursor.execute(statements.drop_equal, ())
    equal = {tuple(row) for row in cursor.fetchall()} if table.key else {()} if cursor.rowcount else set()
    changed = {arrival.row.key for arrival in arrivals} - equal - merged.refused.keys()
    if changed:
        cursor.execute(statements.keep_former, {"run": run})
        cursor.execute(statements.update)
    cursor.execute(SQL("DELETE FROM {}").format(stage_of(table)))
    return changed


def _observe(cursor: Cursor, table: RawTable, account: int, arrivals: Sequence[Arrival], run: int) -> Merged:
    merged = Merged()
    for arrival, fetched_at in arrivals:
        row = merged.take_in(arrival.key, arrival.read())
        if row is None:
            continue
        values = {f"v{index}": value for index, value in enumerate(row.values)}
        keys = {f"k{index}": value for index, value in enumerate(row.key)}
        cursor.execute(
            statements_of(table).observe,
            {"account": account, "run": run, "at": fetched_at, "payload": row.payload.decode(), "hash": row.hash,
             "received": row.received, **values, **keys},
        )  # fmt: skip
        if cursor.rowcount:
            merged.new.add(row.key)
    return merged
