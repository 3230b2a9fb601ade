"""JMESPath the other way round: the answer in which a path finds a given value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath

from hde.mapping.expression import compile, is_plain

Node = Mapping[str, Any]


class CannotBeMade(Exception):
    """No answer can be made in which this path finds that value."""


def answer_with(path: str | None, value: object) -> object:
    """A document in which `path` gives `value`, proven by reading it; the value itself where there is no path."""
    if path is None:
        return value
    document = _put(jmespath.compile(_quoted(path)).parsed, value)
    if compile(path)(document) != value:
        raise CannotBeMade(path)
    return document


def merged(one: object, other: object) -> object:
    """Two documents in one; CannotBeMade where both are needed at the same place."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: merged(one[name], other[name]) for name in one.keys() & other.keys()}
        return {**one, **other, **both}
    raise CannotBeMade("two things at one place of the answer")


def _quoted(path: str) -> str:
    """A plain dotted name may hold `-` in our YAML, and not in JMESPath."""
    return ".".join(f'"{name}"' for name in path.split(".")) if is_plain(path) else path


def _put(node: Node, value: object) -> object:
    children = node.get("children", [])
    match node["type"]:
        case "field":
            return {node["value"]: value}
        case "identity" | "current":
            return value
        case "subexpression" | "pipe" | "index_expression":
            for child in reversed(children):
                value = _put(child, value)
            return value
        case "projection" if isinstance(value, list):
            return _put(children[0], [_put(children[1], item) for item in value])
        case "filter_projection" if isinstance(value, list):
            return _put(children[0], [_fitting(children[2], _put(children[1], item)) for item in value])
        case "value_projection" if isinstance(value, list):
            return _put(children[0], {f"_{index}": _put(children[1], item) for index, item in enumerate(value)})
        case "flatten" | "or_expression":
            return _put(children[0], value)
        case "index":
            return [None] * node["value"] + [value] if node["value"] >= 0 else [value]
    raise CannotBeMade(node["type"])


def _fitting(condition: Node, element: object) -> object:
    """The element with what a filter asks for, where it asks for a certain value; what else it may want is left."""
    children = condition.get("children", [])
    if condition["type"] == "and_expression":
        for child in children:
            element = _fitting(child, element)
    if condition["type"] == "comparator" and condition["value"] == "eq" and children[1]["type"] == "literal":
        return merged(element, _put(children[0], children[1]["value"]))
    return element
