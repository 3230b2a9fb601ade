"""Times as sources write them, and the local day a row belongs to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from mapping_made import cell, lookup, made, path, rules, vitals, workouts

from hde.mapping import times
from hde.spec.mapping import LocalOffset, Plus, Reading, RowSet, Target

BERLIN = {"zone": "Europe/Berlin"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ended(record, account=BERLIN, **how):
    return made(workouts(end_time=path("t", **how))).map(record, account=account)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.120"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456"),
        ("2026-01-02T03:04:05.1+02:00", "2026-01-02T01:04:05.100"),
        ("2026-01-02 03:04:05-08:00", "2026-01-02T11:04:05"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05"),
        ("2024-02-29T23:59:59+05:30", "2024-02-29T18:29:59"),
    ],
)
def test_rfc_3339_with_an_offset_needs_nothing(text, expected):
    found = cell(ended({"t": text}), "end_time")
    assert (found, found.tzinfo) == (utc(expected), UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "20260102T030405Z",
        "2026-W01-5T03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T23:59:60Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05Z ",
        "2026-01-02T03:04:05Z\n",
        "2026-01-02T03:04:05+0200",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-01:00",
        "now",
        "",
        1767322800,
        True,
    ],
)
def test_what_is_not_rfc_3339_is_an_issue(value):
    mapped = ended({"t": value})
    assert (mapped.rows, rules(mapped)) == ([], [("t", "time")])


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        (1767322800, {"time": "epoch"}, "2026-01-02T03:00:00"),
        (1767322800.5, {"time": "epoch"}, "2026-01-02T03:00:00.500"),
        ("1767322800", {"time": "epoch"}, "2026-01-02T03:00:00"),
        (1767322800123, {"time": "epoch_ms"}, "2026-01-02T03:00:00.123"),
        (-1, {"time": "epoch"}, "1969-12-31T23:59:59"),
        ("02.01.2026 03:04", {"time": "%d.%m.%Y %H:%M", "zone": "$account.zone"}, "2026-01-02T02:04:00"),
        ("02.01.2026 03:04 +0200", {"time": "%d.%m.%Y %H:%M %z"}, "2026-01-02T01:04:00"),
        ("2026-033T10", {"time": "%Y-%jT%H", "offset": LocalOffset("off", "min")}, "2026-02-02T09:00:00"),
        ("2026-01-02T03:04:05", {"zone": "$account.zone"}, "2026-01-02T02:04:05"),
        ("2026-01-02T03:04:05.5", {"offset": LocalOffset("text")}, "2026-01-02T08:34:05.500"),
        ("2026-01-02T03:04:05Z", {"zone": "$account.zone"}, "2026-01-02T03:04:05"),
        ("2026-10-25T02:30:00", {"zone": "$account.zone"}, "2026-10-25T00:30:00"),
        ("2026-03-29T02:30:00", {"zone": "$account.zone"}, "2026-03-29T01:30:00"),
    ],
)
def test_other_ways_to_write_an_instant(value, how, expected):
    mapped = ended({"t": value, "off": 60, "text": "-05:30"}, **how)
    assert (cell(mapped, "end_time"), mapped.issues) == (utc(expected), [])


@pytest.mark.parametrize(
    ("record", "how", "issue"),
    [
        ({"t": "2026-01-02T03:04:05"}, {"zone": "$account.none"}, ("t", "offset")),
        ({"t": "02.01.2026"}, {"time": "%d.%m.%Y"}, ("t", "offset")),
        ({"t": "2.1.26"}, {"time": "%d.%m.%Y", "zone": "$account.zone"}, ("t", "time")),
        ({"t": "2026-01-02T03:04:05", "z": "Mars/Base"}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "z": "../etc/passwd"}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "z": "Europe"}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "z": "localtime"}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "z": "europe/berlin"}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "z": 60}, {"zone": "z"}, ("z", "zone")),
        ({"t": "2026-01-02T03:04:05", "o": 60}, {"offset": LocalOffset("o")}, ("o", "offset")),
        ({"t": "2026-01-02T03:04:05", "o": "+2"}, {"offset": LocalOffset("o")}, ("o", "offset")),
        ({"t": "2026-01-02T03:04:05", "o": "+24:00"}, {"offset": LocalOffset("o")}, ("o", "offset")),
        ({"t": "2026-01-02T03:04:05", "o": 90000}, {"offset": LocalOffset("o", "s")}, ("o", "offset")),
        ({"t": "2026-01-02T03:04:05", "o": ""}, {"offset": LocalOffset("o", "s")}, ("o", "number")),
        ({"t": 10**30}, {"time": "epoch"}, ("t", "time")),
        ({"t": 253402300800}, {"time": "epoch"}, ("t", "time")),
        ({"t": "soon"}, {"time": "epoch"}, ("t", "number")),
        ({"t": "25:00", "d": "2026-01-02"}, {"time": "clock", "after": "d", "zone": "$account.zone"}, ("t", "time")),
        ({"t": "07:00", "d": "January"}, {"time": "clock", "after": "d", "zone": "$account.zone"}, ("d", "time")),
        ({"t": "07:00", "d": "2026-01-02"}, {"time": "clock", "after": "d"}, ("t", "offset")),
        ({"t": "2026-01-02T03:04:05Z", "p": "P1M"}, {"plus": Plus("p")}, ("p", "span")),
        ({"t": "2026-01-02T03:04:05Z", "p": 60}, {"plus": Plus("p")}, ("p", "span")),
        ({"t": "2026-01-02T03:04:05Z", "p": "long"}, {"plus": Plus("p", "s")}, ("p", "number")),
        ({"t": "9999-12-31T00:00:00Z", "p": 2}, {"plus": Plus("p", "d")}, ("t", "time")),
    ],
)
def test_times_that_cannot_be_read_are_issues_where_they_stand(record, how, issue):
    mapped = ended(record, **how)
    assert (mapped.rows, rules(mapped)) == ([], [issue])


@pytest.mark.parametrize(
    ("clock", "after", "expected"),
    [
        ("23:15", "2026-01-01T22:00:00Z", "2026-01-01T22:15:00"),
        ("06:30", "2026-01-01T22:15:00Z", "2026-01-02T05:30:00"),
        ("00:00", "2026-01-01T22:15:00Z", "2026-01-01T23:00:00"),
        ("23:15:00", "2026-01-01T22:15:00Z", "2026-01-01T22:15:00"),
        ("00:00", "2026-01-02", "2026-01-01T23:00:00"),
        ("23:59:59.5", "2026-01-02", "2026-01-02T22:59:59.500"),
    ],
)
def test_a_time_of_day_is_its_first_occurrence_at_or_after(clock, after, expected):
    for how in ({"zone": "$account.zone"}, {"offset": LocalOffset("off")}):
        mapped = ended({"t": clock, "begin": after, "off": "+01:00"}, time="clock", after="begin", **how)
        assert cell(mapped, "end_time") == utc(expected)


def test_a_time_of_day_that_comes_twice_may_be_its_second_coming():
    mapped = ended({"t": "02:45", "begin": "2026-10-25T01:30:00Z"}, time="clock", after="begin", zone="$account.zone")
    assert cell(mapped, "end_time") == utc("2026-10-25T01:45:00")


def test_a_time_of_day_without_a_beginning_is_null():
    assert cell(ended({"t": "07:00"}, time="clock", after="begin", zone="$account.zone"), "end_time") is None


@pytest.mark.parametrize(
    ("begin", "how", "expected"),
    [
        ("1970-01-01T00:00:00Z", {"plus": Plus("nanos", "ns")}, "2026-01-02T03:00:00"),
        ("2001-01-01T00:00:00Z", {"plus": Plus("since_2001", "s")}, "2026-01-02T03:00:00"),
        ("06:30", {"time": "clock", "after": "day", "zone": "$account.zone"}, "2026-01-02T05:30:00"),
    ],
)
def test_a_constant_is_where_the_time_of_a_record_counts_from(begin, how, expected):
    record = {"nanos": "1767322800000000000", "since_2001": 789015600, "day": "2026-01-02"}
    reading = Reading(const=begin, has_const=True, **how)
    mapped = made(workouts(end_time=reading)).map(record, account=BERLIN)
    assert (cell(mapped, "end_time"), mapped.issues) == (utc(expected), [])


@pytest.mark.parametrize(
    ("span", "unit", "seconds"),
    [
        (90, "s", 90), (1.5, "h", 5400), ("2", "min", 120), (1500, "ms", 1.5), ("PT1H", None, 3600),
        ("PT1H30M", "s", 5400), ("P1DT1S", None, 86401), ("P1W", None, 604800), ("PT0.5S", None, 0.5),
        ("-PT1M", None, -60), ("90s", None, 90), ("15 min", None, 900), ("1d", None, 86400), (None, "s", None),
    ],
)  # fmt: skip
def test_plus_adds_a_span(span, unit, seconds):
    mapped = ended({"t": "2026-01-02T03:04:05Z", "span": span}, plus=Plus("span", unit))
    expected = None if seconds is None else utc("2026-01-02T03:04:05") + timedelta(seconds=seconds)
    assert (cell(mapped, "end_time"), mapped.issues) == (expected, [])


@pytest.mark.parametrize("text", ["P", "PT", "P1Y", "1.2.3s", "PT1.2.3S", "P1H", "90", "s", "P1M", ""])
def test_what_is_not_a_span(text):
    assert times.span_seconds(text) is None


def test_durations_written_as_text_are_seconds():
    mapping = made(workouts(zone_0=path("a", unit="s"), zone_1=path("b", unit="min"), zone_2=path("c", unit="min")))
    mapped = mapping.map({"a": "PT1M", "b": "90s", "c": "2"})
    assert [cell(mapped, f"zone_{zone}") for zone in range(3)] == [60.0, 90.0, 120.0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("+02:00", "+02:00"), ("Z", "+00:00"), ("-00:00", "+00:00"), ("+0530", "+05:30"), ("-08:00", "-08:00"),
     ("+13:45", "+13:45"), (None, None)],
)  # fmt: skip
def test_an_offset_is_normalised(value, expected):
    assert cell(made(workouts(utc_offset=path("o"))).map({"o": value}), "utc_offset") == expected


@pytest.mark.parametrize("value", ["+2", "02:00", "UTC", "+02:60", "+24:00", "", 120, True])
def test_what_is_not_an_offset(value):
    assert rules(made(workouts(utc_offset=path("o"))).map({"o": value})) == [("o", "offset")]


def test_an_offset_may_be_a_number_with_a_unit():
    mapping = made(workouts(utc_offset=path("o", unit="min")))
    assert cell(mapping.map({"o": -330}), "utc_offset") == "-05:30"
    assert cell(mapping.map({"o": "+01:00"}), "utc_offset") == "+01:00"
    assert rules(mapping.map({"o": 0.5})) == [("o", "offset")]
    assert rules(mapping.map({"o": 1e9})) == [("o", "offset")]


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        ("1990-05-06", {}, date(1990, 5, 6)),
        ("06/05/1990", {"time": "%d/%m/%Y"}, date(1990, 5, 6)),
        (1767310200, {"time": "epoch", "zone": "$account.zone"}, date(2026, 1, 2)),
        ("2026-01-01T23:30:00Z", {"zone": "$account.zone"}, date(2026, 1, 2)),
    ],
)
def test_dates(value, how, expected):
    target = Target("user_identity", (RowSet("", {"birth_date": path("d", **how)}),))
    mapped = made(target).map({"d": value}, account=BERLIN)
    assert (cell(mapped, "birth_date"), type(cell(mapped, "birth_date"))) == (expected, date)


@pytest.mark.parametrize("value", ["1990", "1990-05", "1990-5-6", "1990-05-06T00:00:00Z", "1990-02-30", 19900506, ""])
def test_what_is_not_a_date(value):
    target = Target("user_identity", (RowSet("", {"birth_date": path("d")}),))
    assert rules(made(target).map({"d": value})) == [("d", "time")]


TIMED = {"start_time": path("start"), "end_time": path("end"), "utc_offset": path("offset")}
SLEEP = made(Target("sleep_sessions", (RowSet("", TIMED),)))
WORKOUT = made(workouts(**TIMED))
CONTEXT = path("context", lookup=lookup({"sleep": "sleep", "day": "day", "workout": "workout"}))
VITAL = made(vitals({"heart_rate": {"value": path("v", unit="/min")}}, **TIMED, context=CONTEXT))


@pytest.mark.parametrize(
    ("mapping", "context", "start", "end", "offset", "expected"),
    [
        (SLEEP, None, "2026-01-01T22:00:00Z", "2026-01-02T05:00:00Z", "+01:00", "2026-01-02"),
        (SLEEP, None, "2026-01-02T02:00:00Z", "2026-01-02T07:30:00Z", "-08:00", "2026-01-01"),
        (SLEEP, None, "2026-01-01T22:00:00Z", None, "+01:00", None),
        (SLEEP, None, "2026-01-01T22:00:00Z", "2026-01-02T05:00:00Z", None, None),
        (WORKOUT, None, "2026-01-01T22:30:00Z", "2026-01-01T23:30:00Z", "+01:00", "2026-01-01"),
        (WORKOUT, None, "2026-01-01T23:30:00Z", None, "+01:00", "2026-01-02"),
        (VITAL, "sleep", "2026-01-01T22:00:00Z", "2026-01-02T05:00:00Z", "+01:00", "2026-01-02"),
        (VITAL, "day", "2026-01-01T21:00:00Z", "2026-01-02T22:00:00Z", "+01:00", "2026-01-02"),
        (VITAL, "day", "2026-01-02T02:00:00Z", "2026-01-02T11:00:00Z", "+01:00", "2026-01-02"),
        (VITAL, "day", "2026-01-01T21:00:00Z", None, "+01:00", "2026-01-02"),
        (VITAL, "day", "2026-01-02T05:00:00Z", None, "+01:00", "2026-01-02"),
        (VITAL, "day", "2026-01-01T18:30:00Z", "2026-01-02T18:29:00Z", "+05:30", "2026-01-02"),
        (VITAL, "workout", "2026-01-01T22:30:00Z", "2026-01-02T05:00:00Z", "+01:00", "2026-01-01"),
        (VITAL, None, "2026-01-01T23:00:00Z", None, "Z", "2026-01-01"),
    ],
)
def test_the_local_day_a_row_belongs_to(mapping, context, start, end, offset, expected):
    mapped = mapping.map({"start": start, "end": end, "offset": offset, "context": context, "v": 60})
    found = cell(mapped, "local_date")
    assert (found and found.isoformat(), mapped.issues) == (expected, [])


def test_a_local_day_beyond_the_calendar_is_an_issue():
    mapped = WORKOUT.map({"start": "9999-12-31T23:30:00Z", "offset": "+01:00"})
    assert (mapped.rows, rules(mapped)) == ([], [("start", "time")])


def test_first_passes_on_how_a_time_is_written():
    reading = Reading(first=(path("a"), path("b", time="epoch_ms")), time="epoch")
    mapping = made(workouts(end_time=reading))
    assert cell(mapping.map({"a": 1767322800}), "end_time") == cell(mapping.map({"b": 1767322800000}), "end_time")
