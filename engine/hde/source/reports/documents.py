"""The pages of a file become reports: each page goes to the template that detects it, each line to a row or an issue.

Nothing is passed over in silence: a line is a row or part of one, or declared to be skipped, or letterhead (`outside`),
or it stands in `unmatched`; a page that no template detects stands in `unrecognised`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hde.errors import Unreadable
from hde.source.reports.lines import Edges, Line, cells_of, edges_in
from hde.source.reports.numbers import plain_numbers
from hde.source.reports.rows import Compiled, Fields, Row, compiled
from hde.spec.report import LINE, ReportTemplate

Document = dict[str, Any]
Place = dict[str, Any]
"""`page`, `line` (of a whole page none) and `text`."""


def documents(
    pages: Iterable[tuple[int, list[Line]]], templates: Sequence[ReportTemplate], parts: Mapping[str, str]
) -> Iterator[Document]:
    """The reports of a file. Unreadable where there is none, or one of them is not what its template is for."""
    known = [compiled(one, parts) for one in templates]
    report: _Report | None = None
    strange: list[Place] = []
    count = 0
    for number, lines in pages:
        count += 1
        text = "\n".join(line.text for line in lines)
        if not text:
            continue
        template = next((one for one in known if one.detects(text)), None)
        if template is None:
            (report.unrecognised if report else strange).append({"page": number, "text": text})
            continue
        if report is None or report.is_another(template, lines):
            if report:
                yield report.document()
            report, strange = _Report(template, number, unrecognised=strange), []
        report.read(lines)
    if report is None:
        names = ", ".join(one.name for one in templates)
        which = "its page is not" if count == 1 else f"none of its {count} pages is"
        raise Unreadable(
            f'{which} recognised by a template ({names}): docs/files.md says how to describe it ("Reports in PDF")'
        )
    yield report.document()


@dataclass
class _Result:
    fields: Fields
    lines: list[Line]


@dataclass
class _Report:
    """A report that is being read."""

    template: Compiled
    first_page: int
    header: Fields = field(default_factory=dict)
    results: list[_Result] = field(default_factory=list)
    unmatched: list[Line] = field(default_factory=list)
    outside: list[Line] = field(default_factory=list)
    unrecognised: list[Place] = field(default_factory=list)
    _pages: int = 0
    _edges: Edges | None = None
    _is_open: bool = False
    _group: Fields = field(default_factory=dict)
    _last: _Result | None = None
    _letterhead: set[str] = field(default_factory=set)
    """Lines that stood outside of the table."""
    _text: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        table = self.template.said.table
        self._is_open = not table.columns and table.start is None

    def is_another(self, template: Compiled, lines: list[Line]) -> bool:
        """Whether a page is of another report than this one."""
        if template is not self.template:
            return True
        found: Fields = {}
        for line in lines:
            for name, text in template.found_in(line):
                found.setdefault(name, text)
        return any(self.header.get(name, text) != text for name, text in found.items() if name in template.said.id)

    def read(self, lines: list[Line]) -> None:
        """One of its pages."""
        self._pages += 1
        begins = next((at for at, line in enumerate(lines) if self._begins(line) and self._is_heading(line)), 0)
        goes_on = False  # results of the page before, above the header row of other ones
        for at, line in enumerate(lines):
            self._text.update(line.text.encode() + b"\n")
            for name, text in self.template.found_in(line):
                self.header.setdefault(name, text)
            if self._begins(line):
                self._begin(line)
            elif at + 1 < len(lines) and self._begins(lines[at + 1]) and self._heads(line):
                pass
            elif not self._is_open or (at < begins and not goes_on):
                goes_on = self._is_open and self._is_result(line)
                (self._within if goes_on else self._beside)(line)
            elif self.template.end and self.template.end.fullmatch(line.text):
                self._is_open, self._last = False, None
                self.outside.append(line)
            else:
                self._within(line)

    def _begins(self, line: Line) -> bool:
        columns = self.template.said.table.columns
        if columns:
            return edges_in(line, columns) is not None
        return self.template.start is not None and self.template.start.fullmatch(line.text) is not None

    def _is_heading(self, line: Line) -> bool:
        """Whether what stands above a line with which results begin is letterhead: not of a row, once they have."""
        return not self._is_open or bool(self.template.said.table.columns) or not self._is_row(line)

    def _is_row(self, line: Line) -> bool:
        return any(row.fields(line, None) is not None for row in self.template.rows)

    def _is_result(self, line: Line) -> bool:
        found = self.template.result_in(line, self._cells(line))
        return found is not None and all(name in found for name in self.template.said.table.require)

    def _begin(self, line: Line) -> None:
        """The header row, or a line with which results begin: that one may be a row by itself."""
        self._is_open = True
        columns = self.template.said.table.columns
        if columns:
            self._edges = edges_in(line, columns)
        elif self._is_row(line):
            self._within(line)

    def _heads(self, line: Line) -> bool:
        """Whether a line directly above the header row is a group of those that may stand there."""
        rows = [row for row in self.template.rows if row.said.above]
        return any(self._takes(row, row.fields(line, {LINE: line.text}), line) for row in rows)

    def _beside(self, line: Line) -> None:
        """A line outside of the table, in which no row may find what a result needs."""
        if self.template.skips(line):
            return
        cells, required = self._cells(line), set(self.template.said.table.require)
        missed = any(
            required & set(fields) if required else row.said.kind == "result"
            for row in self.template.rows
            if row.said.kind != "group" and (fields := row.fields(line, cells)) is not None
        )
        (self.unmatched if missed else self.outside).append(line)
        if not missed:
            self._letterhead.add(line.text)

    def _within(self, line: Line) -> None:
        """A line of the table."""
        if self.template.skips(line):
            return
        cells = self._cells(line)
        result = self.template.result_in(line, cells)
        if result is not None:
            self._last = _Result({**self._group, **result}, [line])
            self.results.append(self._last)
        elif not any(self.template.found_in(line)):
            others = [row for row in self.template.rows if row.said.kind != "result"]
            if any(self._takes(row, row.fields(line, cells), line) for row in others):
                return
            if line.text in self._letterhead:  # it comes again on each page, above results that go on there
                self.outside.append(line)
            else:
                self.unmatched.append(line)
                if self._last is None and line.has_digits:
                    self._group = {}  # what stands above something unknown may be its name, and not that of a panel

    def _takes(self, row: Row, fields: Fields | None, line: Line) -> bool:
        """Whether a row other than a result takes a line, as it then has."""
        if fields is None:
            return False
        if row.said.kind == "group":
            self._group, self._last = fields, None
            return True
        if self._last is None:
            return False
        for name, text in fields.items():
            so_far = self._last.fields.get(name)
            self._last.fields[name] = text if so_far is None else so_far + row.said.join + text
        self._last.lines.append(line)
        return True

    def _cells(self, line: Line) -> dict[str, str] | None:
        return cells_of(line, self._edges) if self._edges else None

    def document(self) -> Document:
        """The record. Unreadable where too much of it was not understood, or nothing of it was."""
        said = self.template.said
        rows = list(self._rows())
        self.unmatched.sort(key=lambda line: (line.page, line.number))
        where = f"page {self.first_page}: recognised as {said.name}, "
        if not rows:
            header = "" if not said.table.columns or self._edges else ": it has no row with the labels of the columns"
            raise Unreadable(f"{where}but no line of it is a result{header}")
        numbers = [line for line in self.unmatched if line.has_digits]
        if said.unmatched.most is not None and len(numbers) > said.unmatched.most:
            first = f"page {numbers[0].page}, line {numbers[0].number}"
            raise Unreadable(
                f"{where}but {len(numbers)} lines with numbers fit none of its rows, the first on {first};"
                f" {said.unmatched.most} may be (unmatched.most)"
            )
        known = [self.header[name] for name in said.id if name in self.header]
        return {
            "id": " / ".join(known) if known and len(known) == len(said.id) else self._text.hexdigest()[:32],
            "template": said.name,
            "pages": self._pages,
            "report": self.header,
            "rows": rows,
            "unmatched": [_place(line) for line in self.unmatched],
            "outside": [_place(line) for line in self.outside],
            "unrecognised": self.unrecognised,
        }

    def _rows(self) -> Iterator[Document]:
        """The results that have what one needs, each with a key of its own; the lines of others are not understood."""
        table = self.template.said.table
        seen: dict[str, int] = {}
        plain = plain_numbers(table.numbers)
        for result in self.results:
            if any(name not in result.fields for name in table.require):
                self.unmatched += result.lines
                continue
            key = " / ".join(result.fields[name] for name in table.key if name in result.fields)
            seen[key] = seen.get(key, 0) + 1
            line = result.lines[0]
            numbered = key if seen[key] == 1 else f"{key} ({seen[key]})"
            text = "\n".join(one.text for one in result.lines)
            yield {"page": line.page, "line": line.number, "text": text, "key": numbered, **plain(result.fields)}


def _place(line: Line) -> Place:
    return {"page": line.page, "line": line.number, "text": line.text}
