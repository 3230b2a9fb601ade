"""JMESPath's syntax tree, as jmespath.py gives it: what it reads, how large it is. Computes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

Node = Mapping[str, Any]
"""A node of jmespath.py's tree: type, value, children."""

MOST_NODES = 1_000
DEEPEST = 50
"""Beyond these the reference walks the tree. Paths that people write have a few dozen nodes, three or four deep; the
writer of code calls itself once a level, and Python takes its time over very long functions."""

_LIGHT: Final = ("field", "subexpression", "index_expression", "index", "current", "identity", "literal", "pipe")
_ON_FIRST: Final = ("pipe", "index_expression", "projection", "flatten", "value_projection", "filter_projection")
_ON_ALL: Final = (
    "or_expression",
    "and_expression",
    "not_expression",
    "comparator",
    "function_expression",
    "multi_select_list",
    "multi_select_dict",
    "key_val_pair",
)


def too_large(tree: Node, known: Collection[str]) -> str:
    """Why a tree is left to the reference; empty where it is not. `known` are the types of node that are compiled."""
    count, todo = 0, [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        count += 1
        if depth > DEEPEST:
            return f"more than {DEEPEST} levels deep"
        if count > MOST_NODES:
            return f"more than {MOST_NODES:,} parts"
        if node["type"] not in known:
            return f"{node['type']} is unknown here"
        todo += [(child, depth + 1) for child in children_of(node)]
    return ""


def is_light(tree: Node) -> bool:
    """Whether it only goes down to one place: such a tree never fails, and may be read before it is needed."""
    return tree["type"] in _LIGHT and all(map(is_light, children_of(tree)))


def heads(node: Node) -> Iterator[tuple[str, ...]]:
    """The fields, one below the other, that a tree reads of the value it is given."""
    if node["type"] == "field":
        yield (node["value"],)
    elif node["type"] == "subexpression":
        names = []
        for child in node["children"]:
            if child["type"] != "field":
                break
            names.append(child["value"])
        yield from [tuple(names)] if names else heads(node["children"][0])
    elif node["type"] in _ON_FIRST:
        yield from heads(node["children"][0])
    elif node["type"] in _ON_ALL:
        for child in children_of(node):
            yield from heads(child)


def dotted(names: Iterable[str]) -> Node:
    """The tree of a plain path, whose names need not be JMESPath's."""
    return {"type": "subexpression", "children": [field(name) for name in names]}


def field(name: str) -> Node:
    return {"type": "field", "value": name, "children": []}


def children_of(node: Node) -> list[Node]:
    """The nodes below; a slice has numbers."""
    return [child for child in node["children"] if isinstance(child, dict)]
