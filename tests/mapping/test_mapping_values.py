"""What a value may look like, column type by column type, and what happens where it is missing or does not fit."""

from __future__ import annotations

import math

import pytest
from mapping_made import cell, const, lookup, made, path, rules, vitals, workouts

from hde.spec.mapping import Reading, RowSet, Target

ENERGY = made(workouts(energy=path("x", unit="kcal")))
SPORT = made(workouts(sport=path("x")))
CYCLES = made(
    Target("sleep_sessions", (RowSet("", {"start_time": const("2026-01-02T12:00:00Z"), "cycles": path("x")}),))
)
NAP = made(Target("sleep_sessions", (RowSet("", {"start_time": const("2026-01-02T12:00:00Z"), "is_nap": path("x")}),)))
STATE = made(workouts(state=path("x")))


@pytest.mark.parametrize(
    ("mapping", "column", "value", "expected"),
    [
        (ENERGY, "energy", 5, 5.0),
        (ENERGY, "energy", 5.25, 5.25),
        (ENERGY, "energy", "5.25", 5.25),
        (ENERGY, "energy", "-5e1", -50.0),
        (ENERGY, "energy", -0.0, 0.0),
        (ENERGY, "energy", None, None),
        (CYCLES, "cycles", 10, 10),
        (CYCLES, "cycles", 10.0, 10),
        (CYCLES, "cycles", "10", 10),
        (CYCLES, "cycles", "10.0", 10),
        (NAP, "is_nap", True, True),
        (NAP, "is_nap", False, False),
        (NAP, "is_nap", None, None),
        (SPORT, "sport", "", ""),
        (SPORT, "sport", "Grüße", "Grüße"),
        (STATE, "state", "pending", "pending"),
    ],
)
def test_a_value_that_fits(mapping, column, value, expected):
    mapped = mapping.map({"x": value})
    found = cell(mapped, column)
    assert (found, type(found)) == (expected, type(expected))
    assert str(found) == str(expected), "0.0 is not -0.0"
    assert not mapped.issues


@pytest.mark.parametrize(
    ("mapping", "value", "rule"),
    [
        (ENERGY, "", "number"),
        (ENERGY, " 5", "number"),
        (ENERGY, "5 kcal", "number"),
        (ENERGY, "1_000", "number"),
        (ENERGY, "0x10", "number"),
        (ENERGY, "\u0665", "number"),
        (ENERGY, "1e999", "number"),
        (ENERGY, True, "number"),
        (ENERGY, math.nan, "number"),
        (ENERGY, math.inf, "number"),
        (ENERGY, 10**400, "number"),
        (ENERGY, [5], "number"),
        (ENERGY, {"value": 5}, "number"),
        (CYCLES, 10.5, "integer"),
        (CYCLES, "10.5", "integer"),
        (CYCLES, 2**31, "integer"),
        (CYCLES, True, "number"),
        (NAP, 1, "type"),
        (NAP, "true", "type"),
        (SPORT, 5, "type"),
        (SPORT, 5.0, "type"),
        (SPORT, False, "type"),
        (SPORT, "a\0b", "text"),
        (SPORT, "a\ud800b", "text"),
        (STATE, "finished", "word"),
        (STATE, 1, "type"),
    ],
)
def test_a_value_that_does_not_fit_leaves_no_row_and_an_issue_without_the_value(mapping, value, rule):
    mapped = mapping.map({"x": value})
    assert mapped.rows == []
    assert rules(mapped) == [("x", rule)]
    (issue,) = mapped.issues
    assert issue.level == "error"
    assert str(value) not in "".join(str(part) for part in issue if part != rule) or value in ("", 1, 5)


def test_every_issue_of_a_record_is_told_at_once():
    mapping = made(workouts(energy=path("a", unit="kJ"), sport=path("b"), state=path("c")))
    assert rules(mapping.map({"a": "much", "b": 7, "c": "so"})) == [("c", "word"), ("b", "type"), ("a", "number")]


def test_an_issue_in_one_table_keeps_the_record_out_of_all():
    mapping = made(workouts(sport=path("sport")), vitals({"energy": {"value": path("kj", unit="kJ", optional=True)}}))
    assert len(mapping.map({"sport": "run", "kj": 4.184}).rows) == 2
    assert mapping.map({"sport": 1, "kj": 4.184}).rows == []


def test_missing_and_null_are_the_same():
    assert SPORT.map({}) == SPORT.map({"x": None})


@pytest.mark.parametrize("record", [{}, {"start": None}])
def test_required_and_absent_is_an_issue_and_no_row(record):
    mapped = made(workouts(start_time=path("start"))).map(record)
    assert (mapped.rows, rules(mapped)) == ([], [("start", "required")])


def test_optional_and_absent_leaves_only_that_row_out():
    mapping = made(
        vitals(
            {
                "spo2": {"value": path("spo2", unit="%", optional=True)},
                "resting_heart_rate": {"value": path("rhr", unit="/min")},
            }
        )
    )
    mapped = mapping.map({"rhr": 50})
    assert ([row.part for row in mapped.rows], mapped.issues) == (["resting_heart_rate"], [])
    assert mapping.map({"spo2": 97}).rows == []
    assert rules(mapping.map({"spo2": 97})) == [("rhr", "required")]


def test_a_row_that_is_not_made_has_no_issues():
    mapping = made(vitals({"spo2": {"value": path("v", unit="%", optional=True)}}, start_time=path("start")))
    assert mapping.map({"start": "yesterday"}) == ([], [], False)
    assert rules(mapping.map({"start": "yesterday", "v": 97})) == [("start", "time")]


def test_a_row_that_is_left_out_has_no_issues_whichever_column_is_read_first():
    skip = path("kind", lookup=lookup({"run": "running"}, "skip"))
    for columns in ({"sport": skip, "energy": path("e", unit="kJ")}, {"load_scale": skip, "utc_offset": path("e")}):
        mapping = made(workouts(**columns), vitals({"weight": {"value": path("kg", unit="kg")}}))
        mapped = mapping.map({"kind": "chess", "e": "", "kg": 70})
        assert ([row.part for row in mapped.rows], mapped.issues) == (["weight"], [])
        assert mapping.map({"kind": "run", "e": "", "kg": 70}).rows == []


def test_first_is_the_first_that_is_there():
    mapping = made(workouts(energy=Reading(first=(path("a"), path("b", unit="kcal"), const(7)), unit="kJ")))
    assert cell(mapping.map({"a": 41.84, "b": 3}), "energy") == 10.0
    assert cell(mapping.map({"a": None, "b": 3}), "energy") == 3.0
    assert rules(mapping.map({"a": "", "b": 3})) == [("a", "number")]


def test_sum_is_null_if_any_part_is():
    mapping = made(workouts(zone_0=Reading(sum=("a", "b"), unit="ms")))
    assert cell(mapping.map({"a": 1500, "b": -500}), "zone_0") == 1.0
    assert cell(mapping.map({"a": 1500, "b": "500.5"}), "zone_0") == 2.0005
    assert cell(mapping.map({"a": 1500}), "zone_0") is None
    assert rules(mapping.map({"a": "", "b": None})) == [("a", "number")]


@pytest.mark.parametrize(
    ("when", "record", "made_"),
    [
        ("score", {"score": {"a": 1}}, True),
        ("score", {"score": {}}, False),
        ("score", {"score": []}, False),
        ("score", {"score": ""}, False),
        ("score", {"score": 0}, True),
        ("score", {"score": False}, False),
        ("score", {"score": None}, False),
        ("score", {}, False),
        ("status != 'entered-in-error'", {"status": "final"}, True),
        ("status != 'entered-in-error'", {"status": "entered-in-error"}, False),
        ("$account.adult", {}, True),
    ],
)
def test_when_is_jmespath_truth_for_mapping_target_and_row_set(when, record, made_):
    value = {"value": const(60)}
    for mapping in (
        made(workouts(), when=when),
        made(workouts(when=when)),
        made(vitals({"heart_rate": {**value, "value": path("v", unit="/min")}}, when={"heart_rate": when})),
    ):
        mapped = mapping.map({**record, "v": 60}, account={"adult": True})
        assert (len(mapped.rows) == 1, mapped.issues) == (made_, [])


def test_jmespath_that_fails_on_a_record_is_an_issue():
    mapping = made(workouts(when="contains(tags, 'x')"))
    assert mapping.map({"tags": ["x"]}).rows
    assert rules(mapping.map({})) == [("contains(tags, 'x')", "expression")]
    column = made(workouts(sport=path("join('-', names)")))
    assert rules(column.map({"names": [1]})) == [("join('-', names)", "expression")]


def test_a_plain_name_may_hold_a_hyphen():
    assert cell(made(workouts(sport=path("the-sport.its-name"))).map({"the-sport": {"its-name": "judo"}}), "sport") == (
        "judo"
    )
