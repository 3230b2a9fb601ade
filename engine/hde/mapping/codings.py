"""Codes: a source gives several for one thing. The mapping says which counts, and all of them are kept.

A row comes out of its making with `Coded` in its columns of type coding; `with_codings` takes them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping import values
from hde.mapping.at import Make
from hde.mapping.row_code import CanonicalRow
from hde.mapping.values import refuse
from hde.spec.mapping import Reading

CODINGS: Final = "codings"
ANY: Final = "*"
"""In a preference: whatever there is."""
MOST_CODINGS: Final = 500
"""Of one value: a list without end is no list of codes."""


_PLACES: Final = {name: table.places() for name, table in TABLES.items()}


class Coding(NamedTuple):
    system: str | None
    code: str | None
    display: str | None
    user_selected: bool | None


class Coded(NamedTuple):
    """All codes of one thing, which of them counts (None: none does), and the source's own words for it."""

    codings: tuple[Coding, ...]
    chosen: int | None
    text: str | None

    @property
    def coding(self) -> Coding | None:
        return None if self.chosen is None else self.codings[self.chosen]


def coded(reading: Reading, path: str) -> Make:
    """A reader of codings: lists of `{system, code, display}`, what holds them as `coding`, or a code in `system`."""
    prefer, system = reading.prefer, reading.system
    if prefer is None and system is None:
        raise WrongUse("prefer: which of several codes counts is missing (or `system`, for a code without one)")
    order = tuple(_wanted(one) for one in prefer or (ANY,))

    def make(value: Any, documents: object, issues: object) -> Coded:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            if system is None:
                refuse(value, path, "coding")
            found = [Coding(system, values.verbatim(value, path), None, None)]
            return Coded(tuple(found), 0, None)
        found, texts = [], []
        for one in _flat(value):
            if not isinstance(one, dict):
                refuse(one, path, "coding")
            if "coding" in one or ("text" in one and "code" not in one):
                found += [_coding(each, path, system) for each in _flat(one.get("coding") or [])]
                texts.append(_word(one.get("text"), path))
            else:
                found.append(_coding(one, path, system))
        if len(found) > MOST_CODINGS:
            refuse(value, path, "length")
        return Coded(tuple(found), _choice(found, order), next((text for text in texts if text), None))

    return make


def with_codings(rows: Sequence[CanonicalRow]) -> list[CanonicalRow]:
    """The rows with plain values, and behind them a row of `codings` for each code."""
    plain: list[CanonicalRow] = []
    codes: list[CanonicalRow] = []
    for row in rows:
        at, cells = _PLACES[row.table], list(row.values)
        for role in TABLES[row.table].codings:
            one = cells[at[role]]
            if not isinstance(one, Coded):
                continue
            chosen = one.coding
            cells[at[role]] = None if chosen is None else chosen.code
            cells[at[f"{role}_system"]] = None if chosen is None else chosen.system
            cells[at[f"{role}_display"]] = (None if chosen is None else chosen.display) or one.text
            codes += _coding_rows(row, role, one)
        plain.append(row._replace(values=tuple(cells)))
    return plain + codes


def _coding_rows(row: CanonicalRow, role: str, one: Coded) -> Iterator[CanonicalRow]:
    above = f"{row.table}/{row.part}/{role}" if row.part else f"{row.table}/{role}"
    for rank, coding in enumerate(one.codings):
        head = (row.table, row.part, role, rank)
        tail = (coding.system, coding.code, coding.display, coding.user_selected, rank == one.chosen)
        yield CanonicalRow(CODINGS, f"{above}/{rank}", (*head, *tail))


def _wanted(said: str) -> tuple[str, str | None]:
    """`system`, or `system|code`."""
    system, bar, code = said.partition("|")
    return system, code if bar else None


def _choice(codings: Sequence[Coding], order: Sequence[tuple[str, str | None]]) -> int | None:
    """The first wish that any code meets; among its equals the one a person chose, else the first."""
    for system, code in order:
        fits = [
            place
            for place, one in enumerate(codings)
            if one.code is not None and (system == ANY or one.system == system) and code in (None, one.code)
        ]
        if fits:
            return next((place for place in fits if codings[place].user_selected), fits[0])
    return None


def _flat(value: object) -> Iterator[Any]:
    if not isinstance(value, list):
        yield value
        return
    for one in value:
        if isinstance(one, list):
            yield from one
        elif one is not None:
            yield one


def _coding(said: object, path: str, system: str | None) -> Coding:
    if not isinstance(said, dict):
        refuse(said, path, "coding")
    code = said.get("code")
    selected = said.get("userSelected")
    return Coding(
        _word(said.get("system"), path) or system,
        None if code is None else values.verbatim(code, path),
        _word(said.get("display"), path),
        selected if isinstance(selected, bool) else None,
    )


def _word(said: object, path: str) -> str | None:
    return None if said is None else values.text(said, path)
