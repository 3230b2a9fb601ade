"""Values as a person reads them in a terminal, and the console they are printed on."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime

from rich.console import Console

PLAIN = 100
"""Columns, where no terminal sets a width."""
LONGEST = 60


def console() -> Console:
    """Plain where it is piped; never guesses at markup in what sources say."""
    return Console(width=None if sys.stdout.isatty() else PLAIN, markup=False, emoji=False, highlight=False)


def shown(value: object, *, longest: int = LONGEST) -> str:
    """One value in one line: instants in UTC, numbers without noise, long ones cut short."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case datetime():
            at = value.astimezone(UTC)
            return f"{at:%Y-%m-%d %H:%M:%S}" + (f".{at:%f}".rstrip("0") if at.microsecond else "") + "Z"
        case date():
            return value.isoformat()
        case float():
            return f"{value:.12g}"
        case str():
            text = value if value.isprintable() and value else json.dumps(value, ensure_ascii=False)
        case dict() | list() | tuple():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def plain(value: object) -> object:
    """For JSON: instants as RFC 3339, all else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str | int | float | bool | list | dict) or value is None else str(value)


def with_unit(value: object, unit: str | None) -> str:
    """`6.2 h` is for people; here a number keeps the unit it is stored in."""
    if value is None or unit is None or unit == "1" or not isinstance(value, int | float):
        return shown(value)
    return f"{shown(value)} {unit.strip('{}')}"


def counted(number: int, word: str, plural: str | None = None) -> str:
    return f"{number:,} {word if number == 1 else plural or word + 's'}"
