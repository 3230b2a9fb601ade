"""Faults of paging: records that come twice or change meanwhile, cursors that lead astray."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from hde.sandbox.exchange import Reply
from hde.sandbox.faults.case import Case, Record, listed_records, page_of, with_page


@dataclass(frozen=True)
class Duplicates:
    """Behind a page's own records come those of the page before, and its own once more."""

    name: ClassVar = "duplicates"

    def answer(self, case: Case) -> Reply:
        before = case.memory.last.get(case.request.path, b"{}")
        reply = case.pass_on()
        listed = listed_records(page_of(reply))
        if listed is None:
            return reply
        page, records = listed
        former = listed_records(page_of(Reply(200, before)))
        records += (former[1] if former else []) + records
        return with_page(reply, page)


@dataclass(frozen=True)
class Changing:
    """A record comes with other numbers, and as it is in truth on the page that follows."""

    name: ClassVar = "changing"
    next: str = "next_token"
    """Where an answer says what to ask for next."""

    def answer(self, case: Case) -> Reply:
        reply = case.pass_on()
        page = page_of(reply)
        listed = listed_records(page)
        cursor = (page or {}).get(self.next)
        if listed is None or not listed[1] or not isinstance(cursor, str) or not cursor:
            return reply
        page, records = listed
        case.memory.owed[case.request.path, cursor] = deepcopy(records[0])
        _alter(records[0])
        return with_page(reply, page)


@dataclass(frozen=True)
class CursorLoop:
    """The cursor of the next page is the one this page was asked with. First pages have none and stay as they are."""

    name: ClassVar = "cursor_loop"
    next: str = "next_token"
    param: str = "nextToken"

    def answer(self, case: Case) -> Reply:
        asked = case.request.query.get(self.param, "")
        return _with_next(case.pass_on(), self.next, asked) if asked else case.pass_on()


@dataclass(frozen=True)
class CursorElsewhere:
    """The cursor of the next page leads somewhere else."""

    name: ClassVar = "cursor_elsewhere"
    next: str = "next_token"
    to: str = "https://elsewhere.invalid/next"

    def answer(self, case: Case) -> Reply:
        return _with_next(case.pass_on(), self.next, self.to)


def _with_next(reply: Reply, key: str, cursor: str) -> Reply:
    listed = listed_records(page_of(reply))
    return reply if listed is None else with_page(reply, {**listed[0], key: cursor})


def _alter(record: Record) -> None:
    """Measured numbers, those with a fraction, become others; ids and times stay."""
    for key, value in record.items():
        if isinstance(value, dict):
            _alter(value)
        elif isinstance(value, float):
            record[key] = value + 1.0


PAGES: tuple[Any, ...] = (Duplicates, Changing, CursorLoop, CursorElsewhere)
