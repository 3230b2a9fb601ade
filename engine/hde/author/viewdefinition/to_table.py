"""A view as the mapping of a canonical table: its columns by their names, whatever has no place there told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hde.author.viewdefinition.code import Code
from hde.author.viewdefinition.said import Reading
from hde.author.viewdefinition.speak import one_value, say
from hde.author.viewdefinition.syntax import Binary, Call, Literally, Node, Step
from hde.author.viewdefinition.translate import Translator, Unsayable
from hde.author.viewdefinition.view import Column, Complaint, Unreadable, View
from hde.canonical import TABLES, Table
from hde.canonical import Column as Place
from hde.errors import WrongUse
from hde.mapping.compiled import compile_mapping
from hde.spec.freeze_mapping import freeze_mapping
from hde.spec.problem import did_you_mean
from hde.spec.yaml_file import YamlFile

_UNFILLED = re.compile(r"(\w+) is required and nothing is mapped to it")
ANY = "*"
"""A preference of codes: whatever there is."""


@dataclass(frozen=True)
class Drafted:
    """What the mapping file says; the view's columns that have no place; what the author should know."""

    said: dict[str, Any]
    left_out: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True)
class Wishes:
    """What an author says beside the view: names (view -> table) and units of the source (table column -> unit)."""

    names: Mapping[str, str]
    units: Mapping[str, str]


def to_table(view: View, table_name: str, source: str, resource: str, wishes: Wishes) -> Drafted:
    """The mapping of a resource. WrongUse, or Unreadable with everything that cannot be said or does not fit."""
    table = TABLES.get(table_name)
    if table is None:
        raise WrongUse(f"--to: no table {table_name!r}.{did_you_mean(table_name, TABLES)} There is {', '.join(TABLES)}")
    there = [column.name for column in view.columns]
    _check(wishes, there, table)
    places = {name: wishes.names.get(name, name) for name in there}
    if not any(_place(table, place) for place in places.values()):
        ours = ", ".join(column.name for column in table.columns if not column.by_engine)
        raise WrongUse(
            f"No column of the view is one of {table.name}: say which is which, --as VIEW_COLUMN=COLUMN.\n"
            f"The view has {', '.join(there)}; {table.name} has {ours}"
        )
    told: list[str] = []
    writer = _Writer(view, table, places, wishes.units, told)
    said = say(view, lambda name: places[name] if _place(table, places[name]) else None, writer.reading)
    written = said.mapping(resource, table.name)
    _compile(written, source, resource)
    left_out = [column.name for column in view.columns if _place(table, places[column.name]) is None]
    return Drafted(written, left_out, [*dict.fromkeys(told), *said.notes])


def raw_columns(view: View) -> tuple[dict[str, Any], list[str]]:
    """The columns of a raw table, and what the author should know: one row per record is all there is there."""
    said = say(
        view, shown=lambda column, value, at: {"type": _raw_type(column, value), "path": one_value(column, value)}
    )
    if any(rows.each for rows in said.rows) or len(said.rows) > 1:
        raise Unreadable([Complaint("select", "a raw table has one row per record: --to TABLE makes several of one")])
    notes = list(said.notes)
    if said.rows[0].when is not None:
        notes.append("its `forEach` leaves out what has no such part: a raw table holds every record, null there")
    if said.when is not None:
        notes.append("its `where` is left out: a raw table holds every record")
    found = {**said.shared, **said.rows[0].columns}
    constant = [name for name, reading in found.items() if isinstance(reading, dict) and "const" in reading]
    notes += [f"{name} is the same in every record, and left out" for name in constant]
    return {name: reading for name, reading in found.items() if name not in constant}, notes


@dataclass(frozen=True)
class _Writer:
    view: View
    table: Table
    places: Mapping[str, str]
    units: Mapping[str, str]
    told: list[str]

    def reading(self, column: Column, value: Code, at: Translator) -> Reading:
        place = _place(self.table, self.places[column.name])
        assert place is not None
        if str(place.type) == "coding":
            return self.coding(column, value, place, at)
        if column.collection and not value.is_one:
            raise Unsayable(f"a collection; {place.name} of {self.table.name} holds one value")
        path = one_value(column, value)
        unit = self.units.get(place.name)
        if unit is None and place.unit is not None:
            raise Unsayable(f"{place.name} is in {place.unit}: say what the source's unit is, --unit {place.name}=UNIT")
        return path if unit is None else {"path": path, "unit": unit}

    def coding(self, column: Column, value: Code, place: Place, at: Translator) -> Reading:
        """A code with its system and all its synonyms: the view's `.code` is read where it stands in its coding."""
        if value.type in ("Coding", "CodeableConcept"):
            found, prefer = value, ANY
        else:
            found, prefer = _above(column, at)
        self.told.append(f"{place.name}: `prefer` says which of several codes counts, the first wish that is met")
        return {"path": found.text, "prefer": [prefer]}


def _above(column: Column, at: Translator) -> tuple[Code, str]:
    """The coding of which the view reads the code, and the system it asks for."""
    node = column.path
    while isinstance(node, Call) and node.name in ("first", "single") and node.base is not None:
        node = node.base
    if isinstance(node, Step) and node.name == "code":
        if node.base is None and at.type == "Coding":
            return at.focus, ANY
        found = None if node.base is None else at.value(_all_synonyms(node.base))
        if node.base is not None and found is not None and found.type in ("Coding", None):
            return found, _system(node.base) or ANY
    raise Unsayable("a code without its coding: a path to the coding, or to the CodeableConcept, was expected")


def _all_synonyms(node: Node) -> Node:
    """The codings before the view chose those of one system: which of them counts is `prefer`."""
    match node:
        case Call(base, "first" | "single", ()) if base is not None:
            return _all_synonyms(base)
        case Call(base, "where", (Binary("=", Step(None, "system"), Literally()),)) if base is not None:
            return base
    return node


def _system(node: Node) -> str | None:
    """The system of `where(system = '...')`."""
    match node:
        case Call(_, "where", (Binary("=", Step(None, "system"), Literally(str() as system)),)):
            return system
        case Call(base, "where", (Binary("and", left, right),)):
            return _system(Call(base, "where", (left,))) or _system(Call(base, "where", (right,)))
        case Call(base, "first" | "single", ()) if base is not None:
            return _system(base)
    return None


def _check(wishes: Wishes, there: Sequence[str], table: Table) -> None:
    for name, place in wishes.names.items():
        if name not in there:
            raise WrongUse(f"--as {name}={place}: the view has no column {name!r}.{did_you_mean(name, there)}")
        column = table.column(place)
        if column is None or column.by_engine:
            ours = [one.name for one in table.columns if not one.by_engine]
            raise WrongUse(f"--as {name}={place}: no column {place!r} in {table.name}.{did_you_mean(place, ours)}")
    taken = list(wishes.names.values()) + [name for name in there if name not in wishes.names]
    for place in set(taken):
        if taken.count(place) > 1:
            raise WrongUse(f"two columns of the view are to be {place}: --as gives one of them another name")


def _place(table: Table, name: str) -> Place | None:
    column = table.column(name)
    return None if column is None or column.by_engine else column


def _compile(written: dict[str, Any], source: str, resource: str) -> None:
    try:
        compile_mapping(freeze_mapping(YamlFile(Path(f"{resource}.yaml"), written, {}), source, {}))
    except WrongUse as error:
        what = str(error).partition(": ")[2]
        hint = " (--unit COLUMN=UNIT)" if "unit is missing" in what else ""
        if unfilled := _UNFILLED.search(what):
            hint = f" (--as NAME={unfilled[1]}, NAME a column of the view)"
        raise Unreadable([Complaint("", f"{what}{hint}")]) from None


_RAW = {
    "boolean": "boolean", "integer": "int", "positiveInt": "int", "unsignedInt": "int", "integer64": "bigint",
    "decimal": "numeric", "instant": "timestamptz",
}  # fmt: skip
"""Dates and times of FHIR may be without day or zone: they stay text. So does everything that is text."""


def _raw_type(column: Column, value: Code) -> str:
    if column.collection:
        return "jsonb"
    type_ = value.type or column.type or "jsonb"
    return _RAW.get(type_, "text" if type_[0].islower() and type_ != "jsonb" else "jsonb")
