"""The life of the simulated member: nights, naps and workouts as bare facts, one `Day` per main sleep, the same for the
same seed. It knows nothing of scores, of records or of what the member's strap has sent so far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from hde.sandbox.whoop.places import HOUR, MINUTE, local_midnight, offset_minutes, offset_text

USER_ID = 20_261_118
RESTING_HEART_RATE = 53.0
MAX_HEART_RATE = 188
PROFILE = {"user_id": USER_ID, "email": "robin.sand@example.com", "first_name": "Robin", "last_name": "Sand"}
BODY = {"height_meter": 1.7526, "weight_kilogram": 71.2141, "max_heart_rate": MAX_HEART_RATE}

PROCESSING = 12 * MINUTE
"""From the end of a sleep or workout to its score."""

# Above 32 bits, so that a client that keeps 64-bit ids in a smaller type fails here and not on a real account.
_FIRST_CYCLE_ID = 4_500_000_000
_ILL = range(96, 101)


@dataclass(frozen=True)
class Sport:
    """`effort` is the usual share of the heart-rate reserve, `pace` metres a minute where distance is measured."""

    slug: str
    sport_id: int
    minutes: int
    effort: float
    pace: float = 0.0
    climb: float = 0.0


RUNNING = Sport("running", 0, 46, 0.72, pace=176.0, climb=0.9)
CYCLING = Sport("cycling", 1, 82, 0.62, pace=410.0, climb=3.5)
HIKING = Sport("hiking-rucking", 52, 170, 0.47, pace=70.0, climb=2.4)
MAIN_SPORTS = (
    (Sport("weightlifting_msk", 123, 55, 0.45), RUNNING),
    (RUNNING, Sport("functional-fitness", 48, 50, 0.64)),
    (CYCLING, Sport("swimming", 33, 40, 0.60)),
    (Sport("weightlifting_msk", 123, 55, 0.45), Sport("hiit", 96, 28, 0.74)),
    (Sport("weightlifting", 45, 50, 0.44), Sport("tennis", 34, 75, 0.61)),
    (HIKING, RUNNING, CYCLING),
    (Sport("yoga", 44, 45, 0.22), HIKING, Sport("walking", 63, 60, 0.30, pace=88.0)),
)
"""By weekday, Monday first."""
SIDE_SPORTS = (
    Sport("walking", 63, 35, 0.29, pace=86.0),
    Sport("sauna", 233, 22, 0.26),
    Sport("foam_rolling", 282, 15, 0.12),
    Sport("meditation", 70, 12, 0.06),
    Sport("dog-walking", 266, 30, 0.25),
)


@dataclass(frozen=True)
class Rest:
    """A sleep or nap: [start, end) in UTC epoch ms; `efficiency`, `deep` and `rem` are shares of 1."""

    id: str
    start: int
    end: int
    efficiency: float
    deep: float
    rem: float

    @property
    def asleep(self) -> int:
        return int((self.end - self.start) * self.efficiency)


@dataclass(frozen=True)
class Effort:
    """A workout: [start, end) in UTC epoch ms; `effort` a share of the heart-rate reserve, `odd` a draw in [0, 1)."""

    id: str
    sport: Sport
    start: int
    end: int
    effort: float
    odd: float

    @property
    def load(self) -> float:
        return (self.end - self.start) / HOUR * self.effort**2 * 1.6


@dataclass(frozen=True)
class Day:
    """One physiological cycle, from the onset of its main sleep to the onset of the next one.

    `age` counts nights back from the latest one at the sandbox's start and is negative after it; `next_onset` is the
    end of the cycle; `quality` about -2..2 says how restored the member wakes up; `noise` are draws in [0, 1) for the
    scores; `ill` colours them.
    """

    age: int
    cycle_id: int
    date: date
    offset: str
    sleep: Rest
    nap: Rest | None
    workouts: tuple[Effort, ...]
    next_onset: int
    quality: float
    ill: bool
    noise: tuple[float, ...]

    @property
    def load(self) -> float:
        return sum(workout.load for workout in self.workouts)


@dataclass(frozen=True)
class _Night:
    age: int
    date: date
    offset: int
    sleep: Rest


class Life:
    """All days of one member, oldest first, drawn on demand: `days` of them up to `now` and any number after."""

    def __init__(self, seed: int, days: int, now: int) -> None:
        self.seed = seed
        self.length = days
        self.started = now
        self._anchor = _latest_morning(seed, now)
        self._source = self._draw()
        self._days: list[Day] = []

    def until(self, now: int) -> list[Day]:
        """The days whose main sleep is over and uploaded at `now`, oldest first."""
        while not self._days or uploaded(self._days[-1].sleep) <= now:
            self._days.append(next(self._source))
        return [day for day in self._days if uploaded(day.sleep) <= now]

    def _draw(self) -> Iterator[Day]:
        before: Day | None = None
        age = self.length - 1
        night = _night(self.seed, age, self._anchor)
        while True:
            after = _night(self.seed, age - 1, self._anchor)
            before = _day(self.seed, night, after, before)
            yield before
            night, age = after, age - 1


def uploaded(rest: Rest | Effort) -> int:
    """When the record of a sleep or workout first shows up."""
    return rest.end + 4 * MINUTE + rest.end % 97_003


def _latest_morning(seed: int, now: int) -> date:
    # Ages 0 and -1 are drawn alike, so what is too late to be the latest night is not there as the one after either.
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    tomorrow = today + timedelta(days=1)
    return next(
        day for day in (tomorrow, today, today - timedelta(days=1)) if uploaded(_night(seed, 0, day).sleep) <= now
    )


def _night(seed: int, age: int, anchor: date) -> _Night:
    day = anchor - timedelta(days=age)
    rng = Random(f"{seed}/night/{day}")
    offset = offset_minutes(age, day)
    weekend = day.weekday() >= 5
    bedtime = rng.gauss(-20 if weekend else -70, 22)
    in_bed = rng.gauss(8.2 if weekend else 7.8, 0.4)
    if age % 15 == 6:  # to bed after midnight, and early on the following evening: two onsets on one local date
        bedtime, in_bed = 40 + rng.random() * 30, in_bed - 0.5
    elif age % 15 == 5:
        bedtime = -100 - rng.random() * 20
    start = local_midnight(day, offset) + int(bedtime * MINUTE) + rng.randrange(1000)
    end = start + int(min(9.2, max(6.7, in_bed)) * HOUR)
    return _Night(age, day, offset, _rest(rng, start, end, 0.925))


def _rest(rng: Random, start: int, end: int, efficiency: float) -> Rest:
    return Rest(
        id=str(UUID(int=rng.getrandbits(128), version=4)),
        start=start,
        end=end,
        efficiency=min(0.985, max(0.78, rng.gauss(efficiency, 0.025))),
        deep=rng.uniform(0.17, 0.26),
        rem=rng.uniform(0.19, 0.28),
    )


def _day(seed: int, night: _Night, after: _Night, before: Day | None) -> Day:
    rng = Random(f"{seed}/day/{night.date}")
    age, sleep = night.age, night.sleep
    midnight = local_midnight(night.date, night.offset)
    limit = after.sleep.start - 20 * MINUTE
    ill = age in _ILL
    workouts = _fitting(() if ill else _workouts(rng, night, midnight), sleep.end, limit)
    nap = None
    if age % 9 == 2 or rng.random() < 0.04:
        start = midnight + 14 * HOUR + rng.randrange(70 * MINUTE)
        nap = _rest(rng, start, start + rng.randrange(24, 80) * MINUTE, 0.88)
        if nap.end > limit or any(workout.start < nap.end and nap.start < workout.end for workout in workouts):
            nap = None
    spent = before.load if before else 0.6
    hours = (sleep.asleep / HOUR - 7.25) / 0.6
    season = 0.35 * math.sin(2 * math.pi * night.date.toordinal() / 173)
    quality = 0.6 * hours + rng.gauss(0, 0.45) - 0.75 * (spent - 0.6) + season - (1.9 if ill else 0)
    return Day(
        age=age,
        cycle_id=_FIRST_CYCLE_ID + night.date.toordinal() * 1_013,
        date=night.date,
        offset=offset_text(night.offset),
        sleep=sleep,
        nap=nap,
        workouts=workouts,
        next_onset=after.sleep.start,
        quality=max(-2.4, min(2.4, quality)),
        ill=ill,
        noise=tuple(rng.random() for _ in range(8)),
    )


def _workouts(rng: Random, night: _Night, midnight: int) -> Iterator[Effort]:
    main = rng.random() < 0.78 or night.age in (0, 1)
    side = rng.random() < 0.30
    weekend = night.date.weekday() >= 5
    if main:
        sport = rng.choice(MAIN_SPORTS[night.date.weekday()])
        hour = rng.uniform(9.5, 10.5) if weekend else rng.uniform(17.4, 18.6)
        yield _effort(rng, sport, midnight + int(hour * HOUR))
    if side:
        yield _effort(rng, rng.choice(SIDE_SPORTS), midnight + int(rng.uniform(19.8, 20.4) * HOUR))


def _effort(rng: Random, sport: Sport, start: int) -> Effort:
    length = int(sport.minutes * rng.uniform(0.75, 1.3) * MINUTE) + rng.randrange(1000)
    return Effort(
        id=str(UUID(int=rng.getrandbits(128), version=4)),
        sport=sport,
        start=start,
        end=start + length,
        effort=sport.effort * rng.uniform(0.9, 1.1),
        odd=rng.random(),
    )


def _fitting(efforts: Iterator[Effort] | tuple[()], awake: int, limit: int) -> tuple[Effort, ...]:
    kept: list[Effort] = []
    for effort in sorted(efforts, key=lambda effort: effort.start):
        if effort.start > awake + 10 * MINUTE and effort.end < limit:
            kept.append(effort)
            awake = effort.end
    return tuple(kept)
