"""What `for_each` says: the elements for which a resource's request is made, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Constant = str | int | Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class Constants:
    """Known beforehand: texts, whole numbers, or maps of these."""

    values: tuple[Constant, ...]


@dataclass(frozen=True)
class Parents:
    """From the stored records of another resource: what `path` (a JMESPath) gives, or the record itself."""

    resource: str
    path: str | None = None
    again: bool = False
    """Every record in every run, not only the new and changed ones."""


@dataclass(frozen=True)
class Axes:
    """Every combination; the element is a map with a name for each side. At most one side is `Parents`."""

    sides: Mapping[str, Constants | Parents]

    @property
    def parents(self) -> Parents | None:
        return next((side for side in self.sides.values() if isinstance(side, Parents)), None)


ForEach = Constants | Parents | Axes


def parents_of(for_each: ForEach | None) -> Parents | None:
    """The stored records that the elements come from; None where all of them are constants."""
    match for_each:
        case Parents():
            return for_each
        case Axes():
            return for_each.parents
    return None
