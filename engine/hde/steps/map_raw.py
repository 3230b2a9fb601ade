"""Mapping what changed in raw into canonical: due records in batches, each one transaction with its watermark."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from hde.canonical import TABLES
from hde.issues import Issue
from hde.mapping.compiled import CompiledMapping, Mapped
from hde.rows import RawTable
from hde.steps.ahead import one_ahead
from hde.store import canonical, consumers, issues, stored_records
from hde.store.canonical import Lineage, RowsOfRecord, Written
from hde.store.consumers import Batch, Due, Reader, Refers
from hde.store.database import Connection, Database, repeated, transaction
from hde.store.journal import Account
from hde.store.merge import Cursor

_decode = msgspec.json.Decoder(dict[str, Any]).decode
Told = Callable[[str, Written, int], None]
"""Called after each batch with the resource, what was written and how many issues of error level were found."""


@dataclass(frozen=True)
class Mapper:
    """One mapping with everything it needs to run over one account's raw records."""

    compiled: CompiledMapping
    reader: Reader
    account: int
    account_values: Mapping[str, object]
    source_system: str
    run: int


def mapper_of(compiled: CompiledMapping, tables: Mapping[str, RawTable], account: Account, run: int) -> Mapper:
    """Rows that show values of the account are written again when those change: they are part of the version."""
    reader = reader_of(compiled, tables)
    if compiled.named:
        values = json.dumps(account.values, sort_keys=True, default=str)
        reader = replace(reader, version=hashlib.sha256(f"{reader.version} {values}".encode()).hexdigest())
    return Mapper(compiled, reader, account.id, account.values, account.connector, run)


def reader_of(compiled: CompiledMapping, tables: Mapping[str, RawTable]) -> Reader:
    """The mapping as a consumer of raw tables, by resource name."""
    refers = tuple(Refers(r.name, tables[r.from_], r.key) for r in compiled.references)
    return Reader(compiled.name, compiled.version, tables[compiled.from_], refers, compiled.tables)


def map_due(
    database: Database,
    connection: Connection,
    mapper: Mapper,
    told: Told,
    *,
    stop: threading.Event,
    from_start: bool = False,
) -> None:
    """Map all that is due, batch by batch, unless stopped between two. A new version begins from raw's first record."""
    if removed := repeated(lambda: begin(connection, mapper, from_start=from_start)):
        told(mapper.reader.table.name, Written(removed=removed), 0)
    while not stop.is_set():
        count = repeated(lambda: map_batch(lambda: transaction(connection), mapper, told))
        if count is None:
            return
        if count >= consumers.BATCH:
            _map_ahead(database, connection, mapper, told, stop)


def _map_ahead(database: Database, connection: Connection, mapper: Mapper, told: Told, stop: threading.Event) -> None:
    """Many batches: the next one is read and mapped while the last one is being written."""
    with database.connection() as reading, closing(one_ahead(lambda: _prepared(reading, mapper))) as prepared:
        for marks, batch, result in prepared:
            with transaction(connection) as cursor:
                state = consumers.state(cursor, mapper.reader, mapper.account, lock=True)
                if state.seq != marks or state.mapping_hash != mapper.reader.version:
                    return  # somebody else maps the same records: what was prepared is stale
                written = _write(cursor, mapper, batch, result)
            told(mapper.reader.table.name, written, result.errors)
            if stop.is_set():
                return


def _prepared(reading: Connection, mapper: Mapper) -> Iterator[tuple[dict[str, int], Batch, MappedBatch]]:
    """Batches mapped but not written, each with the marks it follows."""
    with transaction(reading) as cursor:
        state = consumers.state(cursor, mapper.reader, mapper.account)
    while True:
        with transaction(reading) as cursor:
            batch = consumers.next_batch(cursor, mapper.reader, mapper.account, state)
        if batch is None:
            return
        yield dict(state.seq), batch, map_records(mapper, batch)
        state.seq[batch.raw_table] = batch.seq


def map_together(connection: Connection, mappers: Sequence[Mapper], told: Told) -> None:
    """Map all that is due in one transaction: a day that was replaced shows whole, or as it was."""
    for mapper in mappers:
        begin(connection, mapper)
    with transaction(connection) as cursor:
        for mapper in mappers:
            while map_batch(lambda: nullcontext(cursor), mapper, told) is not None:
                pass


def begin(connection: Connection, mapper: Mapper, *, from_start: bool = False) -> int:
    """Where the mapping is new, changed, or asked to begin again: watermarks to zero, and rows away that no record
    will replace, be it that their table or their record is not the mapping's any more. How many went.
    """
    removed = 0
    reader, account = mapper.reader, mapper.account
    with transaction(connection) as cursor:
        state = consumers.state(cursor, reader, account, lock=True)
        for former in set(state.targets) - set(reader.targets):
            removed += canonical.delete_mapping(cursor, former, account, reader.mapping)
        if from_start or state.mapping_hash != reader.version:
            for target in reader.targets if state.mapping_hash else ():
                removed += _delete_left_behind(cursor, mapper, target)
            consumers.restart(cursor, reader, account)
    return removed


def _delete_left_behind(cursor: Cursor, mapper: Mapper, target: str) -> int:
    removed = 0
    at: stored_records.Key | None = stored_records.FIRST
    while at:
        keys, at = stored_records.left_behind(cursor, target, mapper.reader, mapper.account, at)
        canonical.delete_rows(cursor, target, mapper.account, mapper.reader.mapping, keys)
        removed += len(keys)
    return removed


def map_batch(open_transaction: Callable[[], AbstractContextManager[Cursor]], mapper: Mapper, told: Told) -> int | None:
    """Map one batch in its own transaction. How many records it held; None when nothing was due."""
    with open_transaction() as cursor:
        state = consumers.state(cursor, mapper.reader, mapper.account, lock=True)
        batch = consumers.next_batch(cursor, mapper.reader, mapper.account, state)
        if batch is None:
            return None
        result = map_records(mapper, batch)
        written = _write(cursor, mapper, batch, result)
    told(mapper.reader.table.name, written, result.errors)
    return len(batch.due)


@dataclass
class MappedBatch:
    """Rows by canonical table and record (a record without rows has none there), and issues by record."""

    tables: dict[str, dict[str, dict[str, canonical.Values]]]
    issues: dict[str, list[Issue]] = field(default_factory=dict)
    errors: int = 0
    waiting: list[str] = field(default_factory=list)
    """Records whose counterpart is not there yet."""


def map_records(mapper: Mapper, batch: Batch) -> MappedBatch:
    keys = [due.key for due in batch.due] + batch.vanished
    result = MappedBatch({table: {key: {} for key in keys} for table in mapper.reader.targets})
    for due in batch.due:
        key, mapped = due.key, _mapped(mapper, due)
        for table, part, values in mapped.rows:
            result.tables[table][key][part] = values
        result.issues[key] = mapped.issues
        if mapped.waiting:
            result.waiting.append(key)
        if mapped.issues:
            result.errors += any(issue.level == "error" for issue in mapped.issues)
    for key in batch.vanished:
        result.issues[key] = []
    return result


def _mapped(mapper: Mapper, due: Due) -> Mapped:
    record = _decode(due.payload)
    if not mapper.compiled.named:
        return mapper.compiled.map(record)
    references = {
        refers.name: None if other is None else _decode(other)
        for refers, other in zip(mapper.reader.refers, due.references, strict=True)
    }
    return mapper.compiled.map(
        record, row={"observed_at": due.observed_at}, references=references, account=mapper.account_values
    )


def _write(cursor: Cursor, mapper: Mapper, batch: Batch, result: MappedBatch) -> Written:
    """Rows, issues and the watermark that stands for them."""
    written = Written()
    for table in TABLES:
        if table in result.tables:
            records: Mapping[str, RowsOfRecord] = result.tables[table]
            written.add(canonical.write(cursor, table, lineage(mapper), records))
    raw_table = mapper.reader.table.name
    issues.record(cursor, mapper.account, mapper.reader.mapping, raw_table, result.issues, mapper.run)
    consumers.move(cursor, mapper.reader, mapper.account, batch.raw_table, batch.seq)
    return written


def lineage(mapper: Mapper) -> Lineage:
    """What every row that is written now says about where it comes from."""
    table = mapper.reader.table
    return Lineage(
        mapper.account, mapper.reader.mapping, mapper.reader.version[:16], mapper.source_system,
        f"{table.schema}.{table.name}", mapper.run, datetime.now(UTC),
    )  # fmt: skip
