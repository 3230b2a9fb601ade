"""What a run will read: for every resource its windows, computed from what is covered, or its snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from hde.errors import WrongUse
from hde.source.pages import Bounds
from hde.spec.connector import Connector, Resource, Window
from hde.spec.formats import span as span_of_time
from hde.spec.template import Template
from hde.store import ledger
from hde.store.ledger import Span, Stream, WindowRecord
from hde.store.merge import Cursor

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
class Reading:
    """One window (or snapshot) of one resource, to be read page by page."""

    resource: Resource
    window: WindowRecord
    seen: set[tuple[str, ...]] = field(default_factory=set)
    """Keys received, where a complete reading may say what vanished."""

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
    readings: list[Reading] = []
    for resource in resources.values():
        stream = stream_of(connector, resource, account, now, scope)
        if ledger.request_changed(cursor, stream) and not asked.full:
            say(f"{resource.name}: its request changed since it was read; --full reads the past again with the new one")
        if resource.window is None:
            ledger.drop_open_windows(cursor, stream, "read whole again")
            readings.append(Reading(resource, WindowRecord(stream, None, now)))
        else:
            readings += _windows(cursor, resource, resource.window, stream, asked, now)
    return readings


def _windows(
    cursor: Cursor,
    resource: Resource,
    window: Window,
    stream: Stream,
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
    fresh = [WindowRecord(stream, span, now) for span in ledger.cut(spans, window.step, now)]
    return [Reading(resource, record) for record in (*resumed, *fresh)]


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
    connector: Connector, resource: Resource, account: int, now: datetime, scope: Mapping[str, object]
) -> Stream:
    begin = _begin(resource.window, now, scope) if resource.window else None
    return Stream(account, resource.name, request_hash(connector, resource), begin=begin)


def request_hash(connector: Connector, resource: Resource) -> str:
    """Of what decides which records an answer holds: address, method, path, parameters, body, records."""
    request = resource.request
    everywhere = (connector.http.base_url, connector.http.params)
    parts = (request.method, request.path, request.params, request.json, request.form, resource.records, *everywhere)
    window = resource.window
    said = (window.format, window.end) if window else ()
    return hashlib.sha256(msgspec.json.encode([_plain(part) for part in (*parts, *said)])).hexdigest()[:16]


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
