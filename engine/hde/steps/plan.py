"""What a run will read: for every resource its windows, computed from what is covered, or its snapshot.

Resources with a `for_each` over stored records are planned by `hde.steps.fan_out`, as they are read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from hde.errors import WrongUse
from hde.issues import Issue
from hde.source.elements import Element, constant_elements
from hde.source.files import SourceFile
from hde.source.pages import Bounds
from hde.spec.connector import JSON, Connector, Resource, Window
from hde.spec.elements import parents_of
from hde.spec.export import Export
from hde.spec.formats import span as span_of_time
from hde.spec.template import Template
from hde.store import ledger
from hde.store.cuts import cut
from hde.store.ledger import Span, Stream, WindowRecord
from hde.store.merge import Cursor

if TYPE_CHECKING:
    from hde.source.download import Download

NO_SETTLE = timedelta(0)


@dataclass(frozen=True)
class Range:
    """What was asked for on the command line. `full`: the whole target, whatever is covered."""

    since: datetime | None = None
    until: datetime | None = None
    full: bool = False

    @property
    def is_given(self) -> bool:
        return self.since is not None or self.until is not None


@dataclass
class Whole:
    """What readings of one scope saw together: only when all of them are complete can they say what vanished."""

    pending: int = 1
    seen: set[tuple[str, ...]] = field(default_factory=set)
    intact: bool = True
    failed: bool = False
    """One could not be read: the others stay owed with it, so that the scope is judged when all of it was."""
    ended: list[Reading] = field(default_factory=list)
    """Read to their natural end, and covered once the scope has been judged."""


@dataclass
class Reading:
    """One window (or snapshot) of one resource, for one of its elements, to be read page by page."""

    resource: Resource
    window: WindowRecord
    element: Element | None = None
    seq: int | None = None
    """Of the stored record that the element comes from, where that must be remembered."""
    bookmark: object = None
    """What to ask for changes with."""
    whole: Whole = field(default_factory=Whole)
    file: SourceFile | None = None
    """What is read instead of asking."""
    download: Download | None = None
    """A file of an export, which is fetched instead."""
    unkeyed: dict[tuple[str, str], Issue] = field(default_factory=dict)
    """What was wrong so far with records that have no key, by path and rule."""

    @property
    def scope(self) -> dict[str, object]:
        """What its requests may name beside the window."""
        return {"each": self.element.value if self.element else None, "bookmark": self.bookmark}

    @property
    def bounds(self) -> Bounds | None:
        span = self.window.span
        return Bounds(span.start, span.end) if span else None

    @property
    def settle(self) -> timedelta:
        return self.resource.window.settle if self.resource.window else NO_SETTLE


def plan(
    cursor: Cursor,
    connector: Connector,
    resources: Mapping[str, Resource],
    account: int,
    *,
    asked: Range,
    now: datetime,
    scope: Mapping[str, object],
    say: Callable[[str], None],
) -> list[Reading]:
    """The readings of a run: all open windows first, then the youngest window of each resource, then the older ones."""
    first: list[Reading] = []
    then: list[Reading] = []
    for resource in resources.values():
        elements: Sequence[Element | None] = constant_elements(resource.for_each) if resource.for_each else [None]
        own: list[Reading] = []
        for element in elements:
            stream = stream_of(connector, resource, account, now, scope, element)
            if ledger.request_changed(cursor, stream) and not asked.full:
                say(changed_request(resource))
            readings = stream_readings(cursor, resource, stream, element, asked, now)
            youngest = sum(reading.window.resumed for reading in readings) + 1
            own, first, then = own + readings, first + readings[:youngest], then + readings[youngest:]
        present = [element.key if element else "" for element in elements]
        ledger.forget_elements(cursor, account, resource.name, present)
        _read_together(own, len(elements))
    return first + then


def levels(resources: Mapping[str, Resource]) -> Iterator[dict[str, Resource]]:
    """The resources in the order in which they can be read: those whose elements another one gives come after it."""
    left = dict(resources)
    while left:
        ready = {
            name: resource
            for name, resource in left.items()
            if (parents := parents_of(resource.for_each)) is None or parents.resource not in left
        }
        if not ready:
            raise WrongUse(f"{', '.join(left)}: each is for_each of another in a circle")
        yield ready
        left = {name: resource for name, resource in left.items() if name not in ready}


def changed_request(resource: Resource) -> str:
    return f"{resource.name}: the request changed since the last reading; --full reads the past again with the new one"


def stream_readings(
    cursor: Cursor,
    resource: Resource,
    stream: Stream,
    element: Element | None,
    asked: Range,
    now: datetime,
) -> list[Reading]:
    """The readings of one stream: its windows, or its snapshot or pass with a bookmark."""
    if resource.window is not None:
        return _windows(cursor, resource, resource.window, stream, element, asked, now)
    ledger.drop_open_windows(cursor, stream, "read whole again")
    bookmark = ledger.bookmark(cursor, stream) if resource.bookmark and not asked.full else None
    return [Reading(resource, WindowRecord(stream, None, now), element, bookmark=bookmark)]


def _read_together(readings: Sequence[Reading], elements: int) -> None:
    """Readings of the same span of all elements are one scope: a record may have moved from one to another."""
    wholes: dict[Span | None, Whole] = {}
    counts = Counter(reading.window.span for reading in readings)
    for reading in readings:
        span = reading.window.span
        reading.whole = wholes.setdefault(span, Whole(counts[span], intact=counts[span] == elements))


def _windows(
    cursor: Cursor,
    resource: Resource,
    window: Window,
    stream: Stream,
    element: Element | None,
    asked: Range,
    now: datetime,
) -> list[Reading]:
    begin = stream.begin
    resumed: list[WindowRecord] = []
    if asked.is_given:
        ledger.drop_open_windows(cursor, stream, "another range was asked for")
        since, until = asked.since or begin, min(asked.until or now, now)
        spans = [Span(since, until)] if since is None or since < until else []
    elif asked.full:
        ledger.drop_open_windows(cursor, stream, "everything is read again")
        spans = [Span(begin, now)]
    else:
        resumed = ledger.open_windows(cursor, stream, now)
        spans = ledger.owed(cursor, stream, begin, now, window.settle)
    if window.order == "newest_first":
        spans = _one_span(spans)
    fresh = [WindowRecord(stream, span, now) for span in cut(spans, window.step, now)]
    return [Reading(resource, record, element) for record in (*resumed, *fresh)]


def _one_span(spans: Sequence[Span]) -> list[Span]:
    """A source that lists the newest first is read once, from now back to the oldest that is owed."""
    if not spans:
        return []
    starts = [span.start for span in spans]
    oldest = None if None in starts else min(start for start in starts if start)
    return [Span(oldest, max(span.end for span in spans))]


def _begin(window: Window, now: datetime, scope: Mapping[str, object]) -> datetime | None:
    """Where history begins: a date or instant, a span back from now, or nothing."""
    if window.from_ is None:
        return None
    value = window.from_.value(scope)
    if value is None:
        return None
    text = str(value)
    if text[-1:].isalpha() and text[:1].isdigit() and not text.endswith("Z"):
        return now - span_of_time(text)
    return instant(text, "window.from")


def instant(text: str, what: str) -> datetime:
    """An instant as people write it: `2025-09-01` or RFC 3339; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{what}: {text!r} is no date or time; write 2025-09-01 or 2025-09-01T00:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stream_of(
    connector: Connector,
    resource: Resource,
    account: int,
    now: datetime,
    scope: Mapping[str, object],
    element: Element | None = None,
) -> Stream:
    begin = _begin(resource.window, now, scope) if resource.window else None
    return Stream(account, resource.name, request_hash(connector, resource), element.key if element else "", begin)


def request_hash(connector: Connector, resource: Resource) -> str:
    """Of what decides which records an answer holds: address, method, path, parameters, body, records, format."""
    request = resource.request
    everywhere = (connector.http.base_url, connector.http.params)
    parts = (request.method, request.path, request.params, request.json, request.form, resource.records, *everywhere)
    window = resource.window
    parents = parents_of(resource.for_each)
    written = (resource.format, resource.files) if resource.files or resource.format != JSON else ()
    said = (
        *((window.format, window.end) if window else ()),
        *((parents.resource, parents.path) if parents else ()),
        *written,
    )
    if resource.export is not None:
        said = (*said, resource.export.files, export_hash(connector, connector.exports[resource.export.of]))
    return _hash(*parts, *said)


def export_hash(connector: Connector, export: Export) -> str:
    """Of what decides what an export holds: the request that orders it."""
    request = export.request
    parts = (request.method, request.path, request.params, request.json, request.form)
    return _hash(*parts, connector.http.base_url, connector.http.params)


def _hash(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode([_plain(part) for part in parts])).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, Template):
        return value.text
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    return value


def connector_scope(
    connector: Connector, settings: Mapping[str, str], account: Mapping[str, object]
) -> dict[str, object]:
    """Names in reach of a connector's templates outside a resource."""
    return {"settings": dict(settings), "account": dict(account)} if connector.account else {"settings": dict(settings)}
