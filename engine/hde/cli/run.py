"""`hde run` and `hde remap`."""

from __future__ import annotations

import gc
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from hde.check.answers import answers_problems
from hde.check.names import names_problems
from hde.check.references import one_mapping_each, references_problems
from hde.check.sign_in import sign_in_problems
from hde.check.tables import tables_problems
from hde.cli.progress import closing_table, shown
from hde.errors import WrongUse
from hde.places import make_home
from hde.run import remap as remap_source
from hde.run import run as run_source
from hde.spec.load import Source, find_connector, load_source, mappings_folder
from hde.spec.problem import Problem, Problems
from hde.steps.plan import Range, instant
from hde.steps.read_folder import reading_from
from hde.steps.report import Report
from hde.steps.stage import Options
from hde.store import migrate
from hde.store.database import open_database

STILL_PREPARING = 6
waits = click.option("--wait", is_flag=True, help="Wait where another hde is at work on the account (else: exit 5).")
as_json = click.option("--json", "as_json", is_flag=True, help="The closing table as JSON, for machines.")


def source_of(connector: str) -> Source:
    """The connector named by path or name, with its mappings. All problems of the files at once."""
    file = find_connector(connector)
    source = load_source(file, mappings_folder(file))
    if problems := [problem for problem in _contradictions(source) if problem.level == "error"]:
        raise Problems(problems)
    return source


def _contradictions(source: Source) -> Iterator[Problem]:
    """Where the files name what is not there. What only fixtures can show is left to `hde validate`."""
    yield from answers_problems(source.connector, source.connector_file)
    yield from names_problems(source.connector, source.connector_file)
    yield from sign_in_problems(source.connector, source.connector_file)
    yield from tables_problems(source.connector, source.connector_file)
    files = [(mapping, source.mapping_files[mapping.name]) for mapping in source.mappings]
    yield from one_mapping_each(files)
    for mapping, file in files:
        yield from references_problems(mapping, source.connector, file)


@click.command()
@click.argument("connector")
@click.argument("resources", nargs=-1)
@click.option("--since", metavar="DATE", help="Read from this time on, whatever is covered (2025-09-01, or RFC 3339).")
@click.option("--until", metavar="DATE", help="Read up to this time.")
@click.option("--canonical/--raw-only", default=True, help="Map into canonical tables too (the default), or not.")
@click.option("--daily-refresh", is_flag=True, help="Replace yesterday (UTC) in one transaction.")
@click.option("--full", is_flag=True, help="Read everything again, whatever is covered.")
@click.option("--account", metavar="A", help="Which account, where there are several.")
@click.option(
    "--from",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Read files from this folder, not the one the connector names.",
)
@click.option("--accept-deletes", is_flag=True, help="Believe the source even if a large share of records is gone.")
@waits
@as_json
@click.pass_context
def run(
    context: click.Context,
    connector: str,
    resources: tuple[str, ...],
    since: str | None,
    until: str | None,
    canonical: bool,
    daily_refresh: bool,
    full: bool,
    account: str | None,
    folder: Path | None,
    accept_deletes: bool,
    wait: bool,
    as_json: bool,
) -> int:
    """Fetch what is owed from CONNECTOR (a name, or a path to its YAML), store it, map it.

    The first run fetches everything. Name RESOURCES to fetch only those.
    """
    asked = Range(instant(since, "--since") if since else None, instant(until, "--until") if until else None, full)
    if daily_refresh and (asked.is_given or full):
        raise WrongUse("--daily-refresh goes without --since, --until and --full: it is about yesterday")
    if full and asked.is_given:
        raise WrongUse("--full reads everything; it goes without --since and --until")
    if asked.since and asked.since >= datetime.now(UTC):
        raise WrongUse(f"--since {since} is in the future: there is nothing to read yet")
    if asked.since and asked.until and asked.since >= asked.until:
        raise WrongUse(f"--since {since} is not before --until {until}")
    options = Options(resources, asked, canonical, daily_refresh, account, accept_deletes, wait)
    source = source_of(connector) if folder is None else reading_from(source_of(connector), folder)
    return exit_code(run_and_tell(source, options, as_json=as_json))


def run_and_tell(source: Source, options: Options, *, as_json: bool = False) -> Report:
    """Run with progress, then print the closing table."""
    tune_interpreter()
    report = Report(source.connector.name)
    with stop_sign() as stop, shown(report, quiet=as_json):
        run_source(source, options, home=make_home(), report=report, stop=stop)
    _tell(source, report, as_json)
    return report


def tune_interpreter() -> None:
    """Measured on a first load: a run makes millions of small objects and hardly a cycle, and looking for cycles as
    often as usual takes 14 %; threads that come back from Postgres wait up to 5 ms for the one that computes, 5 %.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    sys.setswitchinterval(0.001)


def exit_code(report: Report) -> int:
    """0: everything is there; 6: the source is still preparing what is owed, and nothing else is wrong; else 1."""
    if report.is_only_preparing and not report.has_issues:
        return STILL_PREPARING
    return 1 if report.is_owing or report.has_issues else 0


@click.command()
@click.argument("connector", required=False)
@click.option("--dry-run", is_flag=True, help="Count the rows and columns that would change; write nothing.")
@waits
@as_json
def remap(connector: str | None, dry_run: bool, wait: bool, as_json: bool) -> int:
    """Map all stored records of CONNECTOR (default: every connector) again, without the network.

    `hde plan` shows what would change, value by value; --dry-run counts it.
    """
    from hde.places import connectors_in_reach

    tune_interpreter()
    reports = []
    for name in [connector] if connector else connectors_in_reach():
        source = source_of(name)
        report = Report(source.connector.name)
        with shown(report, quiet=as_json):
            if dry_run:
                found = _count_changes(source, home=make_home(), report=report)
            else:
                found = remap_source(source, home=make_home(), report=report, wait=wait)
        if not found and connector:
            raise WrongUse(f"{source.connector.name} has no records yet. Run: hde run {connector}")
        if found:
            remapped = "what a remap would change" if dry_run else "what the remap changed"
            _tell(source, report, as_json, remapped=remapped)
            reports.append(report)
    if not reports and not as_json:
        click.echo("Nothing is stored yet, so there is nothing to map.")
    return 1 if any(report.has_issues for report in reports) else 0


def _count_changes(source: Source, *, home: Path, report: Report) -> bool:
    """`hde plan`, in numbers. False: there is no account."""
    from hde.steps.explain.what_if import what_if

    with open_database(home) as database, database.connection() as connection:
        migrate.ensure(database)
        found = what_if(connection, source, samples=0)
    for table, outlook in found.raw.items():
        report.note(f"{table}: {', '.join((*outlook.added, *outlook.refilled))} would be filled from the payloads")
    for change in found.mappings:
        if change.note:
            report.note(f"{change.mapping}: {change.note}")
        for rows in change.tables.values():
            columns = {column: values.count for column, values in rows.columns.items()}
            report.mapped(
                (change.raw_table or change.mapping).split("/")[-1].split(".")[-1],
                replace(rows.written, columns=columns), 0,
            )  # fmt: skip
    return bool(found.accounts)


@contextmanager
def stop_sign(*, at_once: bool = False) -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM; a second Ctrl-C ends at once, with `at_once` the first does."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        if at_once or stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    former = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _tell(source: Source, report: Report, as_json: bool, *, remapped: str | None = None) -> None:
    if as_json:
        click.echo(json.dumps({"connector": source.connector.name, **report.as_data()}))
        return
    closing_table(source.connector.title or source.connector.name, report, remapped=remapped)
