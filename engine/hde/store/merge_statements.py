"""What the raw merge asks Postgres, for a table as it is declared."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from psycopg.sql import SQL, Composable, Composed, Identifier

from hde.rows import RawTable
from hde.store.raw_tables import as_text, history, key_columns, name, names, sql_type


class Statements(NamedTuple):
    probe: Composed
    copy_new: Composed
    make_stage: Composed
    copy_stage: Composed
    drop_equal: Composed
    keep_former: Composed
    update: Composed
    vanish: Composed
    expire: Composed
    observe: Composed


@lru_cache(maxsize=256)
def statements_of(table: RawTable) -> Statements:
    declared = [column for column, _ in table.columns]
    sent = names(("_account", "_run_id", "_fetched_at", *declared, "_hash", "_received", "payload"))
    same_key = SQL("r._account = s._account") + _and(SQL("r.{0} = s.{0}").format(Identifier(c)) for c in table.key)
    former = SQL("_account, {key} payload, _hash, _received, {seq}, _run_id, _fetched_at, _op, _ended_at, _ended_run")
    keys = _listed(table.key)
    target, stage, past = name(table), stage_of(table), history(table)
    return Statements(
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
        expire=_expire_statement(table, former),
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
    return _moved_to_history(table, former, gone)


def _expire_statement(table: RawTable, former: SQL) -> Composed:
    gone = SQL("DELETE FROM {} WHERE _account = %(account)s AND _fetched_at < %(before)s RETURNING *")
    return _moved_to_history(table, former, gone.format(name(table)))


def _moved_to_history(table: RawTable, former: SQL, gone: Composed) -> Composed:
    keys = _listed(key_columns(table))
    return SQL(
        "WITH gone AS ({}) INSERT INTO {} ({}) SELECT _account, {} payload, _hash, _received, nextval({}), _run_id,"
        " _fetched_at, 'D', %(at)s, %(run)s FROM gone"
    ).format(
        gone, history(table), former.format(key=keys, seq=SQL("_seq")), keys, _sequence(table),
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


def stage_of(table: RawTable) -> Identifier:
    """The temporary table that changed records go through.

    It is this table's as declared now: a connection may outlive a declaration, or serve connectors with equal names.
    """
    return Identifier("pg_temp", f"stage_{zlib.crc32(repr(table).encode()):08x}_{table.name}"[:63])
