"""What FHIR's types consist of, as far as it is needed to say whether an element is one thing or a list."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

PRIMITIVES = frozenset(
    {
        "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
        "integer64", "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid",
    }
)  # fmt: skip
TIMES = frozenset({"date", "dateTime", "instant", "time"})

_RESOURCE = "id implicitRules:string language meta:Meta contained*:Resource"
_EVERY = "id extension*:Extension modifierExtension*:Extension"


class Element(NamedTuple):
    type: str
    many: bool


def is_known(type_: str | None) -> bool:
    return type_ in _types()


def element(type_: str | None, name: str) -> Element | None:
    """An element of a type; None where nothing is known of it."""
    every = _elements(_EVERY).get(name)
    if every is not None:
        return every
    if type_ is None or type_ not in _types():
        return None
    return _types()[type_].get(name)


def choices(type_: str | None, name: str) -> tuple[str, ...] | None:
    """The types that `name[x]` has in a type; None where it is no choice, or nothing is known."""
    if type_ == "Extension" and name == "value":
        return ()
    return None if type_ is None else _choices().get(type_, {}).get(name)


def type_of_choice(suffix: str) -> str:
    """`Quantity` of valueQuantity, `dateTime` of valueDateTime."""
    small = suffix[0].lower() + suffix[1:]
    return small if small in PRIMITIVES else suffix


@cache
def _types() -> dict[str, dict[str, Element]]:
    found: dict[str, dict[str, Element]] = {}
    for name, said in _lines():
        _, _, resource = name.rpartition("resource ")
        found[resource] = {**(_elements(_RESOURCE) if resource != name else {}), **_elements(said)}
    return found


@cache
def _choices() -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, said in _lines():
        for word in said.split():
            if "[x]:" in word:
                choice, _, types = word.partition("[x]:")
                found.setdefault(name.removeprefix("resource "), {})[choice] = tuple(types.split("|"))
    return found


@cache
def _elements(said: str) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for word in said.split():
        name, _, type_ = word.partition(":")
        if name.endswith("[x]"):
            for suffix in type_.split("|"):
                found[f"{name[:-3]}{suffix}"] = Element(type_of_choice(suffix), False)
        else:
            found[name.rstrip("*")] = Element(type_ or "string", name.endswith("*"))
    return found


@cache
def _lines() -> tuple[tuple[str, str], ...]:
    text = (Path(__file__).parent / "elements.txt").read_text(encoding="utf-8")
    lines = [line.partition(": ") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((name, said) for name, _, said in lines)
