"""How far local time was ahead of UTC, out of what a mapping says about a time: the offset it carries, or its zone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hde.issues import Issue
from hde.mapping import moments, times
from hde.mapping.at import Read
from hde.mapping.paths import Documents, compile_path
from hde.mapping.scope import Scope
from hde.mapping.values import Finding
from hde.spec.mapping import Reading

_OF_TIMES = ("time", "offset", "zone", "after", "plus")
_Found = tuple[bool, str | None]
"""Whether there is a time at all, and its offset."""


def offset_of_time(reading: Reading, scope: Scope) -> Read | None:
    """For a row that says when it began and not at which offset; null where the time tells none (it is in UTC).

    None where the time is a constant. Never a finding: what is wrong with the time is said of the time.
    """
    find = _finder(reading, scope)
    if find is None:
        return None

    def read(documents: Documents, issues: list[Issue]) -> str | None:
        try:
            return find(documents)[1]
        except Finding:
            return None

    return read


def offset_of_path(reading: Reading, scope: Scope) -> Read:
    """For a column of an offset that is read like a time: `{path: start, zone: $account.zone}`."""
    find = _of_path(reading, scope)
    return lambda documents, issues: find(documents)[1]


def _finder(reading: Reading, scope: Scope) -> Callable[[Documents], _Found] | None:
    if reading.first:
        ways = [way for one in reading.first if (way := _finder(_read_alike(one, reading), scope)) is not None]

        def first(documents: Documents) -> _Found:
            return next((found for way in ways if (found := way(documents))[0]), (False, None))

        return first
    return _of_path(reading, scope) if reading.path is not None else None


def _read_alike(one: Reading, outer: Reading) -> Reading:
    """An alternative of `first` is read as the others where it says nothing itself."""
    said = {name: getattr(outer, name) for name in _OF_TIMES if getattr(one, name) is None}
    return dataclasses.replace(one, **said)


def _of_path(reading: Reading, scope: Scope) -> Callable[[Documents], _Found]:
    path = compile_path(str(reading.path), scope)
    shift = _shift(reading, scope)

    def find(documents: Documents) -> _Found:
        value = path.value(documents)
        if value is None:
            return False, None
        ahead = shift(value, documents)
        seconds = None if ahead is None else ahead.total_seconds()
        return True, None if seconds is None or seconds % 60 else times.offset_text(int(seconds))

    return find


def _shift(reading: Reading, scope: Scope) -> Callable[[Any, Documents], timedelta | None]:
    written = scope.in_record(str(reading.path))
    if not (reading.offset or reading.zone):
        return lambda value, documents: times.carried(value)
    zone = moments.local_zone(reading, scope)
    if reading.offset and not reading.zone:
        return lambda value, documents: zone(value, documents, written).utcoffset(None)
    counts_in_utc = reading.time in ("epoch", "epoch_ms")
    bare = dataclasses.replace(reading, zone=None, offset=None) if counts_in_utc else reading
    instant = moments.instants(bare, written, scope)

    def shift(value: Any, documents: Documents) -> timedelta | None:
        at: datetime = instant(value, documents)
        return at.astimezone(zone(value, documents, written)).utcoffset()

    return shift
