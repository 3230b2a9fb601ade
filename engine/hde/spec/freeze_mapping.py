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
from hde.spec.mapping import Each, LocalOffset, Lookup, Plus, Reading, Reference, RowSet, Target, UnitRead, Unknown
from hde.spec.problem import KeyPath, Problem, did_you_mean, quoted, with_hint
from hde.spec.yaml_file import YamlFile

Map = Mapping[str, Any]
Lookups = Mapping[str, Map]
OF_ROW = ("when", "each", "key")
"""What stands among the columns of a row and is none."""

_NOT_HASHED = {("Mapping", "file"), ("Mapping", "ignore"), ("Mapping", "text_hash"), ("Lookup", "name")}


def freeze_mapping(file: YamlFile, source: str, lookups: Lookups) -> frozen.Mapping:
    """The mapping of a file without problems. `lookups` are those of `lookups.yaml` beside it."""
    data: Map = file.data  # type: ignore[assignment]  # the schema has seen that it is a map
    for_all = {name: _reading(said, lookups) for name, said in data.get("columns", {}).items()}
    mapping = frozen.Mapping(
        name=f"{source}/{file.file.stem}",
        file=file.file,
        from_=data["from"],
        to={table: _target(table, said, data, for_all, lookups) for table, said in data["to"].items()},
        with_={
            name: Reference(name, said["from"], column_name(said["key"]), said.get("optional", False))
            for name, said in data.get("with", {}).items()
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
    for table, target in data["to"].items():
        if "each" in data and "each" in target:
            message = "the whole mapping is taken apart by the `each` before `to`; only one of them can"
            yield file.problem(("to", table, "each"), message)
    for table, target in data["to"].items():
        for name, row in target.get("rows", {}).items() if table in TABLES else ():
            for key in row:
                hint = "" if key in OF_ROW or TABLES[table].column(key) else did_you_mean(key, OF_ROW)
                if hint:
                    message = f"{quoted(key)} is not a column of {table}.{hint}"
                    yield file.problem(("to", table, "rows", name, key), message)
    for path, text in _paths(("columns",), data.get("columns", {})):
        if text.startswith(("$parent", "$index")) and "each" not in data:
            message = f"{text} stands only inside `each`; columns for all rows are read from the record itself"
            yield file.problem(path, message, value=True)
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


def _target(table: str, said: Map, top: Map, for_all: Mapping[str, Reading], lookups: Lookups) -> Target:
    known = TABLES.get(table)
    shared = {name: reading for name, reading in for_all.items() if known is None or known.column(name)}
    items = said if "each" in said else top
    if "each" not in top:
        shared = dict(_inside(_each(said), shared))
    rows = said["rows"] if "rows" in said else {"": said["columns"]}
    sets = tuple(_row(name, row, shared, lookups) for name, row in rows.items())
    return Target(table, sets, said.get("when"), _each(items), items.get("key"))


def _row(name: str, said: Map, shared: Mapping[str, Reading], lookups: Lookups) -> RowSet:
    if not name:
        return RowSet(name, {**shared, **{column: _reading(read, lookups) for column, read in said.items()}})
    own = {column: _reading(read, lookups) for column, read in said.items() if column not in OF_ROW}
    each = _each(said)
    return RowSet(name, {**_inside(each, shared), **own}, said.get("when"), each, said.get("key"))


def _each(said: Map) -> Each | None:
    each = said.get("each")
    if each is None:
        return None
    found: Each | None = None
    for one in each if isinstance(each, list) else [each]:
        found = _one_each(one, found)
    return found


def _one_each(said: str | Map, around: Each | None) -> Each:
    if isinstance(said, str):
        return Each(path=said, around=around)
    nested = said.get("nested", ())
    return Each(
        nested=(nested,) if isinstance(nested, str) else tuple(nested),
        entries=said.get("entries"),
        zip=dict(said.get("zip", {})),
        characters=said.get("characters"),
        around=around,
    )


def _inside(each: Each | None, shared: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """Columns for all rows, as they are written inside an `each`."""
    for _ in each.chain if each else ():
        shared = {name: outward(reading) for name, reading in shared.items()}
    return shared


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
        unit=_unit(said.get("unit")),
        exponent=said.get("exponent"),
        lookup=_lookup(said, lookups) if "lookup" in said else None,
        optional=said.get("optional", False),
        time=said.get("time"),
        offset=None if offset is None else LocalOffset(*_amount(offset)),
        zone=said.get("zone"),
        after=said.get("after"),
        plus=None if plus is None else Plus(*_amount(plus), None if isinstance(plus, str) else plus.get("times")),
        prefer=tuple(said["prefer"]) if "prefer" in said else None,
        system=said.get("system"),
        when=said.get("when"),
    )


def _unit(said: str | Map | None) -> str | UnitRead | None:
    if said is None or isinstance(said, str):
        return said
    return UnitRead(said.get("path"), tuple(said.get("first", ())), said.get("lookup"))


def outward(reading: Reading) -> Reading:
    """A reading of what lies around an item, as it is written inside: `start` becomes `$parent.start`."""
    offset, plus, unit = reading.offset, reading.plus, reading.unit
    return replace(
        reading,
        path=_out(reading.path),
        first=tuple(outward(one) for one in reading.first),
        sum=tuple(_from_inside(path) for path in reading.sum),
        unit=replace(unit, path=_out(unit.path), first=tuple(map(_from_inside, unit.first)))
        if isinstance(unit, UnitRead)
        else unit,
        exponent=_out(reading.exponent),
        offset=None if offset is None else replace(offset, path=_from_inside(offset.path)),
        zone=_out(reading.zone),
        when=_out(reading.when),
        after=_out(reading.after),
        plus=None if plus is None else replace(plus, path=_from_inside(plus.path), times=_out(plus.times)),
    )


def _out(path: str | None) -> str | None:
    return None if path is None else _from_inside(path)


def _from_inside(path: str) -> str:
    named = path.startswith("$") and not path.startswith("$parent")
    return path if named else f"$parent.{path}"


def _amount(said: str | Map) -> tuple[str, str | None]:
    return (said, None) if isinstance(said, str) else (said["path"], said.get("unit"))


def _lookup(said: Map, lookups: Lookups) -> Lookup:
    unknown: Unknown = said.get("unknown", "issue") or "null"
    any_case = said.get("case") == "any"
    if isinstance(said["lookup"], str):
        return Lookup(dict(lookups[said["lookup"]]), unknown, said["lookup"], any_case)
    return Lookup(dict(said["lookup"]), unknown, any_case=any_case)


def _readings(data: Map) -> Iterator[tuple[KeyPath, Map]]:
    """Every reading that is written as a map, and where."""
    tops: list[tuple[KeyPath, Map]] = [(("columns",), data.get("columns", {}))]
    for table, target in data["to"].items():
        tops.append((("to", table, "columns"), target.get("columns", {})))
        for name, row in target.get("rows", {}).items():
            own = {column: said for column, said in row.items() if column not in OF_ROW}
            tops.append((("to", table, "rows", name), own))
    for top, columns in tops:
        for column, said in columns.items():
            yield from _alternatives((*top, column), said)


def _alternatives(path: KeyPath, said: object) -> Iterator[tuple[KeyPath, Map]]:
    if isinstance(said, dict):
        yield path, said
        for index, one in enumerate(said.get("first", ())):
            yield from _alternatives((*path, "first", index), one)


def _paths(place: KeyPath, said: object) -> Iterator[tuple[KeyPath, str]]:
    """Every text in some readings that is read as a path, and where."""
    match said:
        case str():
            yield place, said
        case dict():
            for key, below in said.items():
                if key not in ("const", "lookup", "time", "prefer", "system", "case") and (
                    key != "unit" or isinstance(below, dict)
                ):
                    yield from _paths((*place, key), below)
        case list():
            for index, below in enumerate(said):
                yield from _paths((*place, index), below)
