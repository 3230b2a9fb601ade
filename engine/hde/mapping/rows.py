"""One canonical row as a plan: which column is read how, what the engine fills in, and when there is no row at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hde.issues import Issue
from hde.mapping.at import Read, Reader
from hde.mapping.finish import Finish
from hde.mapping.lookups import Skip
from hde.mapping.paths import Documents
from hde.mapping.row_code import UNREAD, CanonicalRow, MakeRow, Shared, row_maker
from hde.mapping.values import Finding


@dataclass(frozen=True)
class RowPlan:
    table: str
    part: str
    when: Read | None
    blank: list[Any]
    """The row before anything is read: null, or what is the same in every row."""
    optional: list[tuple[int, Reader]]
    """Read first: where one is null there is no row."""
    own: list[tuple[int, Reader]]
    shared: list[Shared]
    finish: tuple[Finish, ...]

    @cached_property
    def _maker(self) -> MakeRow:
        """Written when the first row is made: most who compile a mapping only want to know whether it can be."""
        return row_maker(self.table, self.part, self.blank, self.optional, self.own, self.shared, self.finish)

    def make(self, documents: Documents, issues: list[Issue], memo: list[Any]) -> CanonicalRow | None:
        """The row, or None where the record makes no such row. Raises Finding."""
        try:
            return self._maker(documents, issues, memo)
        except Skip:
            return None
        except Finding:
            # what is wrong with a row that another column leaves out anyway is no matter
            if self.findings(documents, [], len(memo)):
                raise
            return None

    def findings(self, documents: Documents, issues: list[Issue], slots: int) -> list[Issue]:
        """Everything that keeps this row from being made, not only the first; empty where nothing does.

        `slots` is how long the memo of a record is.
        """
        found: list[Issue] = []
        everything = [*(one for _, one in (*self.optional, *self.own)), *(one.reader for one in self.shared)]
        for position, reader in enumerate(everything):
            try:
                if reader.read(documents, issues) is None and position < len(self.optional):
                    return []
            except Skip:
                return []
            except Finding as finding:
                found.append(finding.issue)
        if not found:
            try:
                self._maker(documents, issues, [UNREAD] * slots)
            except Finding as finding:
                found.append(finding.issue)
        return found
