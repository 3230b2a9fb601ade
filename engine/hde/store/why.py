"""What the database holds about one record and its canonical rows: versions, runs, windows, issues. Read-only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row, namedtuple_row
from psycopg.sql import SQL, Composed, Identifier

from hde.rows import RawTable
from hde.store.database import Connection
from hde.store.raw_tables import as_text, history, key_columns, name, sql_type

MOST = 200
"""Canonical rows of one key; a record with more (a heart rate by the second) is asked for by part."""
VERSIONS = 20


@dataclass(frozen=True)
class Version:
    """One version of a raw record: what was received, when, and who brought it."""

    key: str
    seq: int
    run: int
    fetched_at: datetime
    payload: Mapping[str, Any]
    observed_at: datetime | None = None
    was_repaired: bool = False
    """The text as received could not be stored as it was."""
    ended_at: datetime | None = None
    vanished: bool = False


@dataclass(frozen=True)
class Run:
    id: int
    command: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class WindowRead:
    """A row of the ledger: a span of time (or a snapshot) as it was asked for."""

    id: int
    start: datetime | None
    end: datetime | None
    asked_at: datetime
    state: str
    requests: int
    pages: int
    element: str = ""
    """Its key, in a fan-out."""


@dataclass(frozen=True)
class OpenIssue:
    origin: str
    path: str
    rule: str
    level: str
    json_type: str
    length: int | None
    first_seen: datetime


def canonical_rows(connection: Connection, table: str, narrowed: Mapping[str, object]) -> list[dict[str, Any]]:
    """Rows by lineage columns (`raw_source_id`, and what narrows it down), at most MOST."""
    where = SQL(" AND ").join(SQL("c.{} = {}").format(Identifier(column), value) for column, value in narrowed.items())
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            SQL(
                "SELECT c.*, k.external_id FROM {} c JOIN meta.connections k ON k.id = c.account WHERE {}"
                " ORDER BY c.account, c.mapping, c.part LIMIT {}"
            ).format(Identifier("canonical", table), where, MOST)
        )
        return cursor.fetchall()


def similar_keys(connection: Connection, table: str, key: str) -> list[str]:
    """Keys of canonical rows that begin like this one."""
    found = connection.execute(
        SQL("SELECT DISTINCT raw_source_id FROM {} WHERE starts_with(raw_source_id, %s) ORDER BY 1 LIMIT 5").format(
            Identifier("canonical", table)
        ),
        (key,),
    )
    return [row[0] for row in found.fetchall()]


def version(connection: Connection, table: RawTable, account: int, key: str) -> Version | None:
    """The record as it is stored now."""
    observed = SQL("_observed_at") if table.observe else SQL("NULL::timestamptz")
    statement = SQL(
        "SELECT r._seq, r._run_id, r._fetched_at, r.payload::text, {}, r._received IS NOT NULL FROM {} r"
        " WHERE r._account = %s{}"
    ).format(observed, name(table), _same(table))
    rows = _rows(connection, statement, (account, *_parts(table, key)))
    return _version(key, *rows[0]) if rows else None


def former_versions(connection: Connection, table: RawTable, account: int, key: str) -> list[Version]:
    """What it was before, the youngest first."""
    statement = SQL(
        "SELECT r._seq, r._run_id, r._fetched_at, r.payload::text, NULL::timestamptz, r._received IS NOT NULL,"
        " r._ended_at, r._op = 'D' FROM {} r WHERE r._account = %s{} ORDER BY r._ended_at DESC, r._seq DESC LIMIT {}"
    ).format(history(table), _same(table), VERSIONS)
    return [_version(key, *row) for row in _rows(connection, statement, (account, *_parts(table, key)))]


def column_text(connection: Connection, table: RawTable, account: int, key: str, column: str) -> str | None:
    """A declared column of the record, as text: the key of another record, or the record's own time."""
    statement = SQL("SELECT {} FROM {} r WHERE r._account = %s{}").format(
        as_text(table, "r", column), name(table), _same(table)
    )
    rows = _rows(connection, statement, (account, *_parts(table, key)))
    return rows[0][0] if rows else None


def run(connection: Connection, number: int) -> Run | None:
    """None where it was pruned."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(
            "SELECT id, command, started_at, finished_at, outcome FROM meta.runs WHERE id = %s", (number,)
        ).fetchone()
    return Run(*row) if row else None


def windows(connection: Connection, account: int, resource: str, run: int) -> list[WindowRead]:
    """The windows of a resource that a run began."""
    rows = connection.execute(
        "SELECT id, start_at, end_at, asked_at, state, requests, pages, parent FROM meta.windows"
        " WHERE account = %s AND resource = %s AND run_id = %s ORDER BY id",
        (account, resource, run),
    )
    return [WindowRead(*row) for row in rows.fetchall()]


def issues_of(connection: Connection, account: int, raw_table: str, record: str) -> list[OpenIssue]:
    """What is wrong with a record: as it was stored (origin `raw`), and as mappings read it."""
    rows = connection.execute(
        "SELECT origin, path, rule, level, json_type, length, first_seen FROM meta.issues WHERE account = %s"
        " AND raw_table = %s AND record = %s AND closed_at IS NULL ORDER BY level, origin, path",
        (account, raw_table, record),
    )
    return [OpenIssue(*row) for row in rows.fetchall()]


def open_issues(connection: Connection, mark: str) -> list[tuple[Any, ...]]:
    """By connector, origin, raw table, path and rule: how many records, and one of them.

    What stands in a record's place behind the `mark` is each for itself: it says where records came from.
    """
    return connection.execute(
        "SELECT c.connector, i.origin, i.raw_table, i.path, i.rule, i.level, count(*), min(i.record)"
        " FROM meta.issues i JOIN meta.connections c ON c.id = i.account WHERE i.closed_at IS NULL"
        " GROUP BY 1, 2, 3, 4, 5, 6, CASE WHEN split_part(i.record, ' ', 1) = %s THEN i.record END"
        " ORDER BY i.level, count(*) DESC, 1, 3, 8, 4, 5",
        (mark,),
    ).fetchall()


def mapped_up_to(connection: Connection, mapping: str, account: int, raw_table: str) -> int | None:
    row = connection.execute(
        "SELECT seq FROM meta.consumers WHERE mapping = %s AND account = %s AND raw_table = %s",
        (mapping, account, raw_table),
    ).fetchone()
    return int(row[0]) if row else None


def _version(key: str, seq: int, run: int, at: datetime, payload: str, *rest: Any) -> Version:
    return Version(key, seq, run, at, msgspec.json.decode(payload, type=dict[str, Any]), *rest)


def _same(table: RawTable) -> Composed:
    return SQL("").join(
        SQL(" AND r.{} = %s::text::{}").format(Identifier(column), sql_type(table, column))
        for column in key_columns(table)
    )


def _parts(table: RawTable, key: str) -> list[str]:
    """A key's columns, `rows.key_text` the other way round."""
    columns = key_columns(table)
    if len(columns) < 2:
        return [key] * len(columns)
    try:
        parts = json.loads(key)
    except ValueError:
        parts = []
    return (
        [str(part) for part in parts] if isinstance(parts, list) and len(parts) == len(columns) else [""] * len(columns)
    )


def _rows(connection: Connection, statement: Composed, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    """Nothing where the key is not even of the column's type, or where there is no table yet."""
    try:
        with connection.transaction():
            return connection.execute(statement, values).fetchall()
    except (psycopg.DataError, psycopg.errors.UndefinedTable):
        return []
