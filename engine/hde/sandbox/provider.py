"""What every simulated provider declares beside its simulation: how it is served, and how it is shown in a demo."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Sandbox(Protocol):
    """What every running simulation offers; each has more for its own tests."""

    client_id: str
    client_secret: str
    base_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point a connector at it."""

    @property
    def now(self) -> datetime:
        """The simulated date."""

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Lets simulated time pass."""

    def sign_in(self) -> dict[str, object]:
        """Tokens without a browser."""


@dataclass(frozen=True)
class Demo:
    """A running simulation for `hde demo`: the connector to read it with, and the settings that point there."""

    connector: str
    base_url: str
    environment: dict[str, str]


@dataclass(frozen=True)
class Provider:
    """`serve(*, port=0, days, seed=1, faults=None, ...)` and `demo(days, seed)` are contexts of one that runs."""

    serve: Callable[..., AbstractContextManager[Sandbox]]
    demo: Callable[[int, int], AbstractContextManager[Demo]]
    days: int
    """Of history, where nobody says how many."""
    whom: str
    """Who is simulated: a member, a patient."""
    questions: tuple[tuple[str, str], ...]
    """What a demo asks at its end: titles and SQL."""
    query: str
    """What a person may want to ask next."""
    yours: str
    """How to come from the demo to data of one's own: what precedes `hde auth CONNECTOR`."""
    manners: tuple[str, ...] = ()
    """The ways in which it can behave, the usual one first; `serve` takes `manners=` where there are any."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
