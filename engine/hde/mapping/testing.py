"""Runs one YAML test of a mapping: records in, and what differs from the expectation out, in lines for a person."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import CanonicalRow, CompiledMapping, Mapped
from hde.mapping.times import instant
from hde.mapping.values import Finding
from hde.spec.mapping_test import ExpectedRows, Given, ManyRows, MappingTest
from hde.spec.problem import did_you_mean

Cells = Mapping[str, Any]
_SHOWN = 5
"""Of many rows, so many are named in a message."""

Fixtures = Callable[[str], Mapping[str, object]]
"""The recorded records of a resource, by the name of their file."""


def run_test(test: MappingTest, compiled: CompiledMapping, fixtures: Fixtures) -> list[str]:
    """What differs, as lines; empty where the test passes.

    WrongUse where the test names a fixture, a reference, a table or a column that does not exist.
    """
    known = {reference.name: reference.from_ for reference in compiled.references}
    if unknown := set(test.with_) - set(known):
        raise WrongUse(f"{test.title}: with: the mapping has no {', '.join(sorted(unknown))}")
    mapped = compiled.map(
        _record(test.given, compiled.from_, fixtures),
        row=test.row,
        references={
            name: None if given is None else _record(given, known[name], fixtures) for name, given in test.with_.items()
        },
        account=test.account,
    )
    return list(_differences(test, mapped, compiled.tables))


def _differences(test: MappingTest, mapped: Mapped, tables: Sequence[str]) -> Iterator[str]:
    if mapped.waiting or test.waiting:
        if not mapped.waiting:
            yield f"expected to wait for another record, got {_made(mapped)}"
        elif not test.waiting:
            yield "got no rows, because a record named in `with` is not there (give it in `with`)"
        return
    error = test.error
    if error is not None:
        if mapped.rows or (error.path, error.rule) not in [(issue.path, issue.rule) for issue in mapped.issues]:
            yield f"expected no rows and the issue {error.path}: {error.rule}, got {_made(mapped)}"
        return
    yield from row_differences(test.expect or {}, mapped, tables)
    found = {(issue.path, issue.rule) for issue in mapped.issues}
    wanted = {(issue.path, issue.rule) for issue in test.issues}
    yield from (f"issue {path}: {rule}: expected, and not there" for path, rule in sorted(wanted - found))
    yield from (f"issue {path}: {rule}: there, and not expected" for path, rule in sorted(found - wanted))


def row_differences(expect: Mapping[str, ExpectedRows], mapped: Mapped, tables: Sequence[str]) -> Iterator[str]:
    """A table the test does not name may have any rows, unless it names none at all."""
    for table in expect or tables:
        if table not in tables:
            raise WrongUse(f"expect: the mapping makes no rows of {table}; it makes {', '.join(tables)}")
        wanted = expect.get(table, ())
        found = [row for row in mapped.rows if row.table == table]
        many = wanted if isinstance(wanted, ManyRows) else ManyRows(len(wanted), rows=wanted)
        if many.count not in (None, len(found)):
            parts = [row.part for row in found[:_SHOWN] if row.part]
            more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            shown_parts = f" ({', '.join(parts)}{more})" if parts else ""
            yield f"{table}: expected {counted(many.count or 0)}, got {len(found)}{shown_parts}"
        by_part = bool(many.rows) and all("part" in cells for cells in many.rows)
        yield from _by_part(table, many.rows, found) if by_part else _in_order(table, many.rows, found)
        if many.all:
            yield from _of_all(table, many.all, found)


def _in_order(table: str, wanted: Sequence[Cells], found: Sequence[CanonicalRow]) -> Iterator[str]:
    for number, (row, cells) in enumerate(zip(found, wanted, strict=False), 1):
        where = f"{table}, row {number}" + (f" ({row.part})" if row.part else "")
        yield from (f"{where}, {line}" for line in _cells(row, cells))


def _by_part(table: str, wanted: Sequence[Cells], found: Sequence[CanonicalRow]) -> Iterator[str]:
    """Rows that are all named are looked for by their names; the rows of several records may share one."""
    left = list(found)
    for cells in wanted:
        row = next((row for row in left if row.part == str(cells["part"])), None)
        if row is None:
            parts = [row.part for row in left]
            hint = did_you_mean(str(cells["part"]), parts) or f" There is {', '.join(parts[:_SHOWN]) or 'none left'}"
            yield f"{table}: no row with part {str(cells['part'])!r}.{hint}"
            continue
        left.remove(row)
        rest = {name: cell for name, cell in cells.items() if name != "part"}
        yield from (f"{table}, row {row.part}, {line}" for line in _cells(row, rest))


def _of_all(table: str, cells: Cells, found: Sequence[CanonicalRow]) -> Iterator[str]:
    wrong = [(row, line) for row in found for line in _cells(row, cells)]
    for row, line in wrong[:_SHOWN]:
        yield f"{table}, all rows, {line} in {row.part or 'the row'}"
    if len(wrong) > _SHOWN:
        yield f"{table}, all rows: {len(wrong) - _SHOWN} more like these"


def _cells(row: CanonicalRow, cells: Mapping[str, Any]) -> Iterator[str]:
    values = dict(zip([column.name for column in TABLES[row.table].columns], row.values, strict=True))
    values["part"] = row.part
    for name, wanted in cells.items():
        if name not in values:
            raise WrongUse(f"expect: {row.table} has no column {name}")
        if not same(wanted, values[name]):
            yield f"{name}: expected {shown(wanted)}, got {shown(values[name])}"


def same(wanted: object, found: object) -> bool:
    """Whether a value is what YAML says: numbers to 9 digits, times as instants, all else as text."""
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None or found is None:
        return wanted is found
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return math.isclose(wanted, found, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(found, datetime):
        try:
            return instant(wanted, "") == found
        except Finding:
            return False
    return str(wanted) == str(found)


def shown(value: object) -> str:
    """A value as YAML would say it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else "null" if value is None else repr(value)


def counted(rows: int) -> str:
    """`1 row`, `2 rows`."""
    return f"{rows} row" + ("" if rows == 1 else "s")


def _made(mapped: Mapped) -> str:
    issues = "; ".join(f"{issue.path}: {issue.rule}" for issue in mapped.issues)
    return f"{counted(len(mapped.rows))} and {f'the issues {issues}' if issues else 'no issues'}"


def _record(given: Given, resource: str, fixtures: Fixtures) -> Mapping[str, Any]:
    if given.record is not None:
        return given.record
    known = fixtures(resource)
    found = known.get(str(given.fixture))
    if not isinstance(found, dict):
        raise WrongUse(f"no fixture {given.fixture} of {resource}; there is {', '.join(known) or 'none'}")
    record = copy.deepcopy(found)
    for path, value in given.set.items():
        *above, last = path.split(".")
        _below(record, above, path)[last] = value
    for path in given.drop:
        *above, last = path.split(".")
        if _below(record, above, path).pop(last, record) is record:
            raise WrongUse(f"drop: the fixture {given.fixture} has no {path}")
    return record


def _below(record: dict[str, Any], names: Sequence[str], path: str) -> dict[str, Any]:
    for name in names:
        inner = record.setdefault(name, {})
        if not isinstance(inner, dict):
            raise WrongUse(f"{path}: {name} is no object in the fixture")
        record = inner
    return record
