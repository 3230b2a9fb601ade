"""Results and reference ranges written as text: what they certainly say, or nothing."""

from __future__ import annotations

import re
from typing import NamedTuple

from hde.mapping import units

_NUMBER = r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3}){2,}|[0-9]{1,15})?(?:(?<=[0-9])\.[0-9]{1,40}|\.[0-9]{1,40})?(?<=[0-9])"
"""Digits, or several groups of thousands: `1,234` alone may be a decimal comma and is not read."""
_POWER = r"(?:[eE][+-]?[0-9]{1,2})?"
_N = rf"({_NUMBER}{_POWER})"
_SIGN = r"(<=|>=|=<|=>|<|>|≤|≥|< ?OR ?=|> ?OR ?=)"
_REST = r"\s*(\S.*?)?\s*"
_VALUE = re.compile(rf"\s*(?:{_SIGN}\s*)?{_N}{_REST}\Z", re.IGNORECASE)
_RANGE = re.compile(rf"\s*{_N}\s*(?:-|\u2013|\u2014|to)\s*{_N}{_REST}\Z", re.IGNORECASE)
_RATIO = re.compile(rf"\s*{_N}\s*:\s*{_N}\s*\Z")
_WORDS = {
    "less than or equal to": "<=", "not more than": "<=", "no more than": "<=", "up to": "<=", "at most": "<=",
    "less than": "<", "below": "<", "under": "<",
    "greater than or equal to": ">=", "not less than": ">=", "at least": ">=",
    "greater than": ">", "more than": ">", "above": ">", "over": ">",
}  # fmt: skip
"""Before a number; what is longer stands first."""
_OPEN = re.compile(
    rf"\s*(?:{_SIGN}|({'|'.join(_WORDS)}))"
    rf"\s*{_N}{_REST}\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\s*(?:ref(?:erence)?|normal)\s*(?:range|interval)?\s*:", re.IGNORECASE)
_LONGEST = 200
_FLAGS = ("H", "L", "HH", "LL", "N", "A", "AA")
"""Behind a number: rather a flag than henry, litre, newton, ampere."""
_SIGNS = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "<OR=": "<=", ">OR=": ">="}


class Quantity(NamedTuple):
    number: float
    comparator: str | None
    unit: str | None
    flag: str | None = None


class Range(NamedTuple):
    low: float
    high: float
    unit: str | None


class Ratio(NamedTuple):
    first: float
    second: float


class Span(NamedTuple):
    """A reference range; an end that is open is None."""

    low: float | None
    high: float | None
    unit: str | None


def read_value(text: str) -> Quantity | Range | Ratio | None:
    """A result; None for what is not wholly a number, a range or a ratio, with nothing but a known unit behind it."""
    if len(text) > _LONGEST:
        return None
    if match := _RATIO.match(text):
        return Ratio(_number(match[1]), _number(match[2]))
    if match := _VALUE.match(text):
        if match[3] and match[3].upper() in _FLAGS:
            return Quantity(_number(match[2]), _sign(match[1]), None, match[3])
        if _is_unit(match[3]):
            return Quantity(_number(match[2]), _sign(match[1]), match[3])
    match = _RANGE.match(text)
    if match and _is_unit(match[3]) and _number(match[1]) <= _number(match[2]):
        return Range(_number(match[1]), _number(match[2]), match[3])
    return None


def read_span(text: str) -> Span | None:
    """A reference range: `<=200`, `0.50 - 0.90 mg/dL`, `> OR = 40`; None for more or other than one."""
    if len(text) > _LONGEST:
        return None
    inner = _LABEL.sub("", text).strip()
    if inner[:1] + inner[-1:] in ("()", "[]"):
        inner = inner[1:-1]
    if (match := _RANGE.match(inner)) and _is_unit(match[3]):
        low, high = _number(match[1]), _number(match[2])
        return Span(low, high, match[3]) if low <= high else None
    if (match := _OPEN.match(inner)) and _is_unit(match[4]):
        bound = _number(match[3])
        sign = _sign(match[1]) or _WORDS[" ".join(match[2].lower().split())]
        return Span(None, bound, match[4]) if sign.startswith("<") else Span(bound, None, match[4])
    return None


def _number(text: str) -> float:
    return float(text.replace(",", "")) + 0.0


def _sign(text: str | None) -> str | None:
    if text is None:
        return None
    plain = text.replace(" ", "").upper()
    return _SIGNS.get(plain, plain)


def _is_unit(text: str | None) -> bool:
    """Nothing, or something the engine knows to be a unit."""
    return text is None or (not text[0].isdigit() and units.ucum(text) is not None)
