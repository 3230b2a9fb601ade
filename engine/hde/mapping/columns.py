"""One column of one row: a reading and the canonical column it fills, compiled to a function of the documents.

Every closure is made once; what is known when the mapping is compiled is never looked up per record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hde.canonical import Column
from hde.errors import WrongUse
from hde.issues import Issue, issue_about
from hde.mapping import at, codings, moments, partial, times, values
from hde.mapping.at import Common, Make, Read, Reader
from hde.mapping.lookups import lookup_table, with_lookup
from hde.mapping.measures import OF_METRIC, measured, scaled
from hde.mapping.offsets import offset_of_path
from hde.mapping.paths import Documents, compile_path, unless_empty
from hde.mapping.scope import Scope
from hde.mapping.unit_table import SAME
from hde.mapping.units import conversion, rule
from hde.mapping.values import Finding, finite, refuse
from hde.mapping.watch import watched_column
from hde.spec.mapping import Reading, UnitRead

_QUARTERS = {times.offset_text(quarter * 900): quarter * 900 for quarter in range(-48, 57)}
_OFFSETS = {"Z": "+00:00", **{text: text for text in _QUARTERS if text is not None}}
"""Every offset in use on Earth, as it is written and as we write it."""


def compile_column(reading: Reading, column: Column, unit: str | None, scope: Scope) -> Reader:
    """`unit` is the canonical unit the number must have in the end: None for what has none, or `OF_METRIC`.

    `Reading.optional` is the row's business; here a required column that is null is a finding.
    """
    read = _compile(reading, column, unit, scope)
    if column.required and not reading.optional:
        read = at.required(read, issue_about(None, place(reading, column, scope), "required"))
    watched = watched_column(column.name, reading, read.read)
    return read if watched is read.read else Reader(watched)


def place(reading: Reading, column: Column, scope: Scope) -> str:
    """Where an issue with this column is filed: the path, or the first of several."""
    if reading.first:
        return place(reading.first[0], column, scope)
    path = reading.path or next(iter(reading.sum), None)
    return column.name if path is None else scope.in_record(path)


def _compile(reading: Reading, column: Column, unit: str | None, scope: Scope, *, last: bool = True) -> Reader:
    """`last`: no other path is asked after this one."""
    read = _unconditional(reading, column, unit, scope, last=last)
    return read if reading.when is None else at.only_when(compile_path(reading.when, scope), read)


def _unconditional(reading: Reading, column: Column, unit: str | None, scope: Scope, *, last: bool) -> Reader:
    _agree(reading, column, unit)
    if reading.first:
        *before, final = [_inherit(one, reading) for one in reading.first]
        reads = [_compile(one, column, unit, scope, last=False) for one in before]
        return at.first_of([*reads, _compile(final, column, unit, scope, last=last)])
    path = place(reading, column, scope)
    plain = _plain(reading, column, unit, scope, path)
    known: dict[str, Any] = {word: word for word in column.words}
    make = plain
    if reading.lookup is not None:
        known = lookup_table(reading.lookup, column, plain)
        make = with_lookup(reading.lookup, known, plain, path)
        if reading.lookup.any_case:
            known = {}
    if reading.has_const:
        return Reader(_constant(reading, column, plain))
    if reading.sum:
        if column.type not in ("int", "float"):
            raise WrongUse(f"sum: {column.name} is no number")
        parts = [compile_path(part, scope) for part in reading.sum]
        return at.sum_at(parts, make, _common(reading, column, unit, known))
    if reading.path is None:
        raise WrongUse("nothing to read: one of path, first, sum and const is needed")
    if column.type == "offset" and moments.says_time(reading):
        return Reader(offset_of_path(reading, scope))
    path_ = compile_path(reading.path, scope)
    return at.at_path(path_ if last else unless_empty(path_), make, _common(reading, column, unit, known))


def _common(reading: Reading, column: Column, unit: str | None, known: dict[str, Any]) -> Common | None:
    """What most values of this column are, where that is simple."""
    if known:
        return at.known(known)
    if reading.lookup is not None or moments.says_time(reading) or reading.exponent or unit == OF_METRIC:
        return None
    if isinstance(reading.unit, UnitRead):
        return None
    match column.type:
        case "float":
            return at.measure(rule(reading.unit, unit) if reading.unit and unit else SAME)
        case "text":
            return at.TEXT
        case "int":
            return at.INT
        case "boolean":
            return at.BOOLEAN
        case "timestamptz":
            return at.MOMENT
        case "offset" if reading.unit is None:
            return at.known(_OFFSETS)
        case _:
            return None


def _agree(reading: Reading, column: Column, unit: str | None) -> None:
    """What the reading says must be something the column can use."""
    said = isinstance(reading.unit, UnitRead)
    if reading.exponent and column.type not in ("int", "float"):
        raise WrongUse(f"exponent: {column.name} is no number")
    if (said or reading.exponent) and (reading.has_const or reading.lookup):
        what = "a constant" if reading.has_const else "what a lookup gives"
        raise WrongUse(f"{'unit' if said else 'exponent'}: {what} has nothing of the record beside it")
    if unit == OF_METRIC and reading.unit is None and not reading.first:
        raise WrongUse("unit: the source's unit is missing; every metric has its own")
    if reading.has_const or reading.first:
        return
    if unit is not None and reading.unit is None:
        raise WrongUse(f"unit: the source's unit is missing; the column is in {unit}")
    if said and column.type == "offset":
        raise WrongUse("unit: that of an offset is the same in every record; write it here")
    if unit is None and reading.unit is not None and column.type != "offset":
        raise WrongUse(f"unit: {column.name} has no unit")
    if (reading.prefer or reading.system) and column.type != "coding":
        raise WrongUse(f"{'prefer' if reading.prefer else 'system'}: {column.name} is no code")
    if moments.says_time(reading) and column.type not in ("timestamptz", "date", "offset", "moment", "day"):
        raise WrongUse(f"{column.name} is no time: time, offset, zone, after and plus do not apply")


def _inherit(one: Reading, outer: Reading) -> Reading:
    """An alternative of `first` is read like its siblings where it says nothing itself."""
    said = {
        name: getattr(outer, name)
        for name in ("unit", "exponent", "lookup", "time", "offset", "zone", "after", "plus", "prefer", "system")
        if getattr(one, name) is None
    }
    if one.has_const:
        # a constant stands for itself: nothing of the record is beside it
        said.pop("exponent", None)
        if isinstance(said.get("unit"), UnitRead):
            del said["unit"]
    return dataclasses.replace(one, **said)


def _plain(reading: Reading, column: Column, unit: str | None, scope: Scope, path: str) -> Make:
    make = _of_type(reading, column, unit, scope, path)
    return scaled(reading.exponent, make, path, scope) if reading.exponent else make


def _of_type(reading: Reading, column: Column, unit: str | None, scope: Scope, path: str) -> Make:
    match column.type:
        case "text":
            return _text(column.words, path)
        case "int":
            return lambda value, documents, issues: values.integer(value, path)
        case "float":
            if unit is not None and (unit == OF_METRIC or isinstance(reading.unit, UnitRead)):
                return measured(reading.unit, unit, path, scope)
            return _number(_fixed(reading), unit, path)
        case "boolean":
            return lambda value, documents, issues: values.boolean(value, path)
        case "offset":
            fixed = _fixed(reading)
            return _offset(conversion(fixed, "s") if fixed else None, path)
        case "date":
            date = moments.dates(reading, path, scope)
            return lambda value, documents, issues: date(value, documents)
        case "timestamptz":
            instant = moments.instants(reading, path, scope)
            return lambda value, documents, issues: instant(value, documents)
        case "moment":
            return partial.kept(partial.reader(reading, path, scope))
        case "day":
            day = partial.days(reading, path, scope)
            return lambda value, documents, issues: day(value, documents)
        case "coding":
            return codings.coded(reading, path)
        case "reference":
            return lambda value, documents, issues: values.reference(value, path)
        case "verbatim":
            return lambda value, documents, issues: values.verbatim(value, path)


def _text(words: tuple[str, ...], path: str) -> Make:
    closed = frozenset(words)

    def make(value: Any, documents: Documents, issues: list[Issue]) -> str:
        found = values.text(value, path)
        if closed and found not in closed:
            refuse(value, path, "word")
        return found

    return make


def _number(source: str | None, target: str | None, path: str) -> Make:
    convert = conversion(source, target) if source and target else float
    spans = target == "s"

    def make(value: Any, documents: Documents, issues: list[Issue]) -> float:
        if spans and isinstance(value, str):
            seconds = times.span_seconds(value)
            if seconds is not None:
                return finite(value, seconds, path)
        try:
            return finite(value, convert(values.number(value, path)), path)
        except OverflowError:
            refuse(value, path, "number")

    return make


def _offset(to_seconds: Callable[[float], float] | None, path: str) -> Make:
    def make(value: Any, documents: Documents, issues: list[Issue]) -> str:
        seconds: float | None = times.offset_seconds(value) if isinstance(value, str) else None
        if seconds is None and to_seconds is not None:
            seconds = to_seconds(values.number(value, path))
        text = times.offset_text(int(seconds)) if seconds is not None and seconds == int(seconds) else None
        if text is None:
            refuse(value, path, "offset")
        return text

    return make


def _fixed(reading: Reading) -> str | None:
    """The unit, where the mapping says it."""
    return None if isinstance(reading.unit, UnitRead) else reading.unit


def _constant(reading: Reading, column: Column, make: Make) -> Read:
    const = reading.const
    if const is not None and reading.paths:
        # a fixed beginning, and the rest of the time in the record
        return lambda documents, issues: make(const, documents, issues)
    try:
        value = None if const is None else make(const, {}, [])
    except Finding as finding:
        raise WrongUse(f"const: {const!r} does not fit {column.name} ({finding.issue.rule})") from None
    return lambda documents, issues: value
