"""One page of a resource on its way: the request, the answer, raw rows, canonical rows. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

import httpx
import msgspec

from hde.errors import HdeError, SourceError, WrongUse
from hde.mapping.compiled import CompiledMapping, compile_mapping
from hde.rows import RawRow, key_text
from hde.source.asked import Sent
from hde.source.elements import Element
from hde.source.outgoing import rendered
from hde.source.pages import Page
from hde.source.pagination import first, page_scope
from hde.source.reader import RowReader
from hde.source.session import Session
from hde.source.transport import Reply
from hde.source.windows import shown
from hde.spec.connector import Connector, Resource
from hde.spec.elements import Parents
from hde.spec.load import Source
from hde.steps.plan import Reading, connector_scope
from hde.steps.trying.fixture_files import folder_of
from hde.steps.trying.rehearsal import Open, Records, elements, first_readings, map_row, read
from hde.steps.trying.stand_ins import made_up_account, made_up_element, reads_account, settings_with
from hde.steps.trying.views import AnswerView, RecordView, RequestView, answer_view, leaves_of, request_view
from hde.store.ledger import Span

MOST_CALLS = 20
MOST_NAMED = 8
"""Elements that a message names."""


@dataclass
class Preview:
    """What there is to see."""

    resource: Resource
    element: Element | None = None
    windows: Sequence[Span] = ()
    calls: list[tuple[RequestView, AnswerView | None]] = field(default_factory=list)
    """The request as it was sent (or would be), and what came back."""
    page: Page | None = None
    next: RequestView | None = None
    records: list[RecordView] = field(default_factory=list)
    error: HdeError | None = None


@dataclass(frozen=True)
class Wanted:
    """What to look at."""

    resource: Resource
    limit: int
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    each: str | None = None
    """The element to ask for, where it is not the first."""


def live(source: Source, wanted: Wanted, open_session: Open) -> Preview:
    """The first page of the youngest window, asked of the source. What the source refuses is part of the preview."""
    compiled = [compile_mapping(mapping) for mapping in source.mappings]
    preview = Preview(wanted.resource)
    calls: list[tuple[RequestView, AnswerView | None]] = []

    def watch(request: httpx.Request, reply: Reply) -> None:
        if len(calls) < MOST_CALLS:
            calls.append((request_view(Sent.of(request)), answer_view(reply)))

    with open_session(watch) as session:
        try:
            element = element_of(session, wanted.resource, wanted)
        except SourceError as error:
            preview.error = error
            return preview
        finally:
            calls.clear()  # those for the records it comes from are not what is looked at
        readings = _readings(session, wanted.resource, wanted, element)
        preview.element = element
        preview.windows = [reading.window.span for reading in readings if reading.window.span]
        if wanted.resource.export is not None:
            raise WrongUse(f"{wanted.resource.name} is read from an export, which takes its time: hde run fetches it")
        if not readings and wanted.resource.files is not None:
            raise WrongUse(f"no file in the folder matches {wanted.resource.files}")
        if not readings:
            raise WrongUse("there is no window to ask for: --since is not before --until, or history begins later")
        try:
            _, page = next(read(session, readings[:1]))
        except HdeError as error:
            preview.error = error
            return preview
        finally:
            preview.calls = list(calls)  # what is asked later, for other records, is not shown
        rows, unkeyed = page.read()
        preview.page = replace(page, rows=[*rows], unkeyed=unkeyed)
        if page.next is not None and wanted.resource.files is None:
            preview.next = _next(session, readings[0], page)
        others = _first_pages(session, source.connector, wanted)
        for row in rows[: wanted.limit]:
            preview.records.append(_view(row, wanted, source, compiled, others, session.account or {}))
    return preview


def of_fixture(source: Source, wanted: Wanted, content: bytes, records: Records) -> Preview:
    """A recorded record on the same way; the request is shown as it would be, with made-up settings. No network."""
    compiled = [compile_mapping(mapping) for mapping in source.mappings]
    connector, resource = source.connector, wanted.resource
    settings = settings_with(connector, {})
    account = made_up_account(source, folder_of(source))
    scope = connector_scope(connector, settings, account)
    element = _told_element(connector, resource, wanted, records)
    readings: list[Reading] = []
    if resource.files is None:
        readings = first_readings(
            connector, resource, now=wanted.now, scope=scope, since=wanted.since, until=wanted.until, element=element
        )
    is_made_up = wanted.since is None and resource.window is not None and reads_account(resource.window.from_)
    windows = [] if is_made_up else [reading.window.span for reading in readings if reading.window.span]
    preview = Preview(resource, element=element, windows=windows)  # how many there are depends on the real account
    if readings:
        names = {"settings": settings, "account": account}
        sent = _sent(connector, readings[0], names, first(resource.pagination))
        preview.calls.append((request_view(sent), None))
    read_row = RowReader(
        resource, {"account": account, "window": {"start": None, "end": None}, "each": element and element.value}
    )
    row = read_row.read(content)
    if isinstance(row, RawRow):
        preview.records.append(_view(row, wanted, source, compiled, records, account))
    else:
        preview.records.append(RecordView("", tuple(leaves_of(content, None, resource)), tuple(row), ()))
    return preview


def _readings(session: Session, resource: Resource, wanted: Wanted, element: Element | None = None) -> list[Reading]:
    scope = connector_scope(session.connector, session.settings, session.account or {})
    return first_readings(
        session.connector,
        resource,
        now=wanted.now,
        scope=scope,
        since=wanted.since,
        until=wanted.until,
        element=element,
    )


def _first_pages(session: Session, connector: Connector, wanted: Wanted) -> Records:
    """The records of the first page of another resource; none where it cannot be read."""

    @cache
    def of(name: str) -> Mapping[str, object]:
        other = connector.resources[name]
        try:
            readings = _readings(session, other, wanted, element_of(session, other, replace(wanted, each=None)))
            _, page = next(read(session, readings[:1]))
        except (HdeError, StopIteration):
            return {}
        return {key_text(row.key): msgspec.json.decode(row.payload) for row in page.read()[0]}

    return of


def _next(session: Session, reading: Reading, page: Page) -> RequestView:
    return request_view(_sent(session.connector, reading, session.scope({}), page.next or {}))


def _sent(connector: Connector, reading: Reading, scope: Mapping[str, object], state: Mapping[str, Any]) -> Sent:
    """The request of a page as it would be sent, but for the sign-in."""
    resource, bounds = reading.resource, reading.bounds
    window = shown(resource.window, bounds) if resource.window and bounds else None
    names = {**scope, **reading.scope, "window": window, "page": page_scope(resource.pagination, dict(state))}
    url = state.get("url")
    made = rendered(connector.http, connector.http.base_url.render(scope), resource.request, names, url)
    headers = {name.lower(): value for name, value in made.headers.items()}
    return Sent(made.method, made.url, headers, made.content or b"")


def element_of(session: Session, resource: Resource, wanted: Wanted) -> Element | None:
    """The element that is wanted, else the first; of the first records of the resource they come from."""
    if resource.for_each is None:
        if wanted.each is not None:
            raise WrongUse(f"{resource.name} has no for_each: there is nothing to choose with --each")
        return None
    if wanted.each is not None and isinstance(resource.for_each, Parents) and resource.for_each.path is not None:
        return Element(wanted.each, wanted.each)

    def parents(other: Resource) -> Iterator[RawRow]:
        readings = _readings(session, other, wanted, element_of(session, other, replace(wanted, each=None)))
        for _, page in read(session, readings):
            yield from page.read()[0]

    there: list[str] = []
    for element in elements(session.connector, resource, parents):
        if element is not None and (wanted.each is None or _is_meant(element, wanted.each)):
            return element
        there += [element.key] if element is not None else []
    if not there:
        raise WrongUse(f"{resource.name}: nothing to ask for: no record gives an element")
    more = ", ..." if len(there) > MOST_NAMED else ""
    raise WrongUse(f"{resource.name}: no element {wanted.each!r}. There are: {', '.join(there[:MOST_NAMED])}{more}")


def _is_meant(element: Element, said: str) -> bool:
    """By its key, or by the value of one of its fields."""
    fields = element.value.values() if isinstance(element.value, dict) else ()
    return said == element.key or said in map(str, fields)


def _told_element(connector: Connector, resource: Resource, wanted: Wanted, records: Records) -> Element | None:
    """For a request that is not sent: the first element of constants or fixtures, else a made-up one."""
    if resource.for_each is None:
        return None

    def parents(other: Resource) -> Iterator[RawRow]:
        reader = RowReader(other, {"account": {}, "window": {}, "each": None})
        for record in records(other.name).values():
            row = reader.read(msgspec.json.encode(record))
            if isinstance(row, RawRow):
                yield row

    found = list(elements(connector, resource, parents))
    named = next((one for one in found if one and wanted.each and _is_meant(one, wanted.each)), None)
    return named or (found[0] if found and wanted.each is None else made_up_element(resource, wanted.each))


def _view(
    row: RawRow, wanted: Wanted, source: Source, compiled: Sequence[CompiledMapping], records: Records,
    account: Mapping[str, object],
) -> RecordView:  # fmt: skip
    name = wanted.resource.name
    mapped = map_row(row, name, source, compiled, records=records, account=account, observed_at=wanted.now)
    return RecordView(
        key_text(row.key), tuple(leaves_of(row.payload, row, wanted.resource)), tuple(row.issues), tuple(mapped)
    )
