"""A ViewDefinition as read from its JSON: checked for what every reader of it must refuse, all complaints at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from hde.author.viewdefinition.code import Code, literal
from hde.author.viewdefinition.syntax import Node, PathError, parse
from hde.errors import WrongUse

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_TYPE = re.compile(r"[A-Z][A-Za-z]*\Z")
_KINDS = (
    "ViewDefinition",
    "https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition",
    "http://hl7.org/fhir/uv/sql-on-fhir/StructureDefinition/ViewDefinition",
)
"""A logical model and no resource of FHIR: published files name it by its address, older ones by its former one."""
DEEPEST = 20
LARGEST = 1_000_000
"""Bytes of a file; the published ones have a few thousand."""


@dataclass(frozen=True)
class Complaint:
    """`where` is the path in the document: select[0].column[1].path."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Unreadable(WrongUse):
    """Everything that is wrong with a view, or cannot be said."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = tuple(complaints)


@dataclass(frozen=True)
class Column:
    name: str
    path: Node
    where: str
    type: str | None = None
    collection: bool = False


@dataclass(frozen=True)
class Select:
    """`repeat` are the paths that are followed again and again; at most one of the three is there."""

    where: str
    columns: tuple[Column, ...] = ()
    selects: tuple[Select, ...] = ()
    unions: tuple[Select, ...] = ()
    for_each: Node | None = None
    or_null: bool = False
    repeat: tuple[Node, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of its rows, in their order."""
        own = [column.name for column in self.columns]
        own += [name for one in self.selects for name in one.names]
        return (*own, *(self.unions[0].names if self.unions else ()))


@dataclass(frozen=True)
class View:
    name: str
    resource: str
    selects: tuple[Select, ...]
    where: tuple[tuple[str, Node], ...] = ()
    constants: Mapping[str, Code] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column once, in the order of a row."""
        return tuple({column.name: column for select in self.selects for column in _columns(select)}.values())


def read_file(file: Path) -> View:
    """The view of a file. Unreadable, or WrongUse where there is no JSON in it."""
    try:
        if file.stat().st_size > LARGEST:
            raise WrongUse(f"{file}: larger than {LARGEST} bytes; one ViewDefinition is wanted")
        document = json.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise WrongUse(f"{file}: it is no JSON") from None
    return read_view(document)


def read_view(document: object) -> View:
    """The view that a JSON document says."""
    reader = _Reader()
    view = reader.view(document)
    if reader.complaints:
        raise Unreadable(reader.complaints)
    return view


class _Reader:
    def __init__(self) -> None:
        self.complaints: list[Complaint] = []

    def wrong(self, where: str, what: str) -> None:
        self.complaints.append(Complaint(where, what))

    def view(self, said: object) -> View:
        if not isinstance(said, dict):
            self.wrong("", "a ViewDefinition is an object")
            return View("", "", ())
        if said.get("resourceType", _KINDS[0]) not in _KINDS:
            self.wrong("resourceType", f"{said['resourceType']!r} is no ViewDefinition")
        resource = said.get("resource")
        if not isinstance(resource, str) or not _TYPE.match(resource):
            self.wrong("resource", "it is missing: which FHIR resource the view reads")
            resource = ""
        selects = self.selects(said, "select", "", 0)
        if not selects:
            self.wrong("select", "it is missing: a view has at least one column")
        self.twice(selects)
        constants = dict(self.constants(said))
        where = [
            (f"{place}.path", path)
            for place, one in self.objects(said, "where", "")
            if (path := self.path(one, "path", place, needed=True)) is not None
        ]
        name = said.get("name")
        return View(name if isinstance(name, str) else "", resource, selects, tuple(where), constants)

    def selects(self, said: Mapping[str, Any], key: str, above: str, depth: int) -> tuple[Select, ...]:
        if depth > DEEPEST:
            self.wrong(above, "nested too deeply")
            return ()
        return tuple(self.select(one, place, depth + 1) for place, one in self.objects(said, key, above))

    def select(self, said: Mapping[str, Any], where: str, depth: int) -> Select:
        columns = [self.column(one, place) for place, one in self.objects(said, "column", where)]
        unions = self.selects(said, "unionAll", where, depth)
        for index, one in enumerate(unions):
            if one.names != unions[0].names:
                self.wrong(f"{where}.unionAll[{index}]", "its columns are not those of the first, in their order")
        ways = [key for key in ("forEach", "forEachOrNull", "repeat") if key in said]
        if len(ways) > 1:
            self.wrong(where, f"{ways[0]} and {ways[1]} exclude each other")
        for_each = self.path(said, "forEach", where) or self.path(said, "forEachOrNull", where)
        select = Select(
            where,
            tuple(column for column in columns if column is not None),
            self.selects(said, "select", where, depth),
            unions,
            for_each,
            "forEachOrNull" in said,
            self.repeat(said, where),
        )
        if not (columns or select.selects or unions):
            self.wrong(where, "it has no column, no select and no unionAll")
        return select

    def repeat(self, said: Mapping[str, Any], where: str) -> tuple[Node, ...]:
        paths = said.get("repeat", [])
        if not isinstance(paths, list) or ("repeat" in said and not paths):
            self.wrong(f"{where}.repeat", "a list of paths was expected")
            return ()
        read = [self.text(path, f"{where}.repeat[{index}]") for index, path in enumerate(paths)]
        return tuple(node for node in read if node is not None)

    def column(self, said: Mapping[str, Any], where: str) -> Column | None:
        name = said.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            self.wrong(f"{where}.name", "a name (letters, digits and _, a letter first) was expected")
            name = None
        path = self.path(said, "path", where, needed=True)
        if name is None or path is None:
            return None
        type_ = said.get("type")
        return Column(
            name,
            path,
            f"{where}.path",
            type_.rpartition("/")[2] if isinstance(type_, str) else None,
            said.get("collection") is True,
        )

    def constants(self, said: Mapping[str, Any]) -> Iterator[tuple[str, Code]]:
        for place, one in self.objects(said, "constant", ""):
            name = one.get("name")
            values = [(key[5:], value) for key, value in one.items() if key.startswith("value")]
            if not isinstance(name, str) or len(values) != 1:
                self.wrong(place, "a constant has a name and one value (valueString, valueInteger, ...)")
                continue
            ((type_, value),) = values
            if isinstance(value, dict | list) or value is None:
                self.wrong(place, f"%{name}: a {type_} is no plain value")
                continue
            yield name, literal(value, type_[:1].lower() + type_[1:])

    def objects(self, said: Mapping[str, Any], key: str, above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        here = f"{above}.{key}" if above else key
        items = said.get(key, [])
        if not isinstance(items, list):
            self.wrong(here, "a list was expected")
            return
        for index, one in enumerate(items):
            if isinstance(one, dict):
                yield f"{here}[{index}]", one
            else:
                self.wrong(f"{here}[{index}]", "an object was expected")

    def path(self, said: Mapping[str, Any], key: str, where: str, *, needed: bool = False) -> Node | None:
        if key not in said:
            if needed:
                self.wrong(f"{where}.{key}", "it is missing")
            return None
        return self.text(said[key], f"{where}.{key}")

    def text(self, path: object, where: str) -> Node | None:
        if not isinstance(path, str):
            self.wrong(where, "a FHIRPath, as text, was expected")
            return None
        try:
            return parse(path)
        except PathError as error:
            self.wrong(where, str(error))
            return None
        except RecursionError:
            self.wrong(where, "nested too deeply")
            return None

    def twice(self, selects: Sequence[Select]) -> None:
        seen: set[str] = set()
        for name in (name for select in selects for name in select.names):
            if name in seen:
                self.wrong("select", f"there are two columns {name!r}")
            seen.add(name)


def _columns(select: Select) -> Iterator[Column]:
    yield from select.columns
    for one in (*select.selects, *select.unions[:1]):
        yield from _columns(one)
