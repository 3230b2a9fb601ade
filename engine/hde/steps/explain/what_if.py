"""What the mappings as they are written now would change in the canonical rows that are there. Writes nothing.

Each batch is read in one short transaction of its own, up to the records there were at the beginning: no lock is held
that a run beside it would wait for, and what arrives meanwhile is left to that run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from hde.canonical import TABLES
from hde.issues import Issue
from hde.mapping.compiled import compile_mapping
from hde.rows import RawTable
from hde.spec.load import Source
from hde.spec.mapping import Mapping as OneMapping
from hde.steps.map_raw import Mapper, lineage, map_records, mapper_of
from hde.steps.read_windows import raw_tables as tables_of
from hde.store import canonical, consumers, issues, journal, raw_tables, stored_records
from hde.store.canonical import Difference, Written, changed_columns
from hde.store.consumers import Batch
from hde.store.database import Connection, reading
from hde.store.journal import Account
from hde.store.merge import Cursor
from hde.store.raw_tables import Outlook

NEW, EDITED, SAME, GONE = "new", "edited", "as it was", "gone"


@dataclass
class Found:
    """How many there are, and the first few of them."""

    count: int = 0
    samples: list[object] = field(default_factory=list)

    def add(self, sample: object, keep: int) -> None:
        self.count += 1
        if len(self.samples) < keep:
            self.samples.append(sample)


@dataclass(frozen=True)
class Value:
    """One value that would change. `part` tells the rows of one record apart."""

    record: str
    part: str
    was: object
    now: object


@dataclass
class TableChange:
    """What would happen to the rows of one mapping in one canonical table."""

    table: str
    written: Written = field(default_factory=Written)
    columns: dict[str, Found] = field(default_factory=dict)
    """By column, the values that would change."""
    added: Found = field(default_factory=Found)
    removed: Found = field(default_factory=Found)
    """Their samples are (record, part)."""

    @property
    def is_any(self) -> bool:
        return bool(self.written.new or self.written.removed or self.written.changed)


@dataclass
class MappingChange:
    """One mapping of one account."""

    mapping: str
    account: str
    version: str
    """new, edited, as it was, or gone (from the YAML)."""
    raw_table: str = ""
    records: int = 0
    due: int = 0
    """Records that arrived after this mapping last looked: the next run maps them anyway."""
    waiting: Found = field(default_factory=Found)
    tables: dict[str, TableChange] = field(default_factory=dict)
    opened: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    closed: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    """By path, rule and level; samples are records."""
    note: str = ""

    @property
    def is_any(self) -> bool:
        return bool(self.opened or self.closed or any(table.is_any for table in self.tables.values()))


@dataclass
class WhatIf:
    """Everything that would change. `accounts` is 0 where nothing is stored yet."""

    connector: str
    accounts: int
    raw: dict[str, Outlook] = field(default_factory=dict)
    mappings: list[MappingChange] = field(default_factory=list)

    @property
    def is_any(self) -> bool:
        return bool(self.raw) or any(mapping.is_any for mapping in self.mappings)


def what_if(connection: Connection, source: Source, *, samples: int) -> WhatIf:
    """Hold what every mapping makes of the stored records against the rows that are there; `samples` of each kept."""
    tables = tables_of(source.connector)
    known = journal.accounts(connection, source.connector.name)
    connection.commit()
    result = WhatIf(source.connector.name, len(known))
    with reading(connection) as cursor:
        outlooks = {name: raw_tables.outlook(cursor, table) for name, table in tables.items()}
    result.raw = {
        name: one for name, one in outlooks.items() if known and not one.is_new and (one.added or one.refilled)
    }
    for account in known:
        for mapping in source.mappings:
            result.mappings.append(_mapping_change(connection, mapping, tables, outlooks, account, samples))
        result.mappings += _gone(connection, source, account, result.mappings)
    return result


def _mapping_change(
    connection: Connection,
    mapping: OneMapping,
    tables: Mapping[str, RawTable],
    outlooks: Mapping[str, Outlook],
    account: Account,
    samples: int,
) -> MappingChange:
    mapper = mapper_of(compile_mapping(mapping), tables, account, run=0)
    with reading(connection) as cursor:
        state = consumers.state(cursor, mapper.reader, account.id)
    version = NEW if state.mapping_hash is None else SAME if state.mapping_hash == mapper.reader.version else EDITED
    raw = mapper.reader.table
    change = MappingChange(mapping.name, account.external_id, version, f"{raw.schema}.{raw.name}")
    change.tables = {table: TableChange(table) for table in TABLES if table in mapper.reader.targets}
    change.note = _cannot_say(mapper, outlooks)
    if change.note:
        return change
    comparison = _Comparison(mapper, change, samples)
    with reading(connection) as cursor:
        last = stored_records.last_seq(cursor, raw, account.id)
    mark = state.seq.get(raw.name, 0)
    for batch in _batches(connection, mapper, last):
        change.due += sum(seq > mark for seq, _ in batch[1]) if version != NEW else 0
        comparison.take(*batch)
    _count_left(connection, mapper, change, set(state.targets), samples)
    return change


def _cannot_say(mapper: Mapper, outlooks: Mapping[str, Outlook]) -> str:
    """Why nothing can be compared; empty where it can."""
    for table in mapper.reader.tables:
        if outlooks[table.name].is_new:
            return f"{table.schema}.{table.name} is not there yet: the next run makes it"
    here = outlooks[mapper.reader.table.name]
    for refers in mapper.reader.refers:
        if refers.column in (*here.added, *here.refilled):
            return f"with {refers.name}: the raw column {refers.column} is not filled yet: the next run does that"
    return ""


def _batches(
    connection: Connection, mapper: Mapper, last: int
) -> Iterator[tuple[Cursor, list[tuple[int, consumers.Due]]]]:
    mark = 0
    while True:
        with reading(connection) as cursor:
            records = stored_records.after(cursor, mapper.reader, mapper.account, mark, last)
            if not records:
                return
            yield cursor, records
        mark = records[-1][0]


@dataclass
class _Comparison:
    mapper: Mapper
    change: MappingChange
    samples: int

    def take(self, cursor: Cursor, records: list[tuple[int, consumers.Due]]) -> None:
        """Map a batch and hold it against what is stored."""
        due = [one for _, one in records]
        result = map_records(self.mapper, Batch(due, [], self.mapper.reader.table.name, records[-1][0]))
        self.change.records += len(due)
        for key in result.waiting:
            self.change.waiting.add(key, self.samples)
        for table, rows in result.tables.items():
            into = self.change.tables[table]
            tell = partial(self._differs, into)
            written = canonical.compare(cursor, table, lineage(self.mapper), rows, tell)
            into.written.add(written)
        self._issues(cursor, result.issues)

    def _differs(self, into: TableChange, difference: Difference) -> None:
        if difference.kind == "changed":
            for column, (was, now) in changed_columns(into.table, difference).items():
                sample = Value(difference.record, difference.part, was, now)
                into.columns.setdefault(column, Found()).add(sample, self.samples)
            return
        found = into.added if difference.kind == "added" else into.removed
        found.add((difference.record, difference.part), self.samples)

    def _issues(self, cursor: Cursor, found: Mapping[str, Iterable[Issue]]) -> None:
        mapper = self.mapper
        stored = issues.open_of(cursor, mapper.account, mapper.reader.mapping, mapper.reader.table.name, found)
        for record, now in found.items():
            before = stored.get(record, {})
            present = {(issue.path, issue.rule): issue.level for issue in now}
            for into, one, other in ((self.change.opened, present, before), (self.change.closed, before, present)):
                for (path, rule), level in one.items():
                    if (path, rule) not in other:
                        into.setdefault((path, rule, level), Found()).add(record, self.samples)


def _count_left(connection: Connection, mapper: Mapper, change: MappingChange, former: set[str], samples: int) -> None:
    """Rows that no record makes any more: of records that are not there, and in tables the mapping no longer names."""
    for target in mapper.reader.targets:
        at: stored_records.Key | None = stored_records.FIRST
        while at:
            with reading(connection) as cursor:
                keys, at = stored_records.left_behind(cursor, target, mapper.reader, mapper.account, at)
            for key in keys:
                change.tables[target].removed.add(key, samples)
            change.tables[target].written.removed += len(keys)
    with reading(connection) as cursor:
        for target in sorted(former - set(mapper.reader.targets)):
            count = canonical.count_mapping(cursor, target, mapper.account, mapper.reader.mapping)
            change.tables[target] = _all_removed(target, count)


def _gone(
    connection: Connection, source: Source, account: Account, present: Iterable[MappingChange]
) -> Iterator[MappingChange]:
    """Mappings that are no longer in the YAML: their rows would go with them."""
    names = [mapping.name for mapping in source.mappings]
    with reading(connection) as cursor:
        found: dict[str, MappingChange] = {}
        for mapping, table in consumers.orphaned(cursor, source.connector.name, account.id, names):
            change = found.setdefault(mapping, MappingChange(mapping, account.external_id, GONE))
            change.tables[table] = _all_removed(table)
        for mapping, change in found.items():
            for one in change.tables.values():
                one.written.removed = canonical.count_mapping(cursor, one.table, account.id, mapping)
            heirs = {new.mapping for new in present if new.version == NEW and set(new.tables) == set(change.tables)}
            change.note = f"{heirs.pop()} is new and writes the same tables: renamed?" if len(heirs) == 1 else ""
    yield from found.values()


def _all_removed(table: str, count: int = 0) -> TableChange:
    return TableChange(table, Written(removed=count))
