"""The elements of a `for_each`: what a request is made for, and the text each is remembered under. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product

from hde.errors import Unreadable
from hde.mapping.expression import compile
from hde.source.exact import decode_exactly, exact_text
from hde.spec.elements import Axes, Constants, ForEach, Parents

LONGEST_KEY = 500
"""Characters; the state of an element is found by its key, and PostgreSQL indexes no long ones."""


@dataclass(frozen=True)
class Element:
    key: str
    value: object = field(repr=False)
    """What templates see as `each`, and columns as `$each`."""


def constant_elements(for_each: ForEach) -> list[Element]:
    """The elements of a `for_each` without stored records."""
    return list(_elements(for_each, lambda side: []))


def elements_of_record(for_each: ForEach, payload: str | bytes, key: str) -> list[Element]:
    """The elements that one stored record gives: its JSON text, and the text of its key.

    Unreadable where `path` cannot be computed on it.
    """
    return list(_elements(for_each, lambda side: _of_record(side, payload, key)))


def _elements(for_each: ForEach, of_parents: Callable[[Parents], list[Element]]) -> Iterator[Element]:
    match for_each:
        case Axes(sides):
            of_sides = [list(_elements(side, of_parents)) for side in sides.values()]
            for chosen in product(*of_sides):
                value = {name: one.value for name, one in zip(sides, chosen, strict=True)}
                yield Element(_bounded(exact_text([one.key for one in chosen])), value)
        case Constants(values):
            yield from (Element(element_key(value), value) for value in values)
        case Parents():
            yield from of_parents(for_each)


def _of_record(side: Parents, payload: str | bytes, key: str) -> list[Element]:
    record = decode_exactly(payload.encode() if isinstance(payload, str) else payload)
    if side.path is None:
        return [Element(_bounded(key), record)]
    try:
        found = compile(side.path)(record)
    except (TypeError, ValueError):  # JMESPath's own errors are ValueErrors
        raise Unreadable(f"for_each.path: {side.path!r} cannot be computed on this record") from None
    values = found if isinstance(found, list) else [found]
    distinct = {element_key(value): value for value in values if value is not None and value != ""}
    return [Element(key, value) for key, value in distinct.items()]


def element_key(value: object) -> str:
    """A text or number as itself, all else as JSON with its members in order."""
    if isinstance(value, str):
        return _bounded(value)
    return _bounded(exact_text(dict(sorted(value.items())) if isinstance(value, dict) else value))


def _bounded(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else f"sha256:{sha256(key.encode()).hexdigest()}"
