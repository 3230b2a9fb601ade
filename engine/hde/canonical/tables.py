"""The canonical tables. Lineage columns are not here: the store adds the same ones to every table."""

from __future__ import annotations

from hde.canonical.clinical import CLINICAL
from hde.canonical.model import Column, Table

_STATE = Column(
    "state",
    "text",
    "whether the source may still revise it: final, pending (will change), unscorable (never scored)",
    words=("final", "pending", "unscorable"),
)
_OFFSET = Column("utc_offset", "offset", "the source's offset from UTC at that time, as +02:00")


def _seconds(name: str, about: str) -> Column:
    return Column(name, "float", about, unit="s")


def _percent(name: str, about: str) -> Column:
    return Column(name, "float", about, unit="%")


def _interval(start: str, end: str, local_date: str) -> tuple[Column, ...]:
    return (
        Column("start_time", "timestamptz", start, required=True),
        Column("end_time", "timestamptz", end),
        _OFFSET,
        Column("local_date", "date", local_date, by_engine=True),
        _STATE,
    )


USER_IDENTITY = Table(
    "user_identity",
    "Who the account belongs to, as the source says it.",
    (
        Column("given_name", "text", "given name"),
        Column("family_name", "text", "family name"),
        Column("email", "text", "e-mail address"),
        Column("birth_date", "date", "date of birth"),
        Column("sex", "text", "sex, in the source's own word"),
    ),
)

SLEEP_SESSIONS = Table(
    "sleep_sessions",
    "One row per sleep, naps included.",
    (
        *_interval("onset of the sleep", "end of the sleep", "the local day of waking"),
        Column("is_nap", "boolean", "a nap, not the main sleep"),
        _seconds("in_bed", "time in bed"),
        _seconds("asleep", "time asleep: light, deep and REM"),
        _seconds("awake", "time awake in bed"),
        _seconds("light", "light sleep"),
        _seconds("deep", "slow wave sleep"),
        _seconds("rem", "REM sleep"),
        _seconds("no_data", "time without data"),
        _seconds("latency", "time to fall asleep"),
        _seconds("need", "sleep the source says was needed"),
        Column("cycles", "int", "sleep cycles"),
        Column("disturbances", "int", "disturbances"),
        _percent("efficiency", "share of the time in bed spent asleep"),
        _percent("performance", "sleep had against sleep needed"),
        _percent("consistency", "how regular bed and wake times are"),
        Column("respiratory_rate", "float", "breaths per minute", unit="/min"),
    ),
    local_date="end",
)

WORKOUTS = Table(
    "workouts",
    "One row per workout or other recorded activity.",
    (
        *_interval("start of the workout", "end of the workout", "the local day it starts on"),
        Column("sport", "text", "the activity, in this project's words"),
        Column("source_sport", "text", "the activity, in the source's word"),
        Column("load", "float", "load or strain on the scale named in load_scale", unit="{score}"),
        Column("load_scale", "text", "the scale of load; loads of different scales do not compare"),
        Column("energy", "float", "energy expended", unit="kcal"),
        Column("average_heart_rate", "float", "mean heart rate", unit="/min"),
        Column("max_heart_rate", "float", "highest heart rate", unit="/min"),
        Column("distance", "float", "distance covered", unit="m"),
        Column("climb", "float", "altitude gained", unit="m"),
        Column("recorded", "float", "share of the workout with heart rate data, 0 to 1", unit="1"),
        *(_seconds(f"zone_{zone}", f"time in heart rate zone {zone} of 0 to 5") for zone in range(6)),
    ),
    local_date="start",
)

BIOMETRICS_VITALS = Table(
    "biometrics_vitals",
    "One row per measurement: a metric, its value, and when it was taken or which interval it covers.",
    (
        *_interval(
            "instant of the measurement, or start of its interval",
            "end of the interval",
            "the local day: of waking for context sleep, mostly covered for context day, else of the start",
        ),
        Column("metric", "text", "what was measured: a name of the metric list", required=True),
        Column("value", "float", "the number, in `unit`", required=True),
        Column("unit", "text", "UCUM unit of the value", by_engine=True),
        Column("loinc", "text", "LOINC code, where a verified one exists", by_engine=True),
        Column("statistic", "text", "sample, mean, max, min or total over the interval", by_engine=True),
        Column("method", "text", "method of measurement (RMSSD, SDNN)"),
        Column(
            "context",
            "text",
            "the circumstance: sleep, day, workout, profile",
            words=("sleep", "day", "workout", "profile", "visit"),
        ),
        Column("panel", "text", "code of the panel it was measured in (85354-9: blood pressure), where there is one"),
    ),
    local_date="start",
)

CONTEXT_LOCAL_DATE = {"sleep": "end", "day": "mostly"}
"""`biometrics_vitals.local_date` goes by context; a context that is not here counts by its start."""

TABLES: dict[str, Table] = {
    table.name: table for table in (USER_IDENTITY, SLEEP_SESSIONS, WORKOUTS, BIOMETRICS_VITALS, *CLINICAL)
}
