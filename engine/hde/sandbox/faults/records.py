"""Faults of the source itself: some of its records are bad, the same ones whenever they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from hde.sandbox.exchange import Reply
from hde.sandbox.faults.bounds import number
from hde.sandbox.faults.case import Case, Record, listed_records, page_of, with_page

Path = tuple[str, ...]
VAST = 10 * 2**63
LAST_INSTANT = "9999-12-31T23:59:59.999Z"


@dataclass(frozen=True)
class _Bad:
    """A share of the records, chosen by what is in them, is spoiled in one field."""

    name: ClassVar[str]
    share: float = number(0.1, 0, 1)
    field: str = ""
    """Dotted; else one that suits, another in each record."""

    def answer(self, case: Case) -> Reply:
        reply = case.pass_on()
        page = page_of(reply)
        if page is None:
            return reply
        listed = listed_records(page)
        for record in listed[1] if listed else [page]:
            chance = Random(f"{case.seed}/{self.name}/{json.dumps(record, sort_keys=True)}")
            whole = deepcopy(record)
            if chance.random() < self.share and self._spoil(record, chance):
                case.memory.spoiled.append(whole)
        return with_page(reply, page)

    def _spoil(self, record: Record, chance: Random) -> bool:
        """Whether there was something to spoil."""
        fields = dict(_fields(record))
        named = tuple(self.field.split("."))
        suiting = [path for path, value in fields.items() if self.suits(value) and (not self.field or path == named)]
        if not suiting:
            return False
        path = chance.choice(suiting)
        within = _holder(record, path)
        self.change(within, path[-1])
        return True

    def suits(self, value: object) -> bool:
        return True

    def change(self, within: Record, key: str) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class MissingKeys(_Bad):
    """Records lack a key."""

    name: ClassVar = "missing_keys"

    def change(self, within: Record, key: str) -> None:
        del within[key]


@dataclass(frozen=True)
class WrongTypes(_Bad):
    """Records have an object where a number, a text or a truth value is expected."""

    name: ClassVar = "wrong_types"

    def suits(self, value: object) -> bool:
        return value is not None

    def change(self, within: Record, key: str) -> None:
        within[key] = {"unexpected": True}


@dataclass(frozen=True)
class Nul(_Bad):
    """Records have a NUL character in a text."""

    name: ClassVar = "nul"

    def suits(self, value: object) -> bool:
        return isinstance(value, str)

    def change(self, within: Record, key: str) -> None:
        within[key] += "\0"


@dataclass(frozen=True)
class LongText(_Bad):
    """Records have a text of five million characters."""

    name: ClassVar = "long_text"
    characters: int = number(5_000_000, 1, 20_000_000)

    def suits(self, value: object) -> bool:
        return isinstance(value, str)

    def change(self, within: Record, key: str) -> None:
        within[key] = "x" * self.characters


@dataclass(frozen=True)
class VastNumbers(_Bad):
    """Records have a whole number beyond 64 bits."""

    name: ClassVar = "vast_numbers"

    def suits(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    def change(self, within: Record, key: str) -> None:
        within[key] = VAST


@dataclass(frozen=True)
class FarYears(_Bad):
    """Records have the last instant of the year 9999 where a time is expected."""

    name: ClassVar = "far_years"

    def suits(self, value: object) -> bool:
        return isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T"

    def change(self, within: Record, key: str) -> None:
        within[key] = LAST_INSTANT


@dataclass(frozen=True)
class Nulls(_Bad):
    """Records have null everywhere, or in the field that is named."""

    name: ClassVar = "nulls"

    def _spoil(self, record: Record, chance: Random) -> bool:
        if self.field:
            return super()._spoil(record, chance)
        for path, _ in list(_fields(record)):
            self.change(_holder(record, path), path[-1])
        return True

    def change(self, within: Record, key: str) -> None:
        within[key] = None


def _fields(record: Record, above: Path = ()) -> Iterator[tuple[Path, object]]:
    """Everything that is no object, with its path."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _fields(value, (*above, key))
        else:
            yield (*above, key), value


def _holder(record: Record, path: Path) -> Record:
    for key in path[:-1]:
        record = record[key]
    return record


RECORDS: tuple[Any, ...] = (MissingKeys, WrongTypes, Nul, LongText, VastNumbers, FarYears, Nulls)
