"""Records enough to page through: copies of the recorded ones, moved in time, with keys of their own."""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hde.check.fixtures import read_fixtures
from hde.mapping.expression import compile, is_plain
from hde.spec.connector import HASH_KEY, Connector, OtherTime, Resource
from hde.spec.load import Source

ENOUGH = 120
"""Records of one resource."""
APART = timedelta(days=3)
_BEGINS = timedelta(days=2)
_WHEN = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

Document = dict[str, Any]


@dataclass(frozen=True)
class Supplied:
    """A record of the simulated source, with its own time (None: the resource has none)."""

    fixture: str
    record: Document
    at: datetime | None
    identity: tuple[str, ...]


@dataclass(frozen=True)
class Supply:
    """By resource, oldest first. `twice` says which fixtures have one key and cannot be versions of one record."""

    records: Mapping[str, list[Supplied]]
    twice: Mapping[str, tuple[str, str]]


def supply(source: Source, mappings: Any, now: datetime) -> Supply:
    """The records of every resource that has fixtures in the folder `mappings`."""
    connector = source.connector
    fixtures = {name: _documents(read_fixtures(mappings, name)[0]) for name in connector.resources}
    altered = _identifying(source)
    moves = _moves(connector, fixtures, now)
    made: dict[str, list[Supplied]] = {}
    twice: dict[str, tuple[str, str]] = {}
    for name, resource in connector.resources.items():
        keys = _key_paths(resource)
        made[name] = list(_copies(resource, fixtures[name], altered[name], moves, keys))
        if found := _contradiction(resource, fixtures[name], keys):
            twice[name] = found
    for name, resource in connector.resources.items():
        made[name] = _timed(resource, made, connector)
    return Supply(made, twice)


def _documents(records: Mapping[str, object]) -> dict[str, Document]:
    return {name: record for name, record in records.items() if isinstance(record, dict)}


def _identifying(source: Source) -> dict[str, set[str]]:
    """Paths of values that tell records apart or refer to another one: they change together, in all resources."""
    connector = source.connector
    found = {name: set(_key_paths(resource)) for name, resource in connector.resources.items()}
    for mapping in source.mappings:
        for reference in mapping.with_.values():
            found[mapping.from_].add(_path(connector.resources[mapping.from_], reference.key))
    for name, resource in connector.resources.items():
        if resource.window and isinstance(resource.window.time, OtherTime):
            found[name].add(_path(resource, resource.window.time.key))
    return {name: {path for path in paths if path} for name, paths in found.items()}


def _path(resource: Resource, column: str) -> str:
    found = resource.column(column)
    return found.path if found and is_plain(found.path) else ""


def _key_paths(resource: Resource) -> tuple[str, ...]:
    return tuple(path for column in resource.key if (path := _path(resource, column)))


def _moves(
    connector: Connector, fixtures: Mapping[str, dict[str, Document]], now: datetime
) -> Callable[[int], timedelta]:
    """How far the n-th copy moves: whole days, so that times of day and local days stay as they are."""
    times = [
        at
        for name, resource in connector.resources.items()
        for record in fixtures[name].values()
        if (at := own_time(resource, record)) is not None
    ]
    latest = max(times, default=now)
    newest = timedelta(days=(now - _BEGINS - latest).days)
    return lambda number: newest - number * APART


def own_time(resource: Resource, record: Document) -> datetime | None:
    """The time a record says itself; None where it says none."""
    window = resource.window
    if window is None or not isinstance(window.time, str):
        return None
    return instant(value_at(_path(resource, window.time), record))


def instant(value: object) -> datetime | None:
    """RFC 3339, a date, or seconds or milliseconds since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if found is None else found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def value_at(path: str, record: object) -> object:
    return compile(path)(record) if path else None


def _copies(
    resource: Resource,
    fixtures: Mapping[str, Document],
    altered: set[str],
    moves: Callable[[int], timedelta],
    keys: tuple[str, ...],
) -> Iterator[Supplied]:
    """Copies until there are enough, or until they would be the same records again. One of each key."""
    seen: set[tuple[str, ...]] = set()
    for number in range(max(1, ENOUGH // max(1, len(fixtures)))):
        for name, fixture in fixtures.items():
            record = _moved(copy.deepcopy(fixture), moves(number))
            for path in altered:
                _alter(record, path, fixture, number)
            identity = _identity(resource, keys, record)
            if identity not in seen:
                seen.add(identity)
                yield Supplied(name, record, None, identity)
        if not keys and not _is_hashed(resource):
            return


def _identity(resource: Resource, keys: tuple[str, ...], record: Document) -> tuple[str, ...]:
    if _is_hashed(resource):
        return (json.dumps(record, sort_keys=True),)
    return tuple(str(value_at(path, record)) for path in keys)


def _is_hashed(resource: Resource) -> bool:
    return resource.key == (HASH_KEY,)


def _moved(value: Any, by: timedelta) -> Any:
    """Every date and time in a record moves by the same whole days; epochs as well where they look like such."""
    if isinstance(value, dict):
        return {name: _moved(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    if isinstance(value, str) and (match := _WHEN.match(value)):
        try:
            day = datetime.fromisoformat(match.group()) + by
        except (ValueError, OverflowError):
            return value
        return f"{day:%Y-%m-%d}{value[match.end() :]}"
    return value


def _alter(record: Document, path: str, fixture: Document, number: int) -> None:
    """Another identity for the n-th copy; equal values become equal ones, wherever they stand."""
    *above, last = path.split(".")
    place: Any = record
    for name in above:
        place = place.get(name) if isinstance(place, dict) else None
    if not number or not isinstance(place, dict) or place.get(last) != value_at(path, fixture):
        return  # a time that has moved tells the copies apart already
    value = place[last]
    if isinstance(value, int) and not isinstance(value, bool):
        place[last] = value + number * (10_007 if abs(value) < 2**30 else 1_000_003)
    elif isinstance(value, str):
        place[last] = _another(value, number)


def _another(text: str, number: int) -> str:
    if _UUID.match(text):
        return str(uuid.uuid5(uuid.UUID(text), str(number)))
    return str(int(text) + number * 10_007) if text.isascii() and text.isdecimal() else f"{text}-{number}"


def _contradiction(
    resource: Resource, fixtures: Mapping[str, Document], keys: tuple[str, ...]
) -> tuple[str, str] | None:
    """Two fixtures of one key whose own times differ: those are two records, whatever the key says."""
    known: dict[tuple[str, ...], tuple[str, datetime | None]] = {}
    for name, record in fixtures.items() if keys else ():
        key, at = tuple(str(value_at(path, record)) for path in keys), own_time(resource, record)
        former, when = known.setdefault(key, (name, at))
        if at and when and at != when:
            return former, name
    return None


def _timed(resource: Resource, made: Mapping[str, list[Supplied]], connector: Connector) -> list[Supplied]:
    """With the time by which the source filters: the record's own, or that of the record it refers to."""
    records = made[resource.name]
    window = resource.window
    if window is None:
        return records
    if isinstance(window.time, OtherTime):
        other = connector.resources[window.time.from_]
        times = {one.identity: own_time(_with_time(other, window.time.column), one.record) for one in made[other.name]}
        path = _path(resource, window.time.key)
        found = [(one, times.get((str(value_at(path, one.record)),))) for one in records]
    else:
        found = [(one, own_time(resource, one.record)) for one in records]
    timed = [Supplied(one.fixture, one.record, at, one.identity) for one, at in found]
    return sorted((one for one in timed if one.at), key=lambda one: one.at.timestamp() if one.at else 0.0) or timed


def _with_time(resource: Resource, column: str) -> Resource:
    assert resource.window is not None
    return replace(resource, window=replace(resource.window, time=column))
