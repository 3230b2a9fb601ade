"""Which paths of a record a JMESPath reads, found by walking the compiled expression. Nothing is evaluated here.

What a path is stands in `record_paths`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from hde.check.record_paths import ANY, ELEMENT, MOST_PATHS, PERHAPS_ELEMENT, Path, dotted, joined
from hde.mapping.expression import is_plain

_MARK = "\0"
"""Begins the first name of a path in a record of another resource."""

_Node = Mapping[str, Any]


@dataclass(frozen=True)
class Reads:
    """`values` are read whole, with all that is below them; `tests` are only asked whether they are there."""

    values: frozenset[Path] = frozenset()
    tests: frozenset[Path] = frozenset()

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.values | other.values, self.tests | other.tests)

    @property
    def paths(self) -> frozenset[Path]:
        return self.values | self.tests


@dataclass(frozen=True, eq=False)
class _Built:
    """An object or list the expression itself makes, out of what comes from somewhere."""

    fields: Mapping[str, _Origin] = field(default_factory=dict)
    items: tuple[_Origin, ...] = ()


@dataclass(frozen=True, eq=False)
class _Origin:
    """Where a value may come from: paths in the record, or something built. Never more than MOST_PATHS of each."""

    paths: frozenset[Path] = frozenset()
    built: tuple[_Built, ...] = ()

    def below(self, name: str) -> _Origin:
        """A thing below the paths alone."""
        return _Origin(frozenset(joined(path, name) for path in self.paths))

    def member(self, name: str) -> _Origin:
        return _union([self.below(name), *(one.fields[name] for one in self.built if name in one.fields)])

    def any_member(self) -> _Origin:
        return _union([self.below(ANY), *(part for one in self.built for part in one.fields.values())])

    def element(self) -> _Origin:
        return _union([self.below(ELEMENT), *self.items()])

    def items(self) -> list[_Origin]:
        return [item for one in self.built for item in one.items]

    def flattened(self) -> _Origin:
        """An element of a list whose elements, where they are lists, were put in their own place."""
        return _union([self.below(ELEMENT), *(item.listed() for item in self.items())])

    def listed(self) -> _Origin:
        """An element if this is a list, else this itself."""
        objects = tuple(one for one in self.built if not one.items)
        return _union([self.below(PERHAPS_ELEMENT), _Origin(built=objects), *self.items()])

    def everything(self) -> frozenset[Path]:
        # An expression may name one part many times over (`[@, @] | [@, @] | ...`): each is looked at once.
        seen: dict[int, _Origin] = {}
        todo = [self]
        while todo:
            part = todo.pop()
            if id(part) not in seen:
                seen[id(part)] = part
                todo += [below for one in part.built for below in (*one.fields.values(), *one.items)]
        return frozenset(path for part in seen.values() for path in part.paths)


_NOTHING = _Origin()
Start = _Origin
"""Where an expression starts: at a record, or at an item taken from one."""
WHOLE: Start = _Origin(frozenset({()}))


def reads(expression: str, *, test: bool = False, start: Start = WHOLE) -> Reads:
    """What a JMESPath reads. With `test`, its result is only asked whether it is there, as in `when`.

    Raises jmespath's JMESPathError for what does not compile.
    """
    return _reads(expression, test, start)


def document(name: str) -> Start:
    """A record of another resource: its paths begin with a mark, which `split` takes off."""
    return _Origin(frozenset({(_MARK + name,)}))


def split(found: Reads) -> dict[str, Reads]:
    """What is read, by the name of the record it is read of; `""` is the record itself."""
    parts: dict[str, Reads] = {}
    for path in found.paths:
        of, below = (path[0].removeprefix(_MARK), path[1:]) if path and path[0].startswith(_MARK) else ("", path)
        whole = frozenset({below})
        one = Reads(whole if path in found.values else frozenset(), whole if path in found.tests else frozenset())
        parts[of] = parts.get(of, Reads()) | one
    return parts


def found_at(expression: str, start: Start) -> Start:
    """Where the value of an expression comes from; nowhere, where it does not compile."""
    try:
        return _Walk().follow(jmespath.compile(_quoted(expression)).parsed, start)
    except JMESPathError:
        return _NOTHING


def element_of(start: Start) -> Start:
    """An element of a list."""
    return start.element()


def either(one: Start, other: Start) -> Start:
    """At one of two places."""
    return _union([one, other])


def nodes_of(lists: Sequence[Start], below: Callable[[Start], Sequence[Start]]) -> Start:
    """An item of a tree: of the lists, of the lists below those, and so on, three deep; the rest is read alike."""
    found: list[Start] = []
    for _ in range(3):
        items = _union(one.element() for one in lists)
        found.append(items)
        lists = below(items)
    return _union(found)


def entry_of(start: Start) -> Start:
    """An entry of an object, as `{key, value}`; its key is no path of its own."""
    return _Origin(built=(_Built({"key": _NOTHING, "value": start.any_member()}),))


def object_of(parts: Mapping[str, Start]) -> Start:
    """An object with members from elsewhere."""
    return _Origin(built=(_Built(dict(parts)),))


def paths_read(expression: str, *, test: bool = False) -> set[str]:
    """The same as text: `{"entry[].resource.id"}`."""
    return {dotted(path) for path in reads(expression, test=test).paths}


def _union(origins: Iterable[_Origin]) -> _Origin:
    paths: dict[Path, None] = {}
    built: dict[int, _Built] = {}
    for origin in origins:
        paths.update(dict.fromkeys(origin.paths))
        built.update((id(one), one) for one in origin.built)
    return _Origin(frozenset(islice(paths, MOST_PATHS)), tuple(islice(built.values(), MOST_PATHS)))


def _list_of(*items: _Origin) -> _Origin:
    return _Origin(built=(_Built(items=items),))


def _quoted(expression: str) -> str:
    """A plain dotted name may hold `-`, which JMESPath wants in quotes."""
    return ".".join(json.dumps(name) for name in expression.split(".")) if is_plain(expression) else expression


@cache
def _reads(expression: str, test: bool, start: Start) -> Reads:
    if is_plain(expression) and start is WHOLE:
        plain = frozenset({tuple(expression.split("."))})
        return Reads(tests=plain) if test else Reads(plain)
    walk = _Walk()
    origin = walk.follow(jmespath.compile(_quoted(expression)).parsed, start)
    walk.use(origin, test=test)
    return Reads(frozenset(walk.values), frozenset(walk.tests))


class _Walk:
    """One walk over one expression, collecting what is used on the way."""

    def __init__(self) -> None:
        self.values: set[Path] = set()
        self.tests: set[Path] = set()

    def use(self, origin: _Origin, *, test: bool = False) -> None:
        (self.tests if test else self.values).update(origin.everything())

    def follow(self, node: _Node, current: _Origin) -> _Origin:
        """Where the value of `node` comes from, where the value at hand comes from `current`."""
        match node["type"]:
            case "field":
                return current.member(node["value"])
            case "current" | "identity" | "slice":
                return current
            case "index":
                return current.element()
            case "subexpression" | "pipe" | "index_expression":
                for child in node["children"]:
                    current = self.follow(child, current)
                return current
            case "flatten":
                return _list_of(self.follow(node["children"][0], current).flattened())
            case "projection" | "value_projection" | "filter_projection":
                return self._project(node, current)
            case "multi_select_list":
                return _list_of(*(self.follow(child, current) for child in node["children"]))
            case "multi_select_dict":
                fields = {pair["value"]: self.follow(pair["children"][0], current) for pair in node["children"]}
                return _Origin(built=(_Built(fields),))
            case "function_expression":
                return self._call(node["value"], node["children"], current)
            case _:
                return self._decide(node, current)

    def _project(self, node: _Node, current: _Origin) -> _Origin:
        left = self.follow(node["children"][0], current)
        element = left.any_member() if node["type"] == "value_projection" else left.element()
        if node["type"] == "filter_projection":
            self.use(self.follow(node["children"][2], element), test=True)
        return _list_of(self.follow(node["children"][1], element))

    def _decide(self, node: _Node, current: _Origin) -> _Origin:
        """Comparisons, and, or, not; literals come from nowhere."""
        parts = [self.follow(child, current) for child in node["children"]]
        match node["type"]:
            case "or_expression":
                return _union(parts)
            case "and_expression":
                self.use(parts[0], test=True)
                return parts[1]
            case "not_expression":
                self.use(parts[0], test=True)
            case "comparator":
                for part in parts:
                    self.use(part)
        return _NOTHING

    def _call(self, name: str, children: list[_Node], current: _Origin) -> _Origin:
        arguments = [self.follow(child, current) for child in children if child["type"] != "expref"]
        given = [child["children"][0] for child in children if child["type"] == "expref"]
        whole = _union(arguments)
        for expression in given:
            result = self.follow(expression, whole.element())
            if name == "map":
                return _list_of(result)
            self.use(result)
        match name:
            case "sort_by" | "sort" | "reverse" | "not_null" | "merge":
                return whole
            case "max_by" | "min_by" | "max" | "min":
                return whole.element()
            case "to_array":
                return _list_of(whole.listed())
            case "values":
                return _list_of(whole.any_member())
            case "length" | "type" | "keys":
                self.use(whole, test=True)
            case _:
                self.use(whole)
        return _NOTHING
