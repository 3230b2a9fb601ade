"""What a connector says of a printed report (`format: {kind: pdf}`): templates, and how their lines become rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

LINE: Final = "line"
"""In `match`: the whole line, beside the names of columns."""
GIVEN: Final = ("page", "line", "key", "text")
"""What every row of a report has; fields have other names."""


@dataclass(frozen=True)
class Detect:
    """Patterns looked for in the text of a page: `all` of them, and one of `any` where there are some."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportRow:
    """What one kind of line becomes. The first whose patterns all fit whole takes the line."""

    kind: Literal["result", "append", "group"]
    match: Mapping[str, str]
    """Column, or LINE: a pattern. Its named groups are the fields."""
    join: str = " "
    """Of `append`: what stands between a field so far and what is added to it."""
    above: bool = False
    """Of `group`: it may stand directly above the header row (or above `start`) as well."""


@dataclass(frozen=True)
class Numbers:
    """How numbers are printed in some fields. They stand in these as JSON writes them."""

    in_: tuple[str, ...]
    thousands: str | None = None
    decimal: str = "."


@dataclass(frozen=True)
class ReportTable:
    rows: tuple[ReportRow, ...]
    key: tuple[str, ...]
    """The fields that tell the rows of a report apart."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Name -> its label in the header row, from left to right; without any, lines are read whole."""
    start: str | None = None
    end: str | None = None
    require: tuple[str, ...] = ()
    """Fields without which a result is none."""
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Unmatched:
    most: int | None = None
    """More lines with digits in them, that no row understands, and the report is refused."""


@dataclass(frozen=True)
class ReportTemplate:
    name: str
    detect: Detect
    table: ReportTable
    header: Mapping[str, str] = field(default_factory=dict)
    """Field of the report -> a pattern looked for in every line; its first group, else all of it."""
    id: tuple[str, ...] = ()
    """Fields of the header that tell reports apart; none: what the report says does."""
    skip: tuple[str, ...] = ()
    """Patterns of whole lines that say nothing about the results."""
    unmatched: Unmatched = Unmatched()

    def patterns(self) -> Iterator[str]:
        """All of its regular expressions."""
        yield from (*self.detect.all, *self.detect.any, *self.header.values(), *self.skip)
        yield from (text for text in (self.table.start, self.table.end) if text is not None)
        for row in self.table.rows:
            yield from row.match.values()
