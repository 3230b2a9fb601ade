"""Reading what a run is about and storing it: one level of resources after the other, or yesterday at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import chain

from hde.errors import Stopped, WrongUse
from hde.source.elements import Element, constant_elements
from hde.source.pages import Page
from hde.source.session import Session
from hde.spec.connector import Resource
from hde.spec.elements import parents_of
from hde.steps import plan, read_windows, refresh_day
from hde.steps.believing import Believing
from hde.steps.fan_out import FanOut, day_elements, queue_of
from hde.steps.plan import Range, Reading
from hde.steps.read_folder import file_readings
from hde.steps.side_by_side import Readers
from hde.steps.stage import Options, Stage
from hde.steps.store_pages import Storing
from hde.store import ledger
from hde.store.database import transaction


def fetch_level(
    stage: Stage, session: Session, resources: Mapping[str, Resource], storing: Storing, options: Options
) -> None:
    """Resources that wait for nothing any more; those for each record of another are planned as they are read."""
    connector, report, now = stage.source.connector, stage.report, datetime.now(UTC)
    scope = plan.connector_scope(connector, stage.way.settings, stage.account.values)
    of_files = {name: one for name, one in resources.items() if one.files is not None}
    fanned = {name: one for name, one in resources.items() if parents_of(one.for_each)}
    exported = {name: one for name, one in resources.items() if one.export is not None}
    known = {name: one for name, one in resources.items() if not {name} & {*fanned, *of_files, *exported}}
    ordered = []
    if exported:
        from hde.steps import exports  # only where there are any

        ordered = exports.begin(stage, session, exported, options)
    with transaction(stage.connection) as cursor:
        readings = plan.plan(
            cursor, connector, known, stage.account.id, asked=options.asked, now=now, scope=scope, say=report.note
        )
        for one in of_files.values():
            readings += file_readings(
                cursor, connector, one, stage.account.id, asked=options.asked, now=now, scope=scope, say=report.note
            )
        storing.fans = {name: _fan_out(stage, one, options.asked, now, scope) for name, one in fanned.items()}
        for fan in storing.fans.values():
            if note := fan.request_note(cursor):
                report.note(note)
    for reading in readings:
        report.planned(reading.resource.name, 1)
    with ExitStack() as plans:
        planned = [plans.enter_context(closing(fan.readings())) for fan in storing.fans.values()]
        read_windows.read_and_store(_readers(stage, session, chain(readings, *planned)), storing)
    if ordered:
        exports.fetch(stage, session, ordered, storing, options)
    if not stage.way.stop.is_set():
        with transaction(stage.connection) as cursor:
            for name, fan in storing.fans.items():
                fan.finish(cursor, complete=not report.of(name).failures)
            if options.asked.full:
                for stream in {reading.window.stream for reading in readings}:
                    if not report.of(stream.resource).failures:
                        ledger.accept_request(cursor, stream)


def _fan_out(stage: Stage, resource: Resource, asked: Range, now: datetime, scope: Mapping[str, object]) -> FanOut:
    return FanOut(
        stage.database.connection, resource, queue_of(resource, stage.account.id, stage.tables),
        plan.stream_of(stage.source.connector, resource, stage.account.id, now, scope), asked, now,
        planned=lambda: stage.report.planned(resource.name, 1),
        failed=lambda error: stage.report.failed(resource.name, error),
    )  # fmt: skip


def fetch_day(stage: Stage, session: Session, chosen: Mapping[str, Resource], options: Options) -> None:
    """Yesterday, of all resources whose records have a time: read completely, then replaced at once."""
    timed = read_windows.with_time(chosen)
    if not timed:
        raise WrongUse(f"{', '.join(chosen)}: records without a time of their own have no day to refresh")
    readings = [reading for resource in timed.values() for reading in _day_readings(stage, resource)]
    for reading in readings:
        stage.report.planned(reading.resource.name, 1)
    days = refresh_day.read_day(_readers(stage, session, readings))
    if stage.way.stop.is_set():
        raise Stopped("stopped; the day stays as it was")
    refresh_day.replace_day(days, storing_of(stage, options))


def _day_readings(stage: Stage, resource: Resource) -> Iterator[Reading]:
    """Yesterday of one resource, for each of its elements."""
    connector, now = stage.source.connector, datetime.now(UTC)
    scope = plan.connector_scope(connector, stage.way.settings, stage.account.values)
    elements: Iterable[Element | None] = [None]
    if parents_of(resource.for_each):
        elements = day_elements(stage.connection, resource, queue_of(resource, stage.account.id, stage.tables))
    elif resource.for_each:
        elements = constant_elements(resource.for_each)
    for element in elements:
        stream = plan.stream_of(connector, resource, stage.account.id, now, scope, element)
        yield refresh_day.day_reading(resource, stream, element, now)


def _readers(stage: Stage, session: Session, readings: Iterable[Reading]) -> Readers[Reading, Page]:
    connector = stage.source.connector
    # Files one after the other: of two that hold one record, the newer one counts.
    parallel = connector.http.parallel if connector.files is None else 1
    return read_windows.readers(session, readings, stage.report, stage.way.stop, parallel)


def storing_of(stage: Stage, options: Options) -> Storing:
    times = read_windows.times_of(stage.source.connector, stage.tables)
    believing = Believing(stage.account.id, stage.run, stage.report, options.accept_deletes)
    return Storing(stage.connection, stage.tables, times, stage.account.id, stage.run, stage.report, believing)
