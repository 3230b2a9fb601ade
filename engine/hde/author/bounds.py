"""Which times of a called address are the ends of a window: told by their names, else by their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hde.author.names import word_set, words
from hde.author.paging import FIXED, Param, form_of
from hde.author.part import guessed

End = Literal["start", "end", "day"]
START, END = "{{ window.start }}", "{{ window.end }}"

_NAMED: dict[End, frozenset[str]] = {
    "start": word_set("start from since begin after gte gt ge min oldest newer"),
    "end": word_set("end to until finish before lte lt le max latest older"),
    "day": word_set("date day"),
}
_NO_TIME = word_set("id ids cursor token key")
_FILE = re.compile(r"\.(json|xml|csv)\Z")


@dataclass(frozen=True)
class Bounds:
    """`{{ window.start }}` and `{{ window.end }}` in a request, and how they are written there."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    """By parameter; of the path, by ``""``."""
    form: str | None = None
    """None: the request names no window."""
    has_end: bool = False
    is_day: bool = False
    """It asks for one day, named by its start."""
    required: bool = False


@dataclass(frozen=True)
class _Time:
    name: str
    form: str
    end: End | None
    value: str = ""
    is_certain: bool = False
    required: bool = False


def bounds_of(path: str, params: Sequence[Param]) -> Bounds:
    """The window that a request asks for; times that remain as they are get a note."""
    segments = path.split("/")
    places = [place for place, segment in enumerate(segments) if form_of(_FILE.sub("", segment))]
    in_path = [_in_path(segments, place) for place in places]
    ends = _ends(in_path)
    if ends:
        shown = {int(time.name): START if end != "end" else END for end, time in ends.items()}
        for place, template in shown.items():
            extension = _FILE.search(segments[place])
            segments[place] = template + (extension[0] if extension else "")
        found = _bounds("/".join(segments), {}, ends, {"": guessed("its times were those of one call")})
        return found if len(ends) == len(places) else _noted(found, {"": FIXED})
    named = [time for param in params if (time := _in_params(param)) is not None]
    ends = _ends(named)
    shown_as = {time.name: START if end != "end" else END for end, time in ends.items()}
    notes = {
        time.name: guessed(f"{'the day' if end == 'day' else f'the {end} of what is asked for'}")
        for end, time in ends.items()
        if not time.is_certain
    }
    return _noted(_bounds(path, shown_as, ends, notes), {"": FIXED} if places else {})


def before_times(path: str) -> list[str]:
    """The words of a path before its first time, without what only says that a time comes."""
    parts: list[str] = []
    for segment in path.split("/"):
        word = _FILE.sub("", segment)
        if form_of(word):
            return [part for part in parts if part not in _NAMED["day"] | _NAMED["start"]] or parts
        if word and not word.startswith("{"):
            parts.append(word)
    return parts


def _bounds(path: str, params: dict[str, str], ends: Mapping[End, _Time], notes: dict[str, str]) -> Bounds:
    first = ends.get("start") or ends.get("day")
    if first is None:
        return Bounds(path)
    return Bounds(path, params, notes, first.form, "end" in ends, "day" in ends, first.required)


def _noted(found: Bounds, notes: dict[str, str]) -> Bounds:
    return Bounds(
        found.path, found.params, {**found.notes, **notes}, found.form, found.has_end, found.is_day, found.required
    )


def _in_path(segments: Sequence[str], place: int) -> _Time:
    value = _FILE.sub("", segments[place])
    form = form_of(value) or ""
    end = _named(segments[place - 1]) if place else None
    return _Time(str(place), form, end or ("day" if form == "date" else None), value)


def _in_params(param: Param) -> _Time | None:
    if not param.form:
        return None
    role = param.role
    if role == "start" or role == "end":
        return _Time(param.name, param.form, role, str(param.value), True, param.required)
    is_time = role is None and param.value is not None and not _NO_TIME & set(words(param.name))
    return _Time(param.name, param.form, _named(param.name), str(param.value)) if is_time else None


def _named(name: str) -> End | None:
    """By the last word that says it: `find[date][$gte]` is a start."""
    return next((end for word in reversed(words(name)) for end, known in _NAMED.items() if word in known), None)


def _ends(times: Sequence[_Time]) -> dict[End, _Time]:
    """Start and end, or the only day; nothing where it cannot be told."""
    first = next((time for time in times if time.end == "start"), None)
    if len(times) == 2 and times[0].form == times[1].form and {time.end for time in times} != {"start", "end"}:
        lower, upper = sorted(times, key=lambda time: time.value)
        return {"start": lower, "end": upper}
    if first is not None:
        last = next((time for time in times if time.end == "end" and time.form == first.form), None)
        return {"start": first, "end": last} if last else {"start": first}
    return {"day": times[0]} if len(times) == 1 and times[0].end == "day" else {}
