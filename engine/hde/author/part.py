"""A piece of a YAML file that is being drafted, with the comments that go beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hde.spec.problem import KeyPath

Map = dict[str, Any]
Notes = dict[KeyPath, str]


@dataclass(frozen=True)
class Part:
    """`said` as YAML will say it; `notes` by path below it."""

    said: Map = field(default_factory=dict)
    notes: Mapping[KeyPath, str] = field(default_factory=dict)

    def __add__(self, other: Part) -> Part:
        """Both; where both say a map under one name, that map holds both."""
        said = dict(self.said)
        for name, value in other.said.items():
            mine = said.get(name)
            said[name] = {**mine, **value} if isinstance(mine, dict) and isinstance(value, dict) else value
        return Part(said, {**self.notes, **other.notes})

    def under(self, *path: str) -> Part:
        """The same, below `path`."""
        said = self.said
        for name in reversed(path):
            said = {name: said}
        return Part(said, {(*path, *below): note for below, note in self.notes.items()})


def guessed(text: str) -> str:
    """A comment on what is probably right."""
    return f"guessed: {text}"


def look(text: str) -> str:
    """A comment on what only the author can know."""
    return f"look: {text}"
