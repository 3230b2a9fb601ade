"""Fan-outs, bookmarks, receipts and orders of a connector, held against what else its resources say."""

from __future__ import annotations

from collections.abc import Iterator

from hde.check.place import complain, dig, first_of, in_resource
from hde.spec.connector import HASH_KEY, Connector, OtherTime, Resource
from hde.spec.elements import Axes, Constants, ForEach, Parents, parents_of
from hde.spec.problem import KeyPath, Problem, with_hint
from hde.spec.yaml_file import YamlFile


def elements_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What can never work, each with what to do instead."""
    for resource in connector.resources.values():
        if resource.for_each is not None:
            yield from _for_each(resource, resource.for_each, connector, file)
        yield from _bookmark(resource, file)
        yield from _window(resource, file)
        if resource.key == (HASH_KEY,) and resource.missing != "delete":
            message = "`key: hash` needs `missing: delete`: a record that changes becomes another one, and the former"
            yield complain(file, in_resource(file, resource.name, "key"), f"{message} would stay for ever")


def each_fault(field: str, resource: Resource) -> str | None:
    """What is wrong with `each` or `each.FIELD` in a resource; None where nothing is."""
    name = f"each.{field}" if field else "each"
    for_each = resource.for_each
    if for_each is None:
        return f"{name} needs a `for_each`, and {resource.name} has none"
    known = _names(for_each)
    if known is None or (not field and not known):
        return None
    if not known:
        return f"{name}: the elements are single values; write each"
    if not field:
        return f"each is a map here: each.NAME is a value ({', '.join(f'each.{one}' for one in sorted(known))})"
    first = field.partition(".")[0]
    if first in known:
        return None
    return with_hint(f"{name} does not exist", name, [f"each.{one}" for one in sorted(known)])


def _names(for_each: ForEach) -> set[str] | None:
    """The names below `each`; none where it is a plain value, None where only the records know."""
    match for_each:
        case Axes(sides):
            return set(sides)
        case Constants(values):
            maps = [value for value in values if not isinstance(value, str | int)]
            return {name for value in maps for name in value} if len(maps) == len(values) else set()
        case Parents():
            return None


def _for_each(resource: Resource, for_each: ForEach, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    trail = in_resource(file, resource.name, "for_each")
    yield from _constants(for_each, trail, file)
    if isinstance(for_each, Axes) and sum(isinstance(side, Parents) for side in for_each.sides.values()) > 1:
        message = "one side may be a resource; the records of another one belong into a resource of their own between"
        yield complain(file, trail, message)
    parents = parents_of(for_each)
    if parents is not None:
        yield from _parents(resource, parents, trail, connector, file)
    if not resource.key:
        message = "`key: []` is one row per account, and for_each brings one per element: add a column that reads"
        yield complain(file, in_resource(file, resource.name, "key"), f"{message} `$each` and name it in the key")


def _constants(for_each: ForEach, trail: KeyPath, file: YamlFile) -> Iterator[Problem]:
    sides = for_each.sides if isinstance(for_each, Axes) else {"": for_each}
    for name, side in sides.items():
        values = side.values if isinstance(side, Constants) else ()
        at = (*trail, name) if name else trail
        for index, value in enumerate(values):
            if value in values[:index]:
                yield complain(file, (*at, index), "the same element is here twice")
        if len({isinstance(value, str | int) for value in values}) > 1:
            yield complain(file, at, "some elements are single values and some are maps: write all of them alike")


def _parents(
    resource: Resource, parents: Parents, trail: KeyPath, connector: Connector, file: YamlFile
) -> Iterator[Problem]:
    place = first_of(file, (*trail, "resource"), trail)
    other = connector.resources.get(parents.resource)
    if other is None and dig(file.data, "resources", parents.resource) is not None:
        return  # it stands there with a mistake of its own
    if other is None:
        message = with_hint(f"{parents.resource} is not a resource", parents.resource, connector.resources)
        yield complain(file, place, message)
        return
    chain = [resource.name]
    while other is not None and other.name not in chain:
        chain.append(other.name)
        above = parents_of(other.for_each)
        other = connector.resources.get(above.resource) if above else None
    if other is not None and other.name == resource.name:
        yield complain(file, place, f"{' -> '.join([*chain, other.name])}: each waits for another in a circle")
    reads_each = [column for column in resource.columns if column.path.startswith("$each")]
    if resource.missing == "delete" and not any(column.name in resource.key for column in reads_each):
        message = "delete needs a key column that reads `$each`: without it, what belongs to one element is not known"
        yield complain(file, in_resource(file, resource.name, "missing"), message)


def _bookmark(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    if resource.bookmark is None:
        return
    trail = in_resource(file, resource.name, "bookmark")
    if resource.window is not None:
        yield complain(file, trail, "a bookmark stands instead of a window: take one of them")
    if resource.missing == "delete":
        message = "with a bookmark a source tells only what changed: what it does not tell is not gone"
        yield complain(file, in_resource(file, resource.name, "missing"), message)


def _window(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    window = resource.window
    if window is None:
        return
    if window.order == "newest_first":
        trail = in_resource(file, resource.name, "window", "order")
        if window.time is None or isinstance(window.time, OtherTime):
            yield complain(file, trail, "newest_first needs `time`, a column of the records themselves")
        if resource.pagination is None:
            yield complain(file, trail, "newest_first is about pages, and there is no `pagination`")
        if window.step is not None:
            message = "newest_first is one reading from now backwards: take `step` out"
            yield complain(file, in_resource(file, resource.name, "window", "step"), message)
    if window.by == "change" and resource.missing == "delete":
        message = "delete needs windows by the records' own time; with `by: change` they hold what changed"
        yield complain(file, in_resource(file, resource.name, "missing"), message)
