"""What a fault works on: the request, the way on to the simulation, and what was served before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hde.sandbox.exchange import Reply, Request

Record = dict[str, Any]


@dataclass
class Memory:
    """What faults remember from one request to the next."""

    last: dict[str, bytes] = field(default_factory=dict)
    """By path the body the simulation made last."""
    owed: dict[tuple[str, str], Record] = field(default_factory=dict)
    """By path and cursor the true record for one that was sent altered."""
    spoiled: list[Record] = field(default_factory=list)
    """As they were before, in order of their sending; one for each time."""

    def with_what_is_owed(self, request: Request, reply: Reply) -> Reply:
        """The page that follows an altered record brings the true one: the source has changed in between."""
        found = [
            record
            for (path, cursor), record in list(self.owed.items())
            if path == request.path and cursor in request.query.values()
        ]
        listed = listed_records(page_of(reply))
        if not found or listed is None:
            return reply
        page, records = listed
        records += found
        return with_page(reply, page)


@dataclass(frozen=True)
class Case:
    request: Request
    pass_on: Callable[[], Reply]
    """Asks what is behind: the next fault, or the simulation."""
    end_access: Callable[[], None]
    """Ends the tokens that are out."""
    memory: Memory
    seed: int


class Fault(Protocol):
    """The first line of its docstring is what `hde sandbox --help` says."""

    name: ClassVar[str]

    def answer(self, case: Case) -> Reply: ...


def page_of(reply: Reply) -> Record | None:
    """A reply's JSON object; None where it is none, or does not arrive whole."""
    if reply.status != 200 or reply.delivery.sent is not None:
        return None
    try:
        page = json.loads(reply.body)
    except ValueError:
        return None
    return page if isinstance(page, dict) else None


def listed_records(page: Record | None) -> tuple[Record, list[Record]] | None:
    """A page and its list of records; None where it has none.

    Where several lists hold objects it is the last: links and the like come first.
    """
    for value in reversed((page or {}).values()):
        if isinstance(value, list) and all(isinstance(record, dict) for record in value):
            return page or {}, value
    return None


def with_page(reply: Reply, page: Record) -> Reply:
    return reply._replace(body=json.dumps(page).encode())
