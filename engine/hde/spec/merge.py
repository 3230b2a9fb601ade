"""`like`: a shared beginning, the resource over it. Remembers of every key where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hde.spec.problem import KeyPath


@dataclass(frozen=True)
class Merged:
    """A resource with its shared beginning merged in, `like` taken out."""

    data: dict[str, object]
    origins: Mapping[KeyPath, KeyPath] = field(default_factory=dict)
    """Path in `data` -> path in the file."""
    top: KeyPath = ()
    """Where the resource itself is in the file."""

    def origin(self, path: KeyPath) -> KeyPath:
        """Where in the file the thing at `path` was written; the nearest thing above it where nothing was."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return (*self.origins[path[:end]], *path[end:])
        return (*self.top, *path)


def merge(shape: Mapping[str, object], own: Mapping[str, object], shape_at: KeyPath, own_at: KeyPath) -> Merged:
    """`own` over `shape`: maps key by key, a map whose `kind` changes is replaced, the rest replaces, null removes."""
    origins: dict[KeyPath, KeyPath] = {}
    over = {key: value for key, value in own.items() if key != "like"}
    data = _maps(shape, over, _Place(shape_at, own_at, ()), origins)
    return Merged(data, origins, own_at)


@dataclass(frozen=True)
class _Place:
    """Where the two maps that are merged were written, and where the result goes."""

    shape: KeyPath
    own: KeyPath
    into: KeyPath

    def below(self, key: str) -> _Place:
        return _Place((*self.shape, key), (*self.own, key), (*self.into, key))


def _maps(
    shape: Mapping[str, object], own: Mapping[str, object], place: _Place, origins: dict[KeyPath, KeyPath]
) -> dict[str, object]:
    merged: dict[str, object] = {}
    for key in dict.fromkeys((*shape, *own)):
        below = place.below(key)
        if key not in own:
            merged[key] = shape[key]
            origins[below.into] = below.shape
        elif key not in shape:
            merged[key] = own[key]
            origins[below.into] = below.own
        elif own[key] is not None:
            origins[below.into] = below.own
            merged[key] = _values(shape[key], own[key], below, origins)
    return merged


def _values(shape: object, own: object, place: _Place, origins: dict[KeyPath, KeyPath]) -> object:
    if isinstance(shape, dict) and isinstance(own, dict) and not _changes_kind(shape, own):
        return _maps(shape, own, place, origins)
    return own


def _changes_kind(shape: Mapping[str, object], own: Mapping[str, object]) -> bool:
    return "kind" in own and "kind" in shape and own["kind"] != shape["kind"]
