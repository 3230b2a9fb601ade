"""The whole story of a run, top to bottom: sign-in, tables, what is owed, pages, raw rows, canonical rows.

The only room, with the steps in `hde.steps`, that joins the wings; it has no branches on kinds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hde.errors import SignInNeeded, Stopped, WrongUse
from hde.mapping.compiled import compile_mapping
from hde.rows import RawTable
from hde.source.pages import Page
from hde.source.reader import RowReader
from hde.source.session import Session
from hde.spec.connector import Connector, Resource
from hde.spec.load import Source
from hde.spec.problem import did_you_mean
from hde.steps import accounts, map_raw, plan, read_windows, refresh_day
from hde.steps.accounts import Way
from hde.steps.map_raw import Mapper
from hde.steps.map_while_reading import mapping_beside
from hde.steps.plan import Range, Reading
from hde.steps.report import Report
from hde.steps.settings import settings_of
from hde.steps.side_by_side import Readers
from hde.steps.store_pages import Storing
from hde.store import canonical, consumers, journal, ledger, migrate, raw_tables
from hde.store.canonical import Written
from hde.store.database import Connection, Database, open_database, transaction
from hde.store.journal import Account
from hde.store.merge import Cursor


@dataclass(frozen=True)
class Options:
    resources: tuple[str, ...] = ()
    asked: Range = field(default_factory=Range)
    canonical: bool = True
    daily_refresh: bool = False
    account: str | None = None
    accept_deletes: bool = False


@dataclass(frozen=True)
class Stage:
    """Everything a run works with once the account is known."""

    source: Source
    way: Way
    database: Database
    connection: Connection
    account: Account
    tables: Mapping[str, RawTable]
    report: Report
    run: int


def run(source: Source, options: Options, *, home: Path, report: Report, stop: threading.Event) -> None:
    """Fetch what is owed, store it, map it. Raises HdeError; what was stored until then stays."""
    chosen = _chosen(source.connector, options.resources)
    settings = settings_of(source.connector)
    with open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, settings, accounts.token_store(home, database), stop)
        external_id = accounts.choose_account(way, options.account)
        with database.connection() as connection, accounts.shared_budget(database, way) as budget:
            account = accounts.known_account(connection, way, external_id, budget)
            connection.commit()
            command = "daily-refresh" if options.daily_refresh else "run"
            with _recorded(source, way, database, connection, account, report, command) as stage:
                _prepare_tables(stage)
                if options.canonical:
                    _map(stage)
                with way.session(way.auth(account.external_id), budget, stage.account.values) as session:
                    (_refresh_day if options.daily_refresh else _fetch)(stage, session, chosen, options)
                if any(resource.requests for resource in report.resources.values()):
                    journal.set_status(connection, account.id, "connected")
                if options.canonical:
                    _map(stage, together=options.daily_refresh)
                report.stopped = report.stopped or stop.is_set()


def remap(source: Source, *, home: Path, report: Report, dry_run: bool) -> bool:
    """Map all raw records of every account again, without the network. A dry run counts what would change.

    False: there is no account.
    """
    with open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, {}, accounts.token_store(home, database), threading.Event())
        with database.connection() as connection:
            known = journal.accounts(connection, source.connector.name)
            connection.commit()
            for account in known:
                with _recorded(source, way, database, connection, account, report, "remap") as stage:
                    if dry_run:
                        _count_changes(stage)
                    else:
                        _prepare_tables(stage)
                        _map(stage, from_start=True)
    return bool(known)


@contextmanager
def _recorded(
    source: Source,
    way: Way,
    database: Database,
    connection: Connection,
    account: Account,
    report: Report,
    command: str,
) -> Iterator[Stage]:
    """A row in meta.runs around everything that is done, and the lock that keeps a second run of the account away."""
    with journal.only_run(database, account):
        number = journal.begin_run(connection, command, account)
        tables = read_windows.raw_tables(source.connector)
        outcome = "failed"
        try:
            yield Stage(source, way, database, connection, account, tables, report, number)
            outcome = "stopped" if report.stopped else "owing" if report.is_owing else "done"
        except SignInNeeded:
            connection.rollback()
            journal.set_status(connection, account.id, "sign-in needed")
            raise
        except Stopped:
            outcome = "stopped"
            raise
        finally:
            connection.rollback()
            with transaction(connection) as cursor:
                ledger.prune(cursor)
            journal.end_run(connection, number, outcome, report.as_data())


def _chosen(connector: Connector, names: tuple[str, ...]) -> Mapping[str, Resource]:
    for name in names:
        if name not in connector.resources:
            raise WrongUse(
                f"{connector.name} has no resource {name!r}.{did_you_mean(name, connector.resources)}"
                f" There are: {', '.join(connector.resources)}"
            )
    return {name: connector.resources[name] for name in names or connector.resources}


def _prepare_tables(stage: Stage) -> None:
    """Make or widen the raw tables; new columns are filled from what is stored, before anything is fetched."""
    referred: dict[str, set[str]] = {name: set() for name in stage.tables}
    for mapping in stage.source.mappings:
        referred[mapping.from_].update(reference.key for reference in mapping.with_.values())
    for name, time in read_windows.times_of(stage.source.connector, stage.tables).items():
        referred[name].update([time.key] if time.key else [])
    for name, table in stage.tables.items():
        result = raw_tables.prepare(stage.connection, table, sorted(referred[name]), _filler(stage, name))
        if result.added:
            stage.report.note(f"{name}: {', '.join(result.added)} filled from the stored payloads")
        if result.undeclared:
            stage.report.note(f"{name}: no longer in the connector, kept in the table: {', '.join(result.undeclared)}")


def _filler(stage: Stage, name: str) -> raw_tables.Fill:
    """Reads stored payloads anew, each with the values of the account it belongs to."""
    resource = stage.source.connector.resources[name]
    known = journal.accounts(stage.connection, stage.source.connector.name)
    stage.connection.commit()
    readers = {one.id: RowReader(resource, {"account": one.values}) for one in known}
    nothing = (None,) * len(stage.tables[name].columns)

    def fill(account: int, payload: bytes) -> tuple[str | None, ...]:
        row = readers[account].read(payload) if account in readers else []
        return nothing if isinstance(row, list) else row.values

    return fill


def _storing(stage: Stage, options: Options) -> Storing:
    times = read_windows.times_of(stage.source.connector, stage.tables)
    return Storing(
        stage.connection, stage.tables, times, stage.account.id, stage.run, stage.report, options.accept_deletes
    )  # fmt: skip


def _fetch(stage: Stage, session: Session, chosen: Mapping[str, Resource], options: Options) -> None:
    """Read what is owed, or was asked for, and store it as it arrives; what is stored is mapped meanwhile."""
    connector, report = stage.source.connector, stage.report
    scope = plan.connector_scope(connector, stage.way.settings, stage.account.values)
    with transaction(stage.connection) as cursor:
        readings = plan.plan(
            cursor, connector, chosen, stage.account.id, asked=options.asked, now=datetime.now(UTC), scope=scope,
            say=report.note,
        )  # fmt: skip
    report.expect(chosen)
    reading_side = _readers(stage, session, readings)
    beside = mapping_beside(stage.database, _mappers(stage), report.mapped) if options.canonical else nullcontext()
    with beside:
        read_windows.read_and_store(reading_side, _storing(stage, options))
    report.stopped = report.stopped or stage.way.stop.is_set()
    if options.asked.full and not report.stopped:
        for reading in readings:
            if not report.of(reading.resource.name).failures:
                ledger.accept_request(stage.connection, reading.window.stream)
        stage.connection.commit()


def _refresh_day(stage: Stage, session: Session, chosen: Mapping[str, Resource], options: Options) -> None:
    """Yesterday, of all resources whose records have a time: read completely, then replaced at once."""
    timed = read_windows.with_time(chosen)
    if not timed:
        raise WrongUse(f"{', '.join(chosen)}: records without a time of their own have no day to refresh")
    connector, now = stage.source.connector, datetime.now(UTC)
    scope = plan.connector_scope(connector, stage.way.settings, stage.account.values)
    streams = {
        name: plan.stream_of(connector, resource, stage.account.id, now, scope) for name, resource in timed.items()
    }
    days = refresh_day.read_day(_readers(stage, session, refresh_day.day_readings(streams, timed, now)))
    if stage.way.stop.is_set():
        raise Stopped("stopped; the day stays as it was")
    refresh_day.replace_day(days, _storing(stage, options))


def _readers(stage: Stage, session: Session, readings: Sequence[Reading]) -> Readers[Reading, Page]:
    for reading in readings:
        stage.report.planned(reading.resource.name, 1)
    parallel = stage.source.connector.http.parallel
    return read_windows.readers(session, readings, stage.report, stage.way.stop, parallel)


def _mappers(stage: Stage) -> list[Mapper]:
    return [
        map_raw.mapper_of(compile_mapping(mapping), stage.tables, stage.account, stage.run)
        for mapping in stage.source.mappings
    ]


def _map(stage: Stage, *, from_start: bool = False, together: bool = False) -> None:
    """Map what is due, `together` in one transaction. The rows of mappings that are gone from the YAML go with them."""
    with transaction(stage.connection) as cursor:
        for mapping, table in _orphaned(stage, cursor):
            removed = canonical.delete_mapping(cursor, table, stage.account.id, mapping)
            stage.report.note(f"mapping {mapping} is gone: {removed} rows of canonical.{table} went with it")
            consumers.forget(cursor, mapping, stage.account.id)
    if together:
        map_raw.map_together(stage.connection, _mappers(stage), stage.report.mapped)
        return
    for mapper in _mappers(stage):
        map_raw.map_due(
            stage.database, stage.connection, mapper, stage.report.mapped, stop=stage.way.stop, from_start=from_start
        )


def _count_changes(stage: Stage) -> None:
    """What a remap would change. The raw tables are taken as they are: a dry run widens none of them."""
    for name, raw in stage.tables.items():
        if lacking := raw_tables.lacks(stage.connection, raw):
            raise WrongUse(
                f"{raw.schema}.{name} does not have {', '.join(lacking)} yet, and a dry run changes no table."
                f" Run first: hde run {stage.source.connector.name}"
            )
    for mapper in _mappers(stage):
        stage.report.mapped(mapper.reader.table.name, map_raw.map_all(stage.connection, mapper), 0)
    with transaction(stage.connection) as cursor:
        for mapping, table in _orphaned(stage, cursor):
            count = canonical.count_mapping(cursor, table, stage.account.id, mapping)
            stage.report.mapped(mapping.split("/")[-1], Written(removed=count), 0)


def _orphaned(stage: Stage, cursor: Cursor) -> list[tuple[str, str]]:
    """Mappings that are gone from the YAML, with the tables they wrote. All of them gone is rather a lost folder."""
    present = [mapping.name for mapping in stage.source.mappings]
    gone = list(consumers.orphaned(cursor, stage.source.connector.name, stage.account.id, present))
    if gone and not present:
        raise WrongUse(
            f"{stage.source.connector.name} has canonical rows, but no mapping is left to write them."
            " Bring the mappings folder back, or run with --raw-only."
        )
    return gone
