"""The raw merge: probe, COPY what is new, stage what may have changed. Unchanged records are never sent.

Runs inside the caller's transaction, whose first statement must be `lock_account`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from hde.rows import RawRow, RawTable
from hde.store.copy_text import array, bytea, copy_in, escaped, escaped_bytes
from hde.store.database import lock_number
from hde.store.raw_tables import as_text, history, name, names, sql_type

Cursor = psycopg.Cursor[Any]
Key = tuple[str, ...]
_TEXTUAL = ("text", "jsonb")


class Arrival(NamedTuple):
    row: RawRow
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

    new: set[Key]
    changed: set[Key]

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
            else:
                counts.unchanged += 1
        return counts


def lock_account(cursor: Cursor, schema: str, account: int) -> None:
    """Within an account, order of `_seq` becomes order of commit: no reader's watermark passes an uncommitted row."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (lock_number(schema), account))


def merge(cursor: Cursor, table: RawTable, account: int, arrivals: Sequence[Arrival], run: int) -> Merged:
    """Store a batch in the order of its arrival; the last of equal keys wins."""
    if table.observe:
        return _observe(cursor, table, account, arrivals, run)
    latest = {arrival.row.key: arrival for arrival in arrivals}
    stored = _probe(cursor, table, account, list(latest))
    new = [latest[key] for key in sorted(latest) if key not in stored]
    other = [arrival for key, arrival in latest.items() if key in stored and stored[key] != arrival.row.hash]
    if new:
        _copy(cursor, table, account, new, run)
    changed = _replace(cursor, table, account, other, run) if other else set()
    return Merged({arrival.row.key for arrival in new}, changed)


def move_to_history(cursor: Cursor, table: RawTable, account: int, keys: Sequence[Key], at: datetime, run: int) -> int:
    """What vanished moves to history with a new `_seq`, so that mappings take its canonical rows along."""
    if not keys:
        return 0
    statements = _statements(table)
    cursor.execute(statements.vanish, {"account": account, "at": at, "run": run, **_columns_of(keys)})
    return cursor.rowcount


def _probe(cursor: Cursor, table: RawTable, account: int, keys: list[Key]) -> dict[Key, bytes]:
    if not keys:
        return {}
    cursor.execute(_statements(table).probe, {"account": account, **_columns_of(keys)})
    return {tuple(row[:-1]): row[-1] for row in cursor.fetchall()}


def _columns_of(keys: Sequence[Key]) -> dict[str, str]:
    return {f"k{index}": array(column) for index, column in enumerate(zip(*keys, strict=True))}


def _copy(cursor: Cursor, table: RawTable, account: int, arrivals: Iterable[Arrival], run: int) -> None:
    statement = _statements(table).copy_new
    copy_in(cursor, statement, _lines(table, f"{account}\t{run}", arrivals))


def _lines(table: RawTable, prefix: str, arrivals: Iterable[Arrival]) -> Iterable[bytes]:
    textual = [index for index, (_, kind) in enumerate(table.columns) if kind in _TEXTUAL]
    at, former = "", None
    for row, fetched_at in arrivals:
        if fetched_at is not former:  # one answer, one time
            at, former = fetched_at.isoformat(), fetched_at
        values = ["\\N" if value is None else value for value in row.values]
        for index in textual:
            if row.values[index] is not None:
                values[index] = escaped(values[index])
        head = "\t".join((prefix, at, *values, ""))
        yield b"".join((head.encode(), bytea(row.hash), b"\t", bytea(row.received), b"\t", escaped_bytes(row.payload)))


def _replace(cursor: Cursor, table: RawTable, account: int, arrivals: list[Arrival], run: int) -> set[Key]:
    statements = _statements(table)
    cursor.execute(statements.make_stage)
    copy_in(cursor, statements.copy_stage, _lines(table, f"{account}\t{run}", arrivals))
    cursor.execute(statements.drop_equal, ())
    equal = {tuple(row) for row in cursor.fetchall()} if table.key else {()} if cursor.rowcount else set()
    changed = {arrival.row.key for arrival in arrivals} - equal
    if changed:
        cursor.execute(statements.keep_former, {"run": run})
        cursor.execute(statements.update)
    cursor.execute(SQL("DELETE FROM {}").format(_stage(table)))
    return changed


def _observe(cursor: Cursor, table: RawTable, account: int, arrivals: Sequence[Arrival], run: int) -> Merged:
    new: set[Key] = set()
    for row, fetched_at in arrivals:
        values = {f"v{index}": value for index, value in enumerate(row.values)}
        keys = {f"k{index}": value for index, value in enumerate(row.key)}
        cursor.execute(
            _statements(table).observe,
            {"account": account, "run": run, "at": fetched_at, "payload": row.payload.decode(), "hash": row.hash,
             "received": row.received, **values, **keys},
        )  # fmt: skip
        if cursor.rowcount:
            new.add(row.key)
    return Merged(new, set())


class _Statements(NamedTuple):
    probe: Composed
    copy_new: Composed
    make_stage: Composed
    copy_stage: Composed
    drop_equal: Composed
    keep_former: Composed
    update: Composed
    vanish: Composed
    observe: Composed


@lru_cache(maxsize=256)
def _statements(table: RawTable) -> _Statements:
    declared = [column for column, _ in table.columns]
    sent = names(("_account", "_run_id", "_fetched_at", *declared, "_hash", "_received", "payload"))
    same_key = SQL("r._account = s._account") + _and(SQL("r.{0} = s.{0}").format(Identifier(c)) for c in table.key)
    former = SQL("_account, {key} payload, _hash, _received, {seq}, _run_id, _fetched_at, _op, _ended_at, _ended_run")
    keys = _listed(table.key)
    target, stage, past = name(table), _stage(table), history(table)
    return _Statements(
        probe=_probe_statement(table),
        copy_new=SQL("COPY {} ({}) FROM STDIN").format(target, sent),
        make_stage=SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA"
        ).format(stage, sent, target),
        copy_stage=SQL("COPY {} ({}) FROM STDIN").format(stage, sent),
        drop_equal=SQL("DELETE FROM {} s USING {} r WHERE {} AND ({}) = ({}) RETURNING {}").format(
            stage, target, same_key, _meaning("r", table), _meaning("s", table), _shown(table)
        ),
        keep_former=SQL(
            "INSERT INTO {} ({}) SELECT r._account, {} r.payload, r._hash, r._received, r._seq, r._run_id,"
            " r._fetched_at, 'U', s._fetched_at, %(run)s FROM {} s JOIN {} r ON {}"
        ).format(past, former.format(key=keys, seq=SQL("_seq")), _listed(table.key, "r."), stage, target, same_key),
        update=SQL("UPDATE {} r SET {}, _seq = nextval({}) FROM {} s WHERE {}").format(
            target,
            SQL(", ").join(
                SQL("{0} = s.{0}").format(Identifier(column))
                for column in (*declared, "payload", "_hash", "_received", "_run_id", "_fetched_at")
            ),
            _sequence(table),
            stage,
            same_key,
        ),
        vanish=_vanish_statement(table, former),
        observe=_observe_statement(table, declared),
    )


def _probe_statement(table: RawTable) -> Composed:
    if not table.key:
        return SQL("SELECT _hash FROM {} WHERE _account = %(account)s").format(name(table))
    return SQL("SELECT {}, r._hash FROM {}, {} r").format(
        _shown(table), _given(table), _found(table, (*table.key, "_hash"))
    )


def _shown(table: RawTable) -> Composed:
    """The key as text; a table without one still needs a column to return."""
    columns = [as_text(table, "r", column) for column in table.key]
    return SQL(", ").join(columns) if columns else SQL("NULL::text").format()


def _vanish_statement(table: RawTable, former: SQL) -> Composed:
    if table.key:
        gone = SQL(
            "DELETE FROM {} r USING (SELECT found.ctid FROM {}, {} found) g WHERE r.ctid = g.ctid RETURNING r.*"
        ).format(name(table), _given(table), _found(table, ("ctid",)))
    else:
        gone = SQL("DELETE FROM {} r WHERE r._account = %(account)s RETURNING r.*").format(name(table))
    return SQL(
        "WITH gone AS ({}) INSERT INTO {} ({}) SELECT _account, {} payload, _hash, _received, nextval({}), _run_id,"
        " _fetched_at, 'D', %(at)s, %(run)s FROM gone"
    ).format(
        gone, history(table), former.format(key=_listed(table.key), seq=SQL("_seq")), _listed(table.key),
        _sequence(table),
    )  # fmt: skip


def _observe_statement(table: RawTable, declared: list[str]) -> Composed:
    values = SQL(", ").join(
        SQL("%({})s::text::{}").format(SQL(f"v{index}"), sql_type(table, column))
        for index, column in enumerate(declared)
    )
    of_key = _and(
        SQL("r.{} = %({})s::text::{}").format(Identifier(column), SQL(f"k{index}"), sql_type(table, column))
        for index, column in enumerate(table.key)
    )
    return SQL(
        "WITH last AS (SELECT r.payload, r._observed_at FROM {target} r WHERE r._account = %(account)s{of_key}"
        " ORDER BY r._observed_at DESC LIMIT 1), now AS (SELECT %(payload)s::text::jsonb AS payload)"
        " INSERT INTO {target} (_account, _observed_at, {columns} payload, _hash, _received, _run_id, _fetched_at)"
        " SELECT %(account)s, GREATEST(%(at)s, (SELECT _observed_at + interval '1 microsecond' FROM last)), {values}"
        " now.payload, %(hash)s, %(received)s, %(run)s, %(at)s FROM now"
        " WHERE NOT EXISTS (SELECT 1 FROM last WHERE ({was}) = ({now}))"
    ).format(
        target=name(table), of_key=of_key, columns=_listed(declared),
        values=values + SQL(",") if declared else SQL(""), was=_meaning("last", table), now=_meaning("now", table),
    )  # fmt: skip


def _given(table: RawTable) -> Composed:
    """The keys of the batch as a table `k`."""
    columns = SQL(", ").join(Identifier(f"c{index}") for index in range(len(table.key)))
    arrays = SQL(", ").join(
        SQL("%({})s::text[]::{}[]").format(SQL(f"k{index}"), sql_type(table, column))
        for index, column in enumerate(table.key)
    )
    return SQL("unnest({}) k({})").format(arrays, columns)


def _found(table: RawTable, columns: Iterable[str]) -> Composed:
    """The stored row of each given key, looked up by the primary key whatever the planner thinks of the table."""
    return SQL("LATERAL (SELECT {} FROM {} r WHERE r._account = %(account)s{} OFFSET 0)").format(
        names(columns), name(table), _and(_matches(table))
    )


def _matches(table: RawTable) -> Iterable[Composed]:
    return (
        SQL("r.{} = k.{}").format(Identifier(column), Identifier(f"c{index}")) for index, column in enumerate(table.key)
    )


def _and(conditions: Iterable[Composable]) -> Composed:
    return SQL("").join(SQL(" AND ") + condition for condition in conditions)


def _listed(columns: Iterable[str], prefix: str = "") -> Composed:
    """`a, b, ` — with a trailing comma, so that a list may be empty."""
    return SQL("").join(SQL(prefix) + Identifier(column) + SQL(", ") for column in columns)


def _meaning(alias: str, table: RawTable) -> Composed:
    """The payload without the paths whose change means nothing."""
    whole = SQL("{}.payload").format(Identifier(alias))
    # Doubled, since psycopg reads % in statements with parameters, be it in a literal.
    paths = [[name.replace("%", "%%") for name in path] for path in table.volatile]
    return whole + SQL("").join(SQL(" #- {}").format(path) for path in paths)


def _sequence(table: RawTable) -> Composed:
    return SQL("{}::regclass").format(Identifier(table.schema, "_seq").as_string(None))


def _stage(table: RawTable) -> Identifier:
    """Of this table as declared now: a connection may outlive a declaration, or serve connectors with equal names."""
    return Identifier("pg_temp", f"stage_{zlib.crc32(repr(table).encode()):08x}_{table.name}"[:63])
