"""Whether what an answer no longer holds is really gone, or the source is out of order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from hde.issues import Issue
from hde.spec.connector import Resource
from hde.steps.report import Report
from hde.store import issues
from hde.store.deletion import Missing, beyond_guard
from hde.store.merge import Cursor, Key

WHOLE_RESOURCE = "*"
"""Where an issue is about no single record."""
MISSING, SILENT = "missing from a complete answer", "an answer that holds nothing at all"


@dataclass
class Believing:
    """What this run was told is gone, resource by resource. An outage empties window after window, each of them perhaps
    too small to be noticed, and a source that answers with nothing at all may be out of order however little was there.
    """

    account: int
    run: int
    report: Report
    accept_deletes: bool = False
    _asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Records that are missing and that there were, of all scopes so far."""
    _answering: set[str] = field(default_factory=set)
    """Resources that answered with a record in this run."""
    _doubted: set[str] = field(default_factory=set)

    def believes(self, cursor: Cursor, resource: Resource, missing: Missing, seen: Collection[Key]) -> bool:
        """Whether so much may vanish: of this scope, and of all that this run has asked about."""
        name = resource.name
        if seen:
            self._answering.add(name)
        gone, scope = self._asked.get(name, (0, 0))
        self._asked[name] = gone + len(missing.keys), scope + missing.scope
        doubt = self._doubt(cursor, resource, missing) if missing.keys and not self.accept_deletes else None
        if doubt:
            self._doubted.add(name)
            self.report.kept_missing(name, len(missing.keys), missing.scope, is_silent=doubt == SILENT)
        if doubt or name not in self._doubted:  # another scope that is well says nothing of the one in doubt
            found = [Issue("", doubt, "error", "array", len(missing.keys))] if doubt else []
            issues.record(cursor, self.account, "raw", name, {WHOLE_RESOURCE: found}, self.run)
        return not doubt

    def _doubt(self, cursor: Cursor, resource: Resource, missing: Missing) -> str | None:
        name, share = resource.name, resource.missing_share
        if beyond_guard(len(missing.keys), missing.scope, share) or beyond_guard(*self._asked[name], share):
            return MISSING
        if name in self._answering or share == 1:
            return None
        was_said = issues.is_open_for_a_day(cursor, self.account, "raw", name, WHOLE_RESOURCE, SILENT)
        return None if was_said else SILENT
