"""What a mapping says, held against the canonical model: tables, columns, metrics, units, methods, closed words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from hde.canonical import METRICS, TABLES, Column, Metric, Table
from hde.check.place import complain, first_of
from hde.check.written import column_trail, each_reading, rows_trail, written
from hde.errors import WrongUse
from hde.mapping.columns import compile_column
from hde.mapping.measures import OF_METRIC
from hde.mapping.scope import Scope, row_scope
from hde.mapping.units import UnitError, conversion
from hde.spec.mapping import Mapping, Reading, RowSet, Target
from hde.spec.problem import KeyPath, Problem, did_you_mean, quoted, with_hint
from hde.spec.yaml_file import YamlFile

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TAKES = {
    "text": "a text",
    "int": "a whole number",
    "float": "a number",
    "boolean": "true or false",
    "timestamptz": "an instant (2026-01-31T22:00:00Z)",
    "date": "a date (2026-01-31)",
    "offset": "an offset from UTC (+02:00)",
}
_OF_A_COLUMN = frozenset(field.name for field in fields(Reading)) - {"has_const"}
"""What stands in a column, and is no column."""

METHODS = {metric.method for metric in METRICS.values() if metric.method}


@dataclass(frozen=True)
class _Row:
    """One row a record becomes, and where it is written."""

    file: YamlFile
    table: Table
    target: Target
    rows: RowSet
    scope: Scope
    """Where its paths start, and what may follow `$`."""

    @property
    def trail(self) -> KeyPath:
        return rows_trail(self.file, self.target, self.rows)

    def column(self, name: str) -> KeyPath:
        return column_trail(self.file, self.target, self.rows, name)

    @property
    def flat(self) -> list[str]:
        """What belongs into a column and stands beside the columns: that is said, and nothing that follows from it."""
        columns = self.rows.columns.items()
        return [
            name for name, said in columns if name in _OF_A_COLUMN and not said.has_const and self.is_no_column(name)
        ]

    def is_no_column(self, name: str) -> bool:
        """Whether the table has no such column that a mapping could fill."""
        column = self.table.column(name)
        return column is None or column.by_engine

    @property
    def has_metric(self) -> bool:
        return self.table.column("metric") is not None


def meaning_problems(mapping: Mapping, file: YamlFile) -> Iterator[Problem]:
    """What a mapping says that the canonical model cannot hold, or lacks."""
    # A name that does not exist is said with the references; here it must not hide what else is wrong.
    used = (one.of for one in written(mapping, file) if one.of)
    names = tuple(sorted({"account", "row", *mapping.with_, *used}))
    for target in mapping.to.values():
        table = TABLES.get(target.table)
        if table is None:
            hint = did_you_mean(target.table, list(TABLES)) or f" There is {', '.join(TABLES)}"
            yield complain(file, ("to", target.table), f"{target.table} is not a canonical table.{hint}")
            continue
        rows = [_Row(file, table, target, one, row_scope(names, target, one)) for one in target.rows]
        yield from _required(rows)
        for row in rows:
            metrics, problems = _metrics(row)
            yield from problems
            yield from _method(row, metrics)
            for name, reading in row.rows.columns.items():
                yield from _column(row, name, reading, metrics)


def no_columns(mapping: Mapping, file: YamlFile) -> Iterator[KeyPath]:
    """Where a mapping fills what is no column: that is said, and nothing of what stands there."""
    for target in mapping.to.values():
        table = TABLES.get(target.table)
        for rows in target.rows if table else ():
            for name in rows.columns:
                column = table.column(name) if table else None
                if column is None or column.by_engine:
                    yield column_trail(file, target, rows, name)


def _required(rows: Sequence[_Row]) -> Iterator[Problem]:
    table = rows[0].table
    for column in table.columns:
        if not column.required or column.by_engine or column.name == "metric":
            continue
        lacking = [row for row in rows if column.name not in row.rows.columns and not row.flat]
        message = f"{table.name} requires {column.name} ({column.about}), and nothing is mapped to it"
        if len(lacking) == len(rows) > 1:
            yield complain(rows[0].file, ("to", table.name), message)
        else:
            for row in lacking:
                yield complain(row.file, row.trail, message)


def _metrics(row: _Row) -> tuple[list[Metric], list[Problem]]:
    """The metrics a row may hold. What is wrong with the words of a `metric` column is said with the column."""
    if not row.has_metric:
        return [], []
    reading = row.rows.columns.get("metric")
    if reading is not None:
        said: list[object] = []
        for _, one in each_reading(reading, ()):
            said += one.lookup.entries.values() if one.lookup else [one.const]
        return [METRICS[word] for word in dict.fromkeys(said) if isinstance(word, str) and word in METRICS], []
    name = row.rows.name
    if name in METRICS:
        return [METRICS[name]], []
    if not name:
        message = f"{row.table.name} holds one metric per row: name each row in `rows` after its metric"
        return [], [complain(row.file, row.trail, message)]
    message = with_hint(f"{name} is not a metric, and there is no column `metric`", name, METRICS)
    return [], [complain(row.file, row.trail, message)]


def _method(row: _Row, metrics: Sequence[Metric]) -> Iterator[Problem]:
    """HRV by RMSSD is not HRV by SDNN: neither a constant nor the source's own name for it may say otherwise."""
    said = row.rows.columns.get("method")
    value = row.rows.columns.get("value")
    for metric in metrics:
        if metric.method is None:
            continue
        if said is not None and said.has_const and said.const != metric.method:
            trail = first_of(row.file, (*row.column("method"), "const"))
            yield complain(row.file, trail, _clash(metric, str(said.const)))
        for trail, reading in each_reading(value, row.column("value")) if value else ():
            for word in _WORD.findall((reading.path or "").rsplit(".", 1)[-1]):
                if word.upper() in METHODS - {metric.method}:
                    place = first_of(row.file, (*trail, "path"), trail)
                    yield complain(row.file, place, _clash(metric, word.upper()))


def _clash(metric: Metric, method: str) -> str:
    fitting = [other.name for other in METRICS.values() if other.method == method]
    hint = f" The metric for {method} is {', '.join(fitting)}" if fitting else ""
    return f"{metric.name} is measured by {metric.method}, and this is {method}: they are not comparable.{hint}"


def _column(row: _Row, name: str, reading: Reading, metrics: Sequence[Metric]) -> Iterator[Problem]:
    trail = row.column(name)
    column = row.table.column(name)
    if name in row.flat:
        if name == row.flat[0]:
            column_of = "value" if row.has_metric else "COLUMN"
            inside = ", ".join(f"{one}: ..." for one in dict.fromkeys(["path", *row.flat]))
            message = f"{name} is no column, it belongs into one: {column_of}: {{{inside}}}"
            yield complain(row.file, trail, message, about_key=True)
        return
    if column is None:
        known = [one.name for one in row.table.columns if not one.by_engine]
        message = with_hint(f"{name} is not a column of {row.table.name}", name, known)
        yield complain(row.file, trail, message, about_key=True)
        return
    if column.by_engine:
        message = f"{row.table.name}.{name} is filled by the engine ({column.about}): leave it out"
        yield complain(row.file, trail, message, about_key=True)
        return
    if reading.optional and not row.rows.name:
        message = "optional means something in `rows` only (no value, no row); here a missing value is simply null"
        yield complain(row.file, (*trail, "optional"), message, "warning")
    said = [*_words(row, column, reading, trail), *_units(row, column, reading, trail, metrics)]
    yield from said
    if not said and not row.flat:
        yield from _engine(row, column, reading, trail, metrics)


def _words(row: _Row, column: Column, reading: Reading, trail: KeyPath) -> Iterator[Problem]:
    """Constants and lookups of a closed column must stay within its words."""
    closed = list(METRICS) if column.name == "metric" and row.has_metric else list(column.words)
    if not closed:
        return
    for place, one in each_reading(reading, trail):
        if one.has_const and one.const not in closed:
            at = first_of(row.file, (*place, "const"), place)
            yield complain(row.file, at, _no_word(one.const, column, closed))
        if one.lookup is None:
            if one.path is not None and column.name == "metric":
                message = "metrics are a closed list: say which of the source's words is which (`lookup`)"
                yield complain(row.file, place, message)
            continue
        for key, entry in one.lookup.entries.items():
            if entry is not None and entry not in closed:
                at = first_of(row.file, (*place, "lookup", key), (*place, "lookup"), (*trail, "lookup"), place)
                name = f"lookup {one.lookup.name}" if one.lookup.name else "lookup"
                yield complain(row.file, at, f"{name}: {key}: {_no_word(entry, column, closed)}")
        if one.lookup.unknown == "keep":
            at = first_of(row.file, (*place, "unknown"), (*trail, "unknown"), place)
            message = f"keep would let the source's own words into {column.name}, which takes {', '.join(closed)} only"
            yield complain(row.file, at, message)


def _units(row: _Row, column: Column, reading: Reading, trail: KeyPath, metrics: Sequence[Metric]) -> Iterator[Problem]:
    of_metric = row.has_metric and column.name == "value"
    targets = {metric.name: metric.unit for metric in metrics} if of_metric else {}
    if column.unit:
        targets = {column.name: column.unit}
    for place, one in each_reading(reading, trail):
        at = first_of(row.file, (*place, "unit"), (*trail, "unit"), place)
        if one.unit is None and "unit" in row.rows.columns and row.is_no_column("unit"):
            continue  # it stands beside the column, and that is said
        if one.unit is None:
            for name, unit in list(targets.items())[:1] if not one.has_const else ():
                yield complain(row.file, at, f"{name} is in {unit}: say which unit the source uses (`unit`)")
        elif not targets and not of_metric and column.type != "offset":
            yield complain(row.file, at, f"{column.name} has no unit")
        elif isinstance(one.unit, str):
            yield from (complain(row.file, at, message) for message in _conversions(one.unit, targets))
        else:
            for word, unit in (one.unit.lookup or {}).items():
                of_word = first_of(row.file, (*place, "unit", "lookup", word), (*trail, "unit", "lookup", word))
                yield from (complain(row.file, of_word, message) for message in _fitting(unit, targets))


def _conversions(unit: str, targets: dict[str, str]) -> Iterator[str]:
    for name, target in targets.items():
        try:
            conversion(unit, target)
        except UnitError as error:
            yield f"{name} is in {target}: {error}"
            return


def _fitting(unit: str, targets: dict[str, str]) -> Iterator[str]:
    """A unit that one record may say must fit one of the metrics, not all of them."""
    faults = [list(_conversions(unit, {name: target})) for name, target in targets.items()]
    if faults and all(faults):
        yield from faults[0]


def _engine(
    row: _Row, column: Column, reading: Reading, trail: KeyPath, metrics: Sequence[Metric]
) -> Iterator[Problem]:
    """The engine's own word on whatever has no better words here: what it refuses must not pass for valid."""
    unit = column.unit
    if row.has_metric and column.name == "value":
        if not metrics:
            return
        of_record = (said := row.rows.columns.get("metric")) is not None and not said.has_const
        unit = OF_METRIC if of_record else metrics[0].unit
    try:
        compile_column(reading, column, unit, row.scope)
    except WrongUse as error:
        if reading.has_const:
            message = f"{quoted(reading.const)} does not fit {column.name}, which takes {_TAKES[column.type]}"
            yield complain(row.file, first_of(row.file, (*trail, "const"), trail), message)
        else:
            yield complain(row.file, trail, str(error))


def _no_word(word: object, column: Column, closed: list[str]) -> str:
    what = "a metric" if column.name == "metric" else f"one of {', '.join(closed)}"
    return with_hint(f"{quoted(word)} is not {what}", str(word), closed)
