"""The simulated member: coherent, plausible, reproducible, with the oddities real accounts have; and the clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

NAMES = ("cycle", "recovery", "sleep", "workout")


def instant(text):
    return datetime.fromisoformat(text)


def local(record, field="start"):
    offset = record["timezone_offset"]
    hours, minutes = (0, 0) if offset == "Z" else (int(offset[:3]), int(offset[0] + offset[4:]))
    return instant(record[field]) + timedelta(hours=hours, minutes=minutes)


def everything(api):
    return {name: api.all(name) for name in NAMES}


def keyed(records):
    return {record.get("id") or record["cycle_id"]: record for record in records}


def test_the_same_seed_is_the_same_member(start, connect, api):
    assert everything(connect(start())) == everything(api)
    assert everything(connect(start(seed=2))) != everything(api)


@pytest.mark.parametrize("hour", [0, 5, 7, 12, 23])
def test_the_history_is_as_long_as_asked_whatever_the_hour(start, connect, hour):
    sandbox = start(days=12, now=datetime(2026, 3, 29, hour, tzinfo=UTC))
    assert sandbox.total["cycle"] == 12
    assert len(connect(sandbox).all("cycle")) == 12


def test_cycles_follow_each_other_without_a_gap(api):
    cycles = api.all("cycle")
    assert cycles[0].get("end") is None
    assert cycles[0]["score_state"] == "SCORED"
    for later, earlier in pairwise(cycles):
        assert earlier["end"] == later["start"]
        assert earlier["id"] < later["id"]
    assert min(cycle["id"] for cycle in cycles) > 2**32


def test_each_cycle_starts_with_its_main_sleep(api):
    cycles = keyed(api.all("cycle"))
    sleeps = api.all("sleep")
    nights = [sleep for sleep in sleeps if not sleep["nap"]]
    assert [cycles[night["cycle_id"]]["start"] for night in nights] == [night["start"] for night in nights]
    assert len(nights) == len(cycles)
    naps = [sleep for sleep in sleeps if sleep["nap"]]
    assert 2 <= len(naps) < 20
    for nap in naps:
        assert cycles[nap["cycle_id"]]["start"] < nap["start"]
        assert nap["end"] < (cycles[nap["cycle_id"]].get("end") or "9")


def test_recoveries_belong_to_main_sleeps(api):
    nights = {sleep["id"]: sleep for sleep in api.all("sleep") if not sleep["nap"]}
    recoveries = api.all("recovery")
    assert all(nights[r["sleep_id"]]["cycle_id"] == r["cycle_id"] for r in recoveries)
    assert all(nights[r["sleep_id"]]["score_state"] == r["score_state"] for r in recoveries)


def test_nothing_overlaps_what_the_member_cannot_do_at_once(api):
    spans = sorted((record["start"], record["end"]) for record in api.all("sleep") + api.all("workout"))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_nothing_is_from_the_future(api):
    now = api.sandbox.now
    for records in everything(api).values():
        for record in records:
            assert instant(record["created_at"]) <= instant(record["updated_at"]) <= now


RANGES = [
    ("recovery", "recovery_score", 0, 100),
    ("recovery", "hrv_rmssd_milli", 30, 120),
    ("recovery", "resting_heart_rate", 44, 66),
    ("recovery", "spo2_percentage", 93, 100),
    ("recovery", "skin_temp_celsius", 32, 36),
    ("sleep", "respiratory_rate", 12, 19),
    ("sleep", "sleep_performance_percentage", 0, 100),
    ("sleep", "sleep_efficiency_percentage", 60, 100),
    ("cycle", "strain", 0, 21),
    ("cycle", "kilojoule", 3_000, 25_000),
    ("workout", "strain", 0, 21),
    ("workout", "percent_recorded", 0, 1),
    ("workout", "max_heart_rate", 60, 200),
]


@pytest.mark.parametrize(("name", "field", "low", "high"), RANGES)
def test_values_are_plausible(api, name, field, low, high):
    scores = [record["score"] for record in api.all(name) if record.get("score")]
    values = [score[field] for score in scores if score.get(field) is not None]
    assert len(values) > 20
    assert low <= min(values) <= max(values) <= high


def test_sleep_adds_up(api):
    for sleep in api.all("sleep"):
        if not sleep.get("score"):
            continue
        stages, need = sleep["score"]["stage_summary"], sleep["score"]["sleep_needed"]
        length = (instant(sleep["end"]) - instant(sleep["start"])) // timedelta(milliseconds=1)
        assert stages["total_in_bed_time_milli"] == length
        assert all(value >= 0 for value in stages.values())
        assert need["need_from_recent_nap_milli"] <= 0
        assert 6 * 3_600_000 < sum(need.values()) < 11 * 3_600_000
        if not sleep["nap"]:
            assert 6.5 * 3_600_000 < length < 9.5 * 3_600_000


def test_recovery_goes_with_sleep_and_strain_with_workouts(api):
    nights = {s["cycle_id"]: s["score"]["stage_summary"] for s in api.all("sleep") if s.get("score") and not s["nap"]}
    recoveries = [r for r in api.all("recovery") if r.get("score") and r["cycle_id"] in nights]
    stages = [nights[r["cycle_id"]] for r in recoveries]
    asleep = [night["total_in_bed_time_milli"] - night["total_awake_time_milli"] for night in stages]
    assert correlation(asleep, [r["score"]["recovery_score"] for r in recoveries]) > 0.2
    closed = [c for c in api.all("cycle")[1:] if c.get("score")]
    work = [
        sum(w["score"]["strain"] for w in api.all("workout", start=c["start"], end=c["end"]) if w.get("score"))
        for c in closed
    ]
    assert correlation(work, [c["score"]["strain"] for c in closed]) > 0.6


def correlation(xs, ys):
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread**0.5


def test_the_member_travels(api):
    offsets = {record["timezone_offset"] for record in api.all("cycle")}
    assert {"Z", "+05:30", "+02:00"} <= offsets
    assert offsets == {sleep["timezone_offset"] for sleep in api.all("sleep")}


def test_two_cycles_start_on_one_local_date(api):
    dates = Counter(local(cycle).date() for cycle in api.all("cycle"))
    assert max(dates.values()) == 2


def test_sports_are_slugs_of_every_shape(start, connect):
    workouts = connect(start(days=365)).all("workout")
    sports = {workout["sport_name"] for workout in workouts}
    assert {"running", "weightlifting_msk", "foam_rolling", "functional-fitness"} <= sports
    assert any("sport_id" not in workout for workout in workouts)
    scores = [workout["score"] for workout in workouts if workout.get("score")]
    assert any(score.get("distance_meter") for score in scores)
    assert any(score.get("distance_meter", 0) is None for score in scores)
    assert any("distance_meter" not in score for score in scores)
    assert any(score.get("altitude_change_meter") for score in scores)


@pytest.mark.parametrize("name", ["sleep", "recovery"])
def test_a_missing_score_is_absent_or_null(api, name):
    unscorable = [record for record in api.all(name) if record["score_state"] == "UNSCORABLE"]
    assert {"score" in record for record in unscorable} == {True, False}
    assert all(record.get("score") is None for record in unscorable)


def test_explicit_nulls_and_absent_fields(api):
    sleeps, cycles, recoveries = api.all("sleep"), api.all("cycle"), api.all("recovery")
    assert {("v1_id" in sleep, sleep.get("v1_id")) for sleep in sleeps} == {(True, None), (False, None)}
    rates = [sleep["score"]["respiratory_rate"] for sleep in sleeps if sleep.get("score")]
    assert None in rates
    assert "step_count" in cycles[0]
    assert "step_count" not in cycles[-1]
    assert any(cycle.get("step_count", 0) is None for cycle in cycles)
    assert recoveries[-1]["score"]["user_calibrating"] is True
    assert recoveries[-1]["score"].get("spo2_percentage") is None


def test_the_latest_night_is_pending_and_then_scored(own):
    for name in ("sleep", "recovery"):
        assert next(r for r in own.all(name) if not r.get("nap"))["score_state"] == "PENDING_SCORE"
    own.sandbox.advance(hours=1)
    for name in ("sleep", "recovery"):
        newest = next(r for r in own.all(name) if not r.get("nap"))
        assert newest["score_state"] == "SCORED"
        assert newest["score"]


def test_the_open_cycle_grows_and_then_closes(own):
    first = own.all("cycle")[0]
    own.sandbox.advance(hours=4)
    grown = own.all("cycle")[0]
    assert (grown["id"], grown.get("end")) == (first["id"], None)
    assert grown["score"]["strain"] > first["score"]["strain"]
    assert grown["step_count"] >= first["step_count"]
    assert grown["updated_at"] > first["updated_at"]
    own.sandbox.advance(hours=20)
    newest, closed = own.all("cycle")[:2]
    assert closed["id"] == first["id"]
    assert closed["end"] == newest["start"]
    assert closed["score"]["strain"] >= grown["score"]["strain"]
    assert newest.get("end") is None


def test_days_pass_and_new_records_come(own):
    before = everything(own)
    own.sandbox.advance(days=3)
    after = everything(own)
    assert len(after["cycle"]) == len(before["cycle"]) + 3
    for name in NAMES:
        assert len(after[name]) > len(before[name])
        assert keyed(before[name]).keys() <= keyed(after[name]).keys()


def test_scores_of_the_last_days_are_revised_late(own):
    before = everything(own)
    own.sandbox.advance(hours=6)
    after = everything(own)
    for name in NAMES:
        old, new = keyed(before[name]), keyed(after[name])
        revised = [key for key in old if old[key]["score_state"] == "SCORED" and old[key] != new[key]]
        if name == "cycle":
            revised.remove(before["cycle"][0]["id"])
        assert revised, name
        for key in revised:
            assert new[key]["score"] != old[key]["score"]
            assert new[key]["updated_at"] > old[key]["updated_at"]
            assert new[key].get("start") == old[key].get("start")


def test_a_record_changes_only_with_its_updated_at(own):
    seen = everything(own)
    for _ in range(8):
        own.sandbox.advance(hours=9)
        now = everything(own)
        for name in NAMES:
            old, new = keyed(seen[name]), keyed(now[name])
            assert all(new[key]["updated_at"] > old[key]["updated_at"] for key in old if new[key] != old[key])
        seen = now


def test_a_deleted_sleep_takes_its_recovery(own):
    recovery = own.all("recovery")[5]
    own.sandbox.delete("sleep", recovery["sleep_id"])
    cycle = f"/developer/v2/cycle/{recovery['cycle_id']}"
    assert own.get(cycle).status_code == 200
    for path in (f"{cycle}/sleep", f"{cycle}/recovery", f"/developer/v2/activity/sleep/{recovery['sleep_id']}"):
        assert own.get(path).status_code == 404
    assert recovery["cycle_id"] not in keyed(own.all("recovery"))
    with pytest.raises(KeyError):
        own.sandbox.delete("sleep", recovery["sleep_id"])


def test_a_deleted_workout_is_gone(own):
    workout = own.all("workout")[2]
    own.sandbox.delete("workout", workout["id"])
    own.sandbox.advance(hours=30)
    assert workout["id"] not in keyed(own.all("workout"))


def test_the_clock_can_be_moved_with_a_request_and_never_back(own):
    before = own.sandbox.now
    answer = own.client.post("/sandbox/advance", params={"hours": "12"})
    assert datetime.fromisoformat(answer.json()["now"]) == own.sandbox.now == before + timedelta(hours=12)
    for hours in ("-1", "soon", "nan", "1e300"):
        assert own.client.post("/sandbox/advance", params={"hours": hours}).status_code == 400
    with pytest.raises(ValueError, match="forward"):
        own.sandbox.advance(hours=-1)


@pytest.mark.parametrize("wrong", [{"days": 0}, {"now": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_a_sandbox_needs_a_day_and_a_zone(start, wrong):
    with pytest.raises(ValueError, match="time zone"):
        start(**wrong)
