"""`each`: one record taken apart into items, and the rows made of every one of them.

Inside, a path starts at the item; what lies around it is reached as `$parent`, its place as `$index`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hde.issues import Issue, issue_about
from hde.mapping import values
from hde.mapping.at import Read
from hde.mapping.lookups import key_text
from hde.mapping.paths import RECORD, Documents, Path, compile_path
from hde.mapping.row_code import UNREAD, CanonicalRow
from hde.mapping.rows import RowPlan
from hde.mapping.scope import Scope
from hde.mapping.values import Finding, refuse
from hde.spec.mapping import Each

Items = Callable[[Documents], Sequence[Any]]
"""The items of a record, null for those that are not there but keep their place. Raises Finding."""

PARENT, INDEX = "parent", "index"
DEEPEST, MOST_ITEMS = 100, 100_000
"""Of a tree: a path that leads back to where it began would never end."""
_END = object()
LONGEST_KEY = 500
"""Characters of an item's key: it becomes part of a primary key."""


@dataclass(frozen=True)
class EachPlan:
    """All rows that the items of one `each` become. `part` is the name of the row set, then the key of the item."""

    items: Items
    key: Path | None
    """None: an item is known by its index."""
    declared: bool
    """The author chose the key, so it may come twice."""
    when: Read | None
    plans: list[RowPlan | EachPlan]
    stale: tuple[int, ...]
    """Places in the memo that are read again for every item."""

    def make(self, documents: Documents, issues: list[Issue], memo: list[Any]) -> list[CanonicalRow]:
        """The rows of all items. Raises Finding, also where two rows would be the same part of the record."""
        rows = self._rows(documents, issues, memo, "")
        if len({row.part for row in rows}) < len(rows):
            raise Finding(Issue(self._keys(), "part"))
        return rows

    def findings(self, documents: Documents, issues: list[Issue], slots: int) -> list[Issue]:
        """Everything that keeps these rows from being made; empty where nothing does."""
        found: list[Issue] = []
        try:
            for inner in self._each(documents):
                if holds(self.when, inner, issues, found):
                    for plan in self.plans:
                        if isinstance(plan, EachPlan) or holds(plan.when, inner, issues, found):
                            found += plan.findings(inner, issues, slots)
            if not found:
                self.make(documents, issues, [UNREAD] * slots)
        except Finding as finding:
            found.append(finding.issue)
        return found

    def _rows(self, documents: Documents, issues: list[Issue], memo: list[Any], above: str) -> list[CanonicalRow]:
        """`above` is the key of the item around."""
        rows: list[CanonicalRow] = []
        for inner in self._each(documents):
            for slot in self.stale:
                memo[slot] = UNREAD
            if self.when is not None and not self.when(inner, issues):
                continue
            key = ""
            for plan in self.plans:
                if isinstance(plan, EachPlan):
                    key = key or above + self._key_of(inner)
                    rows += plan._rows(inner, issues, memo, f"{key}/")
                    continue
                if plan.when is not None and not plan.when(inner, issues):
                    continue
                row = plan.make(inner, issues, memo)
                if row is not None:
                    key = key or above + self._key_of(inner)
                    table, part, cells = row
                    rows.append(CanonicalRow(table, f"{part}/{key}" if part else key, cells))
        return rows

    def _each(self, documents: Documents) -> Iterator[Documents]:
        """The documents as each item sees them: one dict, which holds the next item when it is asked for."""
        inner = dict(documents)
        if PARENT in documents:
            for name, value in documents.items():
                if name in (PARENT, INDEX) or name.startswith(f"{PARENT}.$"):
                    inner[f"{PARENT}.${name}"] = value
        inner[PARENT] = documents[RECORD]
        for index, item in enumerate(self.items(documents)):
            if item is not None:
                inner[RECORD], inner[INDEX] = item, index
                yield inner

    def _key_of(self, inner: Documents) -> str:
        if self.key is None:
            return str(inner[INDEX])
        value = self.key.value(inner)
        if value is None:
            refuse(value, self.key.text, "required")
        key = key_text(value)
        if not key or len(key) > LONGEST_KEY:
            refuse(value, self.key.text, "key")
        return values.text(key, self.key.text)

    def _keys(self) -> str:
        """Where the key stands that came twice: the innermost that was declared."""
        for plan in self.plans:
            if isinstance(plan, EachPlan) and plan.declared:
                return plan._keys()
        return self.key.text if self.key is not None else INDEX


def holds(when: Read | None, documents: Documents, issues: list[Issue], found: list[Issue]) -> bool:
    """Whether a condition holds; what is wrong with it is `found`."""
    try:
        return when is None or bool(when(documents, issues))
    except Finding as finding:
        found.append(finding.issue)
        return False


def compile_items(each: Each, scope: Scope) -> Items:
    """`scope` is that of the record, or of the item around."""
    if each.path is not None:
        return _list(compile_path(each.path, scope))
    if each.nested:
        return _nested([compile_path(path, scope) for path in each.nested])
    if each.entries is not None:
        return _entries(compile_path(each.entries, scope))
    if each.characters is not None:
        return _characters(compile_path(each.characters, scope))
    return _zip({name: compile_path(path, scope) for name, path in each.zip.items()})


def _list(path: Path) -> Items:
    def read(documents: Documents) -> Sequence[Any]:
        found = path.value(documents)
        if found is None:
            return ()
        return found if isinstance(found, list) else refuse(found, path.text, "list")

    return read


def _nested(paths: Sequence[Path]) -> Items:
    """Every item before what is below it, as one reads a table of contents. Where a path starts with `$`, it starts
    there once, and then at every item."""

    def below(values: Sequence[object]) -> Iterator[Any]:
        for path, value in zip(paths, values, strict=True):
            found = path.get(value)
            if found is not None and not isinstance(found, list):
                refuse(found, path.text, "list")
            yield from found or ()

    def read(documents: Documents) -> Sequence[Any]:
        items: list[Any] = []
        above = [below([documents[path.of] for path in paths])]
        while above:
            item = next(above[-1], _END)
            if item is _END:
                above.pop()
                continue
            items.append(item)
            if item is None:
                continue
            if len(above) == DEEPEST or len(items) > MOST_ITEMS:
                refuse(item, paths[0].text, "nested")
            above.append(below([item] * len(paths)))
        return items

    return read


def _entries(path: Path) -> Items:
    def read(documents: Documents) -> Sequence[Any]:
        found = path.value(documents)
        if found is None or found == []:
            return ()
        if not isinstance(found, dict):
            refuse(found, path.text, "object")
        return [{"key": key, "value": value} for key, value in found.items()]

    return read


def _characters(path: Path) -> Items:
    def read(documents: Documents) -> Sequence[Any]:
        found = path.value(documents)
        if found is None:
            return ()
        return found if isinstance(found, str) else refuse(found, path.text, "type")

    return read


def _zip(paths: dict[str, Path]) -> Items:
    def read(documents: Documents) -> Sequence[Any]:
        lists: dict[str, list[Any]] = {}
        length: int | None = None
        for name, path in paths.items():
            found = path.value(documents)
            if found is None:
                continue
            if not isinstance(found, list):
                refuse(found, path.text, "list")
            if length is not None and len(found) != length:
                raise Finding(issue_about(found, path.text, "length"))
            lists[name], length = found, len(found)
        # a list that is absent is null in every item; the columns say whether they need it
        absent = dict.fromkeys(paths)
        return [{**absent, **dict(zip(lists, row, strict=True))} for row in zip(*lists.values(), strict=True)]

    return read
