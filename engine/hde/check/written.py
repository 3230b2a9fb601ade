"""Every expression a mapping writes: where it stands, what it is read from, and the paths it reads. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from jmespath.exceptions import JMESPathError

from hde.check.place import first_of
from hde.check.reads import Reads, reads
from hde.mapping.expression import NAMED
from hde.spec.mapping import Mapping, Reading, RowSet, Target
from hde.spec.problem import KeyPath
from hde.spec.yaml_file import YamlFile

RECORD = ""


@dataclass(frozen=True)
class Written:
    """An expression on the record (`of` is RECORD) or on what `$of` names; `below` is what is read of that."""

    trail: KeyPath
    text: str
    test: bool = False

    @cached_property
    def of(self) -> str | None:
        """None where `$` is followed by no name."""
        if not self.text.startswith("$"):
            return RECORD
        match = NAMED.match(self.text)
        return match[1] if match else None

    @cached_property
    def below(self) -> str:
        match = NAMED.match(self.text) if self.text.startswith("$") else None
        return (match[2] or match[3] or "@") if match else self.text

    @cached_property
    def reads(self) -> Reads:
        """Nothing where it does not compile: that is said when the file is read."""
        try:
            return reads(self.below, test=self.test)
        except JMESPathError:
            return Reads()


def written(mapping: Mapping, file: YamlFile) -> Iterator[Written]:
    """Every expression of a mapping, those of columns given for all rows once per row."""
    if mapping.when:
        yield Written(("when",), mapping.when, test=True)
    for target in mapping.to.values():
        if target.when and target.when != mapping.when:
            yield Written(first_of(file, ("to", target.table, "when")), target.when, test=True)
        for rows in target.rows:
            if rows.when and rows.when != target.when:
                trail = first_of(file, (*rows_trail(file, target, rows), "when"))
                yield Written(trail, rows.when, test=True)
            for name, reading in rows.columns.items():
                yield from _in_reading(reading, column_trail(file, target, rows, name), file)


def rows_trail(file: YamlFile, target: Target, rows: RowSet) -> KeyPath:
    """Where a row set stands: under its name, or the table itself where a record gives one row."""
    return first_of(file, ("to", target.table, "rows", rows.name)) if rows.name else ("to", target.table)


def column_trail(file: YamlFile, target: Target, rows: RowSet, column: str) -> KeyPath:
    """Where a column of a row is written: in the row, for all rows of the table, or for all rows of the mapping."""
    row: KeyPath = ("to", target.table, "rows", rows.name)
    table: KeyPath = ("to", target.table, "columns", column)
    return first_of(file, (*row, column), (*row, "columns", column), table, ("columns", column))


def each_reading(reading: Reading, trail: KeyPath) -> Iterator[tuple[KeyPath, Reading]]:
    """The reading, or each alternative of a `first`, read like its siblings where it says nothing itself."""
    if not reading.first:
        yield trail, reading
    for index, one in enumerate(reading.first):
        inherited = replace(one, unit=one.unit or reading.unit, lookup=one.lookup or reading.lookup)
        yield from each_reading(inherited, (*trail, "first", index))


def _in_reading(reading: Reading, trail: KeyPath, file: YamlFile) -> Iterator[Written]:
    if reading.path is not None:
        yield Written(first_of(file, (*trail, "path"), trail), reading.path)
    for index, path in enumerate(reading.sum):
        yield Written((*trail, "sum", index), path)
    if reading.offset:
        yield Written(first_of(file, (*trail, "offset", "path"), (*trail, "offset")), reading.offset.path)
    if reading.plus:
        yield Written(first_of(file, (*trail, "plus", "path"), (*trail, "plus")), reading.plus.path)
    for word, text in (("zone", reading.zone), ("after", reading.after)):
        if text:
            yield Written((*trail, word), text)
    for index, one in enumerate(reading.first):
        yield from _in_reading(one, (*trail, "first", index), file)
