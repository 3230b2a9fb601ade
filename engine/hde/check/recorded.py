"""The paths that the fixtures of a resource have, and whether one is among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hde.check.reads import ANY, ELEMENT, Path, alternatives, dotted, matches, paths_in
from hde.spec.problem import did_you_mean


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
        candidates = sorted(dotted(node) for node in self.nodes if node)
        same = [text for text in candidates if text.replace(ELEMENT, "") == dotted(path).replace(ELEMENT, "")]
        hint = f" Did you mean {same[0]!r}?" if same else did_you_mean(dotted(path), candidates)
        return f"no fixture of {self.resource} has {dotted(path)}.{hint}"


def recorded(resource: str, records: Mapping[str, object]) -> Recorded:
    """The paths of all fixtures of a resource, given by name."""
    leaves: dict[Path, str] = {}
    for name, record in records.items():
        for path in sorted(paths_in(record)):
            leaves.setdefault(path, name)
    return Recorded(resource, leaves)
