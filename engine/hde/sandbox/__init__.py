"""Simulated providers for the demo and for tests, by name. Each is written from its provider's API documents, never
from our connector for it, so that the two can disagree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from hde.sandbox import whoop


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
