"""Writing canonical rows: a record's rows are replaced as a set, and equal ones are not touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from hde.canonical import TABLES
from hde.store.copy_text import CSV_OPTIONS, array, copy_in, csv_line
from hde.store.raw_tables import names

Cursor = psycopg.Cursor[Any]
Values = tuple[object, ...]
RowsOfRecord = Mapping[str, Values]
"""part -> values, in the order of the canonical table's columns."""


@dataclass(frozen=True)
class Lineage:
    """Where a batch of rows comes from."""

    account: int
    mapping: str
    mapping_hash: str
    source_system: str
    raw_table: str
    run: int
    mapped_at: datetime


@dataclass
class Written:
    new: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    """For a dry run: how many values of each column would change."""

    def add(self, other: Written) -> None:
        self.new += other.new
        self.changed += other.changed
        self.removed += other.removed
        self.unchanged += other.unchanged
        for column, count in other.columns.items():
            self.columns[column] = self.columns.get(column, 0) + count


class Difference(NamedTuple):
    """One row that would not stay as it is. `was` and `now` are its values where it would change, else empty."""

    kind: Literal["added", "removed", "changed"]
    record: str
    part: str
    was: Values = ()
    now: Values = ()


class _Line(NamedTuple):
    key: tuple[str, str]
    business: bytes
    digest: bytes


def write(cursor: Cursor, table: str, lineage: Lineage, records: Mapping[str, RowsOfRecord]) -> Written:
    """Make the stored rows of these records exactly these. A record without rows loses those it had."""
    stored = _stored(cursor, table, lineage, list(records))
    lines = list(_lines(records))
    new, changed = lines, list[_Line]()
    gone = set[tuple[str, str]]()
    if stored:
        new = [line for line in lines if line.key not in stored]
        changed = [line for line in lines if line.key in stored and stored[line.key] != line.digest]
        gone = stored.keys() - {line.key for line in lines}
    new.sort()
    if new:
        _add(cursor, table, lineage, new)
    if changed:
        _update(cursor, table, lineage, changed)
    if gone:
        delete_rows(cursor, table, lineage.account, lineage.mapping, gone)
    return Written(len(new), len(changed), len(gone), len(lines) - len(new) - len(changed))


def compare(
    cursor: Cursor,
    table: str,
    lineage: Lineage,
    records: Mapping[str, RowsOfRecord],
    told: Callable[[Difference], None] = lambda difference: None,
) -> Written:
    """What `write` would do, and which columns would change, without doing it. `told` hears of every such row."""
    stored = _stored(cursor, table, lineage, list(records))
    lines = {line.key: line for line in _lines(records)}
    changed = [key for key, line in lines.items() if key in stored and stored[key] != line.digest]
    new, gone = lines.keys() - stored.keys(), stored.keys() - lines.keys()
    for key in sorted(new):
        told(Difference("added", *key))
    for key in sorted(gone):
        told(Difference("removed", *key))
    result = Written(len(new), len(changed), len(gone), len(lines) - len(changed) - len(new))
    if changed:
        for difference in _changes(cursor, table, lineage, records, changed):
            told(difference)
            for column in changed_columns(table, difference):
                result.columns[column] = result.columns.get(column, 0) + 1
    return result


def changed_columns(table: str, difference: Difference) -> dict[str, tuple[object, object]]:
    """The columns of a changed row whose values differ: what they were and what they would be."""
    names_of = (column.name for column in TABLES[table].columns)
    return {
        name: (was, now) for name, was, now in zip(names_of, difference.was, difference.now, strict=True) if was != now
    }


def delete_mapping(cursor: Cursor, table: str, account: int, mapping: str) -> int:
    """All rows that a mapping wrote into a table it no longer writes."""
    if table not in TABLES:
        return 0
    cursor.execute(
        SQL("DELETE FROM {} WHERE account = %s AND mapping = %s").format(Identifier("canonical", table)),
        (account, mapping),
    )
    return cursor.rowcount


def count_mapping(cursor: Cursor, table: str, account: int, mapping: str) -> int:
    if table not in TABLES:
        return 0
    cursor.execute(
        SQL("SELECT count(*) FROM {} WHERE account = %s AND mapping = %s").format(Identifier("canonical", table)),
        (account, mapping),
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def delete_rows(cursor: Cursor, table: str, account: int, mapping: str, gone: Iterable[tuple[str, str]]) -> None:
    """These rows of a mapping, by record and part."""
    keys = sorted(gone)
    cursor.execute(
        _statements(table).delete,
        {"account": account, "mapping": mapping,
         "records": [record for record, _ in keys], "parts": [part for _, part in keys]},
    )  # fmt: skip


def _stored(cursor: Cursor, table: str, lineage: Lineage, records: list[str]) -> dict[tuple[str, str], bytes]:
    cursor.execute(
        _statements(table).probe, {"account": lineage.account, "mapping": lineage.mapping, "records": array(records)}
    )
    return {(record, part): digest for record, part, digest in cursor.fetchall()}


def _lines(records: Mapping[str, RowsOfRecord]) -> Iterable[_Line]:
    for record, rows in records.items():
        for part, values in rows.items():
            business = csv_line(values)
            yield _Line((record, part), business, sha256(business).digest()[:16])


def _finished(lines: Iterable[_Line], lineage: Lineage) -> Iterable[bytes]:
    head = csv_line((lineage.account, lineage.mapping))
    tail = csv_line(
        (lineage.source_system, lineage.raw_table, lineage.mapping_hash, lineage.run, lineage.mapped_at)
    )  # fmt: skip
    for key, business, digest in lines:
        yield b"%s,%s,%s,%s,\\x%s" % (head, csv_line(key), business, tail, digest.hex().encode())


def _add(cursor: Cursor, table: str, lineage: Lineage, lines: Sequence[_Line]) -> None:
    statements = _statements(table)
    cursor.execute(statements.is_by_row)
    row = cursor.fetchone()
    if not (row and row[0]):
        copy_in(cursor, statements.copy, _finished(lines, lineage))
        return
    cursor.execute(statements.make_stage)  # PostgreSQL takes no COPY into a table whose rows are kept apart by role
    copy_in(cursor, statements.copy_stage, _finished(lines, lineage))
    cursor.execute(statements.insert)
    cursor.execute(SQL("DELETE FROM {}").format(_stage(table)))


def _update(cursor: Cursor, table: str, lineage: Lineage, lines: Sequence[_Line]) -> None:
    statements = _statements(table)
    cursor.execute(statements.make_stage)
    copy_in(cursor, statements.copy_stage, _finished(lines, lineage))
    cursor.execute(statements.update)
    cursor.execute(SQL("DELETE FROM {}").format(_stage(table)))


def _changes(
    cursor: Cursor,
    table: str,
    lineage: Lineage,
    records: Mapping[str, RowsOfRecord],
    keys: Sequence[tuple[str, str]],
) -> Iterable[Difference]:
    business = [column.name for column in TABLES[table].columns]
    cursor.execute(
        SQL("SELECT raw_source_id, part, {} FROM {} WHERE account = %s AND mapping = %s AND raw_source_id = ANY(%s)")
        .format(names(business), Identifier("canonical", table)),
        (lineage.account, lineage.mapping, list({record for record, _ in keys})),
    )  # fmt: skip
    wanted = set(keys)
    for record, part, *values in cursor.fetchall():
        if (record, part) in wanted:
            yield Difference("changed", record, part, tuple(values), records[record][part])


class _Statements(NamedTuple):
    probe: Composed
    is_by_row: Composed
    copy: Composed
    insert: Composed
    make_stage: Composed
    copy_stage: Composed
    update: Composed
    delete: Composed


@lru_cache(maxsize=64)
def _statements(table: str) -> _Statements:
    key = ("account", "mapping", "raw_source_id", "part")
    business = tuple(column.name for column in TABLES[table].columns)
    lineage = ("source_system", "raw_table", "mapping_hash", "run_id", "mapped_at", "_hash")
    target, stage = Identifier("canonical", table), _stage(table)
    columns = names((*key, *business, *lineage))
    return _Statements(
        probe=SQL(
            "SELECT c.* FROM unnest(%(records)s::text[]) k(record), LATERAL (SELECT raw_source_id, part, _hash FROM {}"
            " WHERE account = %(account)s AND mapping = %(mapping)s AND raw_source_id = k.record OFFSET 0) c"
        ).format(target),
        is_by_row=SQL("SELECT row_security_active({}::regclass)").format(target.as_string(None)),
        copy=SQL("COPY {} ({}) FROM STDIN {}").format(target, columns, SQL(CSV_OPTIONS)),
        insert=SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {2}").format(target, columns, stage),
        make_stage=SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA"
        ).format(stage, columns, target),
        copy_stage=SQL("COPY {} ({}) FROM STDIN {}").format(stage, columns, SQL(CSV_OPTIONS)),
        update=SQL("UPDATE {} c SET {} FROM {} s WHERE {}").format(
            target,
            SQL(", ").join(SQL("{0} = s.{0}").format(Identifier(column)) for column in (*business, *lineage)),
            stage,
            SQL(" AND ").join(SQL("c.{0} = s.{0}").format(Identifier(column)) for column in key),
        ),
        delete=SQL(
            "DELETE FROM {0} c USING (SELECT found.ctid FROM unnest(%(records)s::text[], %(parts)s::text[])"
            " k(record, part), LATERAL (SELECT ctid FROM {0} WHERE account = %(account)s AND mapping = %(mapping)s"
            " AND raw_source_id = k.record AND part = k.part OFFSET 0) found) gone WHERE c.ctid = gone.ctid"
        ).format(target),
    )


def _stage(table: str) -> Identifier:
    return Identifier("pg_temp", f"stage_canonical_{table}"[:63])
