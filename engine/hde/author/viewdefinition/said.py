"""A view in the grammar of mappings: its rows as `each`, `rows` and `when`, its columns as JMESPath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hde.author.viewdefinition.translate import Unsayable

DEEPEST = 10
"""Lists within lists that a mapping takes apart."""

Reading = str | dict[str, Any]
Items = str | dict[str, Any]
"""What one `each` says."""


@dataclass(frozen=True)
class RowsSaid:
    """One row set. `each` from the outside in; `when` starts at the innermost item."""

    each: tuple[Items, ...]
    columns: Mapping[str, Reading]
    when: str | None = None

    @property
    def around(self) -> dict[str, Any]:
        """What stands beside the columns."""
        if len(self.each) > DEEPEST:
            raise Unsayable(f"its rows come from lists {len(self.each)} deep; a mapping reaches {DEEPEST}")
        said: dict[str, Any] = {} if self.when is None else {"when": self.when}
        if self.each:
            said["each"] = self.each[0] if len(self.each) == 1 else list(self.each)
        return said


@dataclass(frozen=True)
class Said:
    """`shared` columns start at the record and are the same in all rows."""

    shared: Mapping[str, Reading]
    rows: Sequence[RowsSaid]
    when: str | None = None
    notes: Sequence[str] = field(default_factory=list)

    def mapping(self, resource: str, table: str) -> dict[str, Any]:
        """What a mapping file says. Raises Unsayable where the grammar has no such rows."""
        said: dict[str, Any] = {"from": resource}
        if self.when is not None:
            said["when"] = self.when
        target = self.target()
        if self.shared:
            if "rows" not in target and "each" not in target:
                target["columns"] = {**self.shared, **target["columns"]}
            else:
                said["columns"] = dict(self.shared)
        return {**said, "to": {table: target}}

    def target(self) -> dict[str, Any]:
        if len(self.rows) == 1:
            (only,) = self.rows
            return {**only.around, "columns": dict(only.columns)}
        return {"rows": {f"row_{number}": {**one.around, **one.columns} for number, one in enumerate(self.rows, 1)}}
