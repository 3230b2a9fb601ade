"""The reading of one row as one generated function: the paths read together, the common case of each column in line.

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
from hde.mapping.paths import Documents, Path
from hde.mapping.values import Finding

UNREAD: Final = object()
"""Stands in the memo for a column that several rows share and that nobody has read yet."""

Fill = Callable[[Documents, list[Issue], list[Any]], list[Any] | None]
"""From the documents and the memo to the values of a row, or None where the record has no such row. Raises Finding."""


class Shared(NamedTuple):
    """A column that several rows read alike: where it stands in this row, and in the memo of the record."""

    place: int
    slot: int
    reader: Reader


def fill(
    blank: Sequence[object],
    optional: Sequence[tuple[int, Reader]],
    own: Sequence[tuple[int, Reader]],
    shared: Sequence[Shared],
) -> Fill:
    """`blank` is the row without what is read. The optional columns come first: where one is null there is no row."""
    row = _Row()
    values: dict[int, str] = {}
    with row.function("fill", "documents, issues, memo"):
        row.roots([*optional, *own, *((one.place, one.reader) for one in shared)])
        row.read_together(reader for _, reader in optional)
        for index, reader in optional:
            values[index] = row.column(reader)
            row.line(f"if {values[index]} is None: return None")
        row.read_together(reader for _, reader in own)
        for index, reader in own:
            values[index] = row.column(reader)
        for one in shared:
            values[one.place] = row.remembered(one)
        constants = ("None" if value is None else row.constant(value) for value in blank)
        row.line(f"return [{', '.join(values.get(index, value) for index, value in enumerate(constants))}]")
    return row.run("fill")


class _Row(Code):
    def __init__(self) -> None:
        super().__init__()
        self.names |= {"Finding": Finding, "int": int, "float": float, "str": str, "UNREAD": UNREAD}
        self._roots: dict[str, str] = {}

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
