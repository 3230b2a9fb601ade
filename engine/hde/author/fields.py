"""What the fields of some records are: their paths, and the raw type that every value of each has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hde.author.names import column_for, is_sayable, path_text, word_set, words
from hde.author.part import Map
from hde.mapping.expression import is_plain
from hde.source.values import EXACT_FLOAT, FITS, LARGEST8, SMALLEST8, Misfit
from hde.spec.connector import ColumnType
from hde.spec.formats import LONGEST_NAME, NAME
from hde.spec.freeze import column_name

Names = tuple[str, ...]
DEEPEST = 6
"""Objects below this many others become one jsonb column."""
MOST_COLUMNS = 400
"""What a record has beyond these stays in `payload` only."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_COUNTED = 1_000_000
"""Whole numbers that reach this are declared bigint: identifiers and milliseconds grow beyond int."""
_LONG = re.compile(r"(^|_)(ids?|epoch|timestamp)$")
_WHOLE = word_set(
    """id ids count counts counter number num no nr steps step version revision year month day weekday age floors index
    size offset status state type code kind category class flag is has sequence seq"""
)
"""Words of names whose numbers stay whole."""


@dataclass(frozen=True)
class Field:
    """One field of the records, objects flattened."""

    names: Names
    type: ColumnType
    values: tuple[object, ...]
    """Of all records that have one; never null."""
    always: bool
    """Every record has a value."""

    @property
    def path(self) -> str:
        return path_text(self.names)


def fields_of(records: Sequence[Mapping[str, Any]]) -> list[Field]:
    """The fields, in the order in which the records bring them."""
    return list(_fields(records, (), True))[:MOST_COLUMNS]


def columns_of(fields: Sequence[Field]) -> tuple[Map, dict[Names, str]]:
    """The `columns` of a resource, and the column's name of each field."""
    said: Map = {}
    names: dict[Names, str] = {}
    taken: set[str] = set()
    for field in fields:
        name = column_name(field.path)
        is_name = NAME.match(name) and len(name) <= LONGEST_NAME and name != "payload" and name not in taken
        if is_plain(field.path) and is_name:
            said[field.path] = field.type
        else:
            name = column_for(field.names, taken)
            said[name] = {"type": field.type, "path": field.path}
        taken.add(name)
        names[field.names] = name
    return said, names


def fractional(fields: Sequence[Field], key: Collection[Names]) -> list[Field]:
    """The same, but numbers that are whole by chance may have a fraction: not a key, and not a count."""
    return [
        replace(field, type="float")
        if field.type == "int" and field.names not in key and not _WHOLE & set(words(field.names[-1]))
        else field
        for field in fields
    ]


def _fields(objects: Sequence[Mapping[str, Any]], above: Names, always: bool) -> Iterator[Field]:
    for name in dict.fromkeys(name for one in objects for name in one):
        if not is_sayable(name):
            continue
        values = [one[name] for one in objects if one.get(name) is not None]
        everywhere = always and len(values) == len(objects)
        if values and all(isinstance(value, dict) for value in values) and any(values) and len(above) < DEEPEST:
            yield from _fields(values, (*above, name), everywhere)
        else:
            yield Field((*above, name), type_of(values, name), tuple(values), everywhere)


def type_of(values: Sequence[object], name: str = "") -> ColumnType:
    """The narrowest raw type that takes all values; text where there is none to see."""
    kinds = {type(value) for value in values}
    if not kinds:
        return "text"
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return _whole([value for value in values if isinstance(value, int)], name)
    if kinds <= {int, float}:
        exact = all(abs(value) < EXACT_FLOAT for value in values if isinstance(value, int))
        return "float" if exact else "numeric"
    if kinds == {str}:
        return _text([str(value) for value in values])
    return "jsonb"


def _whole(values: Sequence[int], name: str) -> ColumnType:
    if any(not SMALLEST8 <= value <= LARGEST8 for value in values):
        return "numeric"
    return "bigint" if _LONG.search(column_for([name], ())) or any(abs(one) >= _COUNTED for one in values) else "int"


def _text(values: Sequence[str]) -> ColumnType:
    if all(map(_UUID.match, values)):
        return "uuid"
    kinds: tuple[ColumnType, ...] = ("timestamptz", "date")
    return next((kind for kind in kinds if all(fits(kind, value) for value in values)), "text")


def fits(kind: ColumnType, value: object) -> bool:
    """Whether the engine would store this value in a column of this type."""
    try:
        FITS[kind](value)
    except Misfit:
        return False
    return True
