"""How one column is read: a function that knows every case, and beside it the common one, which is most of the time.

The function (`Reader.read`) is all there is to say. Rows are made by generated code (`hde.mapping.row_code`), which
takes the common case by itself and asks `Reader.make` for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from hde.issues import Issue
from hde.mapping.paths import Documents, Path, truthy
from hde.mapping.unit_table import Rule
from hde.mapping.values import INT_LIMIT, Finding, number

Read = Callable[[Documents, list[Issue]], Any]
"""From the documents to a canonical value or null. Raises Finding; puts warnings into the list."""

Make = Callable[[Any, Documents, list[Issue]], Any]
"""From the source's value, which is not null, to a canonical one."""

_MOST: Final = 1e15
_MODEST: Final = (1e-200, 1e200)
"""Numbers between +-_MOST stay finite under a rule whose factors are between these."""


@dataclass(frozen=True)
class Common:
    """The common case as Python: where `test` holds for `{x}`, the source's value, `value` is the canonical one.

    Null says that it was not the common case after all. `names` are the constants that both may use.
    """

    test: str
    value: str = "{x}"
    names: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """`read` alone where generated code can do nothing better than to call it."""

    read: Read
    paths: tuple[Path, ...] = ()
    """One, or those of a sum."""
    make: Make | None = None
    common: Common | None = None
    first: tuple[Reader, ...] = ()
    """Instead of paths: the first of these that is there."""
    missing: Issue | None = None
    """The column is required: what a null is."""


TEXT: Final = Common('type({x}) is str and {x}.isascii() and "\\0" not in {x}')
BOOLEAN: Final = Common("{x} is True or {x} is False")
INT: Final = Common("type({x}) is int and {low} <= {x} < {high}", names={"low": -INT_LIMIT, "high": INT_LIMIT})


def known(table: Mapping[str, Any]) -> Common:
    """One of a few texts."""
    return Common("type({x}) is str and {x} in {table}", "{table}[{x}]", {"table": table})


def measure(rule: Rule) -> Common | None:
    """A number under a rule of units."""
    times, over, minus, plus = rule
    if minus or plus:
        value = "({x} - {minus}) * {times} / {over} + {plus}"
    elif over != 1.0:
        value = "{x} / {over} + 0.0"  # jsonb knows no -0.0
    else:
        value = "{x} * {times} + 0.0"
    if not all(_MODEST[0] < abs(factor) < _MODEST[1] for factor in (times, over)) or max(abs(minus), abs(plus)) > _MOST:
        return None
    names = {"times": times, "over": over, "minus": minus, "plus": plus, "least": -_MOST, "most": _MOST}
    return Common("(type({x}) is int or type({x}) is float) and {least} < {x} < {most}", value, names)


_PLACES: Final = slice(4, 20, 3)
"""Where an instant has its dashes, colons, T and point: at every third place."""


def _utc(value: str) -> datetime | None:
    """RFC 3339 in UTC, as most sources write it: `2026-01-02T08:00:00Z` and with milliseconds. Null for anything else.

    `fromisoformat` takes more than RFC 3339 (weeks, commas, 24 o'clock), all of another shape.
    """
    marks, length = value[_PLACES], len(value)
    if not ((marks == "--T::." and length == 24 and value[-1] == "Z") or (marks == "--T::Z" and length == 20)):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if "T24" in value else found


MOMENT: Final = Common("type({x}) is str", "{utc}({x})", {"utc": _utc})


def at_path(path: Path, make: Make, common: Common | None = None) -> Reader:
    of, get = path.of, path.get

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value = get(documents[of])
        return None if value is None else make(value, documents, issues)

    return Reader(read, (path,), make, common)


def sum_at(paths: Sequence[Path], make: Make, common: Common | None) -> Reader:
    """Null if any part is; a part that is no number is a finding even then."""

    def read(documents: Documents, issues: list[Issue]) -> Any:
        total: int | float = 0
        missing = False
        for path in paths:
            value: Any = path.value(documents)
            if value is None:
                missing = True
            else:
                total += number(value, path.text)
        return None if missing else make(total, documents, issues)

    return Reader(read, tuple(paths), make, common)


def first_of(readers: Sequence[Reader]) -> Reader:
    """The first that is not null."""

    def read(documents: Documents, issues: list[Issue]) -> Any:
        for one in readers:
            value = one.read(documents, issues)
            if value is not None:
                return value
        return None

    return Reader(read, first=tuple(readers))


def only_when(condition: Path, reader: Reader) -> Reader:
    """Null where the condition gives nothing true."""

    def read(documents: Documents, issues: list[Issue]) -> Any:
        return reader.read(documents, issues) if truthy(condition.get(documents[condition.of])) else None

    return Reader(read)


def required(reader: Reader, missing: Issue) -> Reader:
    """`missing` is the finding that a null is."""
    inner = reader.read

    def read(documents: Documents, issues: list[Issue]) -> Any:
        value = inner(documents, issues)
        if value is None:
            raise Finding(missing)
        return value

    return replace(reader, read=read, missing=missing)
