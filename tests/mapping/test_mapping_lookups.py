"""Lookups, and the metrics they lead to."""

from __future__ import annotations

import pytest
from mapping_made import cell, lookup, made, path, rules, vitals, workouts

from hde.errors import WrongUse
from hde.spec.mapping import Lookup, Reading

LOOKUP = {"0": "running", "no": "rowing", "true": "tennis", "1.5": "golf", "empty": None}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "running"), ("0", "running"), (0.0, "running"), ("no", "rowing"), (True, "tennis"), (1.5, "golf"),
     ("empty", None), (["no", "0"], "running"), ([None, "no"], "rowing")],
)  # fmt: skip
def test_lookup_keys_are_compared_as_text_and_its_order_decides_in_a_list(value, expected):
    mapped = made(workouts(sport=path("x", lookup=lookup(LOOKUP)))).map({"x": value})
    assert (cell(mapped, "sport"), mapped.issues) == (expected, [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([["chess"], ["no", "0"]], "running"),
        ([[["no"]], "true"], "rowing"),
        (["true", "no"], "rowing"),
        ([{"code": "0"}, None, "no"], "rowing"),
    ],
)
def test_codings_of_several_concepts_are_one_list(value, expected):
    assert cell(made(workouts(sport=path("x", lookup=lookup(LOOKUP)))).map({"x": value}), "sport") == expected


def test_a_list_in_which_a_filter_found_nothing_leaves_the_next_path_its_turn():
    codes = Reading(first=(path("codes[?own].code"), path("codes[].code"), path("word")), lookup=lookup(LOOKUP))
    mapping = made(workouts(sport=codes))
    assert cell(mapping.map({"codes": [{"code": "0", "own": True}, {"code": "no"}]}), "sport") == "running"
    assert cell(mapping.map({"codes": [{"code": "true"}, {"code": "no"}]}), "sport") == "rowing"
    assert cell(mapping.map({"codes": [], "word": "1.5"}), "sport") == "golf"
    assert rules(mapping.map({"codes": [{"code": "?"}], "word": "1.5"})) == [("codes[].code", "lookup")]
    assert rules(mapping.map({"codes": [], "word": []})) == [("word", "lookup")]


@pytest.mark.parametrize("value", ["Running", "RUNNING", ["chess", "runninG"]])
def test_the_case_of_letters_may_be_no_matter(value):
    words = Lookup({"Running": "running", "rowing": "rowing"}, any_case=True)
    assert cell(made(workouts(sport=path("x", lookup=words))).map({"x": value}), "sport") == "running"


def test_one_word_in_two_cases_is_one_thing():
    words = Lookup({"Running": "running", "running": "rowing"}, any_case=True)
    with pytest.raises(WrongUse, match="running: the same word, in letters of another case, is something else"):
        made(workouts(sport=path("x", lookup=words)))


@pytest.mark.parametrize("value", ["chess", "No", 1, False, [], ["chess"], {"no": 1}])
def test_what_a_lookup_does_not_know(value):
    def mapped(unknown):
        return made(workouts(sport=path("x", lookup=lookup(LOOKUP, unknown)))).map({"x": value})

    assert (mapped("issue").rows, rules(mapped("issue"))) == ([], [("x", "lookup")])
    assert (cell(mapped("null"), "sport"), [issue.level for issue in mapped("null").issues]) == (None, ["warning"])
    assert (mapped("skip").rows, mapped("skip").issues) == ([], [])
    if isinstance(value, str):
        assert (cell(mapped("keep"), "sport"), mapped("keep").issues) == (value, [])
    else:
        assert rules(mapped("keep")) == [("x", "type")]


def test_a_lookup_into_closed_words_and_numbers_is_checked_when_compiled():
    with pytest.raises(WrongUse, match=r"acme/things: to\.workouts\.columns\.state.*'done'.*final, pending"):
        made(workouts(state=path("x", lookup=lookup({"a": "done"}))))
    mapping = made(workouts(energy=path("x", unit="kJ", lookup=lookup({"low": 41.84, "high": "4184"}))))
    assert [cell(mapping.map({"x": word}), "energy") for word in ("low", "high")] == [10.0, 1000.0]


def test_a_metric_brings_unit_code_statistic_and_method():
    mapping = made(
        vitals({"hrv_rmssd": {"value": path("hrv", unit="s")}, "steps": {"value": path("steps", unit="{steps}")}})
    )
    mapped = mapping.map({"hrv": 0.05, "steps": 9})
    names = ("metric", "value", "unit", "loinc", "statistic", "method")
    assert [tuple(cell(mapped, name, row) for name in names) for row in (0, 1)] == [
        ("hrv_rmssd", 50.0, "ms", None, "sample", "RMSSD"),
        ("steps", 9.0, "{steps}", "55423-8", "total", None),
    ]


def test_a_metric_can_be_read_from_the_record():
    codes = lookup({"8867-4": "heart_rate", "29463-7": "weight"}, "skip")
    mapping = made(vitals({"measured": {"metric": path("codes", lookup=codes), "value": path("v", unit="kg")}}))
    mapped = mapping.map({"codes": ["1-8", "29463-7"], "v": 70})
    assert [cell(mapped, name) for name in ("metric", "unit", "value", "loinc")] == ["weight", "kg", 70.0, "29463-7"]
    assert mapped.rows[0].part == "measured"
    assert mapping.map({"codes": ["1-8"], "v": 70}) == ([], [], False)
    assert rules(mapping.map({"codes": ["8867-4"], "v": 70})) == [("v", "unit")]
    free = made(vitals({"m": {"metric": path("m"), "value": path("v", unit="kg")}}))
    assert rules(free.map({"m": "happiness", "v": 70})) == [("m", "metric")]


@pytest.mark.parametrize("value", [301, 19])
def test_an_implausible_value_is_kept_with_a_warning(value):
    mapped = made(vitals({"heart_rate": {"value": path("v", unit="/min")}})).map({"v": value})
    assert cell(mapped, "value") == value
    assert [(issue.path, issue.rule, issue.level) for issue in mapped.issues] == [("v", "plausible", "warning")]


def test_two_columns_with_one_issue_tell_it_once():
    mapping = made(
        vitals({"spo2": {"value": path("v", unit="%")}, "weight": {"value": path("v", unit="kg")}}),
        workouts(sport=path("v"), source_sport=path("v"), energy=path("v", unit="kcal")),
    )
    assert rules(mapping.map({"v": 1e9})) == [("v", "type"), ("v", "plausible")]


def test_an_error_keeps_the_warnings_beside_it():
    mapping = made(workouts(sport=path("s", lookup=lookup({}, "null")), energy=path("e", unit="kJ")))
    assert rules(mapping.map({"s": "chess", "e": ""})) == [("e", "number"), ("s", "lookup")]
