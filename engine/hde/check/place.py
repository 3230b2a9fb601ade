"""Where in a YAML file a thing stands that is being complained about. Reads positions, judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hde.spec.problem import KeyPath, Level, Problem
from hde.spec.yaml_file import YamlFile


def complain(
    file: YamlFile,
    trail: KeyPath,
    message: str,
    level: Level = "error",
    *,
    about_key: bool = False,
) -> Problem:
    """A problem at `trail`, or at the nearest thing above it that the file holds.

    A plain value is pointed at itself unless the complaint is `about_key`; a map or list is pointed at by its key.
    """
    known = nearest(file, trail)
    plain = not isinstance(dig(file.data, *known), dict | list)
    return file.problem(known, message, value=plain and known == trail and not about_key, level=level)


def nearest(file: YamlFile, trail: KeyPath) -> KeyPath:
    """The longest beginning of `trail` that stands in the file."""
    while trail and trail not in file.positions:
        trail = trail[:-1]
    return trail


def first_of(file: YamlFile, *trails: KeyPath) -> KeyPath:
    """The first of `trails` that stands in the file, else the nearest to the first."""
    return next((trail for trail in trails if trail in file.positions), nearest(file, trails[0]))


def in_resource(file: YamlFile, resource: str, *rest: str | int) -> KeyPath:
    """A part of a resource: where the resource says it, else in the shared entry it is `like`."""
    own: KeyPath = ("resources", resource, *rest)
    shared = dig(file.data, "resources", resource, "like")
    if own in file.positions or not isinstance(shared, str):
        return own
    from_shared: KeyPath = ("shared", shared, *rest)
    return from_shared if from_shared in file.positions else own


def written_columns(file: YamlFile, resource: str) -> Iterator[tuple[KeyPath, object]]:
    """The columns of a resource as the file writes them: its own, then those of the shared entry it is `like`."""
    shared = dig(file.data, "resources", resource, "like")
    tops: list[KeyPath] = [("resources", resource, "columns")]
    if isinstance(shared, str):
        tops.append(("shared", shared, "columns"))
    for top in tops:
        columns = dig(file.data, *top)
        for name, declared in columns.items() if isinstance(columns, dict) else ():
            yield (*top, name), declared


def dig(data: object, *trail: str | int) -> object:
    """The value at `trail`, None where there is none."""
    for step in trail:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data
