"""What else a record may need, and mappings that are refused before any record is read."""

from __future__ import annotations

import pytest
from mapping_made import cell, const, lookup, made, path, rules, vitals, workouts

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import CanonicalRow
from hde.spec.mapping import Reading, RowSet, Target


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
        (Target("moods", ()), "no table 'moods'. There is user_identity, sleep_sessions"),
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
        (vitals({"m": {"metric": path("m"), "value": path("a")}}), "unit is missing; every metric has its own"),
        (
            vitals({"m": {"metric": path("m"), "value": Reading(first=(path("a", unit="g"), path("b")))}}),
            "unit is missing; every metric has its own",
        ),
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
