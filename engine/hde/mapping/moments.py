"""How a mapping reads a time: `time`, `offset`, `zone`, `after` and `plus` of a reading, compiled to one function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from hde.errors import WrongUse
from hde.mapping import times
from hde.mapping.paths import Documents, Path, compile_path
from hde.mapping.scope import Scope
from hde.mapping.units import conversion
from hde.mapping.values import Finding, number, refuse
from hde.spec.mapping import LocalOffset, Plus, Reading

Moment = Callable[[Any, Documents], Any]
"""From the source's value (never null) to a datetime in UTC, or a date."""

_SECOND, _MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)


def says_time(reading: Reading) -> bool:
    return any((reading.time, reading.offset, reading.zone, reading.after, reading.plus))


def instants(reading: Reading, path: str, scope: Scope) -> Moment:
    """The reader of a timestamptz."""
    read = _instants(reading, path, scope)
    return _plus(read, reading.plus, path, scope) if reading.plus else read


def dates(reading: Reading, path: str, scope: Scope) -> Moment:
    """The reader of a date: written as such, or the local day of an instant."""
    if reading.time == "clock" or reading.plus or reading.after:
        raise WrongUse("a date is no time of day: `clock`, `after` and `plus` are for timestamptz columns")
    if reading.time is None and not (reading.offset or reading.zone):
        return lambda value, documents: times.day(value, path)
    if reading.time not in (None, "epoch", "epoch_ms"):
        written = times.pattern(str(reading.time))
        return lambda value, documents: written(value, path).date()
    zone = local_zone(reading, scope)
    read = _epoch(reading.time, path) if reading.time else _written(path, zone, _loose)

    def local(value: Any, documents: Documents) -> date:
        try:
            found: datetime = read(value, documents)
            return found.astimezone(zone(value, documents, path)).date()
        except OverflowError:
            refuse(value, path, "time")

    return local


def _instants(reading: Reading, path: str, scope: Scope) -> Moment:
    local = reading.offset or reading.zone
    if reading.after and reading.time != "clock":
        raise WrongUse("`after` belongs to `time: clock`")
    match reading.time:
        case None if not local:
            return lambda value, documents: times.instant(value, path)
        case None:
            return _written(path, local_zone(reading, scope), _loose)
        case "epoch" | "epoch_ms":
            if local:
                raise WrongUse(f"`time: {reading.time}` counts in UTC; it takes no `offset` and no `zone`")
            return _epoch(reading.time, path)
        case "clock":
            if reading.after is None:
                raise WrongUse("`time: clock` needs `after`: the date or instant it follows")
            return _clock(compile_path(reading.after, scope), path, local_zone(reading, scope))
        case pattern:
            return _written(path, local_zone(reading, scope), times.pattern(pattern))


def _epoch(kind: str, path: str) -> Moment:
    unit = _SECOND if kind == "epoch" else _MILLISECOND
    return lambda value, documents: times.epoch(value, path, unit)


def _loose(value: object, path: str) -> datetime:
    """RFC 3339 whose offset may be missing, because the mapping says where it is."""
    if isinstance(value, str):
        try:
            times.instant(value + "Z", path)
        except Finding:
            return times.instant(value, path)
        return datetime.fromisoformat(value)
    return times.instant(value, path)


Zone = Callable[[object, Documents, str], tzinfo]


def _written(path: str, zone: Zone, parse: Callable[[object, str], datetime]) -> Moment:
    def read(value: Any, documents: Documents) -> datetime:
        found = parse(value, path)
        if found.tzinfo is None:
            # fold stays 0: a local time that comes twice is taken as its first occurrence
            found = found.replace(tzinfo=zone(value, documents, path))
        try:
            return found.astimezone(UTC)
        except OverflowError:
            refuse(value, path, "time")

    return read


def _clock(after: Path, path: str, zone: Zone) -> Moment:
    def read(value: Any, documents: Documents) -> datetime | None:
        begin = after.value(documents)
        if begin is None:
            return None
        clock = times.time_of_day(value, path)
        return times.first_after(clock, begin, zone(value, documents, path), after.text)

    return read


def local_zone(reading: Reading, scope: Scope) -> Zone:
    """What says how local times are meant: the offset beside them, else the zone. Finding where neither is there."""
    offset = _offset(reading.offset, scope) if reading.offset else None
    named = compile_path(reading.zone, scope) if reading.zone else None

    def find(value: object, documents: Documents, path: str) -> tzinfo:
        if offset is not None:
            found = offset(documents)
            if found is not None:
                return found
        if named is not None:
            name = named.value(documents)
            if name is not None:
                return times.zone(name, named.text)
        refuse(value, path, "offset")

    return find


def _offset(spec: LocalOffset, scope: Scope) -> Callable[[Documents], tzinfo | None]:
    path = compile_path(spec.path, scope)
    to_seconds = conversion(spec.unit, "s") if spec.unit else None

    def find(documents: Documents) -> tzinfo | None:
        value = path.value(documents)
        return None if value is None else times.fixed(value, path.text, to_seconds)

    return find


def _plus(read: Moment, plus: Plus, path: str, scope: Scope) -> Moment:
    length = compile_path(plus.path, scope)
    to_seconds = conversion(plus.unit, "s") if plus.unit else None
    often = compile_path(plus.times, scope) if plus.times else None

    def later(value: Any, documents: Documents) -> datetime | None:
        begin: datetime | None = read(value, documents)
        span = length.value(documents)
        count = 1 if often is None else often.value(documents)
        if begin is None or span is None or count is None:
            return None
        seconds = times.span(span, length.text, to_seconds)
        try:
            return begin + timedelta(seconds=seconds * (1 if often is None else number(count, often.text)))
        except (OverflowError, ValueError):
            refuse(value, path, "time")

    return later
