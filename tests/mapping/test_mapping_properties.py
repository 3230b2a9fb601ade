"""What holds for any document, any number and any instant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import jmespath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mapping_made import lookup, made, path, vitals, workouts

from hde.mapping import expression, times
from hde.mapping.unit_table import CONVERSIONS
from hde.mapping.units import conversion, rule
from hde.mapping.values import Finding, number
from hde.spec.mapping import Reading

UNHURRIED = settings(deadline=None, database=None)
"""No test fails for being slow, and nothing is left on disk."""

NAMES = st.sampled_from(["a", "b", "c", "score", "x_1"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@UNHURRIED
@given(JSON, st.lists(NAMES, min_size=1, max_size=5))
def test_a_dotted_path_reads_what_jmespath_reads(document, names):
    text = ".".join(names)
    assert expression.compile(text)(document) == jmespath.search(text, document)


@UNHURRIED
@given(st.sampled_from(sorted(CONVERSIONS)), st.floats(-1e6, 1e6))
def test_there_and_back_is_where_it_started(pair, value):
    source, target = pair
    back = conversion(target, source)(conversion(source, target)(value))
    assert back == pytest.approx(value, rel=1e-9, abs=1e-6)


@UNHURRIED
@given(st.sampled_from(sorted(CONVERSIONS)), st.floats(-1e12, 1e12))
def test_a_column_converts_as_the_conversion_does(pair, value):
    times_, over, minus, plus = rule(*pair)
    assert conversion(*pair)(value) == pytest.approx((value - minus) * times_ / over + plus, rel=1e-12)


MAPPING = made(
    workouts(
        start_time=path("start"),
        end_time=path("end"),
        utc_offset=path("offset"),
        sport=path("a", lookup=lookup({"1": "one", "true": "yes"}, "null")),
        source_sport=Reading(first=(path("b"), path("score.a"))),
        energy=path("score.b", unit="kJ"),
        distance=Reading(sum=("score.c", "x_1"), unit="km"),
        state=path("c", lookup=lookup({"x": "final"}, "skip")),
    ),
    vitals(
        {"energy": {"value": path("score.b", unit="kJ", optional=True)}},
        start_time=path("start"),
        utc_offset=path("offset"),
    ),
)
MOMENTS = st.just("2026-01-02T03:04:05Z") | SCALARS
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("a", "b", "c", "x_1"), JSON),
        "score": st.dictionaries(NAMES, SCALARS, max_size=4) | SCALARS,
        "start": MOMENTS,
        "end": MOMENTS,
        "offset": st.sampled_from(["+01:00", "Z", "", None, 5]),
    },
)


def reversed_keys(value):
    if isinstance(value, dict):
        return {name: reversed_keys(value[name]) for name in reversed(value)}
    return [reversed_keys(one) for one in value] if isinstance(value, list) else value


@UNHURRIED
@given(RECORDS)
def test_the_same_record_gives_the_same_rows_whatever_the_order_of_its_keys(record):
    before = json.dumps(record)
    mapped = MAPPING.map(record)
    assert repr(MAPPING.map(record)) == repr(mapped)
    assert repr(MAPPING.map(reversed_keys(record))) == repr(mapped)
    assert json.dumps(record) == before, "a record is never written to"


@UNHURRIED
@given(RECORDS)
def test_no_record_makes_map_raise_and_errors_leave_no_rows(record):
    mapped = MAPPING.map(record)
    assert not mapped.waiting
    assert not (mapped.rows and any(issue.level == "error" for issue in mapped.issues))
    assert len({(issue.path, issue.rule) for issue in mapped.issues}) == len(mapped.issues)


@UNHURRIED
@given(st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_comes_back_from_its_text(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    found = times.instant(aware.isoformat(), "t")
    assert (found, found.tzinfo) == (aware, UTC)


@UNHURRIED
@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_epochs_come_back(moment):
    aware = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    milliseconds = (aware - times.EPOCH) // timedelta(milliseconds=1)
    assert times.epoch(milliseconds, "t", timedelta(milliseconds=1)) == aware
    assert times.epoch(str(milliseconds), "t", timedelta(milliseconds=1)) == aware


@UNHURRIED
@given(st.integers(-1439, 1439))
def test_offsets_come_back(minutes):
    text = times.offset_text(minutes * 60)
    assert text is not None
    assert times.offset_seconds(text) == minutes * 60


@UNHURRIED
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_that_number(value):
    text = json.dumps(value)
    assume(len(text) <= 400)
    assert number(text, "x") == value


@UNHURRIED
@given(st.text(max_size=8))
def test_text_that_json_does_not_read_as_a_number_is_none(text):
    try:
        expected = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        expected = None
    if isinstance(expected, int | float) and not isinstance(expected, bool) and text.strip() == text:
        return
    with pytest.raises(Finding):
        number(text, "x")
