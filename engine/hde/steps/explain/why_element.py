"""For which element of a fan-out a record was asked: what its columns keep of `$each`, and what its run asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from hde.mapping.expression import compile
from hde.rows import RawTable
from hde.source.elements import Element, constant_elements
from hde.source.values import FITS, KEY_FITS, Misfit
from hde.spec.connector import RawColumn, Resource
from hde.spec.elements import Axes, Constants, ForEach, Parents
from hde.store import why as stored
from hde.store.database import Connection

MOST = 500
"""So many elements of a run are tried."""
Kept = Mapping[RawColumn, str | None]
"""What the columns that read `$each` hold."""
ParentRecord = Callable[[str, str], object]
"""The record of a resource and key that elements come from; None where it is gone."""


def element_why(
    connection: Connection,
    resource: Resource,
    tables: Mapping[str, RawTable],
    account: int,
    key: str,
    asked: Iterable[str],
) -> Element | None:
    """The element of which the record must be; one with an empty key is known as far as the columns keep it.

    `asked` are the keys of the elements that the record's run asked for. None where nothing tells them apart.
    """
    if resource.for_each is None:
        return None
    kept: Kept = {
        column: stored.column_text(connection, tables[resource.name], account, key, column.name)
        for column in resource.columns
        if column.path == "$each" or column.path.startswith("$each.")
    }

    def parent_record(name: str, of: str) -> object:
        found = stored.version(connection, tables[name], account, of)
        return found and found.payload

    keys = list(dict.fromkeys(one for one in asked if one))[:MOST]
    if not keys and not isinstance(resource.for_each, Parents):
        keys = [one.key for one in constant_elements(resource.for_each)]
    found = [
        element for one in keys if (element := next(_fitting(resource, kept, one, parent_record), None)) is not None
    ]
    return found[0] if len(found) == 1 else _as_kept(kept)


def _fitting(resource: Resource, kept: Kept, key: str, parent_record: ParentRecord) -> Iterator[Element]:
    """The element of this key, as all that it may have been, where the columns hold what it gives."""
    assert resource.for_each is not None
    for value in _values(resource.for_each, key, parent_record):
        if all(_text(column, value, resource) == text for column, text in kept.items()):
            yield Element(key, value)


def _values(for_each: ForEach, key: str, parent_record: ParentRecord) -> Iterator[object]:
    """What an element of this key may be: a number and its text have one key."""
    match for_each:
        case Constants():
            yield from (one.value for one in constant_elements(for_each) if one.key == key)
        case Parents(resource, None):
            record = parent_record(resource, key)
            yield from () if record is None else (record,)
        case Parents():
            yield key
            yield from _decoded(key)
        case Axes(sides):
            keys = next(_decoded(key), None)
            if isinstance(keys, list) and len(keys) == len(sides):
                yield from _combined(
                    list(sides),
                    [
                        partial(_values, side, one, parent_record)
                        for side, one in zip(sides.values(), keys, strict=True)
                    ],
                )


def _combined(names: Sequence[str], sides: Sequence[Callable[[], Iterator[object]]]) -> Iterator[dict[str, object]]:
    if not names:
        yield {}
        return
    for value in sides[0]():
        for rest in _combined(names[1:], sides[1:]):
            yield {names[0]: value, **rest}


def _decoded(key: str) -> Iterator[object]:
    try:
        yield msgspec.json.decode(key)
    except msgspec.DecodeError:
        return


def _text(column: RawColumn, value: object, resource: Resource) -> str | None:
    """What the column would hold of this element."""
    try:
        found = compile(column.path[1:])({"each": value})
        fits = KEY_FITS if column.name in resource.key else FITS
        return None if found is None else fits[column.type](found)
    except (Misfit, TypeError, ValueError):
        return None


def _as_kept(kept: Kept) -> Element | None:
    """The element as far as columns keep it: itself, or some of its fields."""
    fields = {column.path.removeprefix("$each").removeprefix("."): text for column, text in kept.items()}
    if not fields:
        return None
    return Element("", fields.get("", fields))
