"""Words and where they stand on a page, put together to lines, and lines cut into cells by the labels of a header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SAME_LINE = 3.0
"""Points that the middles of two words of one line may be apart: print of 8 points has its lines 9 or more apart."""


class Word(NamedTuple):
    """Points from the left and upper edge of the page."""

    text: str
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Line:
    page: int
    number: int
    """Of the page, the first being 1."""
    words: tuple[Word, ...]
    text: str
    """The words, with a blank between them."""

    @property
    def has_digits(self) -> bool:
        return any(char.isdigit() for char in self.text)


Edges = Sequence[tuple[str, float]]
"""Columns and where each begins, from left to right."""


def lines_of(page: int, words: Iterable[Word]) -> list[Line]:
    """The lines of a page from top to bottom, the words of each from left to right."""
    rows: list[list[Word]] = []
    middle = 0.0
    for word in sorted(words, key=lambda word: (word.top + word.bottom, word.left)):
        at = (word.top + word.bottom) / 2
        if not rows or at - middle > SAME_LINE:
            rows.append([])
            middle = at
        rows[-1].append(word)
    ordered = [tuple(sorted(row, key=lambda word: word.left)) for row in rows]
    return [Line(page, number, row, " ".join(word.text for word in row)) for number, row in enumerate(ordered, 1)]


def edges_in(line: Line, labels: Mapping[str, str]) -> Edges | None:
    """Where the columns begin, if this line is the header row: it holds every label, in their order, in any case."""
    texts = [word.text.casefold() for word in line.words]
    found: list[tuple[str, float]] = []
    at = 0
    for name, label in labels.items():
        wanted = label.casefold().split()
        begins = range(at, len(texts) - len(wanted) + 1)
        start = next((one for one in begins if texts[one : one + len(wanted)] == wanted), None)
        if start is None:
            return None
        found.append((name, line.words[start].left))
        at = start + len(wanted)
    return found


def cells_of(line: Line, edges: Edges) -> dict[str, str]:
    """The texts of the columns: a word is of the last one that begins before its middle. Empty ones are left out."""
    cells: dict[str, list[str]] = {}
    for word in line.words:
        middle = (word.left + word.right) / 2
        name = next((name for name, left in reversed(edges) if left <= middle), edges[0][0])
        cells.setdefault(name, []).append(word.text)
    return {name: " ".join(texts) for name, texts in cells.items()}
