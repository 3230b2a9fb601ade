"""Where a raw record comes from: its versions, and the run, window and request that brought the present one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hde.errors import HdeError, WrongUse
from hde.rows import RawTable
from hde.source.elements import Element
from hde.source.outgoing import rendered
from hde.source.pages import Bounds
from hde.source.pagination import first, page_scope
from hde.source.reader import raw_table
from hde.source.windows import shown
from hde.spec.connector import Connector, OtherTime, Resource
from hde.spec.load import Source
from hde.steps.explain.why_element import element_why
from hde.steps.read_windows import raw_tables
from hde.steps.settings import settings_of
from hde.store import why as stored
from hde.store.database import Connection
from hde.store.journal import Account
from hde.store.why import Run, Version, WindowRead

SECRET = "SECRET"


@dataclass(frozen=True)
class Change:
    """What a version changed: path -> was, became."""

    version: Version
    paths: Mapping[str, tuple[object, object]]


@dataclass
class RecordWhy:
    """A raw record."""

    table: str
    account: str
    version: Version
    run: Run | None = None
    windows: list[WindowRead] = field(default_factory=list)
    """Those of its run that may have brought it: one, where its own time says which."""
    element: Element | None = None
    """Of a fan-out, where it is known."""
    file: str = ""
    """That it was read from, in place of a request, where it is known."""
    request: str = ""
    """As it was sent for that window, without secrets; the first page's."""
    changes: list[Change] = field(default_factory=list)
    """The youngest first: what each newer version changed."""


def record_why(connection: Connection, source: Source, table: RawTable, account: Account, key: str) -> RecordWhy | None:
    """The record as it is, or as it was when it vanished; None where there never was one."""
    former = stored.former_versions(connection, table, account.id, key)
    present = stored.version(connection, table, account.id, key)
    if present is None:
        if not former or not former[0].vanished:
            return None
        present, former = former[0], former[1:]
    found = RecordWhy(f"{table.schema}.{table.name}", account.external_id, present)
    found.run = stored.run(connection, present.run)
    resource = source.connector.resources[table.name]
    windows = stored.windows(connection, account.id, table.name, present.run)
    asked = (one.element for one in windows)
    tables = raw_tables(source.connector)
    found.element = element_why(connection, resource, tables, account.id, present.key, asked)
    if found.element is not None and found.element.key:
        windows = [one for one in windows if one.element == found.element.key]
    found.windows = _within(connection, source, table, account, present.key, windows)
    if resource.files is not None or resource.export is not None:
        found.file = found.windows[0].element if len(found.windows) == 1 else ""
    else:
        found.request = _request(source.connector, resource, account, found)
    newer = present
    for one in former:
        found.changes.append(Change(newer, dict(_differences(one.payload, newer.payload))))
        newer = one
    return found


def _within(
    connection: Connection, source: Source, table: RawTable, account: Account, key: str, windows: list[WindowRead]
) -> list[WindowRead]:
    """Of the windows its run read, the one its own time lies in; all of them where that says nothing."""
    at = _own_time(connection, source, table, account, key) if len(windows) > 1 else None
    within = [one for one in windows if at and (one.start is None or one.start <= at) and (one.end and at < one.end)]
    return within or windows


def _own_time(connection: Connection, source: Source, table: RawTable, account: Account, key: str) -> datetime | None:
    window = source.connector.resources[table.name].window
    match window.time if window else None:
        case str(column):
            text = stored.column_text(connection, table, account.id, key, column)
        case OtherTime(from_, by, column):
            other = stored.column_text(connection, table, account.id, key, by)
            there = raw_table(source.connector, source.connector.resources[from_])
            text = stored.column_text(connection, there, account.id, other, column) if other else None
        case _:
            return None
    return datetime.fromisoformat(text) if text else None


def _request(connector: Connector, resource: Resource, account: Account, record: RecordWhy) -> str:
    """The request as the author shows it, filled in; the template itself where something is lacking now."""
    request, windows = resource.request, record.windows
    try:
        settings = settings_of(connector)
    except WrongUse:
        settings = {name: one.default or name.upper() for name, one in connector.settings.items()}
    settings |= {name: SECRET for name, one in connector.settings.items() if one.secret}
    bounds = Bounds(windows[0].start, windows[0].end) if len(windows) == 1 and windows[0].end else None
    if resource.window and bounds is None:
        return f"{request.method} {request.path.text}"
    scope = {
        "settings": settings,
        "account": account.values,
        "window": shown(resource.window, bounds) if resource.window and bounds else None,
        "page": page_scope(resource.pagination, first(resource.pagination)),
        "each": record.element and record.element.value,
    }
    try:
        outgoing = rendered(connector.http, connector.http.base_url.render(scope), request, scope)
    except HdeError:
        return f"{request.method} {request.path.text}"
    return f"{outgoing.method} {outgoing.url}"


def _differences(was: object, now: object, path: str = "") -> Iterator[tuple[str, tuple[object, object]]]:
    """Leaves of two payloads that differ; lists are compared whole."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*was, *now)):
            yield from _differences(was.get(name), now.get(name), f"{path}.{name}" if path else str(name))
    elif was != now:
        yield path, (was, now)
