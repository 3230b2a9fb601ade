"""Times of which a source knows a day, a month or a year only. What is not known is not made up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from hde.canonical import Table
from hde.issues import Issue
from hde.mapping import moments, times, values
from hde.mapping.at import Make
from hde.mapping.moments import Moment
from hde.mapping.paths import Documents
from hde.mapping.scope import Scope
from hde.mapping.values import Finding
from hde.spec.mapping import Reading

_LESS = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?\Z")
_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?\Z")
_BEGINS_WITH_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]|\Z)")


LONGEST = 100
"""Characters of what is kept though it says no time."""


class Part(NamedTuple):
    """A time that is no instant: the source's words, and the day where they name one."""

    text: str
    day: date | None


def reader(reading: Reading, path: str, scope: Scope) -> Moment:
    """Of a column of type moment: gives an instant, or a `Part`."""
    if reading.time not in (None, "epoch", "epoch_ms", "clock") and not (reading.offset or reading.zone):
        return _by_pattern(str(reading.time), path)
    instant = moments.instants(reading, path, scope)
    if moments.says_time(reading) and not reading.plus:
        return lambda value, documents: _less(value) or instant(value, documents)
    return lambda value, documents: _less(value) or _day_of_local(value) or instant(value, documents)


def kept(moment: Moment) -> Make:
    """The reader, to which a text that says no time it knows is at least a text: kept, with a warning."""

    def make(value: Any, documents: Documents, issues: list[Issue]) -> Any:
        try:
            return moment(value, documents)
        except Finding as finding:
            if not isinstance(value, str) or len(value) > LONGEST or finding.issue.rule != "time":
                raise
            issues.append(finding.issue._replace(level="warning"))
            return Part(values.text(value, finding.issue.path), None)

    return make


def days(reading: Reading, path: str, scope: Scope) -> Moment:
    """Of a column of type day: the day as it is written; null where only a month or a year is."""
    if moments.says_time(reading):
        return moments.dates(reading, path, scope)

    def read(value: Any, documents: object) -> date | None:
        part = _less(value)
        if part is not None:
            return part.day
        match = _BEGINS_WITH_DAY.match(value) if isinstance(value, str) else None
        return times.day(match[1] if match else value, path)

    return read


def finish(table: Table) -> Callable[[list[Any], list[Issue]], None] | None:
    """Fills in the days, and what is less than an instant; None for a table without such times."""
    kinds = {column.name: column.type for column in table.columns}
    if kinds.get("start_time") != "moment":
        return None
    at = table.places()
    start, end, offset = at["start_time"], at["end_time"], at["utc_offset"]

    def fill(values: list[Any], issues: list[Issue]) -> None:
        began = values[start]
        if isinstance(began, Part):
            values[at["start_text"]] = began.text
        for place, target in ((start, "local_date"), (end, "end_date")):
            found = values[place]
            if isinstance(found, Part):
                values[place], values[at[target]] = None, found.day
            elif found is not None:
                values[at[target]] = _day(found, values[offset])

    return fill


def _day(instant: datetime, offset: str | None) -> date | None:
    try:
        return None if offset is None else (instant + times.shift(offset)).date()
    except OverflowError:
        return None


def _less(value: object) -> Part | None:
    """A year, a month or a day, as ISO 8601 writes them."""
    if not isinstance(value, str):
        return None
    if _LESS.match(value):
        return Part(value, None)
    return _part(value, value) if len(value) == len("2026-01-31") else None


def _day_of_local(value: object) -> Part | None:
    """A time of day at a place nobody names: the day is all that is certain."""
    match = _LOCAL.match(value) if isinstance(value, str) else None
    return _part(value, match[1]) if match and isinstance(value, str) else None


def _part(text: str, day: str) -> Part | None:
    try:
        return Part(text, date.fromisoformat(day)) if day[4] == "-" else None
    except ValueError:
        return None


def _by_pattern(pattern: str, path: str) -> Moment:
    """A pattern without a zone names a day, whatever else it names."""
    written = times.pattern(pattern)

    def read(value: Any, documents: object) -> datetime | Part:
        found = written(value, path)
        if found.tzinfo is None:
            return Part(str(value), found.date())
        return times.instant(found, path)

    return read
