"""What a session speaks in: sign-ins that do more than sign, an answer to act on, what a request has been through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import httpx

from hde.spec.connector import Format


@runtime_checkable
class Renewable(Protocol):
    """A sign-in whose credentials can be renewed after the source refused them."""

    def renew(self, refused: httpx.Request) -> bool:
        """True where a new token was asked for, False where somebody else had brought one already."""


@runtime_checkable
class Answered(Protocol):
    """A sign-in that came with an answer of its own: who signed in may stand there."""

    @property
    def answer(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class Answer:
    """An answer to act on. `body` is empty unless `outcome` is `read`."""

    outcome: Literal["read", "empty", "skip", "restart"]
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    """Aware, UTC, by our clock, when the last byte was there."""
    server_time: datetime | None
    """The answer's Date header."""
    requests: int
    """Sent to get this answer, repetitions and redirects included."""
    url: str = field(repr=False)
    by_rule: bool
    """The connector says what it means; else custom does."""
    words: str = ""
    """Of what is skipped: the source's own, where the rule says in which part of the answer they stand."""


@dataclass
class Course:
    """What one request has been through."""

    where: str
    format: Format
    auth: httpx.Auth | None
    unread: bool = False
    """Whether the body of a successful answer is left to the caller."""
    requests: int = 0
    failures: int = 0
    waits: int = 0
    waited: float = 0.0
    redirects: int = 0
    renewals: int = 0
