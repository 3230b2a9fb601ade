"""How fast and how long a source may be asked. Sends nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol


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
