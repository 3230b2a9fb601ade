"""CSV: every row is a record, an object of the header's names and the cells as text. An empty cell is null."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, TextIO

import msgspec

from hde.errors import Unreadable
from hde.issues import Issue
from hde.source.formats.shape import LARGEST_RECORD, MEGABYTES, Path, Record
from hde.spec.connector import Format

csv.field_size_limit(LARGEST_RECORD)  # for the whole process; what Python sets (128 KB) is less than a long note

MOST_COLUMNS = 10_000
_TOO_MANY = "more cells than the header"
_QUOTES = "quotes that CSV does not allow"


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The rows below the header. Rows without a filled cell are none; a last line that is too short was cut off."""
    text = _decoded(stream, format.encoding)
    try:
        yield from _rows(_Lines(text, format.encoding), format)
    finally:
        text.detach()  # the stream is for whoever opened it to close


def _rows(lines: _Lines, format: Format) -> Iterator[Record]:
    for _ in range(format.skip):
        next(lines, None)
    rows = csv.reader(lines, delimiter=format.delimiter, strict=True)
    names = _renamed(list(format.header) or _header(rows, lines), format.names, lines.row)
    while True:
        lines.begin_row()
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            if lines.ended:
                raise Unreadable(f"line {lines.row}: cut off (a quote that is not closed)") from None
            yield Issue("", _QUOTES)
            continue
        if any(cells):
            yield _record(names, cells, lines)


def _record(names: Sequence[str], cells: list[str], lines: _Lines) -> Record:
    if len(cells) < len(names):
        if not lines.last.endswith(("\n", "\r")):
            raise Unreadable(f"line {lines.row}: cut off ({len(cells)} cells of {len(names)})")
        cells += [""] * (len(names) - len(cells))
    elif any(cells[len(names) :]):
        return Issue("", _TOO_MANY, json_type="array", length=len(cells))
    return msgspec.json.encode({name: cell or None for name, cell in zip(names, cells, strict=False)})


def _header(rows: Iterator[list[str]], lines: _Lines) -> list[str]:
    """The names of the columns: those without one by their place, those that come again with a number behind."""
    lines.begin_row()
    try:
        cells = [cell.strip() for cell in next(rows)]
    except StopIteration:
        raise Unreadable("empty, where a header line was expected") from None
    except csv.Error:
        raise Unreadable(f"line {lines.row}: a header with {_QUOTES}") from None
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise Unreadable(f"line {lines.row}: a header of {len(cells)} columns; {MOST_COLUMNS} are the most")
    if not cells:
        raise Unreadable(f"line {lines.row}: blank, where the header was expected (`skip` passes over lines above it)")
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = cell or f"column_{place}"
        count = cells[:place].count(cell)
        names.append(f"{name}_{count}" if cell and count > 1 else name)
    if len(set(names)) < len(names):
        raise Unreadable(f"line {lines.row}: names come twice in the header; name the columns with `header`")
    return names


def _renamed(header: list[str], others: Mapping[str, Sequence[str]], line: int) -> list[str]:
    """The header with the names a connector gives, whatever else its columns are called."""
    known = {_bare(other): name for name, called in others.items() for other in (name, *called)}
    names = [known.get(_bare(one), one) for one in header]
    for name in others:
        if names.count(name) > 1:
            called = " and ".join(one for one, new in zip(header, names, strict=True) if new == name)
            raise Unreadable(f"line {line}: {called} are both {name} (format.names)")
    return names


def _bare(name: str) -> str:
    """A name without its case and what stands between its words."""
    return "".join(char for char in name.casefold() if char.isalnum()) or name


class _Lines(Iterator[str]):
    """The lines of a text, counted, each row of them within bounds."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self._text = text
        self._encoding = encoding
        self._size = 0
        self._number = 0
        self.row = 1
        """The number of the line where the row began."""
        self.last = ""
        self.ended = False

    def begin_row(self) -> None:
        self._size = 0
        self.row = self._number + 1

    def __next__(self) -> str:
        try:
            line = self._text.readline(LARGEST_RECORD)
        except UnicodeDecodeError:
            raise self._not_encoded(self._number + 1) from None
        if not line:
            self.ended = True
            raise StopIteration
        self._number += 1
        self._size += len(line)
        if self._size >= LARGEST_RECORD:
            raise Unreadable(f"line {self.row}: a row longer than {MEGABYTES} MB (a quote that is not closed?)")
        if not line.isascii() and not _is_text(line):
            raise self._not_encoded(self._number)
        self.last = line
        return line

    def _not_encoded(self, number: int) -> Unreadable:
        return Unreadable(
            f"line {number}: bytes that are no {self._encoding}; "
            "say which `encoding` it is (latin-1, windows-1252, utf-16)"
        )


def _decoded(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    # Errors are let through as surrogates: a strict reader would lose the good lines before them in its buffer.
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    return io.TextIOWrapper(stream, encoding=codec, errors="surrogateescape", newline="")


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
