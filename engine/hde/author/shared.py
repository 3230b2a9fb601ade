"""What several resources say alike, said once under `shared`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from hde.author.part import Map, Part
from hde.author.resource import ORDER, ResourceDraft

_COMMON = ("params", "records", "pagination", "window")


def hoist(resources: Sequence[ResourceDraft]) -> tuple[Part, list[ResourceDraft]]:
    """`shared`, and the resources that are `like` it. Only what whole groups of resources have in common."""
    groups: dict[str, list[ResourceDraft]] = {}
    for one in resources:
        if "pagination" in one.part.said:
            groups.setdefault(json.dumps(_common(one), sort_keys=True), []).append(one)
    several = [group for group in groups.values() if len(group) > 1]
    shared = Part()
    like: dict[str, str] = {}
    for number, group in enumerate(several, 1):
        name = "collection" if number == 1 else f"collection_{number}"
        first = group[0].part
        notes = {path: note for path, note in first.notes.items() if path[0] in _COMMON}
        shared += Part(_common(group[0]), notes).under("shared", name)
        like |= {one.name: name for one in group}
    return shared, [_slim(one, like[one.name]) if one.name in like else one for one in resources]


def _common(one: ResourceDraft) -> Map:
    said = {name: one.part.said[name] for name in _COMMON if name in one.part.said}
    if "window" in said:  # the time is a column, and that is the resource's own
        said["window"] = {name: value for name, value in said["window"].items() if name != "time"}
    return said


def _slim(one: ResourceDraft, like: str) -> ResourceDraft:
    said: Map = {"like": like, **{name: value for name, value in one.part.said.items() if name not in _COMMON}}
    time = one.part.said.get("window", {}).get("time")
    if time is not None:
        said["window"] = {"time": time}
    notes = {path: note for path, note in one.part.notes.items() if path[0] not in _COMMON}
    return replace(one, part=Part({name: said[name] for name in ORDER if name in said}, notes))
