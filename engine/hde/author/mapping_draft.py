"""A mapping of what is certain about a record, everything else ignored by name; nothing where nothing is certain.

The draft is tried on the records before it is shown: what does not work for any of them is taken out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hde.author import known
from hde.author.fields import Field, Names
from hde.author.names import is_sayable, path_text, words
from hde.author.part import Map
from hde.author.recognise import columns_of, is_called, judged, measured, metrics_of, split, times_of
from hde.mapping.compiled import CompiledMapping, compile_mapping
from hde.spec.freeze_mapping import freeze_mapping
from hde.spec.yaml_file import YamlFile

OBSERVED = {"observed_at": "2026-01-02T03:04:05Z"}
"""What `$row` holds in a draft's tests."""

Records = Mapping[str, Mapping[str, Any]]
"""Fixture -> record."""


@dataclass(frozen=True)
class MappingDraft:
    """What a mapping says, and the mapping itself, compiled."""

    said: Map
    compiled: CompiledMapping


def draft_mapping(
    source: str, resource: str, fields: Sequence[Field], key: Sequence[Names], records: Records, *, observed: bool
) -> MappingDraft | None:
    """The mapping of a resource; None where nothing is certain, or a field has a name that cannot be said."""
    if not all(_is_all_sayable(record) for record in records.values()):
        return None
    sure = measured(fields)
    columns, to = _observed(sure) if observed else _targets(resource, sure)
    while to:
        said = {"from": resource, **({"columns": columns} if columns else {}), "to": to}
        said["ignore"] = _ignored(records.values(), _paths(said), key)
        if not said["ignore"]:
            del said["ignore"]
        compiled = _compiled(source, resource, said)
        wrong = _wrong(compiled, records)
        if not wrong:
            return MappingDraft(said, compiled)
        columns, to = _without(columns, to, wrong)
    return None


def is_observed(resource: str, fields: Sequence[Field]) -> bool:
    """Whether one object that says no time holds measurements, and is not about who somebody is."""
    fields = measured(fields)
    has_time = any(field.type in ("timestamptz", "date") for field in fields) or times_of(fields).start is not None
    return not has_time and not _identity(set(words(resource)), fields) and any(metrics_of(fields, spans=False))


def _observed(fields: Sequence[Field]) -> tuple[Map, Map]:
    """Measurements without a time: they hold when they are first seen."""
    return {"start_time": "$row.observed_at"}, _vitals(fields, False, {})


def _targets(resource: str, fields: Sequence[Field]) -> tuple[Map, Map]:
    """The columns of every row, and the tables. A table that needs a time is left out where none is certain."""
    times = times_of(fields)
    to: Map = {}
    about = set(words(resource))
    if times.start is not None:
        if about & known.OF_SLEEP:
            columns = _sleep(fields)
            if columns or times.end is not None:  # else a score of a day, and no night
                to["sleep_sessions"] = {"columns": columns}
            to |= _vitals(fields, times.end is not None, {"context": {"const": "sleep"}})
        elif about & known.OF_WORKOUT or (about & known.MAYBE_WORKOUT and _sport(fields)):
            to["workouts"] = {"columns": _workout(fields)}
        else:
            to |= _vitals(fields, times.end is not None, {})
    columns = times.columns if to else {}
    return columns, to | _identity(about, fields)


def _sleep(fields: Sequence[Field]) -> Map:
    nap = next((field for field in fields if is_called(field, known.NAPS) and field.type == "boolean"), None)
    found = columns_of(fields, "sleep_sessions", known.SLEEP, known.SLEEP_FILLERS)
    return ({"is_nap": nap.path} if nap else {}) | found


def _workout(fields: Sequence[Field]) -> Map:
    sport = _sport(fields)
    return ({"source_sport": sport.path} if sport else {}) | columns_of(fields, "workouts", known.WORKOUT)


def _sport(fields: Sequence[Field]) -> Field | None:
    return next((field for field in fields if is_called(field, known.SPORTS) and field.type == "text"), None)


def _vitals(fields: Sequence[Field], spans: bool, more: Map) -> Map:
    rows = {
        metric: {**more, "value": {"path": field.path, "unit": unit, "optional": True}}
        for metric, field, unit in metrics_of(fields, spans=spans)
    }
    return {"biometrics_vitals": {"rows": rows}} if rows else {}


def _identity(about: set[str], fields: Sequence[Field]) -> Map:
    found: Map = {}
    for column, names in known.IDENTITY.items():
        wanted = "date" if column == "birth_date" else "text"
        for field in fields:
            if column not in found and is_called(field, names) and field.type == wanted and field.values:
                found[column] = field.path
    is_person = "email" in found or {"given_name", "family_name"} <= set(found)
    return {"user_identity": {"columns": found}} if is_person and about & known.OF_PERSON else {}


def _ignored(records: Any, read: set[str], key: Sequence[Names]) -> dict[str, str]:
    """Path: why, for the highest objects of which nothing is read; without the key, which is kept anyway."""
    kept = {path_text(names) for names in key}
    return dict(_unread([dict(record) for record in records], (), read, kept))


def _unread(objects: Sequence[Map], above: Names, read: set[str], kept: set[str]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(name for one in objects for name in one):
        here = (*above, name)
        text = path_text(here)
        inner = [one[name] for one in objects if isinstance(one.get(name), dict)]
        if text in read or text in kept:
            continue
        is_read = any(_is_below(path, text) for path in (*read, *kept))
        if inner and (is_read or (judged(here) is None and any(map(_holds_judged, inner)))):
            yield from _unread(inner, here, read, kept)
        else:
            yield text, _reason(here, is_object=bool(inner))


def _is_below(path: str, text: str) -> bool:
    return path.startswith(f"{text}.")


def _holds_judged(value: Map) -> bool:
    """Whether an object has one below that is ignored for a reason of its own."""
    below = [(name, one) for name, one in value.items() if isinstance(one, dict)]
    return any(judged((name,)) is not None or _holds_judged(one) for name, one in below)


def _reason(names: Names, *, is_object: bool) -> str:
    above = judged(names if is_object else names[:-1])
    if above is not None:
        return f"what is in {above} is a score, an aim or a bound, and no measurement"
    base, unit = split(Field(names, "text", (), False))
    if unit is None:
        for word in reversed(base.split("_")):
            if word in known.UNSURE:
                return known.UNSURE[word]
    return known.UNSURE["temperature"] if base == "temperature" else known.NOT_YET


def _paths(said: Map) -> set[str]:
    """Every path that is read."""
    found: set[str] = set()
    todo: list[Any] = [said.get("columns", {}), said["to"]]
    while todo:
        one = todo.pop()
        for name, value in one.items():
            if isinstance(value, dict):
                todo.append(value)
            elif name not in ("unit", "const", "time", "optional"):
                found.add(str(value))
    return found


def _compiled(source: str, resource: str, said: Map) -> CompiledMapping:
    return compile_mapping(freeze_mapping(YamlFile(Path(f"{resource}.yaml"), said, {}), source, {}))


def _wrong(compiled: CompiledMapping, records: Records) -> set[str]:
    """Paths that are an issue in every record that has them, and whatever makes all records fail."""
    failed: dict[str, int] = {}
    without = 0
    for record in records.values():
        issues = {issue.path for issue in compiled.map(record, row=OBSERVED).issues if issue.level == "error"}
        for path in issues:
            failed[path] = failed.get(path, 0) + 1
        without += not issues
    return set() if without else set(failed)


def _without(columns: Map, to: Map, wrong: set[str]) -> tuple[Map, Map]:
    """The draft without what reads these paths; nothing where rows lose the start they need."""
    kept = {name: read for name, read in columns.items() if _path(read) not in wrong}
    targets: Map = {}
    for table, said in to.items():
        if columns and "start_time" not in kept and table != "user_identity":
            continue
        if "rows" in said:
            rows = {name: row for name, row in said["rows"].items() if _path(row["value"]) not in wrong}
            targets |= {table: {"rows": rows}} if rows else {}
        else:
            inside = {name: read for name, read in said["columns"].items() if _path(read) not in wrong}
            targets |= {table: {"columns": inside}} if inside or table != "user_identity" else {}
    unchanged = kept == columns and targets == to
    return (kept if targets else {}), ({} if unchanged else targets)


def _path(read: Map | str) -> str:
    return read if isinstance(read, str) else str(read.get("path", ""))


def _is_all_sayable(value: object) -> bool:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            if not all(is_sayable(name) for name in one):
                return False
            todo += one.values()
    return True
