"""The tables of `meta` and `canonical`, for Alembic to compare against. Raw tables come from connectors.

Canonical and raw tables have no foreign key to the account: checking it would cost every row as much as storing it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSTZMULTIRANGE
from sqlalchemy.types import TypeEngine

from hde.canonical import TABLES
from hde.canonical import Column as CanonicalColumn
from hde.canonical import Table as CanonicalTable

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "text": Text, "offset": Text, "int": Integer, "float": Double, "boolean": Boolean, "date": Date,
    "day": Date, "coding": Text, "reference": Text, "verbatim": Text,
}  # fmt: skip
_INSTANT = TIMESTAMP(timezone=True)


def _instant(name: str, about: str, **options: object) -> Column[object]:
    return Column(name, _INSTANT, comment=about, **options)  # type: ignore[arg-type]  # Column's ** are untyped


def _account(**options: object) -> Column[object]:
    return Column("account", Integer, ForeignKey("meta.connections.id", ondelete="CASCADE"), **options)  # type: ignore[arg-type]  # as above


connections = Table(
    "connections",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True, comment="the account everywhere else"),
    Column("connector", Text, nullable=False),
    Column("external_id", Text, nullable=False, comment="the provider's own id; stands only here"),
    Column("kept", JSONB, nullable=False, server_default=text("'{}'"), comment="further fields of the account request"),
    Column(
        "status", Text, nullable=False, server_default="connected", comment="connected, sign-in needed, disconnected"
    ),
    _instant("created_at", "first sign-in", nullable=False, server_default=text("now()")),
    Column(
        "origins",
        ARRAY(Text),
        comment="where its requests went when somebody last signed in; null: before that was kept",
    ),
    Column("tenant", JSONB, comment="the place of a directory it was signed in to, and the settings that lead there"),
    UniqueConstraint("connector", "external_id"),
    schema="meta",
    comment="Accounts: one connector, one person or tenant at that source.",
)

tokens = Table(
    "tokens",
    metadata,
    Column("connector", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("sealed", Text, nullable=False, comment="encrypted; the key is kept outside the database"),
    Column("generation", Integer, nullable=False),
    Column("refreshing_since", Double, comment="seconds since the epoch; set before a refresh request goes out"),
    schema="meta",
    comment="Tokens, where HDE_TOKEN_STORE=database.",
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("command", Text, nullable=False, comment="run, remap, daily-refresh"),
    Column("connector", Text, nullable=False),
    _account(index=True),
    _instant("started_at", "when it began", nullable=False, server_default=text("now()")),
    _instant("finished_at", "null: running, or killed"),
    Column("outcome", Text, comment="done, owing, failed, stopped"),
    Column("report", JSONB, comment="the closing table, as data"),
    schema="meta",
    comment="One row per command.",
)

streams = Table(
    "streams",
    metadata,
    _account(primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("parent", Text, primary_key=True, server_default="", comment="the element of a fan-out"),
    Column("covered", TSTZMULTIRANGE, nullable=False, server_default=text("'{}'"), comment="time read to its end"),
    _instant("begins_at", "where history begins; null: no beginning is declared"),
    _instant("snapshot_at", "when a resource without windows was last read whole"),
    Column("bookmark", JSONB, comment="what the source gave to ask for changes with, after a complete pass"),
    Column("request_hash", Text, comment="of the request part of the YAML"),
    schema="meta",
    comment="What has been read, per resource: the state from which what is owed is computed.",
)

windows = Table(
    "windows",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    _account(nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("resource", Text, nullable=False),
    Column("parent", Text, nullable=False, server_default=""),
    _instant("start_at", "null: no beginning, or a snapshot"),
    _instant("end_at", "null: a snapshot"),
    _instant("asked_at", "when it was asked, by the earlier of our clock and the server's", nullable=False),
    Column("state", Text, nullable=False, comment="open, done, failed, dropped"),
    Column("cursor", JSONB, comment="where the next page begins"),
    _instant("cursor_at", "when that cursor was received"),
    Column("request_hash", Text, nullable=False),
    *(
        Column(name, Integer, nullable=False, server_default=text("0"))
        for name in ("requests", "pages", "new", "changed", "unchanged", "vanished")
    ),
    Column("stopped_because", Text, comment="why paging ended"),
    Column("warnings", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="the source's own words"),
    Column("error", Text),
    Column("seconds", Double, nullable=False, server_default=text("0")),
    _instant("ended_at", "when it was done, failed or dropped"),
    Index(None, "account", "resource", "state"),
    schema="meta",
    comment="The completeness ledger. History, not state: pruned after 90 days.",
)

exports = Table(
    "exports",
    metadata,
    _account(primary_key=True),
    Column("name", Text, primary_key=True, comment="as the connector calls it"),
    _instant("ordered_at", "when the source was asked for it", nullable=False),
    Column("request_hash", Text, nullable=False, comment="of the request that ordered it"),
    Column("kept", JSONB, nullable=False, comment="what the source said that later requests need"),
    Column("bookmark", JSONB, comment="what it was asked to begin after; null: everything"),
    schema="meta",
    comment="Exports that are under way, or not yet stored to their end.",
)

consumers = Table(
    "consumers",
    metadata,
    Column("mapping", Text, primary_key=True),
    _account(primary_key=True),
    Column("raw_table", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, server_default=text("0"), comment="mapped up to here"),
    Column("mapping_hash", Text, nullable=False),
    Column("targets", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="canonical tables it wrote"),
    schema="meta",
    comment="How far each mapping has read each raw table.",
)

owed_records = Table(
    "owed_records",
    metadata,
    _account(primary_key=True),
    Column("queue", Text, primary_key=True, comment="for_each or when_stored, and the resource"),
    Column("seq", BigInteger, primary_key=True, comment="_seq of the raw record whose request failed"),
    Column("error", Text, nullable=False),
    _instant("since", "when it first failed", nullable=False, server_default=text("now()")),
    schema="meta",
    comment="Records whose own request (a fan-out's, a receipt) failed: asked again by the next run, one by one.",
)

budgets = Table(
    "budgets",
    metadata,
    Column("scope", Text, primary_key=True, comment="whose limit it is"),
    Column("seconds", Integer, primary_key=True, comment="length of the limit's period; 0: the source said wait"),
    Column("slot", BigInteger, primary_key=True, comment="which slice of time"),
    Column("spent", Integer, nullable=False),
    schema="meta",
    comment="Requests counted ahead, shared by all processes.",
)

issues = Table(
    "issues",
    metadata,
    _account(primary_key=True),
    Column("origin", Text, primary_key=True, comment="raw, or the name of a mapping"),
    Column("raw_table", Text, primary_key=True),
    Column("record", Text, primary_key=True, comment="the raw key as text"),
    Column("path", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("json_type", Text, nullable=False),
    Column("length", Integer),
    Column("run_id", Integer, nullable=False),
    _instant("first_seen", "", nullable=False, server_default=text("now()")),
    _instant("last_seen", "", nullable=False, server_default=text("now()")),
    _instant("closed_at", "when the record read well again"),
    schema="meta",
    comment="What is wrong inside records: where, which rule, which JSON type; never the value.",
)

person_accounts = Table(
    "person_accounts",
    metadata,
    _account(primary_key=True),
    Column("person", Integer, nullable=False, comment="accounts of one person share it; by default the account itself"),
    _instant("linked_at", "when somebody said that it belongs to this person; null: nobody did"),
    schema="canonical",
    comment="Whose account it is.",
)


def _canonical(table: CanonicalTable) -> Table:
    key = ("account", "mapping", "raw_source_id", "part")
    lineage = (
        Column("account", Integer, primary_key=True, autoincrement=False, comment="a row of meta.connections"),
        Column("mapping", Text, primary_key=True, comment="the mapping that wrote it: SOURCE/RESOURCE"),
        Column("raw_source_id", Text, primary_key=True, comment="the raw record's key; a compound one as a JSON array"),
        Column("part", Text, primary_key=True, server_default="", comment="tells several rows of one record apart"),
    )
    bookkeeping = (
        Column("source_system", Text, nullable=False, comment="the connector"),
        Column("raw_table", Text, nullable=False),
        Column("mapping_hash", Text, nullable=False, comment="version of the mapping that wrote this row"),
        Column("run_id", Integer, nullable=False),
        _instant("mapped_at", "when this row was written", nullable=False),
        Column("_hash", LargeBinary, nullable=False, comment="of the business columns"),
    )
    names = [column.name for column in table.columns]
    what = next((name for name in ("metric", "analyte") if name in names), None)
    by_time = [name for name in (what, "start_time") if name in names]
    return Table(
        table.name,
        metadata,
        *lineage,
        *(_business(column) for column in table.columns),
        *bookkeeping,
        *([Index(None, key[0], *by_time)] if by_time else []),
        schema="canonical",
        comment=table.about,
    )


def _business(column: CanonicalColumn) -> Column[object]:
    about = f"{column.about} [{column.unit}]" if column.unit else column.about
    kind = _INSTANT if column.type in ("timestamptz", "moment") else _TYPES[column.type]()
    return Column(column.name, kind, nullable=not column.required, comment=about)


CANONICAL = {name: _canonical(table) for name, table in TABLES.items()}
