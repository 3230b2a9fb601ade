"""Resources that are read from files, of a folder or of an export, held against what only requests have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hde.check.place import complain, dig, in_resource
from hde.spec.connector import Connector, Resource
from hde.spec.export import Part
from hde.spec.problem import Problem, with_hint
from hde.spec.yaml_file import YamlFile

_OF_REQUESTS = (
    "method", "params", "headers", "json", "form", "pagination", "window", "errors", "bookmark", "for_each",
    "when_stored", "warnings",
)  # fmt: skip
_COLUMN = re.compile(r"\{([^{}]*)\}")


def no_requests(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    """Keys that say nothing where no request is made for the records."""
    for key in _OF_REQUESTS:
        trail = in_resource(file, resource.name, key)
        if dig(file.data, *trail) is not None:
            how = f": write `{key}: null`" if trail[0] == "shared" else ""
            yield complain(file, trail, f"{key} is for requests, and {resource.name} reads files{how}", about_key=True)


def part_problems(resource: Resource, part: Part, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with a resource that is fed by an export."""
    trail = in_resource(file, resource.name, "export")
    if part.of not in connector.exports:
        if dig(file.data, "exports", part.of) is None:
            message = with_hint(f"{part.of} is not in `exports`", part.of, connector.exports)
            yield complain(file, (*trail, "of"), message)
        return
    yield from no_requests(resource, file)
    if resource.format.zip is not None:
        message = "`zip` is for answers: of an export each file is read as it arrives, gzip included"
        yield complain(file, in_resource(file, resource.name, "format"), message)
    if part.deleted is None:
        return
    named = _COLUMN.findall(part.deleted.key)
    if sorted(named) != sorted(resource.key):
        wanted = ", ".join(f"{{{name}}}" for name in resource.key) or "nothing"
        message = f"it must name each column of the key once ({wanted}), and nothing else"
        yield complain(file, (*trail, "deleted", "key"), message)
    if connector.exports[part.of].bookmark is None:
        message = f"{part.of} has no `bookmark`: an export of everything has nothing to say of what is gone"
        yield complain(file, (*trail, "deleted"), message, about_key=True)
