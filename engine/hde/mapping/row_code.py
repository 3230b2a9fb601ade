"""The making of one row as one generated function: the paths read together, the common case of each column in line.

Whatever is not the common case goes to the function that knows it, so a row is the same as if every column had been
read by its `Reader.read`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from hde.issues import Issue
from hde.mapping import expression
from hde.mapping.at import Common, Reader
from hde.mapping.expression_code import Code
from hde.mapping.expression_tree import heads
from hde.mapping.finish import Dated, Finish, Plausible, local_date
from hde.mapping.paths import Documents, Path
from hde.mapping.values import Finding

UNREAD: Final = object()
"""Stands in the memo for a column that several rows share and that nobody has read yet."""


class CanonicalRow(NamedTuple):
    """`values` stand in the order of `hde.canonical.TABLES[table].columns`.

    `part` is the name of the row set; inside `each` the key of the item follows, after a `/` where both are there.
    """

    table: str
    part: str
    values: tuple[object, ...]


_NAMES: Final = {
    "Finding": Finding,
    "OverflowError": OverflowError,
    "Row": CanonicalRow,
    "UNREAD": UNREAD,
    "float": float,
    "int": int,
    "local_date": local_date,
    "new": tuple.__new__,
    "str": str,
}

MakeRow = Callable[[Documents, list[Issue], list[Any]], CanonicalRow | None]
"""From the documents and the memo to a row, or None where the record has no such row. Raises Finding."""


class Shared(NamedTuple):
    """A column that several rows read alike: where it stands in this row, and in the memo of the record."""

    place: int
    slot: int
    reader: Reader


def row_maker(
    table: str,
    part: str,
    blank: Sequence[object],
    optional: Sequence[tuple[int, Reader]],
    own: Sequence[tuple[int, Reader]],
    shared: Sequence[Shared],
    finish: Sequence[Finish],
) -> MakeRow:
    """`blank` is the row without what is read. The optional columns come first: where one is null there is no row."""
    row = _Row(blank)
    with row.function("make", "documents, issues, memo"):
        row.roots([*optional, *own, *((one.place, one.reader) for one in shared)])
        row.read_together(reader for _, reader in optional)
        for place, reader in optional:
            row.cells[place] = row.column(reader)
            row.line(f"if {row.cells[place]} is None: return None")
        row.read_together(reader for _, reader in own)
        for place, reader in own:
            row.cells[place] = row.column(reader)
        for one in shared:
            row.cells[one.place] = row.remembered(one)
        for step in finish:
            row.finished(step)
        # a named tuple's own constructor is a Python function, which takes as long as ten columns
        row.line(f"return new(Row, ({row.constant(table)}, {row.constant(part)}, ({', '.join(row.cells)},)))")
    return row.run("make")


class _Row(Code):
    def __init__(self, blank: Sequence[object]) -> None:
        super().__init__()
        self.names |= _NAMES
        self._roots: dict[str, str] = {}
        self.cells = ["None" if value is None else self.constant(value) for value in blank]
        """The name of each value of the row."""

    def roots(self, columns: Iterable[tuple[int, Reader]]) -> None:
        """Name the documents that the columns start from."""
        for of in sorted({path.of for _, reader in columns for path in _paths(reader)}):
            self._roots[of] = self.let(f"documents[{self.constant(of)}]")

    def read_together(self, readers: Iterable[Reader]) -> None:
        paths = [path for reader in readers for path in _paths(reader) if path.light]
        for of in dict.fromkeys(path.of for path in paths):
            trees = [expression.parse(path.below) for path in paths if path.of == of]
            self.read_ahead((names for tree in trees for names in heads(tree)), self._roots[of])

    def remembered(self, one: Shared) -> str:
        value = self.let(f"memo[{self.constant(one.slot)}]")
        with self.block(f"if {value} is UNREAD:"):
            self.line(f"{value} = {self.column(one.reader)}")
            self.line(f"memo[{self.constant(one.slot)}] = {value}")
        return value

    def column(self, reader: Reader) -> str:
        """Write the reading of a column; the name of its value."""
        if reader.first:
            value = self._first(reader)
        elif len(reader.paths) == 1:
            value = self._made(self._path(reader.paths[0]), reader)
        elif reader.paths:
            value = self._sum(reader)
        else:
            return self._read(reader)
        if reader.missing is not None:
            self.line(f"if {value} is None: raise Finding({self.constant(reader.missing)})")
        return value

    def finished(self, step: Finish) -> None:
        """Fill in what the engine knows."""
        if isinstance(step, Dated):
            self._dated(step)
        elif isinstance(step, Plausible):
            value, low, high = self.cells[step.value], step.metric.low, step.metric.high
            bounds = [f"{value} {sign} {self.constant(at)}" for sign, at in (("<", low), (">", high)) if at is not None]
            self.line(f"if {' or '.join(bounds)}: {self.constant(step.doubt)}({value}, issues)")
        else:
            values = self.let(f"[{', '.join(self.cells)}]")
            self.line(f"{self.constant(step)}({values}, issues)")
            self.cells = [f"{values}[{place}]" for place in range(len(self.cells))]

    def _dated(self, step: Dated) -> None:
        start, end, offset = (self.cells[place] for place in (step.start, step.end, step.offset))
        if offset == "None":
            return
        rule = self.constant(step.usual)
        if step.context is not None:
            rule = f"{self.constant(step.rules)}.get({self.cells[step.context]}, {rule})"
        found = self.let("None")
        with self.block(f"if {offset} is not None:"):
            self.line(f"try: {found} = local_date({rule}, {start}, {end}, {offset})")
            self.line(f"except OverflowError: raise Finding({self.constant(Issue(step.path, 'time'))}) from None")
        self.cells[step.target] = found

    def _read(self, reader: Reader) -> str:
        return self.let(f"{self.constant(reader.read)}(documents, issues)")

    def _path(self, path: Path) -> str:
        root = self._roots[path.of]
        value = (
            expression.write(self, path.below, root) if path.light else self.let(f"{self.constant(path.get)}({root})")
        )
        return self.let(f"None if {value} == [] else {value}") if path.light and path.unless_empty else value

    def _made(self, x: str, reader: Reader) -> str:
        make = f"{self.constant(reader.make)}({x}, documents, issues)"
        if reader.common is None:
            return self.let(f"None if {x} is None else {make}")
        found = self.let(self._common(x, reader.common))
        self.line(f"if {found} is None and {x} is not None: {found} = {make}")
        return found

    def _common(self, x: str, common: Common) -> str:
        names = {name: self.constant(value) for name, value in common.names.items()}
        return f"{common.value.format(x=x, **names)} if {common.test.format(x=x, **names)} else None"

    def _sum(self, reader: Reader) -> str:
        parts = [self._path(path) for path in reader.paths]
        found = self.let("None")
        if reader.common is not None:
            with self.block(f"if {' and '.join(f'(type({part}) is int or type({part}) is float)' for part in parts)}:"):
                self.line(f"{found} = {self._common(self.let(' + '.join(parts)), reader.common)}")
        # what the parts are that make no common sum, their own paths must say
        self.line(f"if {found} is None: {found} = {self.constant(reader.read)}(documents, issues)")
        return found

    def _first(self, reader: Reader) -> str:
        before, *others = reader.first
        found = self.let(self.column(before))
        for one in others:
            with self.block(f"if {found} is None:"):
                self.line(f"{found} = {self.column(one)}")
        return found


def _paths(reader: Reader) -> Iterator[Path]:
    yield from reader.paths
    for one in reader.first:
        yield from _paths(one)
