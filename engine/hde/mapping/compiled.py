"""From what a mapping file says to a plan that maps records. Everything that can be refused is refused here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from hde.canonical import ANALYTES, METRICS, RESULT_TABLES, TABLES, Column, Table
from hde.errors import WrongUse
from hde.mapping import partial, results, unit_table
from hde.mapping.at import Read, Reader
from hde.mapping.codings import CODINGS
from hde.mapping.columns import compile_column, place
from hde.mapping.finish import Finish, dated, known_metric, mapped_metric
from hde.mapping.items import EachPlan, compile_items
from hde.mapping.measures import OF_METRIC
from hde.mapping.offsets import offset_of_time
from hde.mapping.paths import compile_path, truthy
from hde.mapping.plan import CompiledMapping, Mapped, TargetPlan
from hde.mapping.row_code import CanonicalRow, Shared
from hde.mapping.rows import RowPlan
from hde.mapping.scope import ITEM_NAMES, Scope
from hde.mapping.values import Finding
from hde.spec.mapping import Each, Mapping, Reading, RowSet, Target
from hde.spec.problem import did_you_mean

__all__ = ["MAPPING_VERSION", "CanonicalRow", "CompiledMapping", "Mapped", "compile_mapping"]

MAPPING_VERSION = 3
"""Raised when the same YAML begins to give other rows: everything is then mapped again."""


def compile_mapping(mapping: Mapping) -> CompiledMapping:
    """WrongUse, naming the mapping and the place in it, for anything that can never work."""
    compiler = _Compiler(mapping)
    when = compiler.when(mapping.when, "when")
    targets = tuple(compiler.target(target) for target in mapping.to.values())
    written = [target.table for target in mapping.to.values()]
    is_coded = any(TABLES[name].codings for name in written)
    return CompiledMapping(
        name=mapping.name,
        from_=mapping.from_,
        references=tuple(mapping.with_.values()),
        tables=(*written, CODINGS) if is_coded else tuple(written),
        version=_version(mapping, compiler.metrics),
        when=when,
        targets=targets,
        slots=len(compiler.slots),
        needed=tuple(name for name, one in mapping.with_.items() if name in compiler.used and not one.optional),
        named=bool(compiler.used),
        coded=is_coded,
    )


class _Slot(NamedTuple):
    """A column that is read once where several rows, or several items, have it alike."""

    reading: Reading
    column: Column
    unit: str | None
    scope: Scope
    level: int
    """How many `each` it depends on."""


class _Compiler:
    """What is known while one mapping is compiled: the names its paths may use, and the columns its rows share."""

    def __init__(self, mapping: Mapping) -> None:
        self.name = mapping.name
        self.scope = Scope(("row", "account", *mapping.with_))
        names = [*self.scope.names, *ITEM_NAMES]
        if len(set(names)) < len(names):
            raise self.wrong("with", "`row`, `account`, `parent` and `index` are names of their own; take another")
        self.used: set[str] = set()
        self.metrics: set[str] = set()
        self.slots: list[_Slot] = []
        self.readers: list[Reader] = []
        self.readings = [
            (self.scope.inside(target.each).inside(rows.each), reading)
            for target in mapping.to.values()
            for rows in target.rows
            for reading in rows.columns.values()
        ]

    def wrong(self, place: str, what: object) -> WrongUse:
        return WrongUse(f"{self.name}: {place}: {what}")

    def when(self, text: str | None, place: str, scope: Scope | None = None) -> Read | None:
        if text is None:
            return None
        try:
            path = compile_path(text, scope or self.scope)
        except WrongUse as error:
            raise self.wrong(place, error) from None
        self._note([text])
        of, get = path.of, path.get
        return lambda documents, issues: truthy(get(documents[of]))

    def target(self, target: Target) -> TargetPlan:
        place = f"to.{target.table}"
        table = TABLES.get(target.table)
        if table is None:
            raise self.wrong(place, _unknown("table", target.table, TABLES))
        if target.table == CODINGS:
            raise self.wrong(place, "written by the engine, out of the columns that hold codes; leave it out")
        scope = self.scope.inside(target.each)
        rows = [self.rows(table, rows, place, scope) for rows in target.rows]
        when = self.when(target.when, f"{place}.when", scope)
        if target.each is None:
            return TargetPlan(when, rows)
        return TargetPlan(None, [self.each(target, place, scope, when, rows)])

    def rows(self, table: Table, rows: RowSet, target: str, around: Scope) -> RowPlan | EachPlan:
        where = f"{target}.rows.{rows.name}" if rows.name else f"{target}.columns"
        scope = around.inside(rows.each)
        plan = self.row(table, rows, where, scope)
        if rows.each is None:
            return plan
        return self.each(rows, where, scope, plan.when, [replace(plan, when=None)])

    def each(
        self, said: Target | RowSet, where: str, scope: Scope, when: Read | None, plans: list[RowPlan | EachPlan]
    ) -> EachPlan:
        """`scope` is that of the items."""
        each = said.each
        assert each is not None
        key = "key" if said.key is None and each.entries is not None else said.key
        plan = self.items(each, key, where, scope, when, plans, declared=said.key is not None)
        while each.around is not None:
            each, scope = each.around, _around(scope)
            key = "key" if each.entries is not None else None
            plan = self.items(each, key, where, scope, None, [plan], declared=False)
        return plan

    def items(
        self, each: Each, key: str | None, where: str, scope: Scope, when: Read | None,
        plans: list[RowPlan | EachPlan], *, declared: bool,
    ) -> EachPlan:  # fmt: skip
        try:
            items = compile_items(each, _around(scope))
            path = None if key is None else compile_path(key, scope)
        except WrongUse as error:
            raise self.wrong(f"{where}.each", error) from None
        self._note([*each.paths, *([] if key is None else [key])])
        stale = [
            index for index, slot in enumerate(self.slots) if slot.scope.is_within(scope) and slot.level >= scope.depth
        ]
        return EachPlan(items, path, declared, when, plans, tuple(stale))

    def row(self, table: Table, rows: RowSet, where: str, scope: Scope) -> RowPlan:
        self._complete(table, rows, where)
        blank: list[Any] = [None] * len(table.columns)
        units = {column.name: column.unit for column in table.columns}
        finish: list[Finish | None] = []
        if "metric" in units:
            units["value"], check = self._measured(table, rows, blank, where, scope)
            finish.append(check)
        finish.append(dated(table, _start(rows, scope)))
        finish += [partial.finish(table), results.finish(table, rows, scope)]
        optional: list[tuple[int, Reader]] = []
        own: list[tuple[int, Reader]] = []
        shared: list[Shared] = []
        for index, column in enumerate(table.columns):
            reading = rows.columns.get(column.name)
            if reading is None:
                continue
            try:
                unit = units[column.name]
                reader = compile_column(reading, column, unit, scope)
                if reading.has_const and not reading.paths:
                    blank[index] = reader.read({}, [])
                elif reading.optional:
                    optional.append((index, reader))
                elif self._several(reading, scope):
                    level = max(map(scope.level, reading.paths), default=0)
                    slot = self._slot(_Slot(reading, column, unit, scope, level), reader)
                    shared.append(Shared(index, slot, self.readers[slot]))
                else:
                    own.append((index, reader))
            except Finding:
                raise self.wrong(f"{where}.{column.name}", "const: it is required and cannot be null") from None
            except WrongUse as error:
                raise self.wrong(f"{where}.{column.name}", error) from None
            self._note(reading.paths)
        if (carried := self._carried_offset(table, rows, scope)) is not None:
            own.append(carried)
        when = self.when(rows.when, f"{where}.when", scope)
        return RowPlan(table.name, rows.name, when, blank, optional, own, shared, tuple(f for f in finish if f))

    def _carried_offset(self, table: Table, rows: RowSet, scope: Scope) -> tuple[int, Reader] | None:
        """Where a row says when it began and not at which offset, that of the time itself."""
        start, names = rows.columns.get("start_time"), [column.name for column in table.columns]
        if start is None or "utc_offset" not in names or "utc_offset" in rows.columns:
            return None
        read = offset_of_time(start, scope)
        return None if read is None else (names.index("utc_offset"), Reader(read))

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

    def _measured(
        self, table: Table, rows: RowSet, blank: list[Any], where: str, scope: Scope
    ) -> tuple[str | None, Finish | None]:
        """The unit of `value` and the check of a row: by the row set's name, a constant, or what the record says."""
        value, reading, method = rows.columns["value"], rows.columns.get("metric"), rows.columns.get("method")
        column = {column.name: column for column in table.columns}
        path = place(value, column["value"], scope)
        if reading is not None and not reading.has_const:
            entries = [str(one) for one in reading.lookup.entries.values()] if reading.lookup else [*METRICS]
            for entry in entries:
                if entry not in METRICS:
                    raise self.wrong(f"{where}.metric", _unknown("metric", entry, METRICS))
            self.metrics.update(entries)
            return OF_METRIC, mapped_metric(table, place(reading, column["metric"], scope), path)
        name = rows.name if reading is None else str(reading.const)
        metric = METRICS.get(name)
        if metric is None:
            raise self.wrong(where, _unknown("metric", name, METRICS))
        if method is not None and metric.method and (not method.has_const or method.const != metric.method):
            raise self.wrong(f"{where}.method", f"{name} is by {metric.method}; leave it out or take another metric")
        self.metrics.add(name)
        return metric.unit, known_metric(table, metric, blank, path)

    def _several(self, reading: Reading, scope: Scope) -> bool:
        """Whether it is worth remembering: several rows read it, or it is the same for every item."""
        if scope.depth and max(map(scope.level, reading.paths), default=0) < scope.depth:
            return True
        return sum((scope, reading) == other for other in self.readings) > 1

    def _slot(self, wanted: _Slot, reader: Reader) -> int:
        """The memo's place for a column that several rows read alike."""
        for index, slot in enumerate(self.slots):
            if slot._replace(column=wanted.column) == wanted and _alike(slot.column, wanted.column):
                return index
        self.slots.append(wanted)
        self.readers.append(reader)
        return len(self.slots) - 1

    def _note(self, paths: Iterable[str]) -> None:
        named = {path[1:].partition(".")[0].partition("[")[0] for path in paths if path.startswith("$")}
        self.used |= named - set(ITEM_NAMES)


def _around(scope: Scope) -> Scope:
    assert scope.outer is not None
    return scope.outer


def _start(rows: RowSet, scope: Scope) -> str:
    """Where an issue with the local day of a row is filed."""
    reading = rows.columns.get("start_time")
    return scope.in_record(reading.path) if reading and reading.path else "start_time"


def _alike(one: Column, other: Column) -> bool:
    return (one.type, one.required, one.words) == (other.type, other.required, other.words)


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    return f"no {kind} {name!r}." + (did_you_mean(name, known) or f" There is {', '.join(known)}")


def _version(mapping: Mapping, metrics: Iterable[str]) -> str:
    """Everything that decides which rows come out, hashed: the YAML, tables and metrics, the units, this code."""
    tables = [TABLES[target.table] for target in mapping.to.values()]
    described = [METRICS[name] for name in sorted(metrics)]
    units = (unit_table.ALIASES, unit_table.WORDS, unit_table.CONVERSIONS)
    results = [ANALYTES, sorted(unit_table.COMMON)] if {*mapping.to} & {*RESULT_TABLES} else []
    return hashlib.sha256(
        repr((mapping.text_hash, tables, described, units, results, MAPPING_VERSION)).encode()
    ).hexdigest()
