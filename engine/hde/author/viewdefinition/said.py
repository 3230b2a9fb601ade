"""A view in the grammar of mappings: its rows as `each`, `rows` and `when`, its columns as JMESPath."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hde.author.viewdefinition import code
from hde.author.viewdefinition.branches import Branch, Level, branches_of
from hde.author.viewdefinition.code import Code
from hde.author.viewdefinition.language import starting_at
from hde.author.viewdefinition.syntax import Constant, Literally
from hde.author.viewdefinition.translate import Translator, Unsayable
from hde.author.viewdefinition.view import Column, Complaint, Unreadable, View

DEEPEST = 2
"""Lists within lists that one row set of a mapping can take apart."""
ABSENT = "`[{}]`"
"""The one item of `forEachOrNull` where there is none: every path in it gives null."""

Reading = str | dict[str, Any]


@dataclass(frozen=True)
class RowsSaid:
    """One row set. `each` from the outside in."""

    each: tuple[str, ...]
    columns: Mapping[str, Reading]


@dataclass(frozen=True)
class Said:
    """`shared` columns start at the record and are the same in all rows."""

    shared: Mapping[str, Reading]
    rows: Sequence[RowsSaid]
    when: str | None = None
    notes: Sequence[str] = ()

    def mapping(self, resource: str, table: str) -> dict[str, Any]:
        """What a mapping file says. Raises Unsayable where the grammar has no such rows."""
        said: dict[str, Any] = {"from": resource}
        if self.when is not None:
            said["when"] = self.when
        target = self.target()
        if self.shared:
            if list(target) == ["columns"]:
                target["columns"] = {**self.shared, **target["columns"]}
            else:
                said["columns"] = dict(self.shared)
        return {**said, "to": {table: target}}

    def target(self) -> dict[str, Any]:
        depth = max(len(one.each) for one in self.rows)
        if depth > DEEPEST:
            raise Unsayable(f"its rows come from lists {depth} deep; a mapping reaches {DEEPEST}")
        outer = self.rows[0].each[:1]
        if depth == DEEPEST and any(one.each[:1] != outer for one in self.rows):
            raise Unsayable("its unions come from different lists, and one of them from a list within")
        if len(self.rows) == 1 and depth < DEEPEST:
            (only,) = self.rows
            return {**({"each": outer[0]} if outer else {}), "columns": dict(only.columns)}
        around = outer if depth == DEEPEST else ()
        rows = {}
        for number, one in enumerate(self.rows, 1):
            inner = one.each[len(around) :]
            rows[f"row_{number}"] = {**({"each": inner[0]} if inner else {}), **one.columns}
        return {**({"each": around[0]} if around else {}), "rows": rows}


def say(
    view: View, named: Callable[[str], str | None] = str, shown: Callable[[Column, Code], Reading] | None = None
) -> Said:
    """The view, its columns called as `named` says (None: left out). Unreadable with everything that cannot be said."""
    speaker = _Speaker(view, named, shown or one_value)
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
        RowsSaid(one.each, {name: said for name, said in one.columns.items() if name not in shared}) for one in rows
    ]
    try:
        said = Said(shared, rest, when, tuple(dict.fromkeys(speaker.notes)))
        said.target()
    except Unsayable as error:
        raise Unreadable([Complaint("select", str(error))]) from None
    return said


def one_value(column: Column, said: Code) -> str:
    """A column as a path: a list where it is a collection, else the only value."""
    return code.whole(said).removeprefix("(").removesuffix(")") if column.collection else code.single(said).text


@dataclass
class _Speaker:
    view: View
    named: Callable[[str], str | None]
    shown: Callable[[Column, Code], Reading]
    complaints: list[Complaint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def when(self) -> str | None:
        said = []
        for where, path in self.view.where:
            try:
                said.append(self.at(None, ()).condition(path))
            except Unsayable as error:
                self.complaints.append(Complaint(where, str(error)))
        return " && ".join(f"({one})" if len(said) > 1 and "||" in one else one for one in said) or None

    def at(self, level: int | None, items: Sequence[Code]) -> Translator:
        """For paths that start at the record, or at the item of a level."""
        if level is None:
            return starting_at(self.view.resource, self.view.constants, self.view.resource, self.notes)
        return starting_at(items[level].type, self.view.constants, None, self.notes)

    def rows(self, branch: Branch) -> RowsSaid:
        each: list[str] = []
        items: list[Code] = []
        for depth, level in enumerate(branch.levels):
            try:
                path, item = self.level(level, items)
            except Unsayable as error:
                self.complaints.append(Complaint(level.where, str(error)))
                path, item = code.FOCUS, Code(code.FOCUS, "one", None)
            each.append(above(path, depth - 1 - _depth(level.around)))
            items.append(item)
        columns: dict[str, Reading] = {}
        for column, at in branch.columns:
            name = self.named(column.name)
            if name is None:
                continue
            try:
                said = self.column(column, at, branch.levels, items)
            except Unsayable as error:
                self.complaints.append(Complaint(column.where, str(error)))
                continue
            columns[name] = upward(said, len(items) - 1 - _depth(at))
        return RowsSaid(tuple(each), columns)

    def level(self, level: Level, items: Sequence[Code]) -> tuple[str, Code]:
        """The list, read where it hangs, and its item."""
        if level.path is None:
            raise Unsayable("repeat: a mapping cannot follow a path again and again")
        found = code.listed(self.at(level.around, items).value(level.path))
        text = f"{found.inner} || {ABSENT}" if level.or_null else found.text
        return text, Code(code.FOCUS, "one", found.type)

    def column(self, column: Column, at: int | None, levels: Sequence[Level], items: Sequence[Code]) -> Reading:
        if column.path == Constant("rowIndex"):
            return {"const": 0} if at is None else "$index"
        if isinstance(column.path, Literally) and column.path.value is not None:
            return {"const": _plain(column.path.value)}
        said = self.at(at, items).value(column.path)
        if said.text == code.FOCUS and at is not None and levels[at].or_null:
            said = Code("[@][?@ != `{}`] | [0]", "one", said.type)
        return self.shown(column, said)

    def shared(self, branches: Sequence[Branch]) -> dict[str, Reading]:
        """The columns that every row reads alike from the record."""
        found: dict[str, Reading] = {}
        for column, at in branches[0].columns:
            name = self.named(column.name)
            everywhere = all((column, at) in branch.columns for branch in branches)
            if name is not None and at is None and everywhere:
                found[name] = self.column(column, None, (), ())
        return found


def above(path: str, levels: int) -> str:
    """A path read that many items further out."""
    if not levels:
        return path
    parents = ".".join(["$parent"] * levels)
    if path == code.FOCUS:
        return parents
    return f"{parents}.{path}"


def upward(said: Reading, levels: int) -> Reading:
    if isinstance(said, str):
        return above(said, levels)
    return {key: above(value, levels) if key == "path" else value for key, value in said.items()}


def _depth(level: int | None) -> int:
    return -1 if level is None else level


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
