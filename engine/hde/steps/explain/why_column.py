"""How one column of one row came to its value, in words: what was read where, and what the mapping made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hde.canonical import RESULT_TABLES, Column, Table
from hde.canonical.tables import CONTEXT_LOCAL_DATE, TABLES
from hde.check.written import column_trail
from hde.mapping.lookups import key_text
from hde.mapping.unit_table import Rule
from hde.mapping.units import rule
from hde.mapping.watch import ColumnRead
from hde.spec.mapping import Reading, RowSet, Target, UnitRead
from hde.spec.yaml_file import YamlFile

_METRIC_LIST = ("metric", "unit", "loinc", "statistic", "method")
_OF_RESULT = {
    "value": "the number in source_value, in the unit of the analyte where its code is known",
    "unit": "source_unit in UCUM, or the unit of the analyte",
    "value_kind": "by what the source gave",
    "analyte": "from the analyte list, by the LOINC code",
    "interpretation": "source_interpretation in HL7's code",
    "comparator": "read in source_value",
    "value_low": "read in source_value",
    "value_high": "read in source_value",
    "value_text": "source_value, which is no number",
    "source_unit": "read in source_value or ref_text",
    "ref_low": "read in ref_text, in the unit of the value",
    "ref_high": "read in ref_text, in the unit of the value",
    "ref_text": "ref_low and ref_high as the source gave them",
}
_OF_TIME = {
    "local_date": "the day start_time names, or its local day",
    "end_date": "the day end_time names, or its local day",
    "start_text": "start_time as written: less than an instant",
}
_RULES = {
    "start": "the local day of start_time",
    "end": "the local day of end_time",
    "mostly": "the local day it mostly covers",
}


@dataclass
class ColumnWhy:
    """One column: its stored value, what the source said, and the way between them."""

    name: str
    value: object
    unit: str | None
    reads: list[tuple[str, object]] = field(default_factory=list)
    """Path and value as received, in the order they were read."""
    steps: list[str] = field(default_factory=list)
    where: str = ""
    """file:line of the mapping."""
    written: str = ""
    """The expression as the author wrote it."""
    by_engine: bool = False
    changed: dict[str, object] = field(default_factory=dict)
    """`now`: what the YAML of today makes of the record of today, where that differs."""

    @property
    def is_mapped(self) -> bool:
        return bool(self.where or self.by_engine)

    @property
    def would_change(self) -> bool:
        return bool(self.changed)


def column_why(
    column: Column,
    unit: str | None,
    row: Mapping[str, Any],
    read: ColumnRead | None,
    file: YamlFile,
    target: Target | None,
    rows: RowSet | None,
    *,
    changed: dict[str, object],
) -> ColumnWhy:
    """`read` is what was watched when this row was made; None where nothing was read for this column."""
    found = ColumnWhy(column.name, row[column.name], unit, changed=changed)
    reading = rows.columns.get(column.name) if rows else None
    if reading is not None and target is not None and rows is not None:
        trail = column_trail(file, target, rows, column.name)
        line, _ = file.at(trail)
        found.where = f"{file.file}:{line}"
        found.written = _written(file, line)
        found.reads = list(read.paths) if read else []
        found.steps = list(_steps(reading, found, unit))
        nothing_read = found.reads and all(value is None for _, value in found.reads)
        if row[column.name] is not None and nothing_read and (by := _of_record(column.name, TABLES[target.table])):
            found.steps.append(by)
    elif rows is not None and target is not None and (by := _by_engine(column, row, rows, TABLES[target.table])):
        found.by_engine = True
        found.steps = [by]
    return found


def _written(file: YamlFile, line: int) -> str:
    """The line as it stands, and what is indented below it, as one."""
    try:
        lines = file.file.read_text(encoding="utf-8-sig").splitlines()[line - 1 :]
    except OSError:
        return ""
    if not lines:
        return ""
    indent = len(lines[0]) - len(lines[0].lstrip())
    taken = [lines[0].strip()]
    for one in lines[1:]:
        if one.strip() and len(one) - len(one.lstrip()) <= indent:
            break
        taken.append(one.strip())
    return " ".join(part for part in taken if part)


def _by_engine(column: Column, row: Mapping[str, Any], rows: RowSet, table: Table) -> str:
    if row[column.name] is not None and (by := _of_record(column.name, table)):
        return by
    if column.name == "local_date" and row["utc_offset"] is not None:
        usual = table.local_date or "start"
        how = CONTEXT_LOCAL_DATE.get(row["context"], usual) if row.get("context") else usual
        return f"{_RULES[how]}, at {row['utc_offset']}"
    if column.name == "utc_offset" and row[column.name] is not None:
        return "as start_time carries it, or its zone gives it at that time"
    if column.name in _METRIC_LIST and "metric" in row and row[column.name] is not None:
        return (
            "the name of the row" if column.name == "metric" and rows.name else f"from the metric list: {row['metric']}"
        )
    return ""


def _of_record(name: str, table: Table) -> str:
    """How the engine fills a column of a medical record; empty for others."""
    coding, _, part = name.rpartition("_")
    if coding in table.codings and part in ("system", "display"):
        return f"of the code chosen for {coding}"
    if table.name in RESULT_TABLES and name in _OF_RESULT:
        return _OF_RESULT[name]
    return _OF_TIME.get(name, "") if table.column("start_text") else ""


def _steps(reading: Reading, found: ColumnWhy, unit: str | None) -> Iterator[str]:
    if reading.has_const:
        yield "a constant"
        return
    if reading.first:
        chosen = _chosen(reading, found)
        yield f"the first of {len(reading.first)} that is there"
        if chosen is not None:
            yield from _steps(chosen, found, unit)
        return
    if reading.sum:
        yield f"the sum of {len(reading.sum)}"
    if reading.lookup is not None and found.reads:
        yield _looked_up(reading, found)
    if isinstance(reading.unit, str) and unit is not None:
        yield conversion_words(reading.unit, unit)
    elif isinstance(reading.unit, UnitRead) and unit is not None:
        yield f"from the unit the record says to {unit}"
    if reading.exponent:
        yield f"times ten to the power of {reading.exponent}"
    yield from _moments(reading)
    if reading.optional:
        yield "without a value there would be no row"


def _chosen(reading: Reading, found: ColumnWhy) -> Reading | None:
    """The alternative whose value was taken: the last one read."""
    last = next((path for path, value in reversed(found.reads) if value is not None), "")
    return next((one for one in reading.first if any(_is_at(last, path) for path in one.paths)), None)


def _is_at(where: str, path: str) -> bool:
    """Whether a path is the one that was read: inside `each` it is named from the record on."""
    return where == path or where.endswith(f".{path}")


def _looked_up(reading: Reading, found: ColumnWhy) -> str:
    lookup = reading.lookup
    assert lookup is not None
    name = f"lookup {lookup.name}" if lookup.name else "lookup"
    said = next((value for path, value in found.reads if reading.path and _is_at(path, reading.path)), None)
    words = said if isinstance(said, list) else [said]
    keys = [lookup.key(text) for one in words if (text := key_text(one)) is not None]
    hit = next((key for key in lookup.entries if lookup.key(key) in keys), None)
    if hit is None:
        return f"{name}: no entry, unknown: {lookup.unknown}" if said is not None else name
    return f"{name}: {hit} -> {lookup.entries[hit]}"


def _moments(reading: Reading) -> Iterator[str]:
    if reading.time:
        yield f"time: {reading.time}"
    if reading.offset:
        yield f"local time at the offset {reading.offset.path}"
    if reading.zone:
        yield f"local time in the zone {reading.zone}"
    if reading.after:
        yield f"the first at or after {reading.after}"
    if reading.plus:
        yield f"plus {reading.plus.path}" + (f" in {reading.plus.unit}" if reading.plus.unit else "") + (
            f", times {reading.plus.times}" if reading.plus.times else ""
        )  # fmt: skip


def conversion_words(source: str, target: str) -> str:
    """`kJ -> kcal: / 4.184`."""
    how = _arithmetic(rule(source, target))
    if source == target:
        return f"in {source}"
    return f"{source} -> {target}: {how}" if how else f"{source} -> {target}: the same"


def _arithmetic(one: Rule) -> str:
    parts = [
        f"- {one.minus:g}" if one.minus else "", f"* {one.times:.12g}" if one.times != 1 else "",
        f"/ {one.over:.12g}" if one.over != 1 else "", f"+ {one.plus:.12g}" if one.plus else "",
    ]  # fmt: skip
    return " ".join(part for part in parts if part)
