"""Where the simulated member is on each day: the zone offset of home, summer time included, and of the trips.
All arithmetic is on UTC epoch milliseconds; no zone database is needed, so the sandbox runs anywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# (first age, last age, offset in minutes); an age is counted in nights back from the latest one when the sandbox
# started. A stay at UTC, a half-hour zone and both sides of the date line's hemisphere, each reached and left.
TRIPS = (
    (8, 11, 0),
    (18, 21, 330),
    (140, 148, -420),
    (149, 151, 0),
    (330, 338, 540),
    (520, 527, -300),
)


def offset_minutes(age: int, day: date) -> int:
    """The zone offset, in minutes, in which the night ending on the local `day` is slept."""
    for first, last, minutes in TRIPS:
        if first <= age <= last:
            return minutes
    return 120 if _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10) else 60


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def offset_text(minutes: int) -> str:
    """`Z`, `+hh:mm` or `-hh:mm`, as in W3C's time zone designator."""
    if minutes == 0:
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def local_midnight(day: date, offset: int) -> int:
    """UTC epoch milliseconds of the local `day`'s first instant."""
    return (day.toordinal() - _EPOCH) * DAY - offset * MINUTE


_EPOCH = date(1970, 1, 1).toordinal()


def instant_text(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`: 2022-04-24T11:25:44.774Z."""
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
