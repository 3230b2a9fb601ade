"""A whole mapping as a plan: one raw record in, all its canonical rows and issues out.

Pure: nothing here asks the clock, the network or a database, and the same record always gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from hde.issues import Issue
from hde.mapping.at import Read
from hde.mapping.codings import with_codings
from hde.mapping.items import EachPlan, holds
from hde.mapping.paths import RECORD, Documents
from hde.mapping.row_code import UNREAD, CanonicalRow
from hde.mapping.rows import RowPlan
from hde.mapping.values import Finding
from hde.spec.mapping import Reference

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Mapped(NamedTuple):
    """What one record gave. `waiting`: a record named in `with` is not there yet, so neither rows nor issues."""

    rows: list[CanonicalRow]
    issues: list[Issue]
    waiting: bool


class TargetPlan(NamedTuple):
    when: Read | None
    rows: list[RowPlan | EachPlan]


@dataclass(frozen=True)
class CompiledMapping:
    """A mapping that `compile_mapping` has found sound. `map` never raises for what a record holds."""

    name: str
    from_: str
    references: tuple[Reference, ...]
    tables: tuple[str, ...]
    version: str
    """Changes whenever the same record could become other rows."""
    when: Read | None
    targets: tuple[TargetPlan, ...]
    slots: int
    """How many columns several rows read alike."""
    needed: tuple[str, ...]
    """The references that some path reads."""
    named: bool
    """Whether any path starts with $."""
    coded: bool = False
    """Whether rows hold codes, which are to be taken apart."""

    def map(
        self,
        record: Mapping[str, Any],
        *,
        row: Mapping[str, object] = _NOTHING,
        references: Mapping[str, Mapping[str, Any] | None] = _NOTHING,
        account: Mapping[str, Any] = _NOTHING,
    ) -> Mapped:
        """All rows of one record, or none and the issues (of level error) that say why.

        `row` is `$row` (observed_at), `references` the records named in `with`, None where not there yet.
        """
        documents: dict[str, object] = {RECORD: record}
        if self.named:
            if any(references.get(name) is None for name in self.needed):
                return Mapped([], [], True)
            there = {one.name: references.get(one.name) or _NOTHING for one in self.references}
            documents.update(there, row=row, account=account)
        issues: list[Issue] = []
        try:
            rows = self._rows(documents, issues)
            return Mapped(with_codings(rows) if self.coded else rows, _once(issues) if issues else issues, False)
        except Finding:
            return Mapped([], self._findings(documents), False)

    def _rows(self, documents: Documents, issues: list[Issue]) -> list[CanonicalRow]:
        rows: list[CanonicalRow] = []
        memo: list[Any] = [UNREAD] * self.slots
        if self.when is not None and not self.when(documents, issues):
            return rows
        for when, plans in self.targets:
            if when is not None and not when(documents, issues):
                continue
            for plan in plans:
                if isinstance(plan, EachPlan):
                    rows += plan.make(documents, issues, memo)
                    continue
                if plan.when is not None and not plan.when(documents, issues):
                    continue
                row = plan.make(documents, issues, memo)
                if row is not None:
                    rows.append(row)
        return rows

    def _findings(self, documents: Documents) -> list[Issue]:
        """The record again, this time to say all that is wrong with it."""
        warnings: list[Issue] = []
        found: list[Issue] = []

        if holds(self.when, documents, warnings, found):
            for target in self.targets:
                for plan in target.rows if holds(target.when, documents, warnings, found) else ():
                    if isinstance(plan, EachPlan) or holds(plan.when, documents, warnings, found):
                        found += plan.findings(documents, warnings, self.slots)
        return _once([*found, *warnings])


def _once(issues: list[Issue]) -> list[Issue]:
    """One issue per path and rule, as the database keeps them; the first said stands."""
    once: dict[tuple[str, str], Issue] = {}
    for issue in issues:
        once.setdefault((issue.path, issue.rule), issue)
    return list(once.values())
