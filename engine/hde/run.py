"""The whole story of a run, top to bottom: sign-in, tables, what is owed, pages, raw rows, canonical rows.

The only room, with the steps in `hde.steps`, that joins the wings; it has no branches on kinds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from hde.errors import SignInNeeded, Stopped, WrongUse
from hde.issues import Issue
from hde.rows import key_text
from hde.source.reader import RowReader
from hde.source.session import Session
from hde.spec.connector import Connector, Resource
from hde.spec.load import Source
from hde.spec.problem import did_you_mean
from hde.steps import accounts, map_raw, origins, plan, read_windows, retention
from hde.steps.accounts import Way
from hde.steps.again import again
from hde.steps.fetch import fetch_day, fetch_level, storing_of
from hde.steps.map_while_reading import mapping_beside
from hde.steps.receipts import send_receipts
from hde.steps.report import Report
from hde.steps.settings import settings_of
from hde.steps.stage import Options, Stage
from hde.store import canonical, consumers, issues, journal, ledger, migrate, raw_tables
from hde.store.database import Connection, Database, open_database, transaction
from hde.store.journal import Account
from hde.store.merge import Cursor
from hde.store.only_run import only_run


def run(
    source: Source,
    options: Options,
    *,
    home: Path,
    report: Report,
    stop: threading.Event,
    database: Database | None = None,
) -> None:
    """Fetch what is owed, store it, map it. Raises HdeError; what was stored until then stays.

    Into `database` where one is given, else into that of HDE_DATABASE_URL or of `home`. Where that goes away in the
    midst, the run goes on from what is stored.
    """

    def attempt(stop: threading.Event) -> None:
        _run(source, options, home, report, stop, database)

    again(attempt, stop, report)


def _run(
    source: Source, options: Options, home: Path, report: Report, stop: threading.Event, database: Database | None
) -> None:
    chosen = _chosen(source.connector, options.resources)
    settings = settings_of(source.connector)
    with nullcontext(database) if database else open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, settings, accounts.token_store(home, database), stop)
        places = accounts.places_of(database, source.connector)
        external_id = accounts.choose_account(way, options.account, places)
        way = way.at(places.get(external_id))
        with database.connection() as connection, accounts.shared_budget(database, way, external_id) as budget:
            origins.check_origins(connection, way, source.connector_file, external_id)
            account = accounts.known_account(connection, way, external_id, budget)
            origins.keep_origins(connection, way, source.connector_file, account.external_id)
            connection.commit()
            command = "daily-refresh" if options.daily_refresh else "run"
            with _recorded(source, way, database, connection, account, report, command, options.wait) as stage:
                _prepare_tables(stage)
                retention.expire(stage)
                if options.canonical:
                    _map(stage)
                retention.drop_former(stage)
                with way.session(way.auth(account.external_id), budget, stage.account.values) as session:
                    (fetch_day if options.daily_refresh else _fetch)(stage, session, chosen, options)
                if any(resource.requests for resource in report.resources.values()):
                    journal.set_status(connection, account.id, "connected")
                if options.canonical:
                    _map(stage, together=options.daily_refresh)
                report.stopped = report.stopped or stop.is_set()


def remap(source: Source, *, home: Path, report: Report, wait: bool = False) -> bool:
    """Map all raw records of every account again, without the network. False: there is no account."""
    with open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, {}, accounts.token_store(home, database), threading.Event())
        with database.connection() as connection:
            known = journal.accounts(connection, source.connector.name)
            connection.commit()
            for account in known:
                with _recorded(source, way, database, connection, account, report, "remap", wait) as stage:
                    _prepare_tables(stage)
                    retention.expire(stage)
                    _map(stage, from_start=True)
                    retention.drop_former(stage)
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
    wait: bool,
) -> Iterator[Stage]:
    """A row in meta.runs around everything that is done, and the lock that keeps a second run of the account away."""
    with only_run(database, account, command, wait_until=way.stop if wait else None):
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
            # Where the connection is lost, the error under way says so, and the row is the next run's to close.
            if not connection.closed:
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
        wrong: dict[int, dict[str, Iterable[Issue]]] = {}
        result = raw_tables.prepare(stage.connection, table, sorted(referred[name]), _filler(stage, name, wrong))
        for account, found in wrong.items():
            with transaction(stage.connection) as cursor:
                issues.record(cursor, account, "raw", name, found, stage.run)
        if result.added:
            stage.report.note(f"{name}: {', '.join(result.added)} filled from the stored payloads")
        if result.undeclared:
            stage.report.note(f"{name}: no longer in the connector, kept in the table: {', '.join(result.undeclared)}")


def _filler(stage: Stage, name: str, wrong: dict[int, dict[str, Iterable[Issue]]]) -> raw_tables.Fill:
    """Reads stored payloads anew, each with the values of the account it belongs to. Notes what is `wrong` in them:
    a record that is stored is not read again when it comes unchanged.
    """
    resource = stage.source.connector.resources[name]
    known = journal.accounts(stage.connection, stage.source.connector.name)
    stage.connection.commit()
    readers = {one.id: RowReader(resource, {"account": one.values}) for one in known}
    nothing = (None,) * len(stage.tables[name].columns)

    def fill(account: int, payload: bytes) -> tuple[str | None, ...]:
        row = readers[account].read(payload) if account in readers else []
        if isinstance(row, list):
            return nothing
        if row.issues:
            wrong.setdefault(account, {})[key_text(row.key)] = row.issues
        return row.values

    return fill


def _fetch(stage: Stage, session: Session, chosen: Mapping[str, Resource], options: Options) -> None:
    """Read what is owed, or was asked for, and store it as it arrives; what is stored is mapped meanwhile."""
    report = stage.report
    report.expect(chosen)
    storing = storing_of(stage, options)
    beside = mapping_beside(stage.database, stage.mappers, report.mapped) if options.canonical else nullcontext()
    with beside:
        for resources in plan.levels(chosen):
            if not stage.way.stop.is_set():
                fetch_level(stage, session, resources, storing, options)
        report.stopped = report.stopped or stage.way.stop.is_set()
        if not report.stopped:
            everything = stage.source.connector.resources
            send_receipts(stage.connection, session, everything, chosen, stage.tables, stage.account.id, report)


def _map(stage: Stage, *, from_start: bool = False, together: bool = False) -> None:
    """Map what is due, `together` in one transaction. The rows of mappings that are gone from the YAML go with them."""
    with transaction(stage.connection) as cursor:
        for mapping, table in _orphaned(stage, cursor):
            removed = canonical.delete_mapping(cursor, table, stage.account.id, mapping)
            stage.report.note(f"mapping {mapping} is gone: {removed} rows of canonical.{table} went with it")
            consumers.forget(cursor, mapping, stage.account.id)
    if together:
        map_raw.map_together(stage.connection, stage.mappers, stage.report.mapped)
        return
    for mapper in stage.mappers:
        map_raw.map_due(
            stage.database, stage.connection, mapper, stage.report.mapped, stop=stage.way.stop, from_start=from_start
        )


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
