"""FHIR's dates as what they are: spans. `2026` is a year, `2026-05-20T15:30:00Z` a second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hde.sandbox.fhir.record import Json

_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Span(NamedTuple):
    """[start, end)"""

    start: datetime
    end: datetime


def span(text: str) -> Span:
    """Raises ValueError for what is no FHIR date or dateTime. Without a zone a day is one in UTC."""
    match = _WRITTEN.fullmatch(text.replace(" ", "+"))  # a plus that nobody encoded
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second, zone = match.groups()
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if hour is not None:
        start = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or '+00:00'}")
        return Span(start, start + (timedelta(seconds=1) if second else timedelta(minutes=1)))
    if day is not None:
        return Span(start, start + timedelta(days=1))
    if month is not None:
        return Span(start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1))
    return Span(start, start.replace(year=start.year + 1))


def spans_of(value: Any) -> list[Span]:
    """Of a date, a dateTime, a Period with one end open, or nothing."""
    if isinstance(value, str):
        return [span(value)]
    if isinstance(value, dict):
        period: Json = value
        start = span(period["start"]).start if "start" in period else _FIRST
        end = span(period["end"]).end if "end" in period else _LAST
        return [Span(start, end)]
    return []


def matches(asked: str, found: Span) -> bool:
    """Whether a search value, prefix included, matches. Raises ValueError for one that is no date."""
    prefix, text = (asked[:2], asked[2:]) if asked[:2] in PREFIXES else ("eq", asked)
    start, end = span(text)
    within = start <= found.start and found.end <= end
    match prefix:
        case "eq":
            return within
        case "ne":
            return not within
        case "gt":
            return found.end > end
        case "ge":
            return found.end > end or within or found.start >= start
        case "lt":
            return found.start < start
        case "le":
            return found.start < start or within or found.end <= end
        case "sa":
            return found.start >= end
    return found.end <= start
