"""A resource read without a store: the windows of a first run, their pages, and what the mappings make of the rows.

Whoever calls it brings the session: signed in at the source, or answered from recorded exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

import httpx
import msgspec

from hde.check.counterpart import counterpart
from hde.mapping.compiled import CanonicalRow, CompiledMapping, Mapped
from hde.rows import RawRow, key_text
from hde.source.elements import Element, constant_elements, elements_of_record
from hde.source.pages import Page
from hde.source.session import Session
from hde.source.transport import Reply
from hde.spec.connector import Connector, Resource
from hde.spec.elements import parents_of
from hde.spec.load import Source
from hde.spec.mapping import Reference
from hde.steps import plan, read_windows
from hde.steps.plan import Reading
from hde.steps.read_folder import files_of
from hde.store.cuts import cut
from hde.store.ledger import Span, WindowRecord

__all__ = ["CanonicalRow", "OfMapping", "Open", "Records", "Watch", "elements", "first_readings", "map_row", "read"]

Watch = Callable[[httpx.Request, Reply], None]
Open = Callable[[Watch], AbstractContextManager[Session]]
"""Opens a session that tells what it sends."""

Records = Callable[[str], Mapping[str, object]]
"""The records of a resource that others may refer to."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class OfMapping(NamedTuple):
    """What one mapping made of one record; `missing` names the counterparts that it waits for."""

    mapping: CompiledMapping
    mapped: Mapped
    missing: tuple[Reference, ...]


def first_readings(
    connector: Connector,
    resource: Resource,
    *,
    now: datetime,
    scope: Mapping[str, object],
    since: datetime | None = None,
    until: datetime | None = None,
    element: Element | None = None,
) -> list[Reading]:
    """What a first run would read, for one element: the windows up to `now`, or the resource as a whole."""
    stream = plan.stream_of(connector, resource, 0, now, scope, element)
    if resource.export is not None:
        return []  # nothing is ordered for a look
    if resource.files is not None:
        files = files_of(connector, resource, scope)
        return [Reading(resource, WindowRecord(stream, None, now), file=file) for file in files]
    if resource.window is None:
        return [Reading(resource, WindowRecord(stream, None, now), element)]
    begin, end = since or stream.begin, min(until or now, now)
    spans = [Span(begin, end)] if begin is None or begin < end else []
    records = (WindowRecord(stream, span, now) for span in cut(spans, resource.window.step, now))
    return [Reading(resource, record, element) for record in records]


def read(session: Session, readings: Iterable[Reading]) -> Iterator[tuple[Reading, Page]]:
    """The pages of all readings, one after the other; a window that the source wants begun anew is, once."""
    numbers = count(1)
    for reading in readings:
        for page in read_windows.pages(session, reading, lambda: next(numbers)):
            yield reading, page


def elements(
    connector: Connector, resource: Resource, parents: Callable[[Resource], Iterable[RawRow]]
) -> Iterator[Element | None]:
    """What a resource is asked for, each once; None where it has no `for_each`. `parents` gives a resource's rows."""
    if resource.for_each is None:
        yield None
        return
    of_records = parents_of(resource.for_each)
    if of_records is None:
        yield from constant_elements(resource.for_each)
        return
    seen: set[str] = set()
    for row in parents(connector.resources[of_records.resource]):
        for element in elements_of_record(resource.for_each, row.payload, key_text(row.key)):
            if element.key not in seen:
                seen.add(element.key)
                yield element


def map_row(
    row: RawRow,
    resource: str,
    source: Source,
    compiled: Sequence[CompiledMapping],
    *,
    records: Records,
    account: Mapping[str, object],
    observed_at: datetime,
) -> Iterator[OfMapping]:
    """What the mappings of a resource make of one raw row; whom it refers to is looked for in `records`."""
    record = _decode(row.payload)
    for mapping in compiled:
        if mapping.from_ == resource:
            others = {
                one.name: counterpart(one, record, resource, source.connector, records(one.from_), row.values)
                for one in mapping.references
            }
            mapped = mapping.map(record, row={"observed_at": observed_at}, references=others, account=account)
            missing = [one for one in mapping.references if mapped.waiting and others[one.name] is None]
            yield OfMapping(mapping, mapped, tuple(missing))
