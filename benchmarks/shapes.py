"""Records a benchmark's source hands out: all have `id`, `start`, `end`, `updated_at` and `timezone_offset`."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

Record = dict[str, object]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPANS = 8
"""Windows of one step that the records' time is made of."""
SETTLED = timedelta(days=8)
"""How old the youngest record is: what every run reads again holds none."""


def step_days(now: datetime) -> int:
    """A step of some three years whose multiple since 1970 lies just ahead of `now`, so that the windows are even."""
    today = (now - EPOCH).days
    return max(range(900, 1300), key=lambda days: (today % days) / days)


def first_start(now: datetime) -> datetime:
    """The earliest record's start: SPANS windows before the boundary that lies ahead of `now`."""
    step = step_days(now)
    return EPOCH + timedelta(days=((now - EPOCH).days // step + 1 - SPANS) * step)


def starts(count: int, now: datetime) -> list[datetime]:
    """When each of `count` records starts, evenly spread, in whole seconds."""
    first = first_start(now)
    apart = (now - SETTLED - first) / max(count, 1)
    return [(first + number * apart).replace(microsecond=0) for number in range(count)]


def records(shape: str, count: int, now: datetime, seed: int = 7) -> Iterator[bytes]:
    """`count` records as JSON, in order of time."""
    chance = random.Random(seed)
    make = SHAPES[shape]
    for number, start in enumerate(starts(count, now)):
        common: Record = {
            "id": str(uuid.UUID(int=chance.getrandbits(128))),
            "created_at": iso(start + timedelta(hours=9)),
            "updated_at": iso(start + timedelta(hours=10)),
            "start": iso(start),
            "end": iso(start + timedelta(hours=1, minutes=chance.randrange(50))),
            "timezone_offset": "-05:00",
        }
        yield json.dumps({**common, **make(chance, number)}).encode()


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _sleep(chance: random.Random, number: int) -> Record:
    """About 900 bytes, three levels deep, one in a hundred without a score."""

    def milli(low: int, high: int) -> int:
        return chance.randrange(low, high)

    record: Record = {"cycle_id": 93845 + number, "v1_id": None, "user_id": 10129, "nap": False}
    if number % 100 == 99:
        return {**record, "score_state": "PENDING_SCORE"}
    record["score_state"] = "SCORED"
    record["score"] = {
        "stage_summary": {
            "total_in_bed_time_milli": milli(25_000_000, 35_000_000),
            "total_awake_time_milli": milli(500_000, 3_000_000),
            "total_no_data_time_milli": 0,
            "total_light_sleep_time_milli": milli(9_000_000, 18_000_000),
            "total_slow_wave_sleep_time_milli": milli(3_000_000, 8_000_000),
            "total_rem_sleep_time_milli": milli(3_000_000, 9_000_000),
            "sleep_cycle_count": milli(2, 7),
            "disturbance_count": milli(2, 20),
        },
        "sleep_needed": {
            "baseline_milli": milli(26_000_000, 29_000_000),
            "need_from_sleep_debt_milli": milli(0, 900_000),
            "need_from_recent_strain_milli": milli(0, 900_000),
            "need_from_recent_nap_milli": -milli(0, 90_000),
        },
        "respiratory_rate": round(chance.uniform(12, 19), 8),
        "sleep_performance_percentage": float(milli(50, 100)),
        "sleep_consistency_percentage": float(milli(50, 100)),
        "sleep_efficiency_percentage": round(chance.uniform(70, 99), 8),
    }
    return record


def _flat(chance: random.Random, number: int) -> Record:
    """A measurement: about 280 bytes, one level."""
    return {"kind": "heart_rate", "value": chance.randrange(40, 180), "unit": "/min", "device": number % 5}


def _wide(chance: random.Random, number: int) -> Record:
    """About 2,700 bytes: a hundred numbers beside each other."""
    return {f"channel_{at:03}": round(chance.uniform(0, 1000), 4) for at in range(100)}


SHAPES: dict[str, Callable[[random.Random, int], Record]] = {"sleep": _sleep, "flat": _flat, "wide": _wide}
