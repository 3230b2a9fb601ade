"""What the engine makes of a result: kind of value, number, unit, flag, reference range. Nothing uncertain is read.

A mapping gives what the source wrote. The number and its unit become those the analyte is compared in, where a code
says which analyte it is; otherwise the unit stays the source's, in UCUM.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hde.canonical import ANALYTES, RESULT_TABLES, Analyte, Table
from hde.issues import Issue, issue_about
from hde.mapping import concentrations, units
from hde.mapping.codings import Coded
from hde.mapping.finish import Looked
from hde.mapping.flags import flag
from hde.mapping.result_text import Quantity, Range, Ratio, Span, read_span, read_value
from hde.mapping.scope import Scope
from hde.spec.mapping import Reading, RowSet

_LOINC = "http://loinc.org"


class _Result(NamedTuple):
    """One row's cells by column name, and where issues with each are filed."""

    cells: dict[str, Any]
    paths: dict[str, str]
    issues: list[Issue]

    def path(self, column: str) -> str:
        return self.paths.get(column, column)


def finish(table: Table, rows: RowSet, scope: Scope) -> Looked | None:
    """Fills in what follows from what the source wrote; None for a table without results."""
    if table.name not in RESULT_TABLES:
        return None
    paths = {name: _path(reading, name, scope) for name, reading in rows.columns.items()}
    names = [column.name for column in table.columns]

    def fill(values: list[Any], issues: list[Issue]) -> None:
        result = _Result(dict(zip(names, values, strict=False)), paths, issues)
        _interpret(result)
        values[:] = [result.cells[name] for name in names]

    return fill


def _interpret(result: _Result) -> None:
    cells = result.cells
    analyte = _analyte(cells["code"])
    cells["analyte"] = analyte and analyte.name
    _value(result)
    _reference(result)
    _unit(result, analyte)
    _flagged(result)
    cells["value_kind"] = _kind(cells)


def _analyte(code: Coded | None) -> Analyte | None:
    """By the code that counts, else by any that is known: a panel's local code may stand before it."""
    if code is None:
        return None
    best = [code.coding] if code.coding else []
    known = [ANALYTES.get(one.code or "") for one in (*best, *code.codings) if one.system == _LOINC]
    return next((one for one in known if one), None)


def _value(result: _Result) -> None:
    """Out of `source_value`, what it certainly says."""
    cells = result.cells
    said = cells["source_value"]
    if said is None or not said.strip():
        return
    match read_value(said):
        case Quantity(number, comparator, unit, flagged):
            cells["value"] = number
            cells["comparator"] = cells["comparator"] or comparator
            cells["source_unit"] = cells["source_unit"] or unit
            cells["source_interpretation"] = cells["source_interpretation"] or flagged
        case Range(low, high, unit) if cells["value_low"] is None and cells["value_high"] is None:
            cells["value_low"], cells["value_high"] = low, high
            cells["source_unit"] = cells["source_unit"] or unit
        case Ratio(first, second) if cells["value_low"] is None and cells["value_high"] is None:
            cells["value_low"], cells["value_high"] = first, second
            cells["value_kind"] = "ratio"
        case _ if cells["absent_reason"] is None:  # else it is the reason's own words
            cells["value_text"] = cells["value_text"] or said.strip()


def _reference(result: _Result) -> None:
    """Numbers out of the reference range's text, where it holds nothing but one range in the result's own unit."""
    cells = result.cells
    low, high, unit = cells["ref_low"], cells["ref_high"], cells["ref_unit"]
    if low is None and high is None and cells["ref_text"]:
        span = read_span(cells["ref_text"])
        if span is None:
            return
        low, high, unit = span.low, span.high, unit or span.unit
        if unit and not cells["source_unit"] and cells["value"] is not None:
            cells["source_unit"] = unit  # reports write the unit once, behind the range
    if low is not None or high is not None:
        cells["ref_text"] = cells["ref_text"] or _written(Span(low, high, unit or cells["source_unit"]))
    if unit and not _same(unit, cells["source_unit"]):
        low = high = None
    cells["ref_low"], cells["ref_high"] = low, high


def _unit(result: _Result, analyte: Analyte | None) -> None:
    cells = result.cells
    numbers = [name for name in ("value", "value_low", "value_high") if cells[name] is not None]
    if not numbers or cells["source_unit"] is None or cells["value_kind"] == "ratio":
        return
    unit = units.ucum(cells["source_unit"])
    if unit is None:
        result.issues.append(issue_about(cells["source_unit"], result.path("source_unit"), "unit", "warning"))
        return
    cells["unit"] = unit
    convert = concentrations.conversion(unit, analyte) if analyte else None
    if analyte is None or convert is None:
        return
    cells["unit"] = analyte.unit
    for name in (*numbers, "ref_low", "ref_high"):
        if cells[name] is not None:
            cells[name] = convert(cells[name])


def _flagged(result: _Result) -> None:
    said = result.cells["source_interpretation"]
    if said is None or not said.strip():
        return
    found = flag(said)
    result.cells["interpretation"] = found
    if found is None:
        result.issues.append(issue_about(said, result.path("source_interpretation"), "flag", "warning"))


def _kind(cells: dict[str, Any]) -> str | None:
    if cells["value"] is not None:
        return "quantity"
    if cells["value_low"] is not None or cells["value_high"] is not None:
        return cells["value_kind"] or "range"
    for name, kind in (("value_code", "code"), ("value_boolean", "boolean"), ("value_text", "text")):
        if cells[name] is not None:
            return kind
    return "absent" if cells["absent_reason"] is not None else None


def _same(one: str, other: str | None) -> bool:
    return other is not None and units.canonical(one) == units.canonical(other)


def _written(span: Span) -> str:
    if span.low is None or span.high is None:
        text = f">={span.low:g}" if span.low is not None else f"<={span.high:g}"
    else:
        text = f"{span.low:g} - {span.high:g}"
    return f"{text} {span.unit or ''}".strip()


def _path(reading: Reading, name: str, scope: Scope) -> str:
    while reading.first:
        reading = reading.first[0]
    return name if reading.path is None else scope.in_record(reading.path)
