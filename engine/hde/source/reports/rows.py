"""What a line becomes by the rows of a template: patterns compiled once, and the fields their groups find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hde.source.reports.lines import Line
from hde.spec.regex import with_parts
from hde.spec.report import LINE, ReportRow, ReportTemplate

Pattern = re.Pattern[str]
Fields = dict[str, str]


@dataclass(frozen=True)
class Row:
    said: ReportRow
    patterns: tuple[tuple[str, Pattern], ...]

    def fields(self, line: Line, cells: Mapping[str, str] | None) -> Fields | None:
        """What it finds in a line; None where it does not fit, or would leave a cell unread."""
        found: Fields = {}
        for name, pattern in self.patterns:
            match = pattern.fullmatch(line.text if name == LINE else (cells or {}).get(name, ""))
            if match is None:
                return None
            found |= {group: text.strip() for group, text in match.groupdict().items() if text and text.strip()}
        if LINE not in self.said.match and (cells is None or not set(cells) <= set(self.said.match)):
            return None
        return found


@dataclass(frozen=True)
class Compiled:
    """A template whose patterns are compiled."""

    said: ReportTemplate
    all: tuple[Pattern, ...]
    any: tuple[Pattern, ...]
    header: Mapping[str, Pattern]
    skip: tuple[Pattern, ...]
    start: Pattern | None
    end: Pattern | None
    rows: tuple[Row, ...]

    def detects(self, text: str) -> bool:
        """Whether a page with this text is one of its own."""
        return all(one.search(text) for one in self.all) and (not self.any or any(one.search(text) for one in self.any))

    def skips(self, line: Line) -> bool:
        return any(one.fullmatch(line.text) for one in self.skip)

    def found_in(self, line: Line) -> Iterator[tuple[str, str]]:
        """The fields of the header that stand in a line."""
        for name, pattern in self.header.items():
            if match := pattern.search(line.text):
                yield name, (match[1] if pattern.groups else match[0]) or ""

    def result_in(self, line: Line, cells: Mapping[str, str] | None) -> Fields | None:
        """What the first kind of result that fits finds in a line."""
        found = (row.fields(line, cells) for row in self.rows if row.said.kind == "result")
        return next((fields for fields in found if fields is not None), None)


def compiled(template: ReportTemplate, parts: Mapping[str, str]) -> Compiled:
    """With the parts of patterns put in. WrongUse for what validation would have refused."""

    def pattern(text: str) -> Pattern:
        return re.compile(with_parts(text, parts))

    table = template.table
    return Compiled(
        said=template,
        all=tuple(map(pattern, template.detect.all)),
        any=tuple(map(pattern, template.detect.any)),
        header={name: pattern(text) for name, text in template.header.items()},
        skip=tuple(map(pattern, template.skip)),
        start=pattern(table.start) if table.start else None,
        end=pattern(table.end) if table.end else None,
        rows=tuple(Row(row, tuple((name, pattern(text)) for name, text in row.match.items())) for row in table.rows),
    )
