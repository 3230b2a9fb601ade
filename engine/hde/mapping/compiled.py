"""From what a mapping file says to a plan that maps records. Everything that can be refused is refused here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from hde.canonical import METRICS, TABLES, Column, Table
from hde.errors import WrongUse
from hde.mapping import unit_table
from hde.mapping.at import Read
from hde.mapping.columns import compile_column, place
from hde.mapping.paths import compile_path, truthy
from hde.mapping.plan import CompiledMapping, Mapped, TargetPlan
from hde.mapping.rows import CanonicalRow, Finish, RowPlan, dated, known_metric, mapped_metric
from hde.mapping.values import Finding
from hde.spec.mapping import Mapping, Reading, RowSet, Target
from hde.spec.problem import did_you_mean

__all__ = ["MAPPING_VERSION", "CanonicalRow", "CompiledMapping", "Mapped", "compile_mapping"]

MAPPING_VERSION = 1
"""Raised when the same YAML begins to give other rows: everything is then mapped again."""


def compile_mapping(mapping: Mapping) -> CompiledMapping:
    """WrongUse, naming the mapping and the place in it, for anything that can never work."""
    compiler = _Compiler(mapping)
    when = compiler.when(mapping.when, "when")
    targets = tuple(compiler.target(target) for target in mapping.to.values())
    return CompiledMapping(
        name=mapping.name,
        from_=mapping.from_,
        references=tuple(mapping.with_.values()),
        tables=tuple(target.table for target in mapping.to.values()),
        version=_version(mapping, compiler.metrics),
        when=when,
        targets=targets,
        shared=compiler.shared,
        needed=tuple(name for name in mapping.with_ if name in compiler.used),
        named=bool(compiler.used),
    )


class _Slot(NamedTuple):
    reading: Reading
    column: Column
    unit: str | None


class _Compiler:
    """What is known while one mapping is compiled: the names its paths may use, and the columns its rows share."""

    def __init__(self, mapping: Mapping) -> None:
        self.name = mapping.name
        self.names = ("row", "account", *mapping.with_)
        if len(set(self.names)) < len(self.names):
            raise self.wrong("with", "`row` and `account` are names of their own; take another")
        self.used: set[str] = set()
        self.metrics: set[str] = set()
        self.shared: list[Read] = []
        self.slots: list[_Slot] = []
        rows = [rows for target in mapping.to.values() for rows in target.rows]
        self.readings = [reading for one in rows for reading in one.columns.values()]

    def wrong(self, place: str, what: object) -> WrongUse:
        return WrongUse(f"{self.name}: {place}: {what}")

    def when(self, text: str | None, place: str) -> Read | None:
        if text is None:
            return None
        try:
            path = compile_path(text, self.names)
        except WrongUse as error:
            raise self.wrong(place, error) from None
        self._note([text])
        return lambda documents, issues: truthy(path.value(documents))

    def target(self, target: Target) -> TargetPlan:
        place = f"to.{target.table}"
        table = TABLES.get(target.table)
        if table is None:
            raise self.wrong(place, _unknown("table", target.table, TABLES))
        rows = [self.row(table, rows, place) for rows in target.rows]
        return TargetPlan(self.when(target.when, f"{place}.when"), rows)

    def row(self, table: Table, rows: RowSet, target: str) -> RowPlan:
        where = f"{target}.rows.{rows.name}" if rows.name else f"{target}.columns"
        self._complete(table, rows, where)
        blank: list[Any] = [None] * len(table.columns)
        units = {column.name: column.unit for column in table.columns}
        finish: list[Finish | None] = []
        if "metric" in units:
            units["value"], check = self._measured(table, rows, blank, where)
            finish.append(check)
        finish.append(dated(table, _start(rows)))
        optional: list[tuple[int, Read]] = []
        own: list[tuple[int, Read]] = []
        shared: list[tuple[int, int]] = []
        for index, column in enumerate(table.columns):
            reading = rows.columns.get(column.name)
            if reading is None:
                continue
            try:
                read = compile_column(reading, column, units[column.name], self.names)
                if reading.has_const:
                    blank[index] = read({}, [])
                elif reading.optional:
                    optional.append((index, read))
                elif self._several(reading):
                    shared.append((index, self._slot(_Slot(reading, column, units[column.name]), read)))
                else:
                    own.append((index, read))
            except Finding:
                raise self.wrong(f"{where}.{column.name}", "const: it is required and cannot be null") from None
            except WrongUse as error:
                raise self.wrong(f"{where}.{column.name}", error) from None
            self._note(_paths(reading))
        when = self.when(rows.when, f"{where}.when")
        return RowPlan(table.name, rows.name, when, blank, optional, own, shared, tuple(f for f in finish if f))

    def _complete(self, table: Table, rows: RowSet, where: str) -> None:
        """Every column named must exist and be ours to fill; every required one must be named."""
        for name in rows.columns:
            column = table.column(name)
            if column is None:
                names = [one.name for one in table.columns if not one.by_engine]
                raise self.wrong(f"{where}.{name}", _unknown("column", name, names))
            if column.by_engine:
                raise self.wrong(f"{where}.{name}", "filled by the engine; leave it out")
        for column in table.columns:
            if column.required and column.name not in rows.columns and column.name != "metric":
                raise self.wrong(where, f"{column.name} is required and nothing is mapped to it")

    def _measured(self, table: Table, rows: RowSet, blank: list[Any], where: str) -> tuple[str | None, Finish | None]:
        """The unit of `value` and the check of a row: by the row set's name, a constant, or what the record says."""
        value, reading, method = rows.columns["value"], rows.columns.get("metric"), rows.columns.get("method")
        column = {column.name: column for column in table.columns}
        path = place(value, column["value"])
        if reading is not None and not reading.has_const:
            entries = [str(one) for one in reading.lookup.entries.values()] if reading.lookup else [*METRICS]
            for entry in entries:
                if entry not in METRICS:
                    raise self.wrong(f"{where}.metric", _unknown("metric", entry, METRICS))
            if value.unit is None or any(one.unit not in (None, value.unit) for one in value.first):
                raise self.wrong(f"{where}.value", "unit: where the record says the metric, say one unit for its value")
            self.metrics.update(entries)
            return None, mapped_metric(table, value.unit, place(reading, column["metric"]), path)
        name = rows.name if reading is None else str(reading.const)
        metric = METRICS.get(name)
        if metric is None:
            raise self.wrong(where, _unknown("metric", name, METRICS))
        if method is not None and metric.method and (not method.has_const or method.const != metric.method):
            raise self.wrong(f"{where}.method", f"{name} is by {metric.method}; leave it out or take another metric")
        self.metrics.add(name)
        return metric.unit, known_metric(table, metric, blank, path)

    def _several(self, reading: Reading) -> bool:
        return sum(reading == other for other in self.readings) > 1

    def _slot(self, wanted: _Slot, read: Read) -> int:
        """The memo's place for a column that several rows read alike."""
        for index, slot in enumerate(self.slots):
            if slot.reading == wanted.reading and slot.unit == wanted.unit and _alike(slot.column, wanted.column):
                return index
        self.slots.append(wanted)
        self.shared.append(read)
        return len(self.slots) - 1

    def _note(self, paths: Iterable[str]) -> None:
        self.used.update(path[1:].partition(".")[0].partition("[")[0] for path in paths if path.startswith("$"))


def _start(rows: RowSet) -> str:
    """Where an issue with the local day of a row is filed."""
    reading = rows.columns.get("start_time")
    return (reading and reading.path) or "start_time"


def _alike(one: Column, other: Column) -> bool:
    return (one.type, one.required, one.words) == (other.type, other.required, other.words)


def _paths(reading: Reading) -> list[str]:
    spans = [part.path for part in (reading.offset, reading.plus) if part is not None]
    below = [path for one in reading.first for path in _paths(one)]
    said = [path for path in (reading.path, reading.zone, reading.after) if path is not None]
    return [*said, *reading.sum, *spans, *below]


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    return f"no {kind} {name!r}." + (did_you_mean(name, known) or f" There is {', '.join(known)}")


def _version(mapping: Mapping, metrics: Iterable[str]) -> str:
    """Everything that decides which rows come out, hashed: the YAML, tables and metrics, the units, this code."""
    tables = [TABLES[target.table] for target in mapping.to.values()]
    described = [METRICS[name] for name in sorted(metrics)]
    units = (unit_table.ALIASES, unit_table.WORDS, unit_table.CONVERSIONS)
    return hashlib.sha256(repr((mapping.text_hash, tables, described, units, MAPPING_VERSION)).encode()).hexdigest()
