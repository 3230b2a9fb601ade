"""What a schema of an OpenAPI document describes: objects, lists and values, references followed, all merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hde.author.document import Document

DEEPEST = 8
"""Objects below this many others, and schemas that hold themselves, are taken as any JSON."""
MOST_SHAPES = 20_000
"""Of one answer; a document that unfolds into more is not meant to be read."""
_SAMPLE_KEYS = ("example", "default", "const")

Kind = Literal["object", "list", "text", "whole", "number", "boolean", "any"]
_KINDS: dict[str, Kind] = {
    "object": "object",
    "array": "list",
    "string": "text",
    "integer": "whole",
    "number": "number",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Shape:
    """One schema, everything merged into it."""

    kind: Kind
    format: str = ""
    members: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None
    nullable: bool = False
    examples: tuple[Any, ...] = ()
    words: tuple[Any, ...] = ()
    """`enum`."""
    example: Any = None
    """Of the whole, as the document gives it."""


def shape_of(document: Document, schema: Any) -> Shape:
    """The shape a schema describes."""
    return _Reader(document).shape(schema, ())


class _Reader:
    """Reads one schema, counting what it unfolds into."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def shape(self, schema: Any, above: tuple[str, ...]) -> Shape:
        """`above`: the references on the way here."""
        self.count += 1
        parts = list(self._parts(schema, above))
        trail = (*above, *(name for name, _ in parts if name), "")
        if len([name for name in trail if not name]) > DEEPEST or self.count > MOST_SHAPES:
            return Shape("any", nullable=True)
        merged = [part for _, part in parts]
        kind, nullable = _kind(merged)
        examples = tuple(_examples(merged))
        words = next(
            (tuple(part["enum"]) for part in merged if isinstance(part.get("enum"), list) and part["enum"]), ()
        )
        return Shape(
            kind=kind,
            format=next((str(part["format"]) for part in merged if part.get("format")), ""),
            members=self._members(merged, trail) if kind == "object" else {},
            items=self.shape(next((part["items"] for part in merged if "items" in part), {}), trail)
            if kind == "list"
            else None,
            nullable=nullable,
            examples=examples,
            words=tuple(word for word in words if word is not None),
            example=examples[0] if examples else None,
        )

    def _members(self, merged: list[dict[str, Any]], trail: tuple[str, ...]) -> dict[str, Shape]:
        found: dict[str, list[Any]] = {}
        for part in merged:
            properties = part.get("properties")
            for name, schema in properties.items() if isinstance(properties, dict) else ():
                if not (isinstance(schema, dict) and schema.get("writeOnly") is True):
                    found.setdefault(str(name), []).append(schema)
        return {name: self.shape(said[0] if len(said) == 1 else {"allOf": said}, trail) for name, said in found.items()}

    def _parts(self, schema: Any, above: tuple[str, ...], depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
        """The schema itself and everything that is said to hold too, or instead; with the reference each came by.

        A reference that is on the way here already is a circle, and ends.
        """
        if not isinstance(schema, dict) or depth > DEEPEST:
            return
        reference = schema.get("$ref")
        name = reference if isinstance(reference, str) else ""
        if name in above and name:
            return
        found = self.document.resolved(schema)
        beside = {key: value for key, value in schema.items() if key != "$ref"} if name else {}
        yield name, {**found, **beside}
        here = (*above, name) if name else above
        for key in ("allOf", "oneOf", "anyOf"):
            for one in found.get(key, ()) if isinstance(found.get(key), list) else ():
                yield from self._parts(one, here, depth + 1)


def _kind(parts: list[dict[str, Any]]) -> tuple[Kind, bool]:
    """The one kind all parts agree on; `any` where they do not. And whether it may be null."""
    kinds: set[Kind] = set()
    nullable = False
    for part in parts:
        said = part.get("type")
        types = [str(one) for one in said] if isinstance(said, list) else [str(said)] if said else []
        nullable = nullable or part.get("nullable") is True or "null" in types
        kinds |= {_KINDS[one] for one in types if one in _KINDS}
        if not types and isinstance(part.get("properties"), dict):
            kinds.add("object")
        if not types and isinstance(part.get("items"), dict):
            kinds.add("list")
    if kinds == {"whole", "number"}:
        return "number", nullable
    return (kinds.pop() if len(kinds) == 1 else "any"), nullable


def _examples(parts: list[dict[str, Any]]) -> Iterator[Any]:
    for part in parts:
        for key in _SAMPLE_KEYS:
            if part.get(key) is not None:
                yield part[key]
        given = part.get("examples")
        if isinstance(given, list):
            yield from (one for one in given if one is not None)
