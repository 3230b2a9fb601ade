"""From the checked YAML of a mapping to its dataclasses, columns for all rows merged into each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from hde.canonical import TABLES
from hde.spec import mapping as frozen
from hde.spec.freeze import column_name
from hde.spec.mapping import LocalOffset, Lookup, Plus, Reading, Reference, RowSet, Target, Unknown
from hde.spec.problem import KeyPath, Problem, quoted, with_hint
from hde.spec.yaml_file import YamlFile

Map = Mapping[str, Any]
Lookups = Mapping[str, Map]
_NOT_HASHED = {("Mapping", "file"), ("Mapping", "ignore"), ("Mapping", "text_hash"), ("Lookup", "name")}


def freeze_mapping(file: YamlFile, source: str, lookups: Lookups) -> frozen.Mapping:
    """The mapping of a file without problems. `lookups` are those of `lookups.yaml` beside it."""
    data: Map = file.data  # type: ignore[assignment]  # the schema has seen that it is a map
    for_all = {name: _reading(said, lookups) for name, said in data.get("columns", {}).items()}
    mapping = frozen.Mapping(
        name=f"{source}/{file.file.stem}",
        file=file.file,
        from_=data["from"],
        to={table: _target(table, said, for_all, lookups) for table, said in data["to"].items()},
        with_={
            name: Reference(name, said["from"], column_name(said["key"])) for name, said in data.get("with", {}).items()
        },
        when=data.get("when"),
        ignore=dict(data.get("ignore", {})),
    )
    return replace(mapping, text_hash=text_hash(mapping))


def mapping_problems(file: YamlFile, lookups: Lookups | None) -> Iterator[Problem]:
    """What a schema cannot see in a mapping that it finds right. `lookups`: None where nobody can know."""
    data: Map = file.data  # type: ignore[assignment]  # the schema has seen that it is a map
    tables = [TABLES[name] for name in data["to"] if name in TABLES]
    if len(tables) == len(data["to"]):
        for column in data.get("columns", {}):
            if not any(table.column(column) for table in tables):
                known = [one.name for table in tables for one in table.columns if not one.by_engine]
                names = ", ".join(table.name for table in tables) or "any table"
                message = with_hint(f"{quoted(column)} is not a column of {names}", column, known)
                yield file.problem(("columns", column), message)
    for path, reading in _readings(data):
        name = reading.get("lookup")
        if isinstance(name, str) and lookups is not None and name not in lookups:
            message = with_hint(f"{quoted(name)} is not in lookups.yaml", name, lookups)
            yield file.problem((*path, "lookup"), message, value=True)


def text_hash(mapping: frozen.Mapping) -> str:
    """Hash of all that decides which rows come out: the same for another spelling of the same mapping."""
    text = json.dumps(_plain(mapping), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """JSON of a dataclass without its defaults, so that a new field with a default changes no hash."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        pairs = [(one, getattr(value, one.name)) for one in fields(value) if (kind, one.name) not in _NOT_HASHED]
        return {one.name: _plain(said) for one, said in pairs if one.default is MISSING or said != one.default}
    if isinstance(value, Mapping):
        # the order of a lookup decides where a path gives a list, so maps are hashed in their order
        return [[str(key), _plain(item)] for key, item in value.items()]
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _target(table: str, said: Map, for_all: Mapping[str, Reading], lookups: Lookups) -> Target:
    known = TABLES.get(table)
    shared = {name: reading for name, reading in for_all.items() if known is None or known.column(name)}
    rows = said["rows"] if "rows" in said else {"": said["columns"]}
    return Target(table, tuple(_row(name, row, shared, lookups) for name, row in rows.items()), said.get("when"))


def _row(name: str, said: Map, shared: Mapping[str, Reading], lookups: Lookups) -> RowSet:
    own = {column: _reading(read, lookups) for column, read in said.items() if not (name and column == "when")}
    return RowSet(name, {**shared, **own}, said.get("when") if name else None)


def _reading(said: str | Map, lookups: Lookups) -> Reading:
    if isinstance(said, str):
        return Reading(path=said)
    offset, plus = said.get("offset"), said.get("plus")
    return Reading(
        path=said.get("path"),
        first=tuple(_reading(one, lookups) for one in said.get("first", ())),
        sum=tuple(said.get("sum", ())),
        const=said.get("const"),
        has_const="const" in said,
        unit=said.get("unit"),
        lookup=_lookup(said, lookups) if "lookup" in said else None,
        optional=said.get("optional", False),
        time=said.get("time"),
        offset=None if offset is None else LocalOffset(*_amount(offset)),
        zone=said.get("zone"),
        after=said.get("after"),
        plus=None if plus is None else Plus(*_amount(plus)),
    )


def _amount(said: str | Map) -> tuple[str, str | None]:
    return (said, None) if isinstance(said, str) else (said["path"], said.get("unit"))


def _lookup(said: Map, lookups: Lookups) -> Lookup:
    unknown: Unknown = said.get("unknown", "issue") or "null"
    if isinstance(said["lookup"], str):
        return Lookup(dict(lookups[said["lookup"]]), unknown, said["lookup"])
    return Lookup(dict(said["lookup"]), unknown)


def _readings(data: Map) -> Iterator[tuple[KeyPath, Map]]:
    """Every reading that is written as a map, and where."""
    tops: list[tuple[KeyPath, Map]] = [(("columns",), data.get("columns", {}))]
    for table, target in data["to"].items():
        tops.append((("to", table, "columns"), target.get("columns", {})))
        tops += [(("to", table, "rows", name), row) for name, row in target.get("rows", {}).items()]
    for top, columns in tops:
        for column, said in columns.items():
            yield from _alternatives((*top, column), said)


def _alternatives(path: KeyPath, said: object) -> Iterator[tuple[KeyPath, Map]]:
    if isinstance(said, dict):
        yield path, said
        for index, one in enumerate(said.get("first", ())):
            yield from _alternatives((*path, "first", index), one)
