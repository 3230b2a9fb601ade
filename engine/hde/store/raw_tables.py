"""Raw tables: made and widened from what the connector declares, never narrowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.sql import SQL, Composed, Identifier

from hde.errors import WrongUse
from hde.rows import RawTable
from hde.store.database import Connection, lock_number
from hde.store.owner import act_as_owner, needing_the_owner

TYPES = {
    "text": "text", "int": "integer", "bigint": "bigint", "float": "double precision", "numeric": "numeric",
    "boolean": "boolean", "date": "date", "timestamptz": "timestamp with time zone", "uuid": "uuid", "jsonb": "jsonb",
}  # fmt: skip
BATCH = 2_000
Fill = Callable[[int, bytes], tuple[str | None, ...]]
"""From an account and a payload of its to the values of all declared columns."""


@dataclass(frozen=True)
class Prepared:
    """What happened to one table: columns filled anew from the stored payloads, columns no longer declared."""

    added: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()


def prepare(connection: Connection, table: RawTable, references: Iterable[str], fill: Fill) -> Prepared:
    """Make the table, or widen it; `references` are columns that other records are found by, and get an index.

    Filling a new column happens in the transaction that adds it, so an interrupted one adds nothing.
    """
    to_make = f"{table.schema}.{table.name} has to be made or widened"
    with needing_the_owner(to_make), connection.transaction(), connection.cursor() as cursor:
        act_as_owner(cursor)
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (lock_number(f"ddl:{table.schema}"),))
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        there = _columns(cursor, table)
        if not there:
            _create(cursor, table)
            result = Prepared()
        else:
            result = _widen(cursor, table, there, fill)
        for column in references:
            # Told apart by what they index: names of our making could meet, or be cut to the same 63 bytes.
            if ("_account", column) not in [columns for _, columns in _indexes(cursor, table)]:
                cursor.execute(SQL("CREATE INDEX ON {} (_account, {})").format(name(table), Identifier(column)))
    return result


@dataclass(frozen=True)
class Outlook:
    """What `prepare` would do to a table: make it, add columns, fill columns anew because their path changed."""

    is_new: bool = False
    added: tuple[str, ...] = ()
    refilled: tuple[str, ...] = ()


def outlook(cursor: psycopg.Cursor[Any], table: RawTable) -> Outlook:
    """Changes nothing."""
    there = _columns(cursor, table)
    if not there:
        return Outlook(is_new=True)
    added = tuple(column for column, _ in table.columns if column not in there)
    elsewhere = _read_elsewhere(cursor, table, there)
    return Outlook(False, added, tuple(column for column, _ in table.columns if column in elsewhere))


def name(table: RawTable) -> Identifier:
    return Identifier(table.schema, table.name)


def history(table: RawTable) -> Identifier:
    return Identifier(table.schema, f"{table.name}_history")


def key_columns(table: RawTable) -> tuple[str, ...]:
    """The key within an account; an observed record's includes when it was observed."""
    return (*table.key, "_observed_at") if table.observe else table.key


def names(columns: Iterable[str], prefix: str = "") -> Composed:
    """A comma-separated list of quoted columns, each behind `prefix`."""
    return SQL(", ").join(SQL(prefix) + Identifier(column) for column in columns)


def as_text(table: RawTable, alias: str, column: str) -> Composed:
    """A key column as text, spelled as in `RawRow.key`: a boolean is `t` or `f` there, and `true` when cast."""
    shown = SQL("left({}.{}::text, 1)") if dict(table.columns).get(column) == "boolean" else SQL("{}.{}::text")
    return shown.format(Identifier(alias), Identifier(column))


def sql_type(table: RawTable, column: str) -> SQL:
    declared = dict(table.columns)
    return SQL(TYPES[declared[column]] if column in declared else "timestamp with time zone")


def _columns(cursor: psycopg.Cursor[Any], table: RawTable) -> dict[str, str]:
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (name(table).as_string(cursor),),
    )
    return dict(cursor.fetchall())


def _create(cursor: psycopg.Cursor[Any], table: RawTable) -> None:
    sequence = Identifier(table.schema, "_seq")
    key = names(("_account", *key_columns(table)))
    declared = [
        SQL("{} {}").format(Identifier(column), SQL(TYPES[kind])) for column, kind in table.columns
    ]  # fmt: skip
    observed = [SQL("_observed_at timestamptz NOT NULL")] if table.observe else []
    keys = [SQL("{} {} NOT NULL").format(Identifier(column), sql_type(table, column)) for column in key_columns(table)]
    account = SQL("_account integer NOT NULL")
    bookkeeping = SQL(
        "payload jsonb NOT NULL, _hash bytea NOT NULL, _received bytea, _seq bigint NOT NULL DEFAULT nextval({}),"
        " _run_id integer NOT NULL, _fetched_at timestamptz NOT NULL"
    ).format(sql.Literal(sequence.as_string(cursor)))
    former = SQL(
        "payload jsonb NOT NULL, _hash bytea NOT NULL, _received bytea, _seq bigint NOT NULL,"
        ' _run_id integer NOT NULL, _fetched_at timestamptz NOT NULL, _op "char" NOT NULL,'
        " _ended_at timestamptz NOT NULL, _ended_run integer NOT NULL"
    )
    comma = SQL(", ")
    cursor.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(table.schema)))
    cursor.execute(SQL("CREATE SEQUENCE IF NOT EXISTS {}").format(sequence))
    cursor.execute(
        SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
            name(table), comma.join([account, *observed, *declared, bookkeeping]), key
        )
    )
    by_seq = names(("_account", "_seq"))
    cursor.execute(SQL("CREATE INDEX ON {} ({})").format(name(table), by_seq))
    cursor.execute(
        SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}, _seq))").format(
            history(table), comma.join([account, *keys, former]), key
        )
    )
    cursor.execute(SQL("CREATE INDEX ON {} ({}) WHERE _op = 'D'").format(history(table), by_seq))
    _note_paths(cursor, table)


def _widen(cursor: psycopg.Cursor[Any], table: RawTable, there: dict[str, str], fill: Fill) -> Prepared:
    for column, kind in table.columns:
        if column in there and there[column] != TYPES[kind]:
            change = SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {} USING {}::{}").format(
                name(table), Identifier(column), SQL(TYPES[kind]), Identifier(column), SQL(TYPES[kind])
            )
            raise WrongUse(
                f"{table.schema}.{table.name}.{column} is {there[column]} in the database and {kind} in the connector."
                f" To change it: {change.as_string(cursor)}"
            )
    _refuse_another_key(cursor, table)
    new = [column for column, _ in table.columns if column not in there]
    read_elsewhere = _read_elsewhere(cursor, table, there)
    if moved := read_elsewhere.intersection(table.key):
        raise WrongUse(
            f"{table.schema}.{table.name}: the key column {', '.join(sorted(moved))} is read from another path than the"
            f" stored records were. A key cannot change under them: drop the table (and {table.name}_history) and run"
            " with --full, or give the resource another name."
        )
    added = tuple(column for column, _ in table.columns if column in new or column in read_elsewhere)
    for column in new:
        cursor.execute(
            SQL("ALTER TABLE {} ADD COLUMN {} {}").format(name(table), Identifier(column), sql_type(table, column))
        )
    if added:
        _fill(cursor, table, added, fill)
        _note_paths(cursor, table)
    declared = {column for column, _ in table.columns}
    undeclared = tuple(c for c in there if c not in declared and c != "payload" and not c.startswith("_"))
    return Prepared(added, undeclared)


def _indexes(cursor: psycopg.Cursor[Any], table: RawTable) -> list[tuple[bool, tuple[str, ...]]]:
    """Whether it is the primary key, and its columns, of each index."""
    cursor.execute(
        "SELECT i.indisprimary, array_agg(a.attname::text ORDER BY k.at) FROM pg_index i,"
        " unnest(i.indkey) WITH ORDINALITY AS k(number, at) JOIN pg_attribute a ON a.attnum = k.number"
        " WHERE i.indrelid = to_regclass(%s) AND a.attrelid = i.indrelid GROUP BY i.indexrelid, i.indisprimary",
        (name(table).as_string(cursor),),
    )
    return [(is_primary, tuple(columns)) for is_primary, columns in cursor.fetchall()]


def _note_paths(cursor: psycopg.Cursor[Any], table: RawTable) -> None:
    """Each column's comment says what it was filled from, so that a change of that is noticed."""
    for column, said in _said(table).items():
        cursor.execute(SQL("COMMENT ON COLUMN {}.{} IS {}").format(name(table), Identifier(column), sql.Literal(said)))


def _read_elsewhere(cursor: psycopg.Cursor[Any], table: RawTable, there: dict[str, str]) -> set[str]:
    """Columns that are there, but were filled from another path or as another type."""
    cursor.execute(
        "SELECT attname::text, col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        (name(table).as_string(cursor),),
    )
    noted = dict(cursor.fetchall())
    return {column for column, said in _said(table).items() if column in there and noted[column] != said}


def _said(table: RawTable) -> dict[str, str]:
    return {column: f"{path} as {kind}" for (column, kind), path in zip(table.columns, table.paths, strict=False)}


def _refuse_another_key(cursor: psycopg.Cursor[Any], table: RawTable) -> None:
    stands = next((columns[1:] for is_primary, columns in _indexes(cursor, table) if is_primary), ())
    if stands != key_columns(table):
        raise WrongUse(
            f"{table.schema}.{table.name} has the key [{', '.join(stands)}], the connector says"
            f" [{', '.join(key_columns(table))}]. A key cannot change under stored records: drop the table"
            f" (and {table.name}_history) and run with --full, or give the resource another name."
        )


def _fill(cursor: psycopg.Cursor[Any], table: RawTable, added: tuple[str, ...], fill: Fill) -> None:
    positions = [index for index, (column, _) in enumerate(table.columns) if column in added]
    columns = SQL(", ").join(SQL("{} {}").format(Identifier(c), sql_type(table, c)) for c in added)
    make = SQL("CREATE TEMP TABLE _fill (_account int, _seq bigint, {}, PRIMARY KEY (_account, _seq)) ON COMMIT DROP")
    cursor.execute(make.format(columns))
    update = SQL("UPDATE {} r SET {} FROM _fill f WHERE r._account = f._account AND r._seq = f._seq").format(
        name(table), SQL(", ").join(SQL("{} = f.{}").format(Identifier(c), Identifier(c)) for c in added)
    )
    for batch in _payloads(cursor, table):
        with cursor.copy(SQL("COPY _fill (_account, _seq, {}) FROM STDIN").format(names(added))) as copy:
            for account, seq, payload in batch:
                values = fill(account, payload)
                copy.write_row((account, seq, *(values[position] for position in positions)))
        cursor.execute(update)
        cursor.execute("TRUNCATE _fill")


def _payloads(cursor: psycopg.Cursor[Any], table: RawTable) -> Iterator[list[tuple[int, int, bytes]]]:
    after = (0, 0)
    page = SQL(
        "SELECT _account, _seq, convert_to(payload::text, 'UTF8') FROM {} WHERE (_account, _seq) > (%s, %s)"
        " ORDER BY _account, _seq LIMIT %s"
    ).format(name(table))
    while batch := cursor.execute(page, (*after, BATCH)).fetchall():
        yield batch
        after = batch[-1][:2]
