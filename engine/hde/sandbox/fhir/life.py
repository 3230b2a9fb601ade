"""The invented patient and the days on which something happened: visits by calendar quarter, the same for the same
seed and date wherever the history begins. It knows nothing of resources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

QUARTER = 91
"""Days. A quarter has one visit."""

GIVEN, FAMILY = "Robin", "Sand"
BORN = date(1979, 4, 17)
ADDRESS = {"line": ["12 Harbor Street"], "city": "Portsmouth", "state": "NH", "postalCode": "00000", "country": "US"}


@dataclass(frozen=True)
class Visit:
    """`number` counts quarters since year 1; `at` is when it began, `age` in years of the history's reference year."""

    number: int
    at: datetime
    years: float
    """Since 2020, for what drifts."""

    @property
    def key(self) -> str:
        return f"{self.number}"

    def rng(self, seed: int, about: str) -> Random:
        return Random(f"{seed}/{about}/{self.number}")


def visits(seed: int, since: datetime, until: datetime) -> list[Visit]:
    """From one instant to another, oldest first."""
    first, last = since.date().toordinal() // QUARTER, until.date().toordinal() // QUARTER
    found = (_visit(seed, number) for number in range(first, last + 1))
    return [visit for visit in found if since <= visit.at <= until]


def _visit(seed: int, number: int) -> Visit:
    rng = Random(f"{seed}/visit/{number}")
    day = date.fromordinal(number * QUARTER + rng.randrange(8, QUARTER - 8))
    day -= timedelta(days=max(0, day.weekday() - 4))
    at = datetime(day.year, day.month, day.day, 13 + rng.randrange(6), rng.randrange(12) * 5, tzinfo=UTC)
    return Visit(number, at, (day.toordinal() - date(2020, 1, 1).toordinal()) / 365.25)
