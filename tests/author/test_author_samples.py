"""`hde new` from one answer: where the records are, what identifies them, how they are asked for, what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from author_made import call, new, said

ONE = {"id": 7, "value": 1}
TWO = [{"id": 1, "v": 1}, {"id": 2, "v": 2}]


class Case(NamedTuple):
    title: str
    path: str
    answer: Any
    expected: dict[str, Any]
    """Keys of the resource and what they say; None: not there."""


CURSOR = {"kind": "cursor", "next": "next_token"}
CASES = [
    Case("a root array", "/things", TWO, {"path": "/things", "records": None, "key": ["id"]}),
    Case("a list in an envelope", "/v1/things", {"data": TWO}, {"path": "/v1/things", "records": "data"}),
    Case("a list named after the resource", "/sleeps", {"sleeps": TWO, "user": {"id": 1}}, {"records": "sleeps"}),
    Case(
        "a list below an object",
        "/t",
        {"status": 0, "body": {"series": TWO, "more": False}},
        {"records": "body.series"},
    ),
    Case("one object with a list in it", "/me", {"id": 3, "devices": TWO}, {"records": None, "key": ["id"]}),
    Case("one object in an envelope", "/me", {"data": {"name": "a", "age": 3}}, {"records": "data", "key": []}),
    Case(
        "a bundle",
        "/Obs",
        {"resourceType": "Bundle", "entry": [{"resource": ONE}]},
        {"records": "entry[].resource || `[]`"},
    ),
    Case("a key of the resource's name", "/cycles", [{"sleep_id": 1, "cycle_id": 1}], {"key": ["cycle_id"]}),
    Case("whose it is, is not what it is", "/r", [{"user_id": 1, "ride_id": 1}], {"key": ["ride_id"]}),
    Case("an id that repeats is no key", "/r", [{"id": 1, "run_id": 5}, {"id": 1, "run_id": 6}], {"key": ["run_id"]}),
    Case(
        "a time for want of an id",
        "/r",
        [{"day": "2026-01-01", "n": 1}, {"day": "2026-01-02", "n": 1}],
        {"key": ["day"]},
    ),
    Case(
        "a time and a kind",
        "/r",
        [{"time": "2026-01-01T00:00:00Z", "type": "a"}, {"time": "2026-01-01T00:00:00Z", "type": "b"}],
        {"key": ["time", "type"]},
    ),
    Case(
        "an epoch that no two share",
        "/r",
        [{"startTimeMillis": 1767225600000, "n": 1}, {"startTimeMillis": 1767225660000, "n": 1}],
        {"key": ["start_time_millis"], "missing": None},
    ),
    Case(
        "a measurement that no two share is no key",
        "/r",
        [{"n": 1, "weight": 71}, {"n": 1, "weight": 70}],
        {"key": "hash"},
    ),
    Case("nothing to tell them apart", "/r", [{"n": 1}, {"n": 1}], {"key": "hash", "missing": "delete"}),
    Case(
        "a cursor",
        "/t",
        {"data": TWO, "next_token": "x"},
        {"pagination": CURSOR, "params": {"next_token": "{{ page.cursor }}"}},
    ),
    Case(
        "a cursor in camelCase",
        "/t",
        {"data": TWO, "nextPageToken": "x"},
        {"params": {"pageToken": "{{ page.cursor }}"}},
    ),
    Case(
        "a cursor whose parameter was called",
        "/t?nextToken=&limit=25",
        {"data": TWO, "next_token": None},
        {"pagination": CURSOR, "params": {"nextToken": "{{ page.cursor }}", "limit": 25}},
    ),
    Case(
        "an address",
        "/t",
        {"data": TWO, "links": {"next": "https://a.example/x"}},
        {"pagination": {"kind": "url", "next": "links.next"}},
    ),
    Case(
        "an address with a name JMESPath does not know",
        "/t",
        {"value": TWO, "@odata.nextLink": "https://a.example/x"},
        {"records": "value", "pagination": {"kind": "url", "next": '"@odata.nextLink"'}},
    ),
    Case(
        "an address that ends",
        "/t",
        {"results": TWO, "next": None, "previous": None},
        {"pagination": {"kind": "url", "next": "next"}},
    ),
    Case(
        "page numbers from 0",
        "/t?page=0&size=10",
        {"data": TWO},
        {
            "pagination": {"kind": "page", "first": 0, "size": 10},
            "params": {"page": "{{ page.number }}", "size": "{{ page.size }}"},
        },
    ),
    Case(
        "an offset, and how many there are",
        "/t?offset=0&limit=50",
        {"data": TWO, "meta": {"total": 99}},
        {
            "pagination": {"kind": "offset", "size": 50, "total": "meta.total"},
            "params": {"offset": "{{ page.offset }}", "limit": "{{ page.size }}"},
        },
    ),
    Case(
        "more, and no parameter",
        "/t",
        {"data": TWO, "has_more": True},
        {"pagination": {"kind": "page", "more": "has_more"}},
    ),
    Case("a total that is all there is", "/t", {"data": TWO, "total": 2}, {"pagination": None, "params": None}),
    Case(
        "both ends of a window",
        "/t?from=2026-01-01&to=2026-02-01&tag=a&tag=b",
        [{"id": 1, "start": "2026-01-01T00:00:00Z"}],
        {
            "params": {"from": "{{ window.start }}", "to": "{{ window.end }}", "tag": ["a", "b"]},
            "window": {
                "time": "start",
                "step": "30d",
                "settle": "7d",
                "from": "730d",
                "format": "date",
                "end": "inclusive",
            },
        },
    ),
    Case(
        "since an instant of change",
        "/t?updated_since=1767225600",
        [{"id": 1, "start": "2026-01-01T00:00:00Z"}],
        {
            "params": {"updated_since": "{{ window.start }}"},
            "window": {"settle": "7d", "from": "730d", "format": "epoch"},
        },
    ),
    Case("words that are no time open no window", "/t?from=here", TWO, {"params": {"from": "here"}, "window": None}),
]


def draft(folder: Path, path: str, answer: Any, *options: str) -> Any:
    """The only resource of a draft."""
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    new("drafted", "--base-url", "https://api.example.com", "--path", path, "--sample", "answer.json", *options)
    (resource,) = said("connectors/drafted.yaml")["resources"].values()
    return resource


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_is_found(folder: Path, case: Case) -> None:
    resource = draft(folder, case.path, case.answer)
    assert {name: resource.get(name) for name in case.expected} == case.expected


def test_types_are_those_that_every_value_has(folder: Path) -> None:
    first = {
        "id": 5, "a": "2026-01-01T00:00:00Z", "b": "2026-01-01", "c": 1, "d": 1.5, "e": True, "f": "x", "g": [1],
        "h": {"i": 2**40, "j": {"k": 2**70}}, "l": None, "startTime": "12:00", "m n": 1,
        "o": "b1f0a1de-0000-4000-8000-000000000000",
        "p": {}, "q": 1, "payload": 1,
    }  # fmt: skip
    resource = draft(folder, "/t", [first, {**first, "id": 6, "c": 1.5, "q": "one", "b": "01.02.2026"}])
    assert resource["columns"] == {
        "id": "bigint", "a": "timestamptz", "b": "text", "c": "float", "d": "float", "e": "boolean", "f": "text",
        "g": "jsonb", "h.i": "bigint", "h.j.k": "numeric", "l": "text",
        "startTime": "text",
        "m_n": {"type": "float", "path": '"m n"'}, "o": "uuid", "p": "jsonb", "q": "jsonb",
        "field_payload": {"type": "float", "path": "payload"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bpm", "float"), ("minutesAsleep", "float"), ("hrv_ms", "float"), ("user_id", "bigint"), ("step_count", "int"),
        ("steps", "int"), ("birthYear", "int"), ("version", "int"), ("timestamp", "bigint"),
    ],
)  # fmt: skip
def test_a_whole_number_may_have_a_fraction_next_time(folder: Path, name: str, kind: str) -> None:
    columns = draft(folder, "/t", [{"id": 1, name: 60}, {"id": 2, name: 61}])["columns"]
    (column,) = [one for key, one in columns.items() if key != "id"]
    assert (column["type"] if isinstance(column, dict) else column) == kind


AT = "2026-01-01T00:00:00Z"
MAPPED = [
    (
        "an instant and measurements with certain units",
        "/vitals",
        [{"id": 1, "measured_at": AT, "heart_rate": 61, "hrv_rmssd_ms": 55.5, "weight_lbs": 150, "mood": 3}],
        {
            "columns": {"start_time": "measured_at"},
            "to": {
                "biometrics_vitals": {
                    "rows": {
                        "heart_rate": {"value": {"path": "heart_rate", "unit": "/min", "optional": True}},
                        "hrv_rmssd": {"value": {"path": "hrv_rmssd_ms", "unit": "ms", "optional": True}},
                        "weight": {"value": {"path": "weight_lbs", "unit": "[lb_av]", "optional": True}},
                    }
                }
            },
            "ignore": {"mood": "not mapped yet"},
        },
    ),
    (
        "epochs are told by their size",
        "/vitals",
        [{"id": 1, "timestamp": 1767225600, "bpm": 61}],
        {"columns": {"start_time": {"path": "timestamp", "time": "epoch"}}},
    ),
    (
        "a unit that is not said, a fraction, a deviation: not mapped, and why",
        "/vitals",
        [{"id": 1, "time": AT, "bpm": 60, "weight": 70, "spo2": 0.97, "skin_temp": 0.3, "calories": 9}],
        {
            "ignore": {
                "weight": "not mapped yet (weight in which unit?)",
                "spo2": "not mapped yet",
                "skin_temp": "not mapped yet",
                "calories": "not mapped yet (energy in cal or kcal?)",
            }
        },
    ),
    (
        "a night",
        "/sleeps",
        [
            {
                "id": 1,
                "bedtime": {"start": "2026-01-01T22:00:00Z", "end": "2026-01-02T06:00:00Z"},
                "stages": {"deep_minutes": 90, "rem_minutes": 80, "deep_percent": 20},
                "nap": False,
            }
        ],
        {
            "columns": {"start_time": "bedtime.start", "end_time": "bedtime.end"},
            "to": {
                "sleep_sessions": {
                    "columns": {
                        "is_nap": "nap",
                        "deep": {"path": "stages.deep_minutes", "unit": "min"},
                        "rem": {"path": "stages.rem_minutes", "unit": "min"},
                    }
                }
            },
            "ignore": {"stages.deep_percent": "not mapped yet"},
        },
    ),
    (
        "a night, its words written together",
        "/sleep",
        [{"logId": 1, "starttime": AT, "endTime": AT, "minutesAsleep": 400, "minutesToFallAsleep": 9}],
        {
            "columns": {"start_time": "starttime", "end_time": "endTime"},
            "to": {
                "sleep_sessions": {
                    "columns": {
                        "asleep": {"path": "minutesAsleep", "unit": "min"},
                        "latency": {"path": "minutesToFallAsleep", "unit": "min"},
                    }
                }
            },
        },
    ),
    (
        "a ride, its words written together",
        "/workouts",
        [{"id": 1, "startDate": AT, "average_heartrate": 140.5, "maxHeartRate": 170}],
        {
            "to": {
                "workouts": {
                    "columns": {
                        "average_heart_rate": {"path": "average_heartrate", "unit": "/min"},
                        "max_heart_rate": {"path": "maxHeartRate", "unit": "/min"},
                    }
                }
            }
        },
    ),
    (
        "shares of a score, aims and bounds are no measurements, whatever their name",
        "/readiness",
        [
            {
                "id": 1,
                "timestamp": AT,
                "heart_rate": 61,
                "readiness": {"contributors": {"resting_heart_rate": 94}, "level": 3},
                "stepGoals": {"weight_kg": 60},
                "zones": [{"max": 3}],
            }
        ],
        {
            "to": {
                "biometrics_vitals": {
                    "rows": {"heart_rate": {"value": {"path": "heart_rate", "unit": "/min", "optional": True}}}
                }
            },
            "ignore": {
                "readiness.contributors": "what is in contributors is a score, an aim or a bound, and no measurement",
                "readiness.level": "not mapped yet",
                "stepGoals": "what is in stepGoals is a score, an aim or a bound, and no measurement",
                "zones": "not mapped yet",
            },
        },
    ),
    (
        "a workout",
        "/workouts",
        [{"id": 1, "start_time": AT, "sport": "run", "distance_km": 5.2, "max_hr": 170, "energy_kcal": 400}],
        {
            "to": {
                "workouts": {
                    "columns": {
                        "source_sport": "sport",
                        "distance": {"path": "distance_km", "unit": "km"},
                        "max_heart_rate": {"path": "max_hr", "unit": "/min"},
                        "energy": {"path": "energy_kcal", "unit": "kcal"},
                    }
                }
            }
        },
    ),
    (
        "a person",
        "/users/me",
        {"id": 1, "email": "a@example.com", "firstName": "Ada", "gender": "f"},
        {
            "to": {"user_identity": {"columns": {"given_name": "firstName", "email": "email"}}},
            "ignore": {"gender": "not mapped yet"},
        },
    ),
    (
        "the present without a time",
        "/body",
        {"weight_kg": 70.5, "shoes": 43},
        {"columns": {"start_time": "$row.observed_at"}, "ignore": {"shoes": "not mapped yet"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "path", "answer", "expected"), MAPPED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_mapped(folder: Path, title: str, path: str, answer: Any, expected: dict[str, Any]) -> None:
    draft(folder, path, answer)
    name = path.rpartition("/")[2]
    mapping = said(f"mappings/drafted/{name}.yaml")
    assert {key: mapping.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": 1, "bpm": 61}],  # when?
        [{"id": 1, "created_at": "2026-01-01T00:00:00Z", "bpm": 61}],  # that is not when
        [{"id": 1, "time": "2026-01-01 10:00", "bpm": 61}],  # a local time without its zone
        [{"id": 1, "time": "2026-01-01T00:00:00Z", "mood": 3}],  # nothing known
        {"sleep": [{"id": 1, "timestamp": "2026-01-01T00:00:00Z", "score": 80}]},  # about sleep, and no night
        [{"id": 1, "time": "2026-01-01T00:00:00Z", "contributors": {"resting_heart_rate": 94}}],  # no measurement
        {"id": 1, "targets": {"weight_kg": 70.5}},  # nor are aims, without a time
        [{"id": 1, "time": "2026-01-01T00:00:00Z", "steps": 3}],  # from when to when?
        [{"id": 1, "time": "2026-01-01T00:00:00Z", "bpm": 61, "a\nb": 1}],  # a name that cannot be ignored
    ],
)
def test_a_mapping_is_left_out_rather_than_wrong(folder: Path, answer: Any) -> None:
    path = "/sleep" if "sleep" in answer else "/r"
    (folder / "answer.json").write_text(json.dumps(answer))
    made = new("drafted", "--base-url", "https://api.example.com", "--path", path, "--sample", "answer.json")
    assert not (folder / f"mappings/drafted{path}.yaml").exists()
    assert "its records stay raw" in made.out
    assert call("validate", "drafted").code == 0


def test_fixtures_are_those_that_differ(folder: Path) -> None:
    records = [{"id": number, "end": None if number == 3 else "x"} for number in range(50)]
    draft(folder, "/t", [*records, {"id": 99, "end": "x", "extra": {"deep": 1}}])
    names = {file.name for file in (folder / "mappings/drafted/fixtures/t").iterdir()}
    assert names == {"first.json", "end_null.json", "with_extra_deep.json"}
