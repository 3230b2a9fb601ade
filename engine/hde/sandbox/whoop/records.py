"""What the provider's API says at one instant: every record of the member's life so far as finished JSON, newest
first, with what is pending, unscorable, revised, null or left out. It answers no requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hde.sandbox.whoop.member import PROCESSING, USER_ID, Day, Effort, Life, Rest, uploaded
from hde.sandbox.whoop.places import HOUR, instant_text
from hde.sandbox.whoop.scores import Json, cycle_score, recovery_score, sleep_score, step_count, workout_score

COLLECTIONS = ("cycle", "recovery", "sleep", "workout")
FOREVER = 1 << 62


class Entry(NamedTuple):
    """One record: the [start, end) in UTC epoch ms that filters and sorts it, its id and its JSON."""

    start: int
    end: int
    id: str
    body: bytes


@dataclass
class Snapshot:
    """`collections[name]` is sorted by start, newest first; `records[name][id]`; `main_sleeps[cycle id]`."""

    now: int
    collections: dict[str, list[Entry]] = field(default_factory=dict)
    records: dict[str, dict[str, bytes]] = field(default_factory=dict)
    main_sleeps: dict[str, bytes] = field(default_factory=dict)


class _Scoring(NamedTuple):
    """When a record's score comes, whether ever, and when it is changed."""

    created: int
    scored: int
    revised: int
    scorable: bool = True

    def state(self, now: int) -> str:
        if now < self.scored:
            return "PENDING_SCORE"
        return "SCORED" if self.scorable else "UNSCORABLE"

    def updated(self, now: int) -> int:
        return max(
            moment for moment in (self.created, self.scored, self.revised) if moment <= now or moment == self.created
        )


def snapshot(life: Life, now: int, deleted: Iterable[str]) -> Snapshot:
    """The API's whole state at `now`, an instant in UTC epoch ms, without the sleeps and workouts `deleted` by id."""
    gone = frozenset(deleted)
    found: dict[str, list[Entry]] = {name: [] for name in COLLECTIONS}
    result = Snapshot(now)
    days = life.until(now)
    for index, day in enumerate(days):
        before = days[index - 1] if index else None
        after = days[index + 1] if index + 1 < len(days) else None
        found["cycle"].append(_cycle(life, day, after, now))
        found["workout"] += (
            _workout(life, day, w, now) for w in day.workouts if uploaded(w) <= now and w.id not in gone
        )
        for rest in _rests(day, now, gone):
            entry = _sleep(life, day, rest, before, now)
            found["sleep"].append(entry)
            if rest is day.sleep:
                result.main_sleeps[str(day.cycle_id)] = entry.body
                if day.age % 90 != 13:
                    found["recovery"].append(_recovery(life, day, now))
    for name, entries in found.items():
        entries.sort(key=lambda entry: (entry.start, entry.id), reverse=True)
        result.collections[name] = entries
        result.records[name] = {entry.id: entry.body for entry in entries}
    return result


def _rests(day: Day, now: int, gone: frozenset[str]) -> Iterator[Rest]:
    for rest in (day.sleep, day.nap):
        if rest is not None and uploaded(rest) <= now and rest.id not in gone:
            yield rest


def _night_scoring(life: Life, day: Day, rest: Rest) -> _Scoring:
    created = uploaded(rest)
    scored = created + PROCESSING
    revised = FOREVER
    if day.age == 0 and rest is day.sleep:  # the latest night is still being evaluated when the sandbox starts
        scored = max(scored, life.started + HOUR // 2)
    elif day.age in (2, 6):  # the provider changes its mind late, where a cursor has long passed by
        revised = life.started + 4 * HOUR
    elif day.noise[0] > 0.93:
        revised = scored + int((18 + 60 * day.noise[1]) * HOUR)
    return _Scoring(created, scored, revised, scorable=not (day.age in (4, 11) or day.age % 97 == 41))


def _sleep(life: Life, day: Day, rest: Rest, before: Day | None, now: int) -> Entry:
    scoring = _night_scoring(life, day, rest)
    record: Json = {"id": rest.id, "cycle_id": day.cycle_id}
    if day.age % 7 != 3:
        record["v1_id"] = None
    record |= _stamps(scoring, now) | _span(rest.start, rest.end, day) | {"nap": rest is not day.sleep}
    settled = day.age < life.length - 4
    score = sleep_score(day, rest, before, settled=settled, revised=scoring.revised <= now)
    return _entry(rest.start, rest.end, rest.id, record | _scored(scoring, now, score, day))


def _recovery(life: Life, day: Day, now: int) -> Entry:
    scoring = _night_scoring(life, day, day.sleep)
    record: Json = {"cycle_id": day.cycle_id, "sleep_id": day.sleep.id} | _stamps(scoring, now)
    score = recovery_score(
        day,
        calibrating=day.age >= life.length - 4,
        sensors=day.age < life.length * 0.95,
        revised=scoring.revised <= now,
    )
    record |= _scored(scoring, now, score, day)
    return _entry(day.sleep.start, day.sleep.end, str(day.cycle_id), record)


def _cycle(life: Life, day: Day, after: Day | None, now: int) -> Entry:
    night = _night_scoring(life, day, day.sleep)
    record: Json = {"id": day.cycle_id, "user_id": USER_ID, "created_at": instant_text(night.created)}
    settled = now if after is None else uploaded(after.sleep)
    updated = night.revised if settled < night.revised <= now else settled
    end: Json = {"end": instant_text(day.next_onset)} if after else {"end": None} if day.age % 2 == 0 else {}
    record |= {"updated_at": instant_text(updated), "start": instant_text(day.sleep.start)} | end
    record |= {"timezone_offset": day.offset}
    if day.age % 180 == 23:
        record |= _unscored("UNSCORABLE", day)
    else:
        score = cycle_score(day, now if after is None else day.next_onset, revised=night.revised <= now)
        record |= {"score_state": "SCORED", "score": score}
    if day.age < life.length * 0.6:
        record["step_count"] = None if day.age % 29 == 8 else step_count(day, now)
    return _entry(day.sleep.start, day.next_onset if after else FOREVER, str(day.cycle_id), record)


def _workout(life: Life, day: Day, effort: Effort, now: int) -> Entry:
    created = uploaded(effort)
    revised = life.started + 5 * HOUR if day.age in (1, 7) else created + 30 * HOUR if effort.odd > 0.95 else FOREVER
    scoring = _Scoring(created, created + PROCESSING, revised, scorable=not 0.44 < effort.odd < 0.46)
    record: Json = {"id": effort.id}
    if effort.odd < 0.9:
        record["v1_id"] = None
    record |= _stamps(scoring, now) | _span(effort.start, effort.end, day) | {"sport_name": effort.sport.slug}
    record |= _scored(scoring, now, workout_score(effort, revised=revised <= now), day)
    if day.age % 5 != 3:
        record["sport_id"] = effort.sport.sport_id
    return _entry(effort.start, effort.end, effort.id, record)


def _stamps(scoring: _Scoring, now: int) -> Json:
    created, updated = instant_text(scoring.created), instant_text(scoring.updated(now))
    return {"user_id": USER_ID, "created_at": created, "updated_at": updated}


def _span(start: int, end: int, day: Day) -> Json:
    return {"start": instant_text(start), "end": instant_text(end), "timezone_offset": day.offset}


def _scored(scoring: _Scoring, now: int, score: Json, day: Day) -> Json:
    state = scoring.state(now)
    return {"score_state": state, "score": score} if state == "SCORED" else _unscored(state, day)


def _unscored(state: str, day: Day) -> Json:
    """Without a score, which is left out or null: the documents say "not present", live answers carry nulls."""
    return {"score_state": state} | ({} if day.age % 2 else {"score": None})


def _entry(start: int, end: int, key: str, record: Json) -> Entry:
    return Entry(start, end, key, json.dumps(record, separators=(",", ":")).encode())
