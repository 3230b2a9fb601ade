"""Which GETs of an OpenAPI document become resources: those that give records, and for each of these those below it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hde.author.described import Described, described
from hde.author.document import Document
from hde.author.names import name_of, singular
from hde.author.resource import Each, ResourceDraft, draft_resource
from hde.errors import WrongUse

MOST_RESOURCES = 100
MOST_COLUMNS = 8000
"""Of all resources together: a connector is a file that is read."""
_VERSION = re.compile(r"v\d+(\.\d+)*\Z|api\Z")
_ONE_VALUE = re.compile(r"([^{}]+)/\{[^{}/]+\}(/[^{}]+)?\Z")


@dataclass(frozen=True)
class Left:
    """A GET that did not become a resource."""

    path: str
    why: str


@dataclass
class _Drafted:
    """What has been drafted so far."""

    source: str
    document: Document
    resources: list[ResourceDraft] = field(default_factory=list)
    lists: dict[str, tuple[ResourceDraft, Described]] = field(default_factory=dict)
    """By path: those that list records."""
    left: list[Left] = field(default_factory=list)
    columns: int = 0

    def take(self, path: str, one: Described, each: Each | None = None) -> None:
        taken = {resource.name for resource in self.resources}
        seen = replace(one.seen(_name(path, one, taken)), each=each)
        if each is not None:
            seen = replace(seen, path=re.sub(r"\{[^{}/]+\}", "{{ each }}", path))
        resource = draft_resource(self.source, seen)
        self.resources.append(resource)
        self.columns += len(resource.part.said["columns"])
        if one.is_list and each is None:
            self.lists[path.rstrip("/")] = resource, one

    @property
    def is_full(self) -> bool:
        return len(self.resources) >= MOST_RESOURCES or self.columns > MOST_COLUMNS


def resources_of(source: str, document: Document) -> tuple[list[ResourceDraft], list[Left]]:
    """The resources, and what was left out and why."""
    drafted = _Drafted(source, document)
    operations = list(document.operations())
    for has_value in (False, True):
        for path, operation, parameters in operations:
            if ("{" in path) is not has_value:
                continue
            why = _why_not(drafted, path, operation, parameters)
            if why:
                drafted.left.append(Left(path, why))
    return drafted.resources, drafted.left


def _why_not(drafted: _Drafted, path: str, operation: Mapping[str, Any], parameters: list[dict[str, Any]]) -> str:
    """Takes a GET among the resources; else says why not."""
    if operation.get("deprecated") is True:
        return "is deprecated"
    if drafted.is_full:
        return "would make the file too long"
    match = _ONE_VALUE.match(path)
    parent = drafted.lists.get(match[1]) if match else None
    each = _each(*parent) if parent else None
    if "{" in path and each is None:
        return "needs a value in its path that no list gives"
    try:
        one = described(drafted.document, path, operation, parameters)
        if each is not None and any(_holds(other, one) for _, other in drafted.lists.values()):
            return "gives what a list gives already"
        drafted.take(path, one, each)
    except WrongUse as error:
        return f"gives no records ({str(error).splitlines()[0].rstrip('.')})"
    return ""


def _each(parent: ResourceDraft, _: Described) -> Each | None:
    """An element per record of a list whose key is one field of it."""
    key = parent.part.said["key"]
    if not isinstance(key, list) or len(key) != 1:
        return None
    said = parent.part.said["columns"].get(key[0])
    path, kind = (said["path"], said["type"]) if isinstance(said, dict) else (key[0], said)
    own = singular(parent.name)
    column = path if path.endswith("_id") else f"{own}_id" if kind != "uuid" or path == "id" else f"{own}_{path}"
    return None if kind is None else Each(parent.name, path, kind, column)


def _holds(list_: Described, one: Described) -> bool:
    """Whether the records of a list have every field of this one."""
    return set(one.types) <= set(list_.types)


def _name(path: str, one: Described, taken: set[str]) -> str:
    """The last part of the path; of one object, and where the name is taken, more of them."""
    parts = [part for part in path.split("/") if part and not part.startswith("{") and not _VERSION.match(part)]
    start = 1 if one.is_list else min(len(parts), 3)
    for length in range(start, len(parts) + 1):
        name = name_of("_".join(parts[-length:]), "records")
        if name not in taken:
            return name
    name = name_of("_".join(parts) or "records", "records", 50)
    return next(again for again in (name, *(f"{name}_{number}" for number in range(2, 10_000))) if again not in taken)
