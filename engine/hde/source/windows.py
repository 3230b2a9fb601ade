"""How a span of time is shown to a source: its format, its ends, its coarseness. Plans nothing, asks no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hde.spec.connector import Window

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
EARLIEST_ZONE = timedelta(hours=14)
"""Where a day begins first on Earth."""

_GRAINS = (
    (re.compile("%f"), MICROSECOND),
    (re.compile("%[STXcsr]"), SECOND),
    (re.compile("%[MR]"), timedelta(minutes=1)),
    (re.compile("%[HI]"), timedelta(hours=1)),
)


@dataclass(frozen=True)
class Bounds:
    """A half-open span of UTC instants; no start means no beginning."""

    start: datetime | None
    end: datetime | None


def shown(window: Window, bounds: Bounds) -> Mapping[str, object]:
    """`window.start` and `window.end` as the source wants them; an open end is None.

    A format coarser than the bounds is rounded outward, so that nothing inside them is left out.
    """
    grain = grain_of(window.format)
    return {
        "start": None if bounds.start is None else _start(window, bounds.start, grain),
        "end": None if bounds.end is None else _end(window, bounds.end, grain),
    }


def _start(window: Window, instant: datetime, grain: timedelta) -> object:
    return _written(window.format, _floor(_moved(instant, -window.widen_before), grain))


def _end(window: Window, instant: datetime, grain: timedelta) -> object:
    end = _moved(instant, window.widen_after)
    if window.format == "date" and _floor(end, DAY) != end:
        # An end within a day is "now", and somewhere on Earth the next day has begun.
        end = _moved(end, EARLIEST_ZONE)
    end = _ceiling(end, grain)
    return _written(window.format, _moved(end, -grain) if window.end == "inclusive" else end)


def grain_of(format_: str) -> timedelta:
    """The shortest span that a format can tell apart."""
    match format_:
        case "rfc3339":
            return MICROSECOND
        case "date":
            return DAY
        case "epoch":
            return SECOND
        case "epoch_ms":
            return timedelta(milliseconds=1)
    return next((grain for pattern, grain in _GRAINS if pattern.search(format_)), DAY)


def _written(format_: str, instant: datetime) -> object:
    match format_:
        case "rfc3339":
            return instant.replace(tzinfo=None).isoformat() + "Z"
        case "date":
            return instant.date().isoformat()
        case "epoch":
            return _since_epoch(instant) // SECOND
        case "epoch_ms":
            return _since_epoch(instant) // timedelta(milliseconds=1)
    return instant.strftime(format_)


def _since_epoch(instant: datetime) -> timedelta:
    return instant - datetime(1970, 1, 1, tzinfo=UTC)


def _floor(instant: datetime, grain: timedelta) -> datetime:
    return instant - (_since_epoch(instant) % grain)


def _ceiling(instant: datetime, grain: timedelta) -> datetime:
    floor = _floor(instant, grain)
    return floor if floor == instant else _moved(floor, grain)


def _moved(instant: datetime, span: timedelta) -> datetime:
    """`instant + span` in UTC; beyond the calendar's ends, those ends."""
    instant = instant.astimezone(UTC)
    try:
        return instant + span
    except OverflowError:
        return LATEST if span > timedelta(0) else EARLIEST
