"""Simulated providers for the demo and for tests, by name. Each is written from its provider's API documents, never
from our connector for it, so that the two can disagree."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hde.sandbox import whoop

WITHOUT_WAITING = 100_000
"""Requests a minute and a day, so that a demo need not wait as real life would."""


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


def providers() -> dict[str, Callable[..., AbstractContextManager[Sandbox]]]:
    """By name, a function `(*, port=0, days=730, seed=1, ...)` whose context is a running simulation."""
    return {"whoop": whoop.serve}


@dataclass(frozen=True)
class Demo:
    """A running simulation for `hde demo`: the connector to read it with, and the settings that point there."""

    connector: str
    base_url: str
    environment: dict[str, str]


@contextmanager
def demo(days: int, seed: int) -> Iterator[Demo]:
    """A simulated member who consents at once, at a provider whose limits are out of the way."""
    with whoop.serve(
        days=days, seed=seed, requests_per_minute=WITHOUT_WAITING, requests_per_day=WITHOUT_WAITING, auto_consent=True
    ) as running:
        settings = {
            "WHOOP_REDIRECT_URI": f"http://localhost:{_free_port()}/callback",
            "WHOOP_REQUESTS_PER_MINUTE": str(WITHOUT_WAITING),
        }
        yield Demo("whoop", running.base_url, {**running.environment, **settings})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
