"""What a value may look like, column type by column type, and what happens where it is missing or does not fit."""

from __future__ import annotations

import math

import pytest
from mapping_made import cell, const, lookup, made, path, rules, vitals, workouts

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import CanonicalRow
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


LOOKUP = {"0": "running", "no": "rowing", "true": "tennis", "1.5": "golf", "empty": None}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "running"), ("0", "running"), (0.0, "running"), ("no", "rowing"), (True, "tennis"), (1.5, "golf"),
     ("empty", None), (["no", "0"], "running"), ([None, "no"], "rowing")],
)  # fmt: skip
def test_lookup_keys_are_compared_as_text_and_its_order_decides_in_a_list(value, expected):
    mapped = made(workouts(sport=path("x", lookup=lookup(LOOKUP)))).map({"x": value})
    assert (cell(mapped, "sport"), mapped.issues) == (expected, [])


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


def test_a_reference_that_is_not_there_leaves_the_record_waiting():
    mapping = made(workouts(start_time=path("$sleep.start")), with_=("sleep",))
    assert mapping.references[0].from_ == "sleeps"
    assert mapping.map({}, references={"sleep": None}) == ([], [], True)
    assert mapping.map({}) == ([], [], True)
    mapped = mapping.map({}, references={"sleep": {"start": "2026-01-02T03:04:05Z"}})
    assert len(mapped.rows) == 1
    assert rules(mapping.map({}, references={"sleep": {}})) == [("$sleep.start", "required")]


@pytest.mark.parametrize(
    "target",
    [
        workouts(when="$sleep"),
        workouts(sport=Reading(first=(path("a"), path("$sleep.name")))),
        workouts(energy=Reading(sum=("a", "$sleep.kj"), unit="kJ")),
        workouts(end_time=path("t", time="clock", zone="$account.zone", after="$sleep.end")),
    ],
)
def test_a_reference_used_anywhere_is_waited_for(target):
    assert made(target, with_=("sleep",)).map({}).waiting


def test_a_reference_nobody_reads_is_not_waited_for():
    assert not made(workouts(), with_=("sleep",)).map({}).waiting


def test_row_and_account_are_read_with_a_dollar():
    mapping = made(workouts(start_time=path("$row.observed_at"), sport=path("$account.sport")))
    mapped = mapping.map({}, row={"observed_at": "2026-01-02T03:04:05Z"}, account={"sport": "judo"})
    assert cell(mapped, "sport") == "judo"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (Target("labs", ()), "no table 'labs'. There is user_identity, sleep_sessions"),
        (Target("workout", ()), "did you mean 'workouts'"),
        (workouts(energi=path("x")), "no column 'energi'. Did you mean 'energy'"),
        (workouts(local_date=path("x")), "filled by the engine"),
        (workouts(energy=path("x")), "unit: the source's unit is missing; the column is in kcal"),
        (workouts(energy=path("x", unit="km")), "km cannot become kcal: length is not energy"),
        (workouts(energy=path("x", unit="blubs")), "'blubs' is not a UCUM unit"),
        (workouts(sport=path("x", unit="kJ")), "sport has no unit"),
        (workouts(sport=path("x", time="epoch")), "sport is no time"),
        (workouts(sport=path("a b")), "'a b' is not JMESPath"),
        (workouts(sport=path("$slep.a")), "did you mean|There is"),
        (workouts(sport=path("a && $row.x")), "is not JMESPath"),
        (workouts(sport=Reading()), "nothing to read"),
        (workouts(sport=Reading(sum=("a", "b"))), "sport is no number"),
        (workouts(sport=const(5)), "const: 5 does not fit sport"),
        (workouts(state=const("done")), "const: 'done' does not fit state"),
        (workouts(start_time=const(None)), "required and cannot be null"),
        (workouts(when="a["), "is not JMESPath"),
        (Target("workouts", (RowSet("", {}),)), "start_time is required"),
        (vitals({"hart_rate": {"value": path("v", unit="/min")}}), "did you mean 'heart_rate'"),
        (vitals({"heart_rate": {"value": path("v")}}), "the column is in /min"),
        (vitals({"heart_rate": {}}), "value is required"),
        (vitals({"hrv_sdnn": {"value": path("v", unit="ms"), "method": const("RMSSD")}}), "hrv_sdnn is by SDNN"),
        (
            vitals({"m": {"metric": path("m", lookup=lookup({"a": "wait"})), "value": path("v", unit="kg")}}),
            "did you mean 'weight'",
        ),
        (
            vitals({"m": {"metric": path("m"), "value": Reading(first=(path("a", unit="g"), path("b")), unit="kg")}}),
            "say one unit",
        ),
        (vitals({"m": {"metric": path("m"), "value": path("a")}}), "say one unit"),
        (workouts(end_time=path("x", time="clock")), "needs `after`"),
        (workouts(end_time=path("x", after="y")), "belongs to `time: clock`"),
        (workouts(end_time=path("x", time="epoch", zone="$account.zone")), "counts in UTC"),
        (workouts(end_time=path("x", time="%H:%M")), "would be made up"),
        (workouts(end_time=path("x", time="%Y-%m-%d %Q")), "not a strptime pattern"),
        (workouts(end_time=path("x", time="%c")), "on every machine"),
    ],
)  # fmt: skip
def test_a_mapping_that_can_never_work_is_refused(target, complaint):
    with pytest.raises(WrongUse, match=f"(?is)acme/things: .*({complaint})"):
        made(target)


def test_a_reference_cannot_take_a_name_of_the_engine():
    with pytest.raises(WrongUse, match="names of their own"):
        made(workouts(), with_=("row",))


def test_rows_have_all_columns_in_the_order_of_the_table():
    mapped = made(workouts()).map({})
    assert isinstance(mapped.rows[0], CanonicalRow)
    assert len(mapped.rows[0].values) == len(TABLES["workouts"].columns)


def test_the_version_follows_what_decides_the_rows():
    one = made(workouts(sport=path("a"))).version
    assert one == made(workouts(sport=path("a"))).version
    assert one != made(vitals({"weight": {"value": path("a", unit="kg")}})).version
