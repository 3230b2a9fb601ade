"""How fast and how long a source may be asked, and waiting for one's turn. Sends nothing."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hde.errors import Refused

NOTICED = 10.0
"""Seconds; who waits longer wants to know why."""
_PERIODS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}
_log = logging.getLogger(__name__)


class Budget(Protocol):
    """How many requests may go out, counted ahead and shared by everybody who shares the provider's limit."""

    def reserve(self) -> float:
        """0.0: one request is counted, go. Else the seconds to wait before asking again."""

    def wait(self, seconds: float) -> None:
        """The server said wait: everybody who shares this budget must."""


class Unlimited:
    """No limit is declared."""

    def reserve(self) -> float:
        return 0.0

    def wait(self, seconds: float) -> None:
        """Nobody shares it; the session itself waits."""


@dataclass(frozen=True)
class Patience:
    """How long a request is repeated. Seconds."""

    first: float = 1.0
    most: float = 60.0
    tries: int = 6
    waits: int = 20
    all_waits: float = 7200.0

    def backoff(self, failures: int) -> float:
        """Doubles with each failure, with jitter, so that many do not come back at once."""
        return float(min(self.most, self.first * 2 ** (failures - 1)) * random.uniform(0.5, 1.0))


class Turns:
    """One session's turns: each waits until the budget lets one request go. Thread-safe where `pause` is."""

    def __init__(
        self, budget: Budget, patience: Patience, who: str, limits: str, *, pause: Callable[[float], None]
    ) -> None:
        self._budget = budget
        self._patience = patience
        self._who = who
        self._limits = f"the limit of {limits or 'requests'} is used up"
        self._pause = pause
        self._noticed = NOTICED

    def wait(self, waited: float) -> float:
        """Counts one request. `waited`: seconds it has waited before; returned with those of this turn.

        Refused where all of it would be more than the patience allows.
        """
        while seconds := self._budget.reserve():
            if waited + seconds > self._patience.all_waits:
                then = datetime.now(UTC) + timedelta(seconds=seconds)
                raise Refused(
                    f"{self._who}: {self._limits}; what is owed stays owed, run again after {then:%Y-%m-%d %H:%M} UTC",
                    429,
                )
            self.tell(seconds, self._limits)
            self._pause(seconds)
            waited += seconds
        return waited

    def tell(self, seconds: float, why: str) -> None:
        """To the log. Limits by the minute are met all the time: only the first long wait and much longer ones warn."""
        level = logging.INFO
        if seconds > self._noticed:
            self._noticed = 5 * seconds
            level = logging.WARNING
        _log.log(level, "%s: waiting %.0f s: %s", self._who, max(seconds, 1), why)


def next_period(periods: Iterable[timedelta]) -> float | None:
    """Seconds until the shortest of these periods of the clock (UTC) begins anew; None where there is none."""
    shortest = min((period.total_seconds() for period in periods), default=None)
    return None if shortest is None else shortest - datetime.now(UTC).timestamp() % shortest


def in_words(limits: Iterable[tuple[object, timedelta]]) -> str:
    """`100 a minute, 10000 a day`."""
    return ", ".join(f"{requests} {_per(period)}" for requests, period in limits)


def _per(period: timedelta) -> str:
    name = _PERIODS.get(round(period.total_seconds()))
    if name is None:
        return f"in {period}"
    return f"an {name}" if name == "hour" else f"a {name}"
