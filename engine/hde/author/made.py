"""Records made from what a document describes: its examples where it has some, plain values else. Never random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hde.author.fields import Names, fits
from hde.author.names import words
from hde.author.recognise import usual
from hde.author.schema_shape import Shape
from hde.spec.connector import ColumnType

_TEXTS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "duration": "PT1H",
}
_MOST_WHOLE = 2**53


def made(shape: Shape, names: Names = ()) -> Any:
    """A value of a shape."""
    match shape.kind:
        case "object":
            return {name: made(below, (*names, name)) for name, below in shape.members.items()}
        case "list":
            return [made(shape.items, names)] if shape.items and shape.items.kind != "any" else []
        case "text":
            return _text(shape, names)
        case "boolean":
            return shape.example if isinstance(shape.example, bool) else False
        case "whole" | "number":
            return _number(shape, names)
        case "any":
            return None


def types(shape: Shape, names: Names = ()) -> Iterator[tuple[Names, ColumnType]]:
    """The raw type of each field that is described well enough."""
    for name, below in shape.members.items():
        here = (*names, name)
        if below.kind == "object" and below.members:
            yield from types(below, here)
        else:
            yield here, _type(below)


def absent(shape: Shape) -> Any:
    """The same record with null wherever it may be null; None where it may nowhere."""
    if shape.kind != "object":
        return None
    record = made(shape)
    nulls = [name for name, below in shape.members.items() if below.nullable]
    return {**record, **dict.fromkeys(nulls)} if nulls else None


def _type(shape: Shape) -> ColumnType:
    match shape.kind:
        case "text":
            formats: dict[str, ColumnType] = {"date-time": "timestamptz", "date": "date", "uuid": "uuid"}
            kind = formats.get(shape.format, "text")
            return kind if all(fits(kind, value) for value in _said_texts(shape)) else "text"
        case "whole":
            return "int" if shape.format == "int32" else "bigint"
        case "number":
            return "float"
        case "boolean":
            return "boolean"
        case _:
            return "jsonb"


def _text(shape: Shape, names: Names) -> str:
    said = [*_said_texts(shape), *(word for word in shape.words if isinstance(word, str))]
    if said:
        return str(said[0])[:200]
    if shape.format in _TEXTS:
        return _TEXTS[shape.format]
    last = words(names[-1]) if names else ()
    if shape.format == "" and last[-1:] == ("offset",):
        return "+01:00"
    return "text"


def _said_texts(shape: Shape) -> list[str]:
    return [one for one in shape.examples if isinstance(one, str) and one.isprintable()]


def _number(shape: Shape, names: Names) -> int | float:
    for one in shape.examples:
        if isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < _MOST_WHOLE:
            if shape.kind == "number":
                return float(one)
            if float(one).is_integer():
                return int(one)
    likely = usual(names) if names else 1.0
    return likely if shape.kind == "number" else round(likely)
