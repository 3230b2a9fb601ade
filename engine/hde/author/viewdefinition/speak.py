"""From a view to what is said of it: every branch a row set, every complaint at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from hde.author.viewdefinition import code
from hde.author.viewdefinition.branches import Branch, Level, branches_of
from hde.author.viewdefinition.code import Code
from hde.author.viewdefinition.language import starting_at
from hde.author.viewdefinition.said import Items, Reading, RowsSaid, Said
from hde.author.viewdefinition.syntax import Constant, Literally, Node
from hde.author.viewdefinition.translate import Translator, Unsayable
from hde.author.viewdefinition.view import Column, Complaint, Unreadable, View

ABSENT = "`[{}]`"
"""The one item of `forEachOrNull` where there is none: every path in it gives null."""
Shown = Callable[[Column, Code, Translator], Reading]


def say(view: View, named: Callable[[str], str | None] = str, shown: Shown | None = None) -> Said:
    """The view, its columns called as `named` says (None: left out). Unreadable with everything that cannot be said."""
    speaker = _Speaker(view, named, shown or (lambda column, said, at: one_value(column, said)))
    try:
        branches = branches_of(view.selects)
    except Unsayable as error:
        raise Unreadable([Complaint("select", str(error))]) from None
    rows = [speaker.rows(branch) for branch in branches]
    when = speaker.when()
    if speaker.complaints:
        raise Unreadable(list(dict.fromkeys(speaker.complaints)))
    shared = speaker.shared(branches)
    rest = [
        RowsSaid(one.each, {name: read for name, read in one.columns.items() if name not in shared}, one.when)
        for one in rows
    ]
    said = Said(shared, rest, when, tuple(dict.fromkeys(speaker.notes)))
    try:
        said.target()
    except Unsayable as error:
        raise Unreadable([Complaint("select", str(error))]) from None
    return said


def one_value(column: Column, said: Code) -> str:
    """A column as a path: a list where it is a collection, else the only value."""
    return code.whole(said).removeprefix("(").removesuffix(")") if column.collection else code.single(said).text


class _Place(NamedTuple):
    """Where the columns of a level start: `base`, read of the item so many `each` deep (-1: the record)."""

    depth: int
    base: Code
    or_null: bool = False
    counted: bool = True
    """It is an item of an `each`, and has an index."""


class _Way:
    """The levels of one branch on the way in."""

    def __init__(self) -> None:
        self.places: list[_Place] = []
        self.each: list[Items] = []
        self.conditions: list[str] = []
        self.asked = -1
        """How deep the conditions are asked."""

    @property
    def depth(self) -> int:
        return len(self.each) - 1

    def when(self) -> str | None:
        return above(" && ".join(self.conditions), self.depth - self.asked) if self.conditions else None


@dataclass
class _Speaker:
    view: View
    named: Callable[[str], str | None]
    shown: Shown
    complaints: list[Complaint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def when(self) -> str | None:
        said = []
        for where, path in self.view.where:
            try:
                said.append(self.at(None).condition(path))
            except (Unsayable, RecursionError) as error:
                self.complaints.append(_complaint(where, error))
        return " && ".join(f"({one})" if len(said) > 1 and "||" in one else one for one in said) or None

    def at(self, place: _Place | None) -> Translator:
        """For paths that start at the record, or at the item of a level."""
        if place is None:
            return starting_at(self.view.resource, self.view.constants, self.view.resource, self.notes)
        return starting_at(place.base.type, self.view.constants, None, self.notes, place.base)

    def rows(self, branch: Branch) -> RowsSaid:
        way = _Way()
        for level in branch.levels:
            try:
                self.enter(way, level)
            except (Unsayable, RecursionError) as error:
                self.complaints.append(_complaint(level.where, error))
                way.places.append(_Place(way.depth, Code(code.FOCUS, "one", None)))
        columns: dict[str, Reading] = {}
        for column, level_at in branch.columns:
            name = self.named(column.name)
            if name is None:
                continue
            place = None if level_at is None else way.places[level_at]
            try:
                said = self.column(column, place)
            except (Unsayable, RecursionError) as error:
                self.complaints.append(_complaint(column.where, error))
                continue
            columns[name] = upward(said, way.depth - (-1 if place is None else place.depth))
        return RowsSaid(tuple(way.each), columns, way.when())

    def enter(self, way: _Way, level: Level) -> None:
        """One level further in: an `each`, or a value that is read of what is at hand where it is one at most."""
        place = None if level.around is None else way.places[level.around]
        at, depth = self.at(place), -1 if place is None else place.depth
        if level.path is None:
            way.each.append(self.tree(level.paths, at, way.depth - depth))
            way.places.append(_Place(way.depth, Code(code.FOCUS, "one", self.tree_type(level.paths, at))))
            return
        found = at.value(level.path)
        if found.is_one and found.text != code.FOCUS and (level.or_null or not way.conditions or way.asked == depth):
            if not level.or_null:
                way.asked = depth
                way.conditions.append(code.there(found))
            way.places.append(_Place(depth, found, counted=False))
            return
        listed = code.listed(found)
        text = f"{listed.inner} || {ABSENT}" if level.or_null else listed.text
        way.each.append(above(text, way.depth - depth))
        way.places.append(_Place(way.depth, Code(code.FOCUS, "one", listed.type), level.or_null))

    def tree(self, paths: Sequence[Node], at: Translator, out: int) -> Items:
        """`repeat`: the paths must read alike of what they start at and of every item."""
        if at.focus.text != code.FOCUS:
            raise Unsayable("repeat stands only below a list, or at the start")
        inner = starting_at(self.tree_type(paths, at), self.view.constants, None, self.notes)
        nobody_knows = starting_at(None, self.view.constants, None, self.notes)
        texts = []
        for path in paths:
            said = {code.listed(one).text for one in _tried(path, at, inner)} or {""}
            alike = said.pop() if len(said) == 1 else ""
            texts.append(above(alike or code.listed(nobody_knows.value(path)).text, out))
        return {"nested": texts[0] if len(texts) == 1 else texts}

    def tree_type(self, paths: Sequence[Node], at: Translator) -> str | None:
        found = [one for path in paths[:1] for one in _tried(path, at)]
        return found[0].type if found else None

    def column(self, column: Column, place: _Place | None) -> Reading:
        if column.path == Constant("rowIndex"):
            return "$index" if place is not None and place.counted else {"const": 0}
        if isinstance(column.path, Literally) and column.path.value is not None:
            return {"const": _plain(column.path.value)}
        at = self.at(place)
        said = at.value(column.path)
        if said.text == code.FOCUS and place is not None and place.or_null:
            said = Code("[@][?@ != `{}`] | [0]", "one", said.type)
        return self.shown(column, said, at)

    def shared(self, branches: Sequence[Branch]) -> dict[str, Reading]:
        """The columns that every row reads alike from the record."""
        found: dict[str, Reading] = {}
        for column, level in branches[0].columns:
            name = self.named(column.name)
            everywhere = all((column, level) in branch.columns for branch in branches)
            if name is not None and level is None and everywhere:
                found[name] = self.column(column, None)
        return found


def _complaint(where: str, error: Unsayable | RecursionError) -> Complaint:
    return Complaint(where, str(error) if isinstance(error, Unsayable) else "nested too deeply")


def above(path: str, levels: int) -> str:
    """A path read that many items further out."""
    if not levels:
        return path
    parents = ".".join(["$parent"] * levels)
    return parents if path == code.FOCUS else f"{parents}.{path}"


def upward(said: Reading, levels: int) -> Reading:
    if isinstance(said, dict):
        return {key: above(value, levels) if key == "path" else value for key, value in said.items()}
    if said == "$index":
        return f"{'$parent.' * levels}$index"
    return above(said, levels)


def _tried(path: Node, *translators: Translator) -> list[Code]:
    """What those say who can: `answer.item` is nothing of a form, and something of its questions."""
    said = []
    for at in translators:
        try:
            said.append(at.value(path))
        except Unsayable:
            continue
    return said


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
