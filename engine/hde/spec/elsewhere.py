"""Keys that stand in the wrong place: what other tools call them, where they belong, what was indented too little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def other_name(key: str, schema: Schema) -> str:
    """What we call what other tools call `key`; empty where nothing is known."""
    name: str = schema.get("x-also", {}).get(key.lower(), "")
    return name


def place_of(key: str, schema: Schema, path: Sequence[str | int], root: Schema) -> str:
    """Where a key belongs that the map at `path` does not take: below it, around it, or elsewhere; else empty."""
    below = sorted({".".join(found) for found in _places(key, schema, root, ())})
    if 0 < len(below) < 3:
        return f"it stands below {' or '.join(f'`{place}`' for place in below)}"
    anywhere = {".".join(found) for found in _places(key, root, root, ())} - {".".join(map(str, path)), ""}
    only = f"in `{anywhere.pop()}`" if len(anywhere) == 1 else ""
    for end in range(len(path) - 1, -1, -1):
        if key in _at(path[:end], root).get("properties", {}):
            beside = f"it stands beside `{path[end]}`, indented as that is"
            return f"{beside}, or {only}" if only and not end else beside
    return f"it stands {only}" if only else ""


def left_of(value: Mapping[str, Any], unknown: Sequence[str], schema: Schema, root: Schema) -> str:
    """The key that has nothing below it, where the unknown keys after it were meant to stand; else empty."""
    keys = list(value)
    before = keys[keys.index(unknown[0]) - 1] if keys.index(unknown[0]) else ""
    known = schema.get("properties", {}).get(before)
    if known is None or value[before] is not None:
        return ""
    parts = [known, *known.get("anyOf", ())]
    return before if any(resolved(part, root).get("type") == "object" for part in parts) else ""


def resolved(schema: Schema, root: Schema) -> Schema:
    """What a `$ref` points to, its siblings over it."""
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _places(
    key: str, node: Schema, root: Schema, path: tuple[str, ...], seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, ...]]:
    """Every place where the grammar has such a key; names that authors give are left out."""
    if (ref := node.get("$ref")) in seen:
        return
    seen |= {ref} if ref else set()
    node = resolved(node, root)
    if key in node.get("properties", {}):
        yield path
    for name, below in node.get("properties", {}).items():
        if isinstance(below, dict):
            yield from _places(key, below, root, (*path, name), seen)
    lists: list[Any] = [node.get("anyOf", ()), node.get("oneOf", ()), node.get("patternProperties", {}).values()]
    for below in [*(one for several in lists for one in several), node.get("items")]:
        if isinstance(below, dict):
            yield from _places(key, below, root, path, seen)


def _at(path: Sequence[str | int], root: Schema) -> Schema:
    """The part of the grammar a path leads to; empty where it leads nowhere."""
    node: Schema = root
    for step in path:
        inside: Schema = node.get("properties", {}).get(step) or next(
            iter(node.get("patternProperties", {}).values()), {}
        )
        node = resolved(node.get("items", {}) if isinstance(step, int) else inside, root)
    return node
