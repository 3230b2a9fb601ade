"""Readers of one path into one column, with the common case of each type spelled out: this is where the time goes.

Whatever is not the common case is left to `make`, which knows all the others and how to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hde.issues import Issue
from hde.mapping.paths import Documents, Path
from hde.mapping.times import INSTANT
from hde.mapping.unit_table import Rule
from hde.mapping.values import INT_LIMIT, number

Read = Callable[[Documents, list[Issue]], Any]
"""From the documents to a canonical value or null. Raises Finding; puts warnings into the list."""

Make = Callable[[Any, Documents, list[Issue]], Any]
"""From the source's value, which is not null, to a canonical one."""

_INFINITY = float("inf")
_ONE_HIGHER = INT_LIMIT - 1


def any_at(path: Path, make: Make) -> Read:
    _, of, get = path

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value = get(documents[of])
        return None if value is None else make(value, documents, issues)

    return read


def known_at(path: Path, known: Mapping[str, Any], make: Make) -> Read:
    """A value that is usually one of a few texts."""
    _, of, get = path

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value: Any = get(documents[of])
        try:
            return known[value]
        except (KeyError, TypeError):
            return None if value is None else make(value, documents, issues)

    return read


def text_at(path: Path, make: Make) -> Read:
    _, of, get = path

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value: Any = get(documents[of])
        if value.__class__ is str and value.isascii() and "\0" not in value:
            return value
        return None if value is None else make(value, documents, issues)

    return read


def boolean_at(path: Path, make: Make) -> Read:
    _, of, get = path

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value = get(documents[of])
        if value is True or value is False or value is None:
            return value
        return make(value, documents, issues)

    return read


def int_at(path: Path, make: Make) -> Read:
    _, of, get = path

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value: Any = get(documents[of])
        if value.__class__ is int and -INT_LIMIT <= value <= _ONE_HIGHER:
            return value
        return None if value is None else make(value, documents, issues)

    return read


def instant_at(path: Path, make: Make) -> Read:
    _, of, get = path
    matches, parse = INSTANT.match, datetime.fromisoformat

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value: Any = get(documents[of])
        if value.__class__ is str and matches(value):
            try:
                found = parse(value)
                if found.tzinfo is UTC:
                    return found
            except ValueError:
                pass
        return None if value is None else make(value, documents, issues)

    return read


def float_at(path: Path, rule: Rule, make: Make) -> Read:
    times, over, minus, plus = rule
    if minus or plus or (times != 1.0 and over != 1.0):
        return any_at(path, make)
    _, of, get = path
    if over != 1.0:

        def divided(documents: Documents, issues: list[Issue]) -> Any:
            value: Any = get(documents[of])
            if value.__class__ is int or value.__class__ is float:
                try:
                    result = value / over
                except OverflowError:
                    result = _INFINITY
                if -_INFINITY < result < _INFINITY:
                    return result + 0.0
            return None if value is None else make(value, documents, issues)

        return divided

    def multiplied(documents: Documents, issues: list[Issue]) -> Any:
        value: Any = get(documents[of])
        if value.__class__ is int or value.__class__ is float:
            try:
                result = value * times
            except OverflowError:
                result = _INFINITY
            if -_INFINITY < result < _INFINITY:
                return result + 0.0
        return None if value is None else make(value, documents, issues)

    return multiplied


def sum_at(paths: list[Path], make: Make) -> Read:
    """Null if any part is; a part that is no number is a finding even then."""
    parts = [(path.text, path.of, path.get) for path in paths]

    def read(documents: Documents, issues: list[Issue]) -> Any:
        total: int | float = 0
        missing = False
        for text, of, get in parts:
            value: Any = get(documents[of])
            if value.__class__ is int:
                total += value
            elif value is None:
                missing = True
            else:
                total += number(value, text)
        return None if missing else make(total, documents, issues)

    return read
