"""A canonical row's way back: its record, the reading of every column, the run, window and request that brought it.

Values of records may be shown here and nowhere else. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hde.canonical import METRICS, TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import compile_mapping
from hde.mapping.trace import RowTrace, Trace, trace
from hde.mapping.watch import ColumnRead
from hde.rows import RawTable
from hde.spec.load import Source
from hde.spec.mapping import Mapping as OneMapping
from hde.steps.explain.why_column import ColumnWhy, column_why
from hde.steps.explain.why_record import RecordWhy, record_why
from hde.steps.map_raw import Mapper, mapper_of
from hde.steps.read_windows import raw_tables
from hde.store import journal
from hde.store import why as stored
from hde.store.database import Connection
from hde.store.journal import Account
from hde.store.why import Run

Sources = Callable[[str], Source | None]
"""The connector of a name as its files are now; None where they are not there any more."""


@dataclass(frozen=True)
class Question:
    """One row of a canonical table. `part`, `mapping` and `account` narrow it down where several have the key."""

    table: str
    key: str
    part: str | None = None
    mapping: str | None = None
    account: str | None = None

    @property
    def narrowed(self) -> dict[str, object]:
        known = {"raw_source_id": self.key, "part": self.part, "mapping": self.mapping}
        return {column: value for column, value in known.items() if value is not None}


@dataclass(frozen=True)
class Issue:
    """Something wrong with a record, with what the source said at that path."""

    origin: str
    path: str
    rule: str
    level: str
    values: list[object]


@dataclass
class RowWhy:
    """One canonical row, explained as far as its files are still there."""

    table: str
    stored: Mapping[str, Any]
    """The row with its lineage columns."""
    columns: list[ColumnWhy] = field(default_factory=list)
    record: RecordWhy | None = None
    counterparts: dict[str, RecordWhy | None] = field(default_factory=dict)
    """Records named in `with`; None where not there."""
    issues: list[Issue] = field(default_factory=list)
    mapped_run: Run | None = None
    notes: list[str] = field(default_factory=list)
    """What makes this row other than a rebuild of today would make it."""


@dataclass(frozen=True)
class NoRow:
    """Why one mapping made no such row of a record with this key."""

    mapping: str
    account: str
    reason: str
    record: RecordWhy | None = None
    issues: list[Issue] = field(default_factory=list)
    asked: list[tuple[str, object]] = field(default_factory=list)
    """What the conditions (`when`) read, where they leave the row out."""


@dataclass
class Answer:
    """The row where exactly one matches, all that match where there are several, the reasons where there is none."""

    rows: list[Mapping[str, Any]] = field(default_factory=list)
    row: RowWhy | None = None
    missing: list[NoRow] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)


def why(connection: Connection, question: Question, sources: Sources, present: list[str]) -> Answer:
    """`present` are the connectors in reach, asked where there is no row to say whose it would be."""
    rows = stored.canonical_rows(connection, question.table, question.narrowed)
    if question.account is not None:
        rows = [row for row in rows if row["external_id"] == question.account]
    answer = Answer(rows=list(rows))
    if len(rows) == 1:
        answer.row = _row(connection, question.table, rows[0], sources)
    elif not rows:
        for name in present:
            source = sources(name)
            if source is not None:
                answer.missing += _reasons(connection, question, source)
        answer.similar = stored.similar_keys(connection, question.table, question.key)
    return answer


def _row(connection: Connection, table: str, row: Mapping[str, Any], sources: Sources) -> RowWhy:
    found = RowWhy(table, row, mapped_run=stored.run(connection, row["run_id"]))
    source = sources(row["source_system"])
    mapping = _mapping(source, row["mapping"]) if source else None
    account = _account(connection, row["source_system"], row["account"])
    if source is None or account is None:
        found.notes.append(f"There is no connector {row['source_system']} here: only what is stored can be shown.")
        return found
    if mapping is None or mapping.from_ not in source.connector.resources:
        found.notes.append(f"The mapping {row['mapping']} is gone from the YAML: the next run takes this row away.")
        return found
    reading = _Reading(connection, source, mapping, account, row["raw_source_id"])
    found.record, found.counterparts = reading.record, reading.counterparts
    if reading.trace is None:
        found.notes.append("Its record is not in the raw table any more: the next run takes this row away.")
        return found
    found.issues = reading.issues()
    traced = reading.trace.of(table, row["part"])
    found.columns = list(_columns(reading, table, row, traced))
    found.notes += _versions(reading, row, traced, found.columns)
    return found


def _columns(reading: _Reading, table: str, row: Mapping[str, Any], traced: RowTrace | None) -> Iterator[ColumnWhy]:
    values = dict(zip([one.name for one in TABLES[table].columns], traced.row.values, strict=True)) if (
        traced and traced.row
    ) else {}  # fmt: skip
    file = reading.source.mapping_files[reading.mapping.name]
    metric = METRICS.get(str(row.get("metric")))
    target = reading.mapping.to.get(table)
    for column in TABLES[table].columns:
        read: ColumnRead | None = traced.columns.get(column.name) if traced else None
        unit = metric.unit if metric and column.name == "value" else column.unit
        yield column_why(
            column, unit, row, read, file, target, traced.rows if traced else None,
            changed={"now": values[column.name]} if values and values[column.name] != row[column.name] else {},
        )  # fmt: skip


def _versions(
    reading: _Reading, row: Mapping[str, Any], traced: RowTrace | None, columns: list[ColumnWhy]
) -> Iterator[str]:
    """How the row stands to the mapping and the record as they are now."""
    record = reading.record
    assert record is not None
    mark = stored.mapped_up_to(reading.connection, reading.mapping.name, reading.account.id, reading.mapping.from_)
    is_behind = mark is not None and record.version.seq > mark
    if is_behind:
        yield "The record changed after this row was written; the next run maps it again."
    if row["mapping_hash"] != reading.mapper.reader.version[:16]:
        same = traced is not None and not any(column.would_change for column in columns)
        what = "would write the same row" if same else "would not"
        yield f"The mapping was edited since this row was written; as it is now, it {what}. `hde plan` shows the rest."
    if traced is None:
        yield "As the mapping and the record are now, they make no such row."
    elif any(column.would_change for column in columns) and not is_behind:
        yield "Values marked `now` differ from what a rebuild would give: hde remap " + reading.source.connector.name


class _Reading:
    """A record of one mapping, mapped once more under watch."""

    def __init__(self, connection: Connection, source: Source, mapping: OneMapping, account: Account, key: str) -> None:
        tables = raw_tables(source.connector)
        self.connection, self.source, self.mapping, self.account = connection, source, mapping, account
        self.mapper: Mapper = mapper_of(compile_mapping(mapping), tables, account, run=0)
        self.record = record_why(connection, source, tables[mapping.from_], account, key)
        self.counterparts = self._counterparts(tables, key)
        self.trace: Trace | None = None
        if self.record is not None and not self.record.version.vanished:
            self.trace = trace(
                mapping,
                self.record.version.payload,
                row={"observed_at": self.record.version.observed_at},
                references={
                    name: None if one is None else one.version.payload for name, one in self.counterparts.items()
                },
                account=account.values,
            )

    def _counterparts(self, tables: Mapping[str, RawTable], key: str) -> dict[str, RecordWhy | None]:
        found: dict[str, RecordWhy | None] = {}
        table = tables[self.mapping.from_]
        for name, reference in self.mapping.with_.items():
            other = stored.column_text(self.connection, table, self.account.id, key, reference.key)
            one = other and record_why(self.connection, self.source, tables[reference.from_], self.account, other)
            found[name] = one if one and not one.version.vanished else None
        return found

    def issues(self) -> list[Issue]:
        """Those on file, with what stands at their paths now."""
        assert self.record is not None
        on_file = stored.issues_of(self.connection, self.account.id, self.mapping.from_, self.record.version.key)
        return [
            Issue(one.origin, one.path, one.rule, one.level, self._values(one.origin, one.path))
            for one in on_file
            if one.origin in ("raw", self.mapping.name)
        ]

    def _values(self, origin: str, path: str) -> list[object]:
        if origin == "raw" or self.trace is None:
            return []
        return self.trace.seen(path)[:1]


def _reasons(connection: Connection, question: Question, source: Source) -> Iterator[NoRow]:
    for mapping in source.mappings:
        if question.table not in mapping.to or question.mapping not in (None, mapping.name):
            continue
        for account in journal.accounts(connection, source.connector.name):
            if question.account in (None, account.external_id):
                found = _reason(_Reading(connection, source, mapping, account, question.key), question)
                if found is not None:
                    yield found


def _reason(reading: _Reading, question: Question) -> NoRow | None:
    """None where the mapping never saw a record with this key."""
    record, mapping, account = reading.record, reading.mapping, reading.account.external_id
    if record is None:
        return None
    if record.version.vanished:
        return NoRow(mapping.name, account, "the source no longer has this record: it moved to history", record)
    assert reading.trace is not None
    made = [row.part for row in reading.trace.mapped.rows if row.table == question.table]
    errors = [issue for issue in reading.trace.mapped.issues if issue.level == "error"]
    if reading.trace.mapped.waiting:
        waits = [f"{name} ({ref.key})" for name, ref in mapping.with_.items() if reading.counterparts[name] is None]
        return NoRow(mapping.name, account, f"it waits for another record: {', '.join(waits)}", record)
    if errors:
        issues = [
            Issue(mapping.name, one.path, one.rule, one.level, reading.trace.seen(one.path)[:1]) for one in errors
        ]
        return NoRow(mapping.name, account, "an issue keeps its rows from being made", record, issues)
    if question.part is not None and made and question.part not in made:
        parts = ", ".join(part or "''" for part in made)
        return NoRow(mapping.name, account, f"the record makes no part {question.part!r}; it makes {parts}", record)
    if made:
        return NoRow(mapping.name, account, "it is not mapped yet: the next run, or hde remap, does that", record)
    reason = "the mapping makes no such row of it: `when`, `optional` or `unknown: skip` leave it out"
    return NoRow(mapping.name, account, reason, record, asked=list(reading.trace.asked))


def raw_why(
    connection: Connection, question: Question, source: Source, resource: str
) -> list[tuple[RecordWhy, list[Issue]]]:
    """The same for a raw record: of each account that has it."""
    table = raw_tables(source.connector)[resource]
    found: list[tuple[RecordWhy, list[Issue]]] = []
    for account in journal.accounts(connection, source.connector.name):
        record = record_why(connection, source, table, account, question.key)
        if record is not None and question.account in (None, account.external_id):
            on_file = stored.issues_of(connection, account.id, resource, question.key)
            found.append((record, [Issue(one.origin, one.path, one.rule, one.level, []) for one in on_file]))
    return found


def table_of(name: str) -> str | None:
    """The canonical table meant, with or without its schema; None where it is a raw one."""
    plain = name.removeprefix("canonical.")
    if plain in TABLES:
        return plain
    if name.startswith("canonical."):
        raise WrongUse(f"There is no table {name}. There are: {', '.join(TABLES)}")
    return None


def _mapping(source: Source, name: str) -> OneMapping | None:
    return next((one for one in source.mappings if one.name == name), None)


def _account(connection: Connection, connector: str, number: int) -> Account | None:
    return next((one for one in journal.accounts(connection, connector) if one.id == number), None)
