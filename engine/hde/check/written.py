"""Every expression a mapping writes: where it stands, what it is read from, and the paths it reads. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from jmespath.exceptions import JMESPathError

from hde.check import reads
from hde.check.place import first_of
from hde.check.reads import Reads, Start
from hde.mapping.expression import NAMED
from hde.mapping.scope import ITEM_NAMES, Scope
from hde.spec.mapping import Each, Reading, RowSet, Target, UnitRead
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.problem import KeyPath
from hde.spec.yaml_file import YamlFile

RECORD = ""


@dataclass(frozen=True)
class Here:
    """Where expressions stand: the names in reach, and where `parent` and the item come from."""

    scope: Scope
    starts: Mapping[str, Start] = field(default_factory=lambda: {RECORD: reads.WHOLE})

    def inside(self, each: Each | None) -> Here:
        """Inside an `each`; the same where there is none."""
        if each is None:
            return self
        around = self.inside(each.around)
        outer = {f"parent.${name}": start for name, start in around.starts.items() if name.startswith("parent")}
        starts = {RECORD: around._item(each), "parent": around.starts[RECORD], **outer}
        return Here(self.scope.inside(each), starts)

    def at(self, text: str) -> tuple[str, Start]:
        """What is read, and where that starts."""
        match = NAMED.match(text) if text.startswith("$") else None
        if match is None:
            return text, self.starts[RECORD]
        name, below = match[1], match[2] or match[3] or "@"
        # there is no `parent` outside an each; that is said, and what was meant counts as read
        missing = reads.WHOLE if name.startswith("parent") else reads.document(name)
        return below, self.starts.get(name, missing)

    def _item(self, each: Each) -> Start:
        def found(path: str | None) -> Start:
            below, start = self.at(path or "@")
            return reads.found_at(below, start)

        if each.path is not None:
            return reads.element_of(found(each.path))
        if each.nested:
            return reads.nodes_of([found(path) for path in each.nested], lambda start: self._below(each, start))
        if each.entries is not None:
            return reads.entry_of(found(each.entries))
        if each.characters is not None:
            return found(each.characters)
        return reads.object_of({name: reads.element_of(found(path)) for name, path in each.zip.items()})

    def at_every_item(self, each: Each) -> Here:
        """Where the paths of a tree start: outside, and at every item of it."""
        return Here(self.scope, {**self.starts, RECORD: reads.either(self.starts[RECORD], self._item(each))})

    def _below(self, each: Each, item: Start) -> list[Start]:
        """The lists of a tree below one of its items."""
        return [reads.found_at(self.at(path)[0], item) for path in each.nested]


@dataclass(frozen=True)
class Written:
    """An expression on the record or item (`of` is RECORD) or on what `$of` names; `below` is what is read of that."""

    trail: KeyPath
    text: str
    here: Here
    test: bool = False
    key: str | None = None
    """Of the path of an `each`: the key beside it."""

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
    def in_tree(self) -> bool:
        """Whether it is read of the items of a tree, or says how the tree goes on."""
        scope: Scope | None = self.here.scope
        while scope is not None and (scope.each is None or not scope.each.nested):
            scope = scope.outer
        return scope is not None or "nested" in self.trail

    @property
    def is_item_name(self) -> bool:
        """Whether it is `$index`, or reaches for what lies around an item."""
        return (self.of or "").rpartition("$")[2] in ITEM_NAMES

    @cached_property
    def reads(self) -> Mapping[str, Reads]:
        """By the record it is read of: RECORD or a name. Nothing where it does not compile: that is said elsewhere."""
        if self.is_item_name and (self.of or "").endswith("index"):
            return {}
        below, start = self.here.at(self.text)
        try:
            return reads.split(reads.reads(below, test=self.test, start=start))
        except JMESPathError:
            return {}


def written(mapping: OneMapping, file: YamlFile) -> Iterator[Written]:
    """Every expression of a mapping, those of columns given for all rows once per row."""
    top = Here(Scope(("row", "account", *mapping.with_)))
    if mapping.when:
        yield Written(("when",), mapping.when, top, test=True)
    for target in mapping.to.values():
        here = top.inside(target.each)
        place: KeyPath = ("to", target.table)
        yield from _around(target, place, top, here, file)
        if target.when and target.when != mapping.when:
            yield Written(first_of(file, (*place, "when")), target.when, here, test=True)
        for rows in target.rows:
            inner = here.inside(rows.each)
            trail = rows_trail(file, target, rows)
            yield from _around(rows, trail, here, inner, file)
            if rows.when and rows.when != target.when:
                yield Written(first_of(file, (*trail, "when")), rows.when, inner, test=True)
            for name, reading in rows.columns.items():
                yield from _in_reading(reading, column_trail(file, target, rows, name), inner, file)


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


def _around(said: Target | RowSet, trail: KeyPath, outer: Here, inner: Here, file: YamlFile) -> Iterator[Written]:
    """The paths of an `each`, which stand outside its items, and of the key, which stands inside."""
    if said.each is None:
        return
    chain = said.each.chain
    for number, each in enumerate(chain):
        place: KeyPath = (*trail, "each", number) if chain[1:] else (*trail, "each")
        key = said.key if each is said.each else None
        yield from _of_each(each, place, outer.inside(each.around), file, key)
    if said.key is not None:
        yield Written(first_of(file, (*trail, "key"), ("key",)), said.key, inner)


def _of_each(each: Each, trail: KeyPath, outer: Here, file: YamlFile, key: str | None) -> Iterator[Written]:
    top = trail[trail.index("each") :]  # as an `each` for the whole mapping stands
    if each.path is not None:
        yield Written(first_of(file, trail, top), each.path, outer, test=True, key=key)
    everywhere = outer.at_every_item(each) if each.nested else outer
    for index, path in enumerate(each.nested):
        nested = (*trail, "nested")
        yield Written(
            first_of(file, (*nested, index), nested, (*top, "nested", index), (*top, "nested")),
            path,
            everywhere,
            test=True,
        )
    for word, path_ in (("entries", each.entries), ("characters", each.characters)):
        if path_ is not None:
            yield Written(first_of(file, (*trail, word), (*top, word)), path_, outer, test=True)
    for name, path in each.zip.items():
        yield Written(first_of(file, (*trail, "zip", name), (*top, "zip", name)), path, outer, test=True)


def _in_reading(reading: Reading, trail: KeyPath, here: Here, file: YamlFile) -> Iterator[Written]:
    if reading.path is not None:
        yield Written(first_of(file, (*trail, "path"), trail), reading.path, here)
    for index, path in enumerate(reading.sum):
        yield Written((*trail, "sum", index), path, here)
    if isinstance(reading.unit, UnitRead):
        if reading.unit.path is not None:
            yield Written((*trail, "unit", "path"), reading.unit.path, here)
        for index, path in enumerate(reading.unit.first):
            yield Written((*trail, "unit", "first", index), path, here)
    if reading.offset:
        yield Written(first_of(file, (*trail, "offset", "path"), (*trail, "offset")), reading.offset.path, here)
    if reading.plus:
        yield Written(first_of(file, (*trail, "plus", "path"), (*trail, "plus")), reading.plus.path, here)
        if reading.plus.times:
            yield Written((*trail, "plus", "times"), reading.plus.times, here)
    if reading.when:
        yield Written((*trail, "when"), reading.when, here, test=True)
    for word, text in (("exponent", reading.exponent), ("zone", reading.zone), ("after", reading.after)):
        if text:
            yield Written((*trail, word), text, here)
    for index, one in enumerate(reading.first):
        yield from _in_reading(one, (*trail, "first", index), here, file)
