"""How a record became its rows, column by column: the mapping itself, watched while it maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from hde.mapping.codings import CODINGS
from hde.mapping.compiled import compile_mapping
from hde.mapping.items import EachPlan
from hde.mapping.plan import Mapped, TargetPlan
from hde.mapping.row_code import CanonicalRow
from hde.mapping.rows import RowPlan
from hde.mapping.watch import ColumnRead, Watch, watching
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.mapping import RowSet


@dataclass(frozen=True)
class RowTrace:
    """One row, made or not. `columns` are those a reading fills; constants and the engine's own are not among them."""

    table: str
    row: CanonicalRow | None
    columns: Mapping[str, ColumnRead]
    rows: RowSet
    """What the mapping says of such a row."""


@dataclass
class Trace:
    """Everything one record gave, and how."""

    mapped: Mapped
    rows: list[RowTrace] = field(default_factory=list)
    reads: list[ColumnRead] = field(default_factory=list)
    """Every reading of a column, those of rows that were not made included."""
    asked: list[tuple[str, object]] = field(default_factory=list)
    """What the conditions (`when`) read."""

    def of(self, table: str, part: str) -> RowTrace | None:
        """The row that was made under this part. Inside `each` its part was completed after it was made."""
        finished = (row for row in self.mapped.rows if row.table != CODINGS)
        made = zip((one for one in self.rows if one.row), finished, strict=False)
        return next((replace(one, row=row) for one, row in made if (row.table, row.part) == (table, part)), None)

    def seen(self, path: str) -> list[object]:
        """The source's values at a path, as often as it was read."""
        pairs = [pair for read in self.reads for pair in read.paths]
        return [value for text, value in (*pairs, *self.asked) if text == path]


def trace(
    mapping: OneMapping,
    record: Mapping[str, Any],
    *,
    row: Mapping[str, object],
    references: Mapping[str, Mapping[str, Any] | None],
    account: Mapping[str, Any],
) -> Trace:
    """Map the record once, watched."""
    with watching() as watch:
        compiled = compile_mapping(mapping)
    found = Trace(Mapped([], [], False))
    targets = []
    for plan, said in zip(compiled.targets, mapping.to.values(), strict=True):
        rows = iter(said.rows)
        targets.append(TargetPlan(plan.when, [_watched(one, rows, watch, found.rows) for one in plan.rows]))
    watch.empty()
    found.mapped = replace(compiled, targets=tuple(targets)).map(
        record, row=row, references=references, account=account
    )
    found.reads, found.asked = watch.columns, watch.loose
    return found


def _watched(
    plan: RowPlan | EachPlan, said: Iterator[RowSet], watch: Watch, found: list[RowTrace]
) -> RowPlan | EachPlan:
    """The plan with every row's in it watched; `said` are the row sets in the order of those."""
    if isinstance(plan, EachPlan):
        return replace(plan, plans=[_watched(one, said, watch, found) for one in plan.plans])
    return _Watched(plan, next(said), watch, found)


class _Watched(RowPlan):
    """A row's plan that notes what was read for each row it makes."""

    def __init__(self, plan: RowPlan, said: RowSet, watch: Watch, found: list[RowTrace]) -> None:
        super().__init__(**{one.name: getattr(plan, one.name) for one in fields(plan)})
        for name, value in (("said", said), ("watch", watch), ("found", found)):
            object.__setattr__(self, name, value)

    said: ClassVar[RowSet]
    watch: ClassVar[Watch]
    found: ClassVar[list[RowTrace]]

    def make(self, *arguments: Any) -> CanonicalRow | None:
        """As the plan itself; a Finding is raised all the same, and the row noted without its values."""
        began = len(self.watch.columns)
        made: CanonicalRow | None = None
        try:
            made = super().make(*arguments)
            return made
        finally:
            self.found.append(RowTrace(self.table, made, self._columns(began), self.said))

    def _columns(self, began: int) -> dict[str, ColumnRead]:
        """What this row read; for columns it shares with another row, what was read there."""
        own = {read.name: read for read in self.watch.columns[began:]}
        found: dict[str, ColumnRead] = {}
        for name, reading in self.said.columns.items():
            earlier = (read for read in reversed(self.watch.columns[:began]) if read.reading == reading)
            read = own.get(name) or next(earlier, None)
            if read is not None:
                found[name] = read
        return found
