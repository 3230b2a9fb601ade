"""What a path can reach where it stands: the record, or an item of it, and everything with a name. Reads nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hde.mapping.expression import NAMED
from hde.spec.mapping import Each, RowSet, Target

ITEM_NAMES = ("parent", "index")
"""What has a name only inside `each`."""

_FIRST = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(?:\.(.+)|(\[.+))?\Z", re.DOTALL)
_SIMPLE = re.compile(r"\$?[A-Za-z0-9_.\[\]$-]+\Z")


@dataclass(frozen=True)
class Scope:
    """Where paths start, and the names they may have after `$`. `outer` is what lies around an item."""

    names: tuple[str, ...]
    each: Each | None = None
    outer: Scope | None = None

    def inside(self, each: Each | None) -> Scope:
        """The scope of an item; the same where there is no `each`."""
        return self if each is None else Scope(self.names, each, self.inside(each.around))

    def is_within(self, scope: Scope) -> bool:
        """Whether it is that scope, or lies anywhere inside it."""
        return self == scope or (self.outer is not None and self.outer.is_within(scope))

    @property
    def depth(self) -> int:
        """How many `each` lie around."""
        return 0 if self.outer is None else self.outer.depth + 1

    @property
    def known(self) -> tuple[str, ...]:
        """Every name that may follow `$` here: `parent.$index` inside two `each` as well."""
        around = [f"{'parent.$' * level}{name}" for level in range(self.depth) for name in ITEM_NAMES]
        return (*self.names, *around)

    def level(self, text: str) -> int:
        """How many `each` a path depends on: 0 for what is the same in the whole record."""
        match = NAMED.match(text)
        if match is None:
            return self.depth
        *above, last = match[1].split(".$")
        if last == "index":
            return self.depth - len(above)
        return self.depth - len(above) - 1 if last == "parent" else 0

    def in_record(self, text: str) -> str:
        """The path as seen from the record: what an issue with it is filed under."""
        if self.each is None or self.outer is None:
            return text
        if not text.startswith("$"):
            return self.outer.in_record(_of_item(self.each, text))
        match = NAMED.match(text)
        if match is None or not match[1].startswith("parent"):
            return text
        _, nested, name = match[1].partition(".$")
        below = match[2] or match[3]
        if not nested:
            return self.outer.in_record(below or "@")
        return self.outer.in_record(_joined(f"${name}", below or "@"))


def row_scope(names: tuple[str, ...], target: Target, rows: RowSet) -> Scope:
    """Where the paths of a row start."""
    return Scope(names).inside(target.each).inside(rows.each)


def _of_item(each: Each, text: str) -> str:
    """A path on an item as a path on what the item was taken from."""
    match = _FIRST.match(text)
    first, below = (match[1], match[2] or match[3] or "@") if match else ("", text)
    if each.path is not None:
        return _joined(f"{_grouped(each.path)}[]", text)
    if each.nested:
        return _joined(f"{_grouped(each.nested[0])}[]", text)
    if each.characters is not None:
        return each.characters
    if each.entries is not None:
        if first == "key":
            return f"keys({each.entries})"
        return _joined(f"{_grouped(each.entries)}.*", below if first == "value" else text)
    if first in each.zip:
        return _joined(f"{_grouped(each.zip[first])}[]", below)
    return _joined(f"{_grouped(next(iter(each.zip.values())))}[]", text)


def _joined(base: str, below: str) -> str:
    if below == "@":
        return base
    return f"{base}{below}" if below.startswith("[") else f"{base}.{below}"


def _grouped(path: str) -> str:
    return path if _SIMPLE.match(path) else f"({path})"
