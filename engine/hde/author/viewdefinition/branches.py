"""The selects of a view laid out: every way through its unions is a branch, with the lists it goes through.

`unionAll` is spread over what stands beside it, so that a branch has no unions: its rows are one row set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hde.author.viewdefinition.syntax import Call, Constant, Node, Step
from hde.author.viewdefinition.translate import Unsayable
from hde.author.viewdefinition.view import Column, Select

MOST = 50
"""Branches of one view: more are no mapping that anybody wants to read."""


@dataclass(frozen=True)
class Level:
    """One row per item. `around`: the level whose items hold the list; None for the record. `paths`: of a `repeat`."""

    where: str
    around: int | None
    path: Node | None
    or_null: bool = False
    paths: tuple[Node, ...] = ()


class Placed(NamedTuple):
    """A column, and the level whose item it is read from."""

    column: Column
    level: int | None


@dataclass(frozen=True)
class Branch:
    levels: tuple[Level, ...] = ()
    columns: tuple[Placed, ...] = ()

    def beside(self, other: Branch) -> Branch:
        """Every row of one with every row of the other; both hang at the same level."""
        by = len(self.levels)
        moved = [replace(level, around=_moved(level.around, by)) for level in other.levels]
        placed = [Placed(one.column, _moved(one.level, by)) for one in other.columns]
        return Branch((*self.levels, *moved), (*self.columns, *placed))


def branches_of(selects: Sequence[Select]) -> list[Branch]:
    """The branches of a view, in the order of their rows. Raises Unsayable where there are too many."""
    return [_numbered(branch) for branch in _beside([_select(one) for one in selects])]


def _select(select: Select) -> list[Branch]:
    """Levels and columns that hang at what lies around have None there."""
    own = Branch(columns=tuple(Placed(column, None) for column in select.columns))
    parts = [[own], *(_select(one) for one in select.selects)]
    if select.unions:
        parts.append([branch for one in select.unions for branch in _select(one)])
    branches = _beside(parts)
    if select.for_each is None and not select.repeat:
        return branches
    level = Level(select.where, None, select.for_each, select.or_null, select.repeat)
    return [_below(level, branch) for branch in branches]


def _below(level: Level, branch: Branch) -> Branch:
    moved = [replace(one, around=0 if one.around is None else one.around + 1) for one in branch.levels]
    return Branch(
        (level, *moved), tuple(Placed(one.column, 0 if one.level is None else one.level + 1) for one in branch.columns)
    )


def _beside(parts: Sequence[Sequence[Branch]]) -> list[Branch]:
    found = [Branch()]
    for part in parts:
        found = [one.beside(other) for one in found for other in part]
        if len(found) > MOST:
            raise Unsayable(f"its unions make more than {MOST} kinds of rows")
    return found


def _moved(level: int | None, by: int) -> int | None:
    return None if level is None else level + by


def _numbered(branch: Branch) -> Branch:
    """Without the levels that only lead to the next one: `forEach: contact` around `forEach: telecom`."""
    index = 0
    while index < len(branch.levels):
        if _leads_on(branch, index):
            branch = _merged(branch, index)
        else:
            index += 1
    return branch


def _leads_on(branch: Branch, index: int) -> bool:
    below = [at for at, level in enumerate(branch.levels) if level.around == index]
    if below != [index + 1] or any(one.level == index for one in branch.columns):
        return False
    level, inner = branch.levels[index], branch.levels[index + 1]
    plain = level.path is not None and inner.path is not None and not inner.or_null and _is_of_every(inner.path)
    return plain and not any(_asks_index(one.column.path) for one in branch.columns)


def _merged(branch: Branch, index: int) -> Branch:
    level, inner = branch.levels[index], branch.levels[index + 1]
    assert level.path is not None
    assert inner.path is not None
    joined = replace(inner, around=level.around, path=_after(level.path, inner.path))
    others = [replace(one, around=_closer(one.around, index)) for one in branch.levels[index + 2 :]]
    columns = tuple(Placed(one.column, _closer(one.level, index)) for one in branch.columns)
    return Branch((*branch.levels[:index], joined, *others), columns)


def _closer(level: int | None, index: int) -> int | None:
    return level - 1 if level is not None and level > index else level


def _is_of_every(path: Node) -> bool:
    """Whether a path reads every item alike, so that reading it of all items together is the same."""
    match path:
        case Step(base, _):
            return base is None or _is_of_every(base)
        case Call(base, "where" | "ofType"):
            return base is not None and _is_of_every(base)
    return False


def _after(first: Node, path: Node) -> Node:
    match path:
        case Step(base, name):
            return Step(first if base is None else _after(first, base), name)
        case Call(base, name, arguments) if base is not None:
            return Call(_after(first, base), name, arguments)
    raise AssertionError(path)


def _asks_index(path: Node) -> bool:
    return path == Constant("rowIndex")
