"""One page of a resource on its way: the request, the answer, raw rows, canonical rows. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import httpx
import msgspec

from hde.errors import HdeError, WrongUse
from hde.issues import Issue
from hde.mapping.compiled import CompiledMapping, compile_mapping
from hde.mapping.expression import is_plain
from hde.redact import without_secrets
from hde.rows import RawRow, key_text
from hde.source.asked import Sent
from hde.source.exact import decode_exactly, exact_text
from hde.source.outgoing import rendered
from hde.source.pages import Page
from hde.source.pagination import first, page_scope
from hde.source.reader import RowReader
from hde.source.session import Session
from hde.source.transport import Reply
from hde.source.windows import Bounds, shown
from hde.spec.connector import Connector, RawColumn, Resource
from hde.spec.load import Source
from hde.steps.plan import connector_scope
from hde.steps.rehearsal import OfMapping, Open, Records, first_readings, map_row, read
from hde.steps.stand_ins import settings_with
from hde.store.ledger import Span

MOST_CALLS = 20
LONGEST_BODY = 20_000
_TELLING = re.compile(r"rate|limit|retry|link|total|page|cursor|next|count", re.IGNORECASE)


@dataclass(frozen=True)
class Leaf:
    """One place in a record, and the raw column that reads it; None: it stands in the payload only."""

    path: str
    value: str
    column: RawColumn | None = None
    stored: str | None = None
    issue: str = ""


@dataclass(frozen=True)
class RequestView:
    """A request, secrets hidden."""

    method: str
    address: str
    params: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class AnswerView:
    """An answer, secrets hidden; of its headers those that tell something about limits, pages and kind."""

    status: int
    kind: str
    size: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class RecordView:
    key: str
    leaves: tuple[Leaf, ...]
    issues: tuple[Issue, ...]
    mapped: tuple[OfMapping, ...]


@dataclass
class Preview:
    """What there is to see."""

    resource: Resource
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


def live(source: Source, wanted: Wanted, open_session: Open) -> Preview:
    """The first page of the youngest window, asked of the source. What the source refuses is part of the preview."""
    compiled = [compile_mapping(mapping) for mapping in source.mappings]
    preview = Preview(wanted.resource)
    calls: list[tuple[RequestView, AnswerView | None]] = []

    def watch(request: httpx.Request, reply: Reply) -> None:
        if len(calls) < MOST_CALLS:
            calls.append((_request_view(Sent.of(request)), _answer_view(reply)))

    with open_session(watch) as session:
        readings = _readings(session, wanted.resource, wanted)
        preview.windows = [reading.window.span for reading in readings if reading.window.span]
        if not readings:
            raise WrongUse("there is no window to ask for: --since is not before --until, or history begins later")
        try:
            _, page = next(read(session, readings[:1]))
        except HdeError as error:
            preview.error = error
            return preview
        finally:
            preview.calls = list(calls)  # what is asked later, for other records, is not shown
        preview.page = page
        if page.next is not None:
            preview.next = _next(session, wanted.resource, readings[0].bounds, page)
        others = _first_pages(session, source.connector, wanted)
        for row in page.rows[: wanted.limit]:
            preview.records.append(_view(row, wanted, source, compiled, others, session.account or {}))
    return preview


def of_fixture(source: Source, wanted: Wanted, content: bytes, records: Records) -> Preview:
    """A recorded record on the same way; the request is shown as it would be, with made-up settings. No network."""
    compiled = [compile_mapping(mapping) for mapping in source.mappings]
    connector, resource = source.connector, wanted.resource
    settings = settings_with(connector, {})
    account = {"id": "made-up-id", **{name: f"made-up-{name}" for name in _kept(connector)}}
    scope = connector_scope(connector, settings, account)
    readings = first_readings(connector, resource, now=wanted.now, scope=scope, since=wanted.since, until=wanted.until)
    preview = Preview(resource, [reading.window.span for reading in readings if reading.window.span])
    if readings:
        bounds = readings[0].bounds
        sent = _sent(
            connector, resource, {"settings": settings, "account": account}, bounds, first(resource.pagination)
        )
        preview.calls.append((_request_view(sent), None))
    read_row = RowReader(resource, {"account": account, "window": {"start": None, "end": None}, "settings": settings})
    row = read_row.read(content)
    if isinstance(row, RawRow):
        preview.records.append(_view(row, wanted, source, compiled, records, account))
    else:
        preview.records.append(RecordView("", tuple(_leaves(content, None, resource)), tuple(row), ()))
    return preview


def _readings(session: Session, resource: Resource, wanted: Wanted) -> Any:
    scope = connector_scope(session.connector, session.settings, session.account or {})
    return first_readings(
        session.connector, resource, now=wanted.now, scope=scope, since=wanted.since, until=wanted.until
    )


def _first_pages(session: Session, connector: Connector, wanted: Wanted) -> Records:
    """The records of the first page of another resource; none where it cannot be read."""

    @cache
    def of(name: str) -> Mapping[str, object]:
        readings = _readings(session, connector.resources[name], wanted)
        try:
            _, page = next(read(session, readings[:1]))
        except (HdeError, StopIteration):
            return {}
        return {key_text(row.key): msgspec.json.decode(row.payload) for row in page.rows}

    return of


def _next(session: Session, resource: Resource, bounds: Bounds | None, page: Page) -> RequestView:
    return _request_view(_sent(session.connector, resource, session.scope({}), bounds, page.next or {}))


def _request_view(sent: Sent) -> RequestView:
    params = tuple((name, without_secrets(value)) for name, values in sent.params.items() for value in values)
    address = without_secrets(sent.url.partition("?")[0])
    return RequestView(sent.method, address, params, tuple(sent.shown_headers()), sent.shown_body())


def _answer_view(reply: Reply) -> AnswerView:
    headers = [(name, without_secrets(value)) for name, value in reply.headers.items() if _TELLING.search(name)]
    with suppress(msgspec.DecodeError, RecursionError):
        return _answer(reply, headers, msgspec.json.format(reply.body, indent=2))
    return _answer(reply, headers, reply.body)


def _answer(reply: Reply, headers: Sequence[tuple[str, str]], body: bytes) -> AnswerView:
    text = without_secrets(body[:LONGEST_BODY].decode("utf-8", "replace"))
    kind = reply.headers.get("content-type", "no content type")
    return AnswerView(reply.status, kind, len(reply.body), tuple(headers), text)


def _sent(
    connector: Connector,
    resource: Resource,
    scope: Mapping[str, object],
    bounds: Bounds | None,
    state: Mapping[str, Any],
) -> Sent:
    """The request of a page as it would be sent, but for the sign-in."""
    window = shown(resource.window, bounds) if resource.window and bounds else None
    names = {**scope, "window": window, "page": page_scope(resource.pagination, dict(state))}
    url = state.get("url")
    made = rendered(connector.http, connector.http.base_url.render(scope), resource.request, names, url)
    headers = {name.lower(): value for name, value in made.headers.items()}
    return Sent(made.method, made.url, headers, made.content or b"")


def _view(
    row: RawRow, wanted: Wanted, source: Source, compiled: Sequence[CompiledMapping], records: Records,
    account: Mapping[str, object],
) -> RecordView:  # fmt: skip
    name = wanted.resource.name
    mapped = map_row(row, name, source, compiled, records=records, account=account, observed_at=wanted.now)
    return RecordView(
        key_text(row.key), tuple(_leaves(row.payload, row, wanted.resource)), tuple(row.issues), tuple(mapped)
    )


def _leaves(content: bytes, row: RawRow | None, resource: Resource) -> Iterator[Leaf]:
    """Every place of a record in its order with its column, then the columns that read no plain place of it."""
    values = row.values if row else (None,) * len(resource.columns)
    issues = {issue.path: issue.rule for issue in row.issues} if row else {}
    columns = {column.path: (column, stored) for column, stored in zip(resource.columns, values, strict=True)}
    try:
        document = decode_exactly(content)
    except (ValueError, RecursionError):
        document = {}
    for path, value in _places(document, "", set(columns)):
        column, stored = columns.pop(path, (None, None))
        yield Leaf(path, exact_text(value), column, stored, issues.get(path, ""))
    for path, (column, stored) in columns.items():
        absent = "absent" if is_plain(path) else ""
        yield Leaf(path, absent, column, stored, issues.get(path, ""))


def _places(value: object, path: str, columns: set[str]) -> Iterator[tuple[str, object]]:
    """The leaves of an object, and what a column takes whole; a list is one value."""
    if isinstance(value, dict) and value and (not path or path not in columns):
        for name, below in value.items():
            plain = name if name.isidentifier() else f'"{name}"'
            yield from _places(below, f"{path}.{plain}" if path else plain, columns)
    else:
        yield path, value


def _kept(connector: Connector) -> Sequence[str]:
    return list(connector.account.keep) if connector.account else []
