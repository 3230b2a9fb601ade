"""One resource of a draft: what the connector says about it, its mapping, its fixtures and the test of its mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hde.author.bounds import bounds_of
from hde.author.expect import tests_of
from hde.author.fields import MOST_COLUMNS, Field, Names, columns_of, fields_of, fractional
from hde.author.fixtures import choose_fixtures
from hde.author.keys import key_part
from hde.author.mapping_draft import OBSERVED, draft_mapping, is_observed
from hde.author.names import column_for, plain
from hde.author.paging import BY_CHANGE, Leaf, Param, params_part
from hde.author.part import Map, Notes, Part, guessed, look
from hde.author.played import SPAN_TYPES, PlayedTest, read_test
from hde.author.recognise import time_field
from hde.author.window import window_part
from hde.errors import WrongUse
from hde.spec.connector import ColumnType
from hde.spec.problem import snake

ORDER = (
    "for_each", "like", "path", "params", "records", "key", "observe", "pagination", "window", "missing", "columns",
    "errors",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What is known of a resource: a request and the records it gave, or those a document describes."""

    name: str
    path: str
    params: tuple[Param, ...] = ()
    records_path: str | None = None
    records: tuple[Mapping[str, Any], ...] = ()
    leaves: tuple[Leaf, ...] = ()
    """What stands in the answer beside the records."""
    is_list: bool = True
    note: str = ""
    """On where the records are."""
    types: Mapping[Names, ColumnType] | None = None
    """Of records that a document describes; the first of `records` then stands for all."""
    each: Each | None = None


@dataclass(frozen=True)
class Each:
    """The records of another resource, one request for each."""

    resource: str
    path: str
    """To the element, in the other record."""
    type: ColumnType
    column: str
    """What the element is called here."""


@dataclass(frozen=True)
class ResourceDraft:
    name: str
    part: Part
    fixtures: Mapping[str, Mapping[str, Any]]
    mapping: Map | None
    tests: Map | None
    """Of the mapping."""
    played: PlayedTest | None = None
    """Of the resource."""


def draft_resource(source: str, seen: Seen) -> ResourceDraft:
    """All that a resource needs. Without a mapping its records stay raw. WrongUse where nothing can be their key."""
    fixtures = choose_fixtures(seen.records)
    fields = _fields(seen, fixtures)
    columns, names = columns_of(fields)
    request = _request(seen, fields, names)
    asks_span = "window" in request.said
    observed = seen.each is None and not seen.is_list and not asks_span and is_observed(seen.name, fields)
    alike = seen.records[:1] if seen.types else seen.records
    key = key_part(fields, names, seen.name, alike, one=not seen.is_list, observed=observed)
    if seen.types is None:
        in_key = [field.names for field in fields if names[field.names] in key.said["key"]]
        columns, names = columns_of(fractional(fields, in_key))
    part = request + key + _columns(columns, fields, seen.types or {})
    if asks_span and not seen.is_list:
        part = _of_span(part, fields, names)
    if seen.each is not None:
        part = _of_each(seen.each, part, is_list=seen.is_list)
    ordered = {name: part.said[name] for name in ORDER if name in part.said}
    if ordered["key"] == "hash" and (seen.each or "time" not in ordered.get("window", {"time": ""})):
        # a record that changes is another one then, so the former must be found and deleted, which needs one of these
        raise WrongUse("No field of the records tells them apart, and none says their time")
    own_key = [] if ordered["key"] == "hash" else ordered["key"]
    keys = [field.names for field in fields if names[field.names] in own_key]
    mapped = draft_mapping(source, seen.name, fields, keys, fixtures, observed=observed)
    tests = tests_of(seen.name, mapped.compiled, fixtures, OBSERVED if observed else {}) if mapped else None
    said = mapped.said if mapped and tests else None
    first = next(iter(fixtures.values()))
    values = {names[field.names]: field.values[0] for field in fields if field.names in keys}
    played = None if seen.each else read_test(seen.name, ordered, first, values, is_list=seen.is_list)
    return ResourceDraft(seen.name, Part(ordered, part.notes), fixtures, said, tests, played)


def _of_each(each: Each, part: Part, *, is_list: bool) -> Part:
    """A resource that is asked for once per record of another; whose element it was is a column of its own."""
    columns, key = part.said["columns"], part.said["key"]
    name = column_for([each.column], columns)
    if not is_list:
        key = [name]
    elif key != "hash" and not any(one in ("id", "uuid") or one.endswith(("_id", "_uuid")) for one in key):
        key = [name, *key]
    said = {
        **part.said,
        "for_each": {"resource": each.resource, "path": each.path},
        "key": key,
        "columns": {name: {"type": each.type, "path": "$each"}, **columns},
    }
    notes = {path: note for path, note in part.notes.items() if path != ("key",) or is_list}
    return Part(said, {**notes, ("for_each",): guessed("the value in the path")})


def _of_span(part: Part, fields: Sequence[Field], names: Mapping[Names, str]) -> Part:
    """One object about a span of time: another span is another record, whatever else identifies it."""
    own = next((field for field in fields if field.type == "date" and plain(field.names[-1]) in ("date", "day")), None)
    columns: Map = dict(part.said["columns"])
    if own is not None and own.always:
        name = names[own.names]
    else:
        kind = SPAN_TYPES[part.said["window"].get("format", "rfc3339")]
        name = column_for(["day"], {*columns, *names.values()})
        columns = {name: {"type": kind, "path": "$window.start"}, **columns}
    return Part(
        {**part.said, "key": [name], "columns": columns}, {**part.notes, ("key",): guessed("an object per day")}
    )


def _fields(seen: Seen, fixtures: Mapping[str, Mapping[str, Any]]) -> list[Field]:
    if seen.types is not None:
        return [replace(field, type=seen.types.get(field.names, field.type)) for field in fields_of(seen.records[:1])]
    return [field for field in fields_of(seen.records) if any(_has(one, field.names) for one in fixtures.values())]


def _request(seen: Seen, fields: Sequence[Field], names: Mapping[Names, str]) -> Part:
    params = seen.params if seen.is_list else tuple(one for one in seen.params if one.role is None or _was_called(one))
    bounds = bounds_of(seen.path, params)
    part = Part({"path": bounds.path}, {("path",): bounds.notes[""]} if "" in bounds.notes else {})
    if seen.records_path is not None:
        part += Part({"records": seen.records_path}, {("records",): seen.note} if seen.note else {})
    time = time_field(fields)
    column = names[time.names] if time else None
    if any(BY_CHANGE.search(snake(name)) for name in bounds.params):
        column = None  # the source filters by time of change, which is not the record's own time
    leaves = seen.leaves if seen.is_list else ()
    ends = Part(dict(bounds.params), {(name,): note for name, note in bounds.notes.items() if name})
    asked = params_part(params, ends, leaves, 0 if seen.types else len(seen.records))
    return part + asked + window_part(bounds, column, is_list=seen.is_list)


def _was_called(param: Param) -> bool:
    return param.form is not None and param.value is not None


def _columns(columns: Map, fields: Sequence[Field], types: Mapping[Names, ColumnType]) -> Part:
    notes: Notes = {}
    for (name, _), field in zip(columns.items(), fields, strict=True):
        if not field.values and field.names not in types:
            notes["columns", name] = look("null in the sample, so its type is not known")
    if len(fields) == MOST_COLUMNS:
        notes["columns",] = look(f"the first {MOST_COLUMNS}; the others are in payload")
    return Part({"columns": columns}, notes)


def _has(record: Mapping[str, Any], names: Names) -> bool:
    found: Any = record
    for name in names:
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True
