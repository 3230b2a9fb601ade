"""Faults as a person writes them, in YAML: read, checked, made. Knows no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from typing import Any

from hde.sandbox.faults.answers import ANSWERS
from hde.sandbox.faults.case import Fault
from hde.sandbox.faults.pages import PAGES
from hde.sandbox.faults.records import RECORDS
from hde.sandbox.faults.rules import Faults, Rule

KINDS: Mapping[str, Any] = {kind.name: kind for kind in (*ANSWERS, *PAGES, *RECORDS)}
"""By name the classes of all faults."""
TOP = ("seed", "faults")
WHEN = ("do", "on", "nth", "chance", "times")
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), "a text"),
}


class Mistake(Exception):
    """What is wrong at `path`; where a `word` is not `known`, what was meant may be told from them."""

    def __init__(self, path: tuple[str | int, ...], message: str, word: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.word = word
        self.known = tuple(known)


def read(data: object) -> Faults:
    """From `{seed: 1, faults: [{do: status, on: /v2/*, nth: 3, ...}]}`. Raises Mistake for the first thing wrong."""
    top = _map((), data, TOP)
    if not isinstance(top.get("faults"), list):
        raise Mistake((), "'faults' is missing: a list of what goes wrong")
    rules = [_rule(("faults", number), one) for number, one in enumerate(top["faults"])]
    return Faults(rules, _number(("seed",), top.get("seed", 1), "int", {}))


def _rule(path: tuple[str | int, ...], data: object) -> Rule:
    if not isinstance(data, dict):
        raise Mistake(path, "a map is expected here, like {do: status, nth: 3}")
    if "do" not in data:
        raise Mistake(path, f"'do' is missing: which fault. There are: {', '.join(KINDS)}")
    kind = KINDS.get(str(data["do"]))
    if kind is None:
        raise Mistake((*path, "do"), f"there is no fault {str(data['do'])[:40]!r}", str(data["do"]), KINDS)
    own = {one.name: one for one in fields(kind)}
    _map(path, data, (*WHEN, *own))
    values = {name: _value((*path, name), data[name], one) for name, one in own.items() if name in data}
    return _when(path, data, kind(**values))


def _when(path: tuple[str | int, ...], data: Mapping[str, Any], fault: Fault) -> Rule:
    if "nth" in data and "chance" in data:
        raise Mistake((*path, "chance"), "'nth' and 'chance' exclude each other; take one of them")
    nth = data.get("nth", [])
    numbers = nth if isinstance(nth, list) else [nth]
    on = data.get("on", "*")
    if not isinstance(on, str):
        raise Mistake((*path, "on"), "a path is expected here, like /v2/*")
    least = {"least": 1}
    return Rule(
        fault,
        on=on,
        nth=tuple(_number((*path, "nth"), one, "int", least) for one in numbers),
        chance=_number((*path, "chance"), data.get("chance", 1.0), "float", {"least": 0, "most": 1}),
        times=_number((*path, "times"), data["times"], "int", least) if "times" in data else None,
    )


def _map(path: tuple[str | int, ...], data: object, known: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise Mistake(path, "a map is expected here")
    for key in data:
        if key not in known:
            message = f"unknown key {key[:40]!r}"
            raise Mistake((*path, key), message, key, known)
    return data


def _value(path: tuple[str | int, ...], value: object, declared: Field[Any]) -> object:
    words = declared.metadata.get("words")
    if words and value not in words:
        raise Mistake(path, f"{str(value)[:40]!r} is none of {', '.join(words)}", str(value), words)
    return _number(path, value, str(declared.type), declared.metadata)


def _number(path: tuple[str | int, ...], value: object, kind: str, bounds: Mapping[str, Any]) -> Any:
    types, words = _TYPES[kind]
    if not isinstance(value, types) or isinstance(value, bool):
        raise Mistake(path, f"{words} is expected here")
    if "least" in bounds and value < bounds["least"]:
        raise Mistake(path, f"{value} is too small; {bounds['least']} is the least")
    if "most" in bounds and value > bounds["most"]:
        raise Mistake(path, f"{value} is too large; {bounds['most']} is the most")
    return value
