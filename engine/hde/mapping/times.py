"""Times as sources write them: instants, local times, offsets, zones, spans. Never asks the clock, guesses no zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from hde.errors import WrongUse
from hde.mapping.values import number, refuse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_PATTERN = 100

_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT = re.compile(rf"{_DAY}[Tt ]{_CLOCK}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_CLOCK})\Z")
_DATE = re.compile(rf"{_DAY}\Z")
_TIME_OF_DAY = re.compile(rf"{_CLOCK}(?::[0-5][0-9](?:\.[0-9]{{1,6}})?)?\Z")
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):?([0-5][0-9])\Z")
_ISO_SPAN = re.compile(
    r"([+-]?)P(?=[0-9T])(?:([0-9.]+)W)?(?:([0-9.]+)D)?(?:T(?=[0-9])(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?\Z"
)
_SHORT_SPAN = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ?(ms|s|m|min|h|d|w)\Z")
_SHORT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DAYLESS = "does not say year, month and day: what is missing would be made up"


def instant(value: object, path: str) -> datetime:
    """RFC 3339 with an offset (or an aware datetime), in UTC."""
    if isinstance(value, str):
        if INSTANT.match(value):
            try:
                found = datetime.fromisoformat(value if value[-1] != "z" else value[:-1] + "Z")
                return found if found.tzinfo is UTC else found.astimezone(UTC)
            except (ValueError, OverflowError):
                pass
    elif isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    refuse(value, path, "time")


def day(value: object, path: str) -> date:
    """`YYYY-MM-DD` and nothing else; a time of day would make the date depend on a zone."""
    if isinstance(value, str) and _DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return value
    refuse(value, path, "time")


def epoch(value: object, path: str, unit: timedelta) -> datetime:
    """So many `unit`s since 1970 in UTC."""
    try:
        return EPOCH + number(value, path) * unit
    except OverflowError:
        refuse(value, path, "time")


def pattern(text: str) -> Callable[[object, str], datetime]:
    """A reader of a strptime pattern; naive unless the pattern holds %z. WrongUse for a pattern that leaves gaps."""
    if len(text) > LONGEST_PATTERN:
        raise WrongUse(f"time: a pattern of {len(text)} characters; {LONGEST_PATTERN} are the most")
    shown = repr(text)
    try:
        datetime.strptime("", text)  # noqa: DTZ007 - only to learn whether the pattern compiles
    except re.error:
        raise WrongUse(f"time: {shown} says one thing twice") from None
    except ValueError as error:
        if "format" in str(error) and "does not match" not in str(error):
            raise WrongUse(f"time: {shown} is not a strptime pattern: {' '.join(str(error).split())}") from None
    given = set(re.findall(r"%(.)", text.replace("%%", "")))
    if given & set("cxXZ"):
        raise WrongUse(f"time: {shown}: %c, %x, %X and %Z mean something else on every machine")
    dated = given & set("yY") and (({"d"} <= given and given & set("mbB")) or "j" in given)
    if not dated and not {"G", "V", "u"} <= given:
        raise WrongUse(f"time: {shown} {_DAYLESS}")

    def read(value: object, path: str) -> datetime:
        if isinstance(value, str) and value.isascii():
            try:
                return datetime.strptime(value, text)  # noqa: DTZ007 - the zone comes from elsewhere
            except (ValueError, OverflowError):
                pass
        refuse(value, path, "time")

    return read


def time_of_day(value: object, path: str) -> time:
    if isinstance(value, str) and _TIME_OF_DAY.match(value):
        return time.fromisoformat(value)
    refuse(value, path, "time")


def first_after(clock: time, after: object, zone: tzinfo, path: str) -> datetime:
    """The first moment, in UTC, at which it is `clock` in `zone`, at or after a date or an instant."""
    try:
        if isinstance(after, str) and _DATE.match(after):
            return datetime.combine(day(after, path), clock, zone).astimezone(UTC)
        begin = instant(after, path)
        today = begin.astimezone(zone).date()
        # in autumn a time of day comes twice, and only its second coming may lie after the beginning
        for fold in (0, 1):
            found = datetime.combine(today, clock.replace(fold=fold), zone).astimezone(UTC)
            if found >= begin:
                return found
        return datetime.combine(today + timedelta(days=1), clock, zone).astimezone(UTC)
    except OverflowError:
        refuse(after, path, "time")


def carried(value: object) -> timedelta | None:
    """The offset an RFC 3339 time carries. `Z` and `-00:00` say only that it is in UTC: None, as for all else."""
    if not isinstance(value, str) or not INSTANT.match(value) or value[-1] in "Zz" or value.endswith("-00:00"):
        return None
    return timedelta(seconds=offset_seconds(value[-6:]) or 0)


@lru_cache(maxsize=4096)
def offset_seconds(text: str) -> int | None:
    """Seconds east of UTC for `+02:00`, `+0200` or `Z`, or of a time that carries one; None for anything else."""
    if text in ("Z", "z"):
        return 0
    if len(text) > 6 and (ahead := carried(text)) is not None:
        return int(ahead.total_seconds())
    match = _OFFSET.match(text)
    if match is None:
        return None
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return -seconds if match[1] == "-" else seconds


@lru_cache(maxsize=4096)
def shift(offset: str) -> timedelta:
    """What to add to UTC for a normalised offset."""
    return timedelta(seconds=offset_seconds(offset) or 0)


@lru_cache(maxsize=4096)
def offset_text(seconds: int) -> str | None:
    """`+02:00`; None for what is no whole number of minutes within a day."""
    if seconds % 60 or abs(seconds) >= 86400:
        return None
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def fixed(value: object, path: str, to_seconds: Callable[[float], float] | None) -> timezone:
    """A local offset from text, or from a number that `to_seconds` turns into seconds."""
    seconds: float | None = None
    if isinstance(value, str):
        seconds = offset_seconds(value)
    if seconds is None and to_seconds is not None:
        seconds = _in_seconds(value, path, to_seconds, "offset")
    if seconds is None or not -86400 < seconds < 86400 or seconds != int(seconds):
        refuse(value, path, "offset")
    return timezone(timedelta(seconds=int(seconds)))


def zone(value: object, path: str) -> ZoneInfo:
    """An IANA zone by name."""
    if isinstance(value, str) and value in _zones():
        return ZoneInfo(value)
    refuse(value, path, "zone")


@cache
def _zones() -> frozenset[str]:
    """Exact names only: `localtime` is another zone on every machine, and some file systems do not mind the case."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def span(value: object, path: str, to_seconds: Callable[[float], float] | None) -> float:
    """Seconds: of a number in a unit, an ISO 8601 duration without months and years, or `90s`."""
    seconds = span_seconds(value) if isinstance(value, str) else None
    if seconds is None:
        if to_seconds is None:
            refuse(value, path, "span")
        seconds = _in_seconds(value, path, to_seconds, "span")
    try:
        timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        refuse(value, path, "span")
    return seconds


def _in_seconds(value: object, path: str, to_seconds: Callable[[float], float], rule: str) -> float:
    """A whole number may have hundreds of digits, which no float holds."""
    try:
        return to_seconds(number(value, path))
    except OverflowError:
        refuse(value, path, rule)


def span_seconds(text: str) -> float | None:
    """Seconds of `PT1H30M` or `90s`; None for anything else, months and years included: they have no fixed length."""
    match = _SHORT_SPAN.match(text)
    if match:
        return float(match[1]) * _SHORT_SECONDS[match[2]]
    match = _ISO_SPAN.match(text)
    if match is None:
        return None
    sign, *parts = match.groups()
    try:
        numbers = [float(part) if part else 0.0 for part in parts]
    except ValueError:
        return None
    seconds = sum(n * size for n, size in zip(numbers, (604800, 86400, 3600, 60, 1), strict=True))
    return -seconds if sign == "-" else seconds
