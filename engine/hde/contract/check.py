"""The contract of a connector: read twice, in other pages and other windows, it ends in the same rows each time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg.sql import SQL, Identifier

from hde.canonical import TABLES
from hde.check.fixtures import read_fixtures
from hde.check.source import check_source
from hde.contract.recognise import names_of
from hde.contract.server import IDENTITY, Simulated, running
from hde.contract.supply import Supplied, Supply, supply
from hde.errors import HdeError
from hde.run import run
from hde.spec.connector import AccountRequest, Connector, ErrorRule, Offset, PageNumber, Request, Resource, Window
from hde.spec.elements import parents_of
from hde.spec.load import Source
from hde.spec.template import compile_template
from hde.steps.plan import levels
from hde.steps.read_folder import reading_from
from hde.steps.report import Report
from hde.steps.settings import settings_of
from hde.steps.stage import Options
from hde.steps.trying.stand_ins import made_up_account
from hde.store.database import Connection, Database

SMALL, LARGE = 7, 50
LONGER = 3
"""How many times longer windows are in the second reading."""
WITHOUT_STEP = timedelta(days=30)
Fresh = Callable[[], AbstractContextManager[Database]]
"""Opens a migrated database that holds nothing."""


@dataclass(frozen=True)
class Verdict:
    """One promise about one resource (or about the whole source), kept where `problem` is empty."""

    promise: str
    of: str
    problem: str = ""
    skipped: str = ""
    """Why it could not be tested; that is no failure."""


@dataclass
class Reading:
    """What one reading of the simulated source left in the database."""

    report: Report
    again: Report
    raw: dict[str, list[str]] = field(default_factory=dict)
    """By resource, the stored payloads."""
    canonical: dict[str, list[str]] = field(default_factory=dict)
    """By mapping."""
    unclear: dict[str, set[str]] = field(default_factory=dict)
    served: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def check_contract(
    source: Source, mappings: Path, fresh: Fresh, home: Path, *, like: Source | None = None
) -> Iterator[Verdict]:
    """Verdicts as they are found. The source behaves as `like` says, where that is another version of the connector."""
    yield from _files(source, mappings)
    now = datetime.now(UTC)
    made = supply(like or source, mappings, now)
    for name, (one, other) in made.twice.items():
        key = ", ".join((like or source).connector.resources[name].key)
        yield Verdict("keys are unique", name, f"fixtures {one} and {other} have one {key}, at different times")
    account = made_up_account(like or source, mappings)
    readings = [
        _read(source, like or source, made, account, fresh, home, page, longer)
        for page, longer in ((SMALL, 1), (LARGE, LONGER))
    ]
    skipped = _skipped(source.connector, *readings)
    for resource in source.connector.resources.values():
        if resource.name in skipped:
            yield Verdict("can be simulated", resource.name, skipped=skipped[resource.name])
        else:
            yield from _of_resource(resource, made, *readings)
    for mapping in source.mappings:
        waits = [one.from_ for one in mapping.with_.values() if one.from_ in skipped]
        if waits and mapping.from_ not in skipped:
            why = f"its records wait for {waits[0]}, which is skipped"
            yield Verdict("can be simulated", mapping.name, skipped=why)
        elif mapping.from_ not in skipped:
            yield from _of_mapping(mapping.name, mapping.from_, source.connector, made, *readings)
    for error in dict.fromkeys(error for reading in readings for error in reading.errors):
        yield Verdict("a run ends", "", error)


def _files(source: Source, mappings: Path) -> Iterator[Verdict]:
    errors = [str(problem) for problem in check_source(source) if problem.level == "error"]
    yield Verdict("validates", "", "; ".join(errors[:3]))
    for name in source.connector.resources:
        there = bool(read_fixtures(mappings, name)[0])
        yield Verdict("has fixtures", name, "" if there else f"no record in {mappings.name}/fixtures/{name}")


def _read(
    source: Source,
    like: Source,
    made: Supply,
    account: Mapping[str, object],
    fresh: Fresh,
    home: Path,
    page: int,
    longer: int,
) -> Reading:
    """Read everything twice; what the second run still writes is what is not idempotent."""
    oldest = min((one.at for records in made.records.values() for one in records if one.at), default=datetime.now(UTC))
    theirs, ours = (_varied(_settled(one.connector), oldest, longer) for one in (like, source))
    scope = {"settings": settings_of(theirs), "account": account}
    found = Reading(Report(source.connector.name), Report(source.connector.name))
    with running(Simulated(theirs, made, scope, account, page)) as simulated, fresh() as database:
        pointed = _pointed(ours, simulated.url, account)
        for report in (found.report, found.again):
            try:
                whole = _without_files(replace(source, connector=pointed), home)
                run(whole, Options(), home=home, report=report, stop=threading.Event(), database=database)
            except HdeError as error:
                found.errors.append(str(error))
                break
        with database.connection(autocommit=True) as connection:
            found.raw = {name: _payloads(connection, pointed, name) for name in pointed.resources}
            found.canonical = {one.name: _rows(connection, one.name) for one in source.mappings}
        found.unclear, found.served = simulated.unclear, simulated.served
    return found


def _settled(connector: Connector) -> Connector:
    """With a value for every setting, none of them a person's."""
    settings = {
        name: replace(one, default=one.default or name, secret=False) for name, one in connector.settings.items()
    }
    return replace(connector, settings=settings)


def _pointed(connector: Connector, url: str, account: Mapping[str, object]) -> Connector:
    """The connector as it is, but for the address, the sign-in, the limits, and whose records there are."""
    keep = {name: name for name in (*(connector.account.keep if connector.account else ()), *account) if name != "id"}
    whose = AccountRequest("id", Request(compile_template(IDENTITY)), keep)
    http = replace(
        connector.http, base_url=compile_template(url), rate_limits=(), errors=_without_body(connector.http.errors)
    )
    resources = {
        name: replace(
            one,
            columns=tuple(replace(column, names=None) for column in one.columns),  # recorded ones name whoever it was
            errors=_without_body(one.errors),
            when_stored=one.when_stored and replace(one.when_stored, errors=_without_body(one.when_stored.errors)),
        )
        for name, one in connector.resources.items()
    }
    return replace(connector, http=http, auth=None, account=whose, resources=resources)


def _without_body(errors: Sequence[ErrorRule]) -> tuple[ErrorRule, ...]:
    """The simulated source does not err, and knows nothing of words by which an answer says that all is well."""
    return tuple(rule for rule in errors if rule.body is None)


def _without_files(source: Source, home: Path) -> Source:
    """Whoever reads files finds none: those in the connector's own folder are a person's."""
    if source.connector.files is None:
        return source
    empty = home / "no-files"
    empty.mkdir(exist_ok=True)
    return reading_from(source, empty)


def _varied(connector: Connector, oldest: datetime, longer: int) -> Connector:
    """The same source read in other windows and pages."""
    return replace(
        connector, resources={name: _other_steps(one, oldest, longer) for name, one in connector.resources.items()}
    )


def _other_steps(resource: Resource, oldest: datetime, longer: int) -> Resource:
    window, pages = resource.window, resource.pagination
    named = names_of(resource.request)
    if window is not None:
        begin = compile_template((oldest - timedelta(days=5)).date().isoformat())
        window = replace(window, from_=begin if window.from_ else None)
        if longer > 1 and "window.end" in named:
            window = _longer(window, longer)
    if longer > 1 and isinstance(pages, PageNumber | Offset) and pages.size and "page.size" in named:
        pages = replace(pages, size=pages.size * longer)
    return replace(resource, window=window, pagination=pages)


def _longer(window: Window, times: int) -> Window:
    return replace(window, step=window.step * times if window.step else WITHOUT_STEP)


def _skipped(connector: Connector, *readings: Reading) -> dict[str, str]:
    """Resources that cannot be simulated, with the reason; those whose elements such a one gives are among them."""
    found: dict[str, str] = {}
    for resources in levels(connector.resources):
        for name, resource in resources.items():
            parents = parents_of(resource.for_each)
            if resource.files is not None:
                found[name] = "it is read from files of a folder, which nothing simulates"
            elif resource.export is not None:
                found[name] = "it is read from an export, which nothing simulates"
            elif unclear := {said for reading in readings for of in (name, "") for said in reading.unclear.get(of, ())}:
                found[name] = "; ".join(sorted(unclear))
            elif parents is not None and parents.resource in found:
                found[name] = f"its elements come from {parents.resource}, which is skipped"
    return found


def _of_resource(resource: Resource, made: Supply, *readings: Reading) -> Iterator[Verdict]:
    name = resource.name
    failures = [failure for reading in readings for failure in _failures(reading, name)]
    yield Verdict("pages end", name, "; ".join(dict.fromkeys(failures)))
    if failures:
        return
    for reading in readings:
        expected = [_text(one.record) for one in _offered(resource, made, reading)]
        stored = reading.raw.get(name, [])
        if resource.for_each is not None:  # several elements may hold one record
            stored = sorted(set(stored))
        if problem := _difference(sorted(expected), stored, resource):
            yield Verdict("every record arrives once", name, problem)
            return
    yield Verdict("every record arrives once", name)
    small, large = readings
    same = small.raw.get(name) == large.raw.get(name)
    yield Verdict("pages and windows change nothing", name, "" if same else "other pages and windows, other records")
    again = small.again.resources.get(name)
    written = again.counts.new + again.counts.changed if again else 0
    yield Verdict("running again changes nothing", name, f"{written} records were written again" if written else "")


def _of_mapping(
    mapping: str, resource: str, connector: Connector, made: Supply, small: Reading, large: Reading
) -> Iterator[Verdict]:
    rows = small.canonical.get(mapping, [])
    if not made.records.get(resource) or not small.raw.get(resource):
        return
    yield Verdict("maps", mapping, "" if rows else "no record gives a canonical row")
    if not connector.resources[resource].observe:
        same = rows == large.canonical.get(mapping)
        yield Verdict("pages and windows change nothing", mapping, "" if same else "other canonical rows")
    again = small.again.resources.get(resource)
    written = again.canonical.new + again.canonical.changed + again.canonical.removed if again else 0
    yield Verdict("running again changes nothing", mapping, f"{written} rows were written again" if written else "")


def _failures(reading: Reading, name: str) -> Iterator[str]:
    for report in (reading.report, reading.again):
        found = report.resources.get(name)
        yield from found.failures if found else ()


def _offered(resource: Resource, made: Supply, reading: Reading) -> list[Supplied]:
    """What the source holds for the account. A fan-out's share depends on its elements, so there what was served."""
    records = made.records[resource.name]
    if resource.for_each is not None:
        return [one for one in records if one.identity in reading.served.get(resource.name, set())]
    return records[:1] if resource.records is None and not resource.pagination and not resource.window else records


def _difference(expected: list[str], stored: list[str], resource: Resource) -> str:
    if expected == stored:
        return ""
    lost, extra = len(set(expected) - set(stored)), len(set(stored) - set(expected))
    parts = [f"{len(expected)} records were offered, {len(stored)} are stored"]
    parts += [f"{lost} never arrived or lie under another's key [{', '.join(resource.key)}]"] if lost else []
    parts += [f"{extra} were not offered"] if extra else []
    return ": ".join([parts[0], ", ".join(parts[1:])]) if parts[1:] else parts[0]


def _payloads(connection: Connection, connector: Connector, name: str) -> list[str]:
    there = connection.execute("SELECT to_regclass(%s)", (f'"{connector.schema}"."{name}"',)).fetchone()
    if not there or there[0] is None:
        return []
    rows = connection.execute(SQL("SELECT payload FROM {}").format(Identifier(connector.schema, name)))
    return sorted(_text(row[0]) for row in rows.fetchall())


def _rows(connection: Connection, mapping: str) -> list[str]:
    """Keys and business columns of every row a mapping wrote."""
    found: list[str] = []
    for table in TABLES.values():
        columns = ("raw_source_id", "part", *(column.name for column in table.columns))
        listed = SQL(", ").join(Identifier(column) for column in columns)
        rows = connection.execute(
            SQL("SELECT ROW({})::text FROM {} WHERE mapping = %s").format(listed, Identifier("canonical", table.name)),
            (mapping,),
        )
        found += [f"{table.name} {row[0]}" for row in rows.fetchall()]
    return sorted(found)


def _text(record: object) -> str:
    return json.dumps(record, sort_keys=True)
