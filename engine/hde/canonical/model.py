"""The shapes in which the canonical tables are declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal[
    "text", "int", "float", "boolean", "timestamptz", "date", "offset",
    "moment", "day", "coding", "reference", "verbatim",
]  # fmt: skip
"""`offset` is an offset from UTC written `+02:00`; durations are floats with the unit `s`. Those of medical records:

moment     an instant, or less where the source knows less: a day, a month, a year
day        the day of a date or an instant, as it is written
coding     one code out of several for the same thing; the table has NAME_system and NAME_display beside it
reference  another record's id, out of `Type/id`, a URL that ends so, or the id alone
verbatim   text or a number, as the source wrote it
"""

LocalDateRule = Literal["start", "end", "mostly"]
"""Which local day a row belongs to: the one it starts on, the one it ends on, or the one it mostly covers."""


@dataclass(frozen=True)
class Column:
    name: str
    type: ColumnType
    about: str
    unit: str | None = None
    """UCUM unit of a number; a mapping must name the source's unit and the engine converts."""
    required: bool = False
    words: tuple[str, ...] = ()
    """The closed set of values, where there is one."""
    by_engine: bool = False
    """Filled by the engine (a local date, a metric's unit); a mapping cannot name it."""


@dataclass(frozen=True)
class Table:
    name: str
    about: str
    columns: tuple[Column, ...]
    local_date: LocalDateRule | None = None
    """How `local_date` follows from start, end and offset; None where the table has none."""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def places(self) -> dict[str, int]:
        """Where each column stands in a row."""
        return {column.name: place for place, column in enumerate(self.columns)}

    @property
    def codings(self) -> tuple[str, ...]:
        """The columns that hold one code of several: all of them are kept in the table `codings`."""
        return tuple(column.name for column in self.columns if column.type == "coding")
