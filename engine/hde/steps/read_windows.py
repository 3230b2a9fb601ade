"""Reading a run's windows side by side and storing their pages as they arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta

from hde.errors import DatabaseUnreachable, SignInNeeded
from hde.rows import RawTable
from hde.source.file_pages import read_file
from hde.source.pages import Page, WindowLost, read_pages
from hde.source.reader import raw_table
from hde.source.session import Session
from hde.spec.connector import Connector, OtherTime, Resource
from hde.steps.plan import Reading
from hde.steps.report import Report
from hde.steps.side_by_side import Readers
from hde.steps.store_pages import BATCH_ROWS, Storing
from hde.store.database import DatabaseError
from hde.store.deletion import TimeOf

OURS = (DatabaseUnreachable, DatabaseError)
CLOCKS_APART = timedelta(minutes=5)


def raw_tables(connector: Connector) -> dict[str, RawTable]:
    return {name: raw_table(connector, resource) for name, resource in connector.resources.items()}


def times_of(connector: Connector, tables: Mapping[str, RawTable]) -> dict[str, TimeOf]:
    """Where each resource's records say their own time."""
    found: dict[str, TimeOf] = {}
    for resource in connector.resources.values():
        match resource.window.time if resource.window else None:
            case str(column):
                found[resource.name] = TimeOf(column)
            case OtherTime(from_, key, column):
                found[resource.name] = TimeOf(column, tables[from_], key)
    return found


def readers(
    session: Session, readings: Iterable[Reading], report: Report, stop: threading.Event, parallel: int
) -> Readers[Reading, Page]:
    def read(reading: Reading, arrived: Callable[[], int]) -> Iterator[Page]:
        for page in pages(session, reading, arrived):
            if page.server_time and abs(page.server_time - page.received_at) > CLOCKS_APART:
                report.note("This machine's clock and the source's are more than five minutes apart; set it right.")
            yield page

    return Readers(
        readings,
        read,
        number=lambda page: page.ordinal,
        weight=lambda page: len(page.rows),
        parallel=parallel,
        stop=stop,
    )


def read_and_store(reading_side: Readers[Reading, Page], storing: Storing) -> None:
    """Store what arrives until every window has ended. A needed sign-in ends the run, as does a database that counts
    no requests or keeps no tokens any more; all else ends only its window.
    """
    try:
        while arrivals := reading_side.take(BATCH_ROWS):
            storing.store([arrival for arrival in arrivals if not isinstance(arrival.error, OURS)])
            for arrival in arrivals:
                if isinstance(arrival.error, (SignInNeeded, *OURS)):
                    raise arrival.error
    finally:
        reading_side.close()


def pages(session: Session, reading: Reading, arrived: Callable[[], int]) -> Iterator[Page]:
    """The window's pages, from its stored cursor where it has one; a lost cursor begins the window anew, once.

    A bookmark that the source does not know any more is lost at its first page: then everything is read.
    """
    resource, bounds = reading.resource, reading.bounds
    if reading.file is not None:
        where = f"{session.connector.name}: {resource.name}"
        yield from read_file(resource, reading.file, session.scope({}), where=where, arrived=arrived)
        return
    if reading.download is not None:
        from hde.source.download import read_download  # only where there are exports

        where = f"{session.connector.name}: {resource.name}"
        yield from read_download(session, resource, reading.download, where=where, arrived=arrived)
        return
    has_begun = False
    try:
        for page in read_pages(
            session, resource, bounds, scope=reading.scope, resume=reading.window.cursor, arrived=arrived
        ):
            has_begun = True
            yield page
    except WindowLost:
        reading.window.resumed = True  # what came before the loss is not one uninterrupted pass with what follows
        if not has_begun:
            reading.bookmark = None
        yield from read_pages(session, resource, bounds, scope=reading.scope, resume=None, arrived=arrived)


def with_time(resources: Mapping[str, Resource]) -> dict[str, Resource]:
    """The resources that a day can be refreshed of: their windows say which records the day must contain."""
    return {
        name: resource
        for name, resource in resources.items()
        if resource.window and resource.window.time and resource.window.by is None
    }
