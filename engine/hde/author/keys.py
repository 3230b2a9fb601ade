"""What identifies a record: the field whose name says so and whose values do not repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hde.author.fields import Field, Names
from hde.author.names import singular, word_set, words
from hde.author.part import Part, guessed, look

_KEYS = ("text", "int", "bigint", "uuid", "date", "timestamptz")
_PLAIN_IDS = (("id",), ("uuid",), ("guid",), ("key",))

_TELLING = word_set(
    "id ids uuid guid key no nr number code slug date day time timestamp start started millis ms nanos epoch at"
)
"""Words of a time or an id, in a name that says it less plainly."""
_PEOPLE = frozenset({"user", "account", "member", "owner", "person", "patient", "athlete", "client", "customer"})
"""What names one of these names whose a record is, and rarely the record."""


def key_part(
    fields: Sequence[Field],
    columns: Mapping[Names, str],
    resource: str,
    records: Sequence[Mapping[str, Any]],
    *,
    one: bool,
    observed: bool,
) -> Part:
    """`key`, as a part of a resource. `one`: the answer is one object; `observed`: it tells the present only."""
    if observed:
        return Part({"key": [], "observe": True}, {("observe",): guessed("it says no time: each version seen is kept")})
    fitting = [field for field in fields if field.type in _KEYS and field.always]
    named = sorted(
        (field for field in fitting if _rank(field, resource) is not None), key=lambda f: _rank(f, resource) or 0
    )
    if one:
        own = next((field for field in named if len(field.names) == 1), None)
        if own is None:
            return Part({"key": []}, {("key",): guessed("one row; `observe: true` would keep each version as a row")})
        return Part({"key": [columns[own.names]]}, {("key",): guessed("one object, known by this")})
    for field in named:
        if _is_unique([field], len(records)):
            note = "" if field.names in (("id",), ("uuid",)) else guessed("by its name")
            return _key([field], columns, note)
    return _without_id(fitting, columns, len(records))


def _without_id(fields: Sequence[Field], columns: Mapping[Names, str], count: int) -> Part:
    times = [field for field in fields if field.type in ("timestamptz", "date") and not _is_bookkeeping(field)]
    kinds = [
        field for field in fields if field.type == "text" and set(words(field.names[-1])) & {"type", "kind", "name"}
    ]
    choices = [[time] for time in times] + [[time, kind] for time in times for kind in kinds]
    for chosen in choices:
        if _is_unique(chosen, count):
            return _key(chosen, columns, look("the records have no id; do two ever share this?"))
    for field in fields:
        if not _is_bookkeeping(field) and _TELLING & set(words(field.names[-1])) and _is_unique([field], count):
            return _key([field], columns, guessed("no two of the sample share it"))
    note = look("nothing tells the records apart, so a changed one is another one")
    return Part({"key": "hash", "missing": "delete"}, {("key",): note})


def _key(chosen: Sequence[Field], columns: Mapping[Names, str], note: str) -> Part:
    return Part({"key": [columns[field.names] for field in chosen]}, {("key",): note} if note else {})


def _rank(field: Field, resource: str) -> int | None:
    """How much a field's name looks like the record's own; None where it does not at all."""
    name, own = words(field.names[-1]), words(singular(resource))
    order = [*_PLAIN_IDS, *((*own, last) for last in ("id", "uuid", "key", "number"))]
    if len(field.names) == 1 and name in order:
        return order.index(name)
    if name[-1] in ("id", "uuid", "guid") and len(field.names) == 1:
        return len(order) + (2 if set(name) & _PEOPLE else 0)
    return len(order) + 1 if name in _PLAIN_IDS[:3] else None


def _is_unique(fields: Sequence[Field], count: int) -> bool:
    if any(len(field.values) != count for field in fields):
        return False
    return len(set(_texts(fields))) == count


def _texts(fields: Sequence[Field]) -> Iterator[str]:
    for values in zip(*(field.values for field in fields), strict=True):
        yield json.dumps([str(value) for value in values])


def _is_bookkeeping(field: Field) -> bool:
    return bool({"created", "updated", "modified", "synced", "uploaded"} & set(words(field.names[-1])))
