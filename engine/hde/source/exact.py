"""JSON whose numbers stay what the source wrote: 1.10 stays 1.10, and thirty digits stay thirty digits."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

MOST_BEFORE_POINT = 131_072
MOST_AFTER_POINT = 16_383
"""What a PostgreSQL numeric, and so a number in jsonb, can hold."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?\Z")


class Exact(float):
    """A number and the text it was written with; integers are Python's own, up to the 4,000 digits it reads."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> Exact:
        self = super().__new__(cls, literal)
        self.literal = literal
        return self

    def __reduce__(self) -> tuple[type[Exact], tuple[str]]:
        return Exact, (self.literal,)


# JMESPath's functions know types by their Python name: under another one, sum() and max() would refuse these numbers.
Exact.__name__ = "float"


class Literal(str):
    """The text of a number with a point or an exponent, told apart from a JSON string by its type."""

    __slots__ = ()


def literal(text: str) -> Literal:
    """For columns that pass a number on as it was written; ValueError where jsonb may not be able to hold it."""
    if (len(text) < 20 and "e" not in text and "E" not in text) or is_storable_number(text):
        return Literal(text)
    raise ValueError("number out of range")


Json = msgspec.json.Decoder(float_hook=Exact)


def decode_exactly(text: bytes) -> Any:
    """The value; ValueError where `text` is not JSON, RecursionError where it is too deep to be read."""
    try:
        return Json.decode(text)
    except ValueError:
        return decode_loosely(text)


def decode_loosely(text: bytes) -> Any:
    """As `decode_exactly`, and lone surrogates, invalid UTF-8 and NaN do not stop it."""
    return json.loads(text.decode("utf-8", "replace"), parse_float=Exact, parse_int=_whole, parse_constant=Exact)


def _whole(literal: str) -> int | Exact:
    return int(literal) if len(literal) < 4000 else Exact(literal)


def exact_text(value: object) -> str:
    """The value as JSON text again, numbers as they were written."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(str(key))}:{exact_text(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(exact_text, value)) + "]"
        case Exact():
            return value.literal
        case Literal():
            return str(value)
        case _:
            return json.dumps(value)


def is_storable_number(literal: str) -> bool:
    """Whether PostgreSQL's numeric, and so jsonb, takes this number as it is written."""
    match = _NUMBER.match(literal)
    if match is None:
        return False
    whole, fraction, exponent = match[1], match[2] or "", match[3] or "0"
    if len(exponent) > 7:
        return False
    before, after = len(whole) + int(exponent), len(fraction) - int(exponent)
    return before <= MOST_BEFORE_POINT and after <= MOST_AFTER_POINT
