"""The two times of a sandbox and its rate limits. The date of the simulated world stands still until it is advanced;
seconds, which tokens and limits count, run as they do outside and jump along with every advance."""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import UTC, datetime, timedelta


def epoch_milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


class Clock:
    def __init__(self, now: datetime) -> None:
        """`now` must carry a time zone."""
        self.now = epoch_milliseconds(now)
        self._ahead = 0.0

    def advance(self, step: timedelta) -> None:
        """Raises ValueError for a step backwards."""
        if step < timedelta(0):
            raise ValueError("the sandbox's clock only goes forward")
        self.now += step // timedelta(milliseconds=1)
        self._ahead += step.total_seconds()

    def date(self) -> datetime:
        """The simulated world's date, in UTC."""
        return datetime.fromtimestamp(self.now / 1000, UTC)

    def seconds(self) -> float:
        """Monotonic seconds from an arbitrary start."""
        return time.monotonic() + self._ahead


class RateLimit:
    """Sliding windows over all requests of the one client; rejected requests do not count."""

    def __init__(self, clock: Clock, per_minute: int, per_day: int) -> None:
        self._clock = clock
        self._windows = ((per_minute, 60, deque[float]()), (per_day, 86_400, deque[float]()))

    def spend(self) -> tuple[bool, dict[str, str]]:
        """Whether one more request is allowed now, and the X-RateLimit headers of its answer."""
        now = self._clock.seconds()
        for _, seconds, spent in self._windows:
            while spent and spent[0] <= now - seconds:
                spent.popleft()
        allowed = all(len(spent) < limit for limit, _, spent in self._windows)
        if allowed:
            for _, _, spent in self._windows:
                spent.append(now)
        limit, seconds, spent = min(self._windows, key=lambda window: window[0] - len(window[2]))
        reset = math.ceil(spent[0] + seconds - now) if spent else seconds
        quotas = ", ".join(f"{most};window={length}" for most, length, _ in self._windows)
        return allowed, {
            "X-RateLimit-Limit": f"{limit}, {quotas}",
            "X-RateLimit-Remaining": str(limit - len(spent)),
            "X-RateLimit-Reset": str(max(1, reset)),
        }
