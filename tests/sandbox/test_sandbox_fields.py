"""Every record has the fields and types of the provider's OpenAPI document, no more and no less."""

from __future__ import annotations

import re

import pytest

INT, FLOAT, TEXT, BOOL, OBJECT = int, float, str, bool, dict

# Field and type, as the provider's OpenAPI document has them; NULLABLE ones may be null or absent.
STAMPS = {"user_id": INT, "created_at": TEXT, "updated_at": TEXT, "score_state": TEXT}
SPAN = {"start": TEXT, "end": TEXT, "timezone_offset": TEXT}
REQUIRED = {
    "cycle": STAMPS | {"id": INT, "start": TEXT, "timezone_offset": TEXT},
    "recovery": STAMPS | {"cycle_id": INT, "sleep_id": TEXT},
    "sleep": STAMPS | SPAN | {"id": TEXT, "cycle_id": INT, "nap": BOOL},
    "workout": STAMPS | SPAN | {"id": TEXT, "sport_name": TEXT},
}
NULLABLE = {
    "cycle": {"end": TEXT, "score": OBJECT, "step_count": INT},
    "recovery": {"score": OBJECT},
    "sleep": {"v1_id": INT, "score": OBJECT},
    "workout": {"v1_id": INT, "sport_id": INT, "score": OBJECT},
}
SCORE_REQUIRED = {
    "cycle": {"strain": FLOAT, "kilojoule": FLOAT, "average_heart_rate": INT, "max_heart_rate": INT},
    "recovery": {
        "user_calibrating": BOOL,
        "recovery_score": FLOAT,
        "resting_heart_rate": FLOAT,
        "hrv_rmssd_milli": FLOAT,
    },
    "sleep": {"stage_summary": OBJECT, "sleep_needed": OBJECT},
    "workout": {
        "strain": FLOAT,
        "average_heart_rate": INT,
        "max_heart_rate": INT,
        "kilojoule": FLOAT,
        "percent_recorded": FLOAT,
        "zone_durations": OBJECT,
    },
}
SCORE_NULLABLE = {
    "cycle": {},
    "recovery": {"spo2_percentage": FLOAT, "skin_temp_celsius": FLOAT},
    "sleep": {
        "respiratory_rate": FLOAT,
        "sleep_performance_percentage": FLOAT,
        "sleep_consistency_percentage": FLOAT,
        "sleep_efficiency_percentage": FLOAT,
    },
    "workout": {"distance_meter": FLOAT, "altitude_gain_meter": FLOAT, "altitude_change_meter": FLOAT},
}
WHOLE_NUMBERS = {
    "stage_summary": {
        "total_in_bed_time_milli",
        "total_awake_time_milli",
        "total_no_data_time_milli",
        "total_light_sleep_time_milli",
        "total_slow_wave_sleep_time_milli",
        "total_rem_sleep_time_milli",
        "sleep_cycle_count",
        "disturbance_count",
    },
    "sleep_needed": {
        "baseline_milli",
        "need_from_sleep_debt_milli",
        "need_from_recent_strain_milli",
        "need_from_recent_nap_milli",
    },
    "zone_durations": {f"zone_{name}_milli" for name in ("zero", "one", "two", "three", "four", "five")},
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
OFFSET = re.compile(r"Z|[+-]\d\d:\d\d")


def conforms(record, required, nullable):
    assert required.keys() <= record.keys() <= required.keys() | nullable.keys()
    for field, value in record.items():
        kind = required.get(field) or nullable[field]
        assert type(value) is kind or (field in nullable and value is None), field
        if field.endswith("_at") or field in ("start", "end"):
            assert value is None or INSTANT.fullmatch(value)
    assert OFFSET.fullmatch(record.get("timezone_offset", "Z"))


@pytest.mark.parametrize("name", REQUIRED)
def test_every_record_has_the_documented_fields_and_types(api, name):
    for record in api.all(name):
        conforms(record, REQUIRED[name], NULLABLE[name])
        scored = record["score_state"] == "SCORED"
        assert record["score_state"] in ("SCORED", "PENDING_SCORE", "UNSCORABLE")
        assert bool(record.get("score")) is scored
        if scored:
            conforms(record["score"], SCORE_REQUIRED[name], SCORE_NULLABLE[name])
        for part, fields in WHOLE_NUMBERS.items():
            if scored and part in record["score"]:
                assert record["score"][part].keys() == fields
                assert all(type(number) is int for number in record["score"][part].values())


def test_profile_and_body_have_the_documented_fields(api):
    profile = {"user_id": INT, "email": TEXT, "first_name": TEXT, "last_name": TEXT}
    conforms(api.get("/developer/v2/user/profile/basic").json(), profile, {})
    body = {"height_meter": FLOAT, "weight_kilogram": FLOAT, "max_heart_rate": INT}
    conforms(api.get("/developer/v2/user/measurement/body").json(), body, {})
