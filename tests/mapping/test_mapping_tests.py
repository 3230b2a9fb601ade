"""The runner of the YAML tests: what it says when a test and a mapping disagree, and the WHOOP tests themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mapping_made import const, lookup, made, path, vitals, workouts

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import compile_mapping
from hde.mapping.testing import run_test
from hde.spec.load import load_source
from hde.spec.mapping_test import ExpectedIssue, Given, ManyRows, MappingTest, read_tests

ROOT = Path(__file__).parents[2]
WHOOP = ROOT / "mappings" / "whoop"
SOURCE = load_source(ROOT / "connectors" / "whoop.yaml", WHOOP)
TESTS, PROBLEMS = read_tests(WHOOP)


def fixtures(resource):
    return {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted((WHOOP / "fixtures" / resource).glob("*"))
    }


@pytest.mark.parametrize("test", TESTS, ids=lambda test: f"{test.mapping}: {test.title}")
def test_whoop(test):
    (mapping,) = (one for one in SOURCE.mappings if one.name == f"whoop/{test.mapping}")
    assert run_test(test, compile_mapping(mapping), fixtures) == []


def test_every_whoop_test_file_could_be_read():
    assert PROBLEMS == []
    assert {test.mapping for test in TESTS} == {mapping.from_ for mapping in SOURCE.mappings}


@pytest.mark.parametrize("mapping", SOURCE.mappings, ids=lambda mapping: mapping.from_)
def test_every_whoop_fixture_stands_in_a_test(mapping):
    given = {one.given.fixture for one in TESTS if one.mapping == mapping.from_}
    with_ = {one.fixture for test in TESTS for one in test.with_.values() if one is not None}
    assert set(fixtures(mapping.from_)) <= given | with_


@pytest.mark.parametrize("resource", SOURCE.connector.resources)
def test_every_declared_whoop_column_has_a_value_in_some_fixture(resource):
    def value(record, path):
        for name in path.split("."):
            record = record.get(name) if isinstance(record, dict) else None
        return record

    records = fixtures(resource).values()
    columns = [column.path for column in SOURCE.connector.resources[resource].columns]
    assert [path for path in columns if all(value(record, path) is None for record in records)] == []


def test_the_whoop_mappings_stay_small():
    assert sum(len(file.read_text("utf-8").splitlines()) for file in WHOOP.glob("*.yaml")) <= 200


MAPPING = made(
    workouts(
        when="!skip", sport=path("sport", lookup=lookup({"run": "running"}, "null")), distance=path("m", unit="m")
    ),
    vitals({"weight": {"value": path("kg", unit="kg", optional=True)}, "height": {"value": path("h", unit="m")}}),
)
GIVEN = {"run": {"sport": "run", "m": 1000, "kg": 70, "h": 1.7, "deep": {"a": 1}}}


def told(given="run", compiled=MAPPING, **said):
    one = given if isinstance(given, Given) else Given(given)
    return run_test(MappingTest("things", "a run", one, **said), compiled, lambda resource: GIVEN)


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ({"workouts": ({"sport": "running", "distance": 1000, "start_time": "2026-01-02T13:00:00+01:00"},)}, []),
        ({"workouts": ({"distance": 1000.0000001},)}, []),
        ({"workouts": ({"distance": 1001},)}, ["workouts, row 1, distance: expected 1001, got 1000.0"]),
        ({"workouts": ({"sport": None},)}, ["workouts, row 1, sport: expected null, got 'running'"]),
        ({"workouts": ({"distance": True},)}, ["workouts, row 1, distance: expected True, got 1000.0"]),
        (
            {"workouts": ({"start_time": "noon"},)},
            ["workouts, row 1, start_time: expected 'noon', got 2026-01-02T12:00:00Z"],
        ),
        (
            {"biometrics_vitals": ({"part": "weight"},)},
            ["biometrics_vitals: expected 1 row, got 2 (weight, height)"],
        ),
        ({"biometrics_vitals": ({"part": "height", "value": 1.7}, {"part": "weight", "value": 70})}, []),
        (
            {"biometrics_vitals": ({"part": "height", "value": 1.8}, {"part": "wieght"})},
            [
                "biometrics_vitals, row height, value: expected 1.8, got 1.7",
                "biometrics_vitals: no row with part 'wieght'. Did you mean 'weight'?",
            ],
        ),
        ({"biometrics_vitals": ManyRows(2, {"context": None}, ({"part": "height", "value": 1.7},))}, []),
        ({"biometrics_vitals": ManyRows(3)}, ["biometrics_vitals: expected 3 rows, got 2 (weight, height)"]),
        (
            {"biometrics_vitals": ManyRows(all={"unit": "kg"}, rows=({"part": "bmi"},))},
            [
                "biometrics_vitals: no row with part 'bmi'. There is weight, height",
                "biometrics_vitals, all rows, unit: expected 'kg', got 'm' in height",
            ],
        ),
        (
            {"biometrics_vitals": ({"value": 70}, {"value": 1.8})},
            ["biometrics_vitals, row 2 (height), value: expected 1.8, got 1.7"],
        ),
        ({}, ["workouts: expected 0 rows, got 1", "biometrics_vitals: expected 0 rows, got 2 (weight, height)"]),
    ],
)
def test_differences_say_table_row_column_expected_and_got(expect, lines):
    assert told(expect=expect) == lines


def test_issues_are_compared_whole():
    given = Given("run", {"sport": "chess"})
    assert told(given, expect={"workouts": ({},)}) == ["issue sport: lookup: there, and not expected"]
    assert told(given, expect={"workouts": ({},)}, issues=(ExpectedIssue("sport", "lookup"),)) == []
    missing = told(expect={"workouts": ({},)}, issues=(ExpectedIssue("sport", "lookup"),))
    assert missing == ["issue sport: lookup: expected, and not there"]


def test_an_expected_error():
    given = Given("run", drop=("h",))
    assert told(given, error=ExpectedIssue("h", "required")) == []
    assert told(given, error=ExpectedIssue("h", "number")) == [
        "expected no rows and the issue h: number, got 0 rows and the issues h: required"
    ]
    assert told(error=ExpectedIssue("h", "required")) == [
        "expected no rows and the issue h: required, got 3 rows and no issues"
    ]


def test_waiting():
    waits = made(workouts(start_time=path("$sleep.start")), with_=("sleep",))
    assert told(compiled=waits, waiting=True) == []
    assert told(compiled=waits, with_={"sleep": None}, waiting=True) == []
    assert told(compiled=waits, expect={"workouts": ({},)}) == [
        "got no rows, because a record named in `with` is not there (give it in `with`)"
    ]
    there = {"sleep": Given(record={"start": "2026-01-02T03:04:05Z"})}
    assert told(compiled=waits, with_=there, expect={"workouts": ({"start_time": "2026-01-02T03:04:05Z"},)}) == []
    assert told(compiled=waits, with_=there, waiting=True) == [
        "expected to wait for another record, got 1 row and no issues"
    ]


def test_set_and_drop_leave_the_fixture_as_it_is():
    before = json.dumps(GIVEN)
    given = Given("run", {"deep.b.c": 1, "skip": True}, ("deep.a", "m"))
    assert told(given, expect={"workouts": ()}) == []
    assert json.dumps(GIVEN) == before


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"given": "walk", "expect": {}}, "no fixture walk of things; there is run"),
        ({"given": Given("run", drop=("x",)), "expect": {}}, "has no x"),
        ({"given": Given("run", {"m.x": 1}), "expect": {}}, "m is no object"),
        ({"expect": {"sleeps": ()}}, "makes no rows of sleeps"),
        ({"expect": {"workouts": ({"sprot": 1},)}}, "workouts has no column sprot"),
        ({"with_": {"sleep": None}, "expect": {}}, "the mapping has no sleep"),
    ],
)
def test_a_test_that_names_what_does_not_exist(said, complaint):
    with pytest.raises(WrongUse, match=complaint):
        told(**said)


def test_constants_of_a_row_come_with_every_record():
    mapping = made(workouts(load_scale=const("a_scale")))
    columns = [column.name for column in TABLES["workouts"].columns]
    first, second = (mapping.map({"n": n}).rows[0].values for n in range(2))
    assert first == second
    assert first[columns.index("load_scale")] == "a_scale"
