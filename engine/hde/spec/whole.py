"""A connector's file merged with the one it is `like`; everything keeps the place where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from hde.spec.merge import merge
from hde.spec.problem import KeyPath, Problem, did_you_mean, quoted
from hde.spec.yaml_file import YamlFile, parse_yaml

OWN: Final = ("name", "mappings", "like")
"""What a connector never takes over: its name, and with that its settings' variables, its tables and its mappings."""
_OTHER: Final = "\0other"
"""Begins the origin of what stands in the other file; no key is printed so."""


def whole_connector(file: Path) -> tuple[YamlFile | None, list[Problem]]:
    """The connector, and all that is wrong with its YAML and that of the one it is like; None where it cannot be read.

    A connector that is like no other is the file as it stands.
    """
    own, problems = parse_yaml(file)
    if own is None or not isinstance(own.data, dict) or "like" not in own.data:
        return own, problems
    like = own.data["like"]
    if fault := _fault(like, file):
        return None, [*problems, own.problem(("like",), fault, value=True)]
    other, more = parse_yaml(file.with_name(f"{like}.yaml"))
    problems += more
    if other is None or not isinstance(other.data, dict):
        return None, problems
    if "like" in other.data:
        chain = f"{like} is like {quoted(other.data['like'])} itself: one level, no chains; name that one"
        return None, [*problems, own.problem(("like",), chain, value=True)]
    return _over(other, own), problems


def _fault(like: object, file: Path) -> str:
    """Why a connector cannot be like this; empty where it can."""
    if not isinstance(like, str):
        return "the name of a connector beside this file is expected here"
    if like == file.stem:
        return f"{like} is this connector itself"
    if file.with_name(f"{like}.yaml").is_file():
        return ""
    beside = sorted(one.stem for one in file.parent.glob("*.yaml") if one.stem != file.stem)
    hint = did_you_mean(like, beside)
    return f"no connector {quoted(like)}: {file.with_name(f'{like}.yaml')} is not there" + (hint and f".{hint}")


def _over(other: YamlFile, own: YamlFile) -> YamlFile:
    """`own` over `other`, under the name of the former."""
    assert isinstance(other.data, dict)
    assert isinstance(own.data, dict)
    below = {key: value for key, value in other.data.items() if key not in OWN}
    merged = merge(below, own.data, (_OTHER,), ())
    data = {key: merged.data[key] for key in ("name", *merged.data) if key in merged.data}
    positions, values, written = dict(own.positions), dict(own.values), {}
    for path in _paths(data, ()):
        origin = merged.origin(path)
        if origin[:1] == (_OTHER,):
            positions[path], values[path] = other.positions[origin[1:]], other.values[origin[1:]]
            written[path] = other.file
    gone = [path for path in own.positions if path[:1] == ("like",)]
    for path in gone:
        del positions[path], values[path]
    return replace(own, data=data, positions=positions, values=values, elsewhere=written)


def _paths(value: object, path: KeyPath) -> Iterator[KeyPath]:
    below: Mapping[str, object] | Mapping[int, object] = {}
    if isinstance(value, dict):
        below = value
    elif isinstance(value, list):
        below = dict(enumerate(value))
    for key, inside in below.items():
        yield (*path, key)
        yield from _paths(inside, (*path, key))
