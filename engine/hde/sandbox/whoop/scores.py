"""The numbers the provider would compute from the member's life: the `score` objects of its API, field for field.
Pure arithmetic; whether a record has a score at the moment is not decided here."""

from __future__ import annotations

import math

from hde.sandbox.whoop.member import MAX_HEART_RATE, RESTING_HEART_RATE, Day, Effort, Rest
from hde.sandbox.whoop.places import DAY, HOUR, MINUTE

Json = dict[str, object]

BASELINE_NEED = 27_432_000
_QUIET_LOAD = 0.34


def sleep_score(day: Day, rest: Rest, before: Day | None, *, settled: bool, revised: bool) -> Json:
    """A SleepScore. `settled`: enough nights lie before this one to know need and consistency."""
    in_bed = rest.end - rest.start
    no_data = in_bed // 80 if day.noise[0] < 0.04 else 0
    asleep = rest.asleep - no_data - (4 * MINUTE if revised else 0)
    deep, rem = int(asleep * rest.deep), int(asleep * rest.rem)
    need = _need(before)
    needed = sum(need.values())
    nap = rest is not day.sleep
    return {
        "stage_summary": {
            "total_in_bed_time_milli": in_bed,
            "total_awake_time_milli": in_bed - asleep - no_data,
            "total_no_data_time_milli": no_data,
            "total_light_sleep_time_milli": asleep - deep - rem,
            "total_slow_wave_sleep_time_milli": deep,
            "total_rem_sleep_time_milli": rem,
            "sleep_cycle_count": round(asleep / (95 * MINUTE)),
            "disturbance_count": round(in_bed / HOUR * (0.7 + day.noise[1])) + (1 if revised else 0),
        },
        "sleep_needed": need,
        "respiratory_rate": None
        if day.age % 41 == 17
        else _single(14.6 + (1.9 if day.ill else 0) + day.noise[2] * 0.7),
        "sleep_performance_percentage": float(min(100, round(100 * asleep / needed))) if settled else None,
        "sleep_consistency_percentage": float(round(62 + 33 * day.noise[3])) if settled and not nap else None,
        "sleep_efficiency_percentage": _single(100 * asleep / in_bed),
    }


def _need(before: Day | None) -> dict[str, int]:
    """What was needed before this sleep, in ms: more after a short night or a hard day, less after a nap."""
    debt = strain = nap = 0
    if before is not None:
        debt = max(0, int(0.3 * (BASELINE_NEED - before.sleep.asleep)))
        strain = int(min(0.5, 0.28 * before.load) * HOUR)
        nap = -(before.nap.asleep // 2) if before.nap else 0
    return {
        "baseline_milli": BASELINE_NEED,
        "need_from_sleep_debt_milli": debt,
        "need_from_recent_strain_milli": strain,
        "need_from_recent_nap_milli": nap,
    }


def recovery_score(day: Day, *, calibrating: bool, sensors: bool, revised: bool) -> Json:
    """A RecoveryScore. `sensors`: the strap of that time measures blood oxygen and skin temperature."""
    quality = day.quality + (0.15 if revised else 0)
    score: Json = {
        "user_calibrating": calibrating,
        "recovery_score": float(round(min(99, max(3, 60 + 24 * quality)))),
        "resting_heart_rate": float(round(RESTING_HEART_RATE - 2.4 * quality + (3 if day.ill else 0))),
        "hrv_rmssd_milli": _single(min(118, max(31, 64 * math.exp(0.2 * quality + 0.08 * (day.noise[4] - 0.5))))),
    }
    if sensors:
        score["spo2_percentage"] = _single(min(99, 96.1 + day.noise[5] * 2.4 - (1.2 if day.ill else 0)))
        score["skin_temp_celsius"] = _single(33.1 + day.noise[6] * 0.9 + (0.8 if day.ill else 0))
    elif day.age % 2:
        score["spo2_percentage"] = score["skin_temp_celsius"] = None
    return score


def cycle_score(day: Day, now: int, *, revised: bool) -> Json:
    """A CycleScore as of `now`: it grows while the cycle is open and stands still afterwards, but for a revision."""
    share = _share(day, now)
    done = [workout for workout in day.workouts if workout.end <= now]
    load = _QUIET_LOAD * (0.7 + 0.6 * day.noise[7]) * share + sum(workout.load for workout in done)
    energy = (7_300 + 900 * day.noise[7]) * share + sum(_energy(workout) for workout in done)
    rate = 56 + 9 * load + (4 if day.ill else 0)
    return {
        "strain": _single(_strain(load)),
        "kilojoule": _single(energy * (1.012 if revised else 1.0)),
        "average_heart_rate": round(rate),
        "max_heart_rate": max([round(92 + 40 * share * day.noise[7]), *(_peak(workout) for workout in done)]),
    }


def step_count(day: Day, now: int) -> int:
    walked = sum(
        (workout.end - workout.start) / MINUTE * workout.sport.pace for workout in day.workouts if workout.end <= now
    )
    on_foot = 0 if any(workout.sport.slug == "cycling" for workout in day.workouts) else int(walked * 1.2)
    return int((3_900 + 4_200 * day.noise[1]) * _share(day, now)) + on_foot


def workout_score(effort: Effort, *, revised: bool) -> Json:
    """A WorkoutScore; `percent_recorded` is a fraction of 1, as the live API sends it."""
    length = effort.end - effort.start
    recorded = 0.86 if effort.odd > 0.96 else 1.0 if effort.odd > 0.3 else 0.99999595
    score: Json = {
        "strain": _single(_strain(effort.load * (1.04 if revised else 1.0))),
        "average_heart_rate": _rate(effort.effort),
        "max_heart_rate": _peak(effort),
        "kilojoule": _single(_energy(effort) * (1.02 if revised else 1.0)),
        "percent_recorded": recorded,
    }
    minutes, sport = length / MINUTE, effort.sport
    measured = sport.pace > 0 and effort.odd < 0.7
    if measured:
        score["distance_meter"] = round(minutes * sport.pace * (0.9 + 0.2 * effort.odd), 6)
        score["altitude_gain_meter"] = round(minutes * sport.climb, 6) if sport.climb else None
        score["altitude_change_meter"] = round((effort.odd - 0.35) * 20, 6) if sport.climb else None
    elif sport.slug != "yoga":
        score["distance_meter"] = score["altitude_gain_meter"] = score["altitude_change_meter"] = None
    return score | {"zone_durations": _zones(effort.effort, int(length * recorded))}


def _zones(effort: float, length: int) -> dict[str, int]:
    names = ("zero", "one", "two", "three", "four", "five")
    centre = effort * 6 - 0.8
    weights = [math.exp(-((zone - centre) ** 2) / 1.2) for zone in range(6)]
    spent = [int(length * weight / sum(weights)) for weight in weights]
    spent[round(min(5, max(0, centre)))] += length - sum(spent)
    return {f"zone_{name}_milli": milliseconds for name, milliseconds in zip(names, spent, strict=True)}


def _share(day: Day, now: int) -> float:
    return min(1.0, max(0.0, (min(now, day.next_onset) - day.sleep.start) / DAY))


def _strain(load: float) -> float:
    return 21 * (1 - math.exp(-load))


def _rate(effort: float) -> int:
    return round(RESTING_HEART_RATE + effort * (MAX_HEART_RATE - RESTING_HEART_RATE))


def _peak(effort: Effort) -> int:
    return min(MAX_HEART_RATE, _rate(effort.effort) + 12 + round(10 * effort.odd))


def _energy(effort: Effort) -> float:
    return (effort.end - effort.start) / MINUTE * (6 + 62 * math.pow(effort.effort, 1.3))


def _single(number: float) -> float:
    """Rounded as a value that went through a 32-bit float looks in the provider's JSON."""
    return float(f"{number:.7g}")
