"""The paths that the fixtures of a resource have, and whether one is among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from hde.check.record_paths import ANY, ELEMENT, Path, alternatives, dotted, matches, paths_in


@dataclass(frozen=True)
class Recorded:
    """The fixtures of one resource: every leaf path and the first fixture that has it."""

    resource: str
    leaves: Mapping[Path, str]

    @cached_property
    def nodes(self) -> frozenset[Path]:
        """The leaf paths and all that is above them."""
        return frozenset(leaf[:end] for leaf in self.leaves for end in range(len(leaf) + 1))

    def has(self, path: Path) -> bool:
        """Whether any fixture has something at `path`, be it null."""
        found = alternatives(path)
        if ANY not in path:
            return not self.nodes.isdisjoint(found)
        return any(matches(pattern, node) for pattern in found for node in self.nodes)

    def missing(self, path: Path) -> str:
        """The complaint about a path no fixture has."""
        message = f"no fixture of {self.resource} has {dotted(path)}"
        meant = self.meant(path)
        return f"{message}. Did you mean {dotted(meant)!r}?" if meant else message

    def meant(self, path: Path) -> Path | None:
        """What was probably meant by a path no fixture has: the same without lists, else the nearest in spelling."""
        names = {dotted(node): node for node in sorted(self.nodes) if node}
        bare = dotted(path).replace(ELEMENT, "")
        same = [node for text, node in names.items() if text.replace(ELEMENT, "") == bare]
        near = get_close_matches(dotted(path), names, n=1, cutoff=0.6)
        return same[0] if same else names[near[0]] if near else None


def recorded(resource: str, records: Mapping[str, object]) -> Recorded:
    """The paths of all fixtures of a resource, given by name."""
    leaves: dict[Path, str] = {}
    for name, record in records.items():
        for path in sorted(paths_in(record)):
            leaves.setdefault(path, name)
    return Recorded(resource, leaves)
