"""Reads a few fields of a record and passes over the rest: the parser checks it, and makes no objects of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

Fields = Callable[[bytes], tuple[object, ...]]


def fields_decoder(paths: Sequence[str], float_hook: Callable[[str], object]) -> Fields | None:
    """A function from the text of a record to what stands at these plain paths, None where nothing does.

    ValueError where the text is no JSON object, or a path leads through something else. What is passed over is JSON,
    but may be more than Postgres stores. None where there is nothing to read, or a name cannot be said to the parser.
    """
    if not paths:
        return None
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        *parents, last = path.split(".")
        for name in parents:
            if not isinstance(node := node.setdefault(name, {}), dict):
                return None
        if node.setdefault(last, last) != last:
            return None
    try:
        decode = msgspec.json.Decoder(_struct(tree), float_hook=float_hook).decode
    except (ValueError, TypeError):
        return None
    get = attrgetter(*map(_attribute(tree), paths))
    is_one = len(paths) == 1

    def fields(text: bytes) -> tuple[object, ...]:
        try:
            found = get(decode(text))
        except AttributeError:
            raise ValueError("nothing at the path") from None
        return (found,) if is_one else found

    return fields


def _struct(tree: dict[str, Any]) -> type[msgspec.Struct]:
    members: list[tuple[str, Any, Any]] = []
    for at, (name, below) in enumerate(tree.items()):
        if isinstance(below, dict):
            inner = _struct(below)
            members.append((f"f{at}", inner | None, msgspec.field(name=name, default=inner())))
        else:
            members.append((f"f{at}", Any, msgspec.field(name=name, default=None)))
    return msgspec.defstruct("Fields", members, frozen=True)


def _attribute(tree: dict[str, Any]) -> Callable[[str], str]:
    def attribute(path: str) -> str:
        node: Any = tree
        names = []
        for name in path.split("."):
            names.append(f"f{list(node).index(name)}")
            node = node[name]
        return ".".join(names)

    return attribute
