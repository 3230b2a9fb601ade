"""Numbers whose unit, power of ten or metric the record says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_made import cell, lookup, made, path, rules, vitals, workouts
from yaml_made import found, from_yaml, shown, vital

from hde.errors import WrongUse
from hde.mapping import measures
from hde.spec.mapping import Reading, UnitRead

UNHURRIED = settings(deadline=None, database=None)


def weighed(**how):
    return made(vitals({"weight": {"value": path("v", **how)}}))


@pytest.mark.parametrize(
    ("value", "exponent", "unit", "expected"),
    [
        (72345, -3, "kg", 72.345), (7, 1, "kg", 70.0), (0.7, 2, "kg", 70.0), ("72345", "-3", "kg", 72.345),
        (72345, -3.0, "kg", 72.345), (1e-7, 9, "kg", 100.0), (723450, -1, "g", 72.345), (0, -400, "kg", 0.0),
        (11, -1, "kg", 1.1), (2**70, -20, "kg", 2**70 / 1e20),
    ],
)  # fmt: skip
def test_a_power_of_ten_moves_the_point(value, exponent, unit, expected):
    mapped = weighed(unit=unit, exponent="e").map({"v": value, "e": exponent})
    assert cell(mapped, "value") == expected


@pytest.mark.parametrize(
    ("record", "issue"),
    [
        ({"v": 5}, ("e", "required")), ({"v": 5, "e": None}, ("e", "required")), ({"v": 5, "e": 0.5}, ("e", "integer")),
        ({"v": 5, "e": "x"}, ("e", "number")), ({"v": 5, "e": 401}, ("e", "exponent")),
        ({"v": "x", "e": 1}, ("v", "number")),
        ({"v": 5, "e": 400}, ("v", "number")), ({"v": 5, "e": -400}, ("v", "number")),
        ({"v": 1.5, "e": 400}, ("v", "number")),
        ({"v": 10**500, "e": -400}, ("v", "number")), ({"v": True, "e": 1}, ("v", "number")),
    ],
)  # fmt: skip
def test_a_power_of_ten_that_is_missing_or_too_large_is_an_issue(record, issue):
    mapped = weighed(unit="kg", exponent="e").map(record)
    assert (mapped.rows, rules(mapped)) == ([], [issue])


def test_without_a_number_its_power_of_ten_does_not_matter():
    assert cell(made(workouts(energy=path("v", unit="kcal", exponent="e"))).map({}), "energy") is None


def test_a_power_of_ten_of_a_sum_of_alternatives_and_of_whole_numbers():
    summed = made(workouts(distance=Reading(sum=("a", "b"), unit="m", exponent="e")))
    assert cell(summed.map({"a": 5, "b": 6, "e": -1}), "distance") == 1.1
    first = made(workouts(distance=Reading(first=(path("a"), path("b", exponent="f")), unit="m", exponent="e")))
    assert cell(first.map({"a": 5, "e": 2}), "distance") == 500.0
    assert cell(first.map({"b": 5, "f": 3}), "distance") == 5000.0
    whole = made(vitals({"weight": {"value": path("v", unit="kg")}}), workouts())
    assert cell(whole.map({"v": 70}), "value") == 70.0


@UNHURRIED
@given(st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15), st.integers(-300, 250))
def test_a_power_of_ten_is_what_decimal_arithmetic_says(value, exponent):
    exact = float(Decimal(repr(value)) * Decimal(10) ** exponent)
    if exact or not value:
        assert float(measures._times_ten_to(value, exponent, "v")) == exact


BY_RECORD = [
    (70, "kg", 70.0), (70000, "g", 70.0), (154, "lbs", 69.85322498), (154, "[lb_av]", 69.85322498),
    ("70", " kg ", 70.0),
    (70, "KILOGRAMS", 70.0), (11, "[stone_av]", 69.85322498), (70, "{x}", None), (70, "", None), (70, "cm", None),
    (70, "stone", None), (70, None, None), (70, 1, None), (70, ["kg"], None), (70, "k" * 500, None),
    (70, "10*99999999.kg", None),
    (70, "(" * 50 + "kg" + ")" * 50, None), (70, "{a}{b}", None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "unit", "expected"), BY_RECORD, ids=[repr(unit)[:20] for _, unit, _ in BY_RECORD])
def test_a_unit_of_the_record_is_understood_or_an_issue_where_it_stands(value, unit, expected):
    mapped = weighed(unit=UnitRead("u")).map({"v": value, "u": unit})
    if expected is None:
        assert (mapped.rows, rules(mapped)) == ([], [("u", "unit")])
    else:
        assert (cell(mapped, "value"), mapped.issues) == (pytest.approx(expected, rel=1e-12), [])


def test_a_unit_without_a_number_does_not_matter():
    assert cell(made(workouts(energy=path("v", unit=UnitRead("u")))).map({"u": "blub"}), "energy") is None


def test_the_first_unit_that_is_there_counts_even_if_it_is_unknown():
    mapping = weighed(unit=UnitRead(first=("code", "unit")))
    assert cell(mapping.map({"v": 70, "unit": "kg"}), "value") == 70.0
    assert cell(mapping.map({"v": 70000, "code": "g", "unit": "kg"}), "value") == 70.0
    assert rules(mapping.map({"v": 70, "code": "?", "unit": "kg"})) == [("code", "unit")]
    assert rules(mapping.map({"v": 70})) == [("code", "unit")]


def test_a_source_that_writes_no_units_has_them_looked_up():
    mapping = weighed(unit=UnitRead("$account.units", lookup={"metric": "kg", "0": "[lb_av]"}))
    assert cell(mapping.map({"v": 70}, account={"units": "metric"}), "value") == 70.0
    assert cell(mapping.map({"v": 100}, account={"units": 0}), "value") == 45.359237
    assert rules(mapping.map({"v": 70}, account={"units": "kg"})) == [("$account.units", "unit")]
    with pytest.raises(WrongUse, match="cm cannot become kg"):
        weighed(unit=UnitRead("u", lookup={"metric": "cm"}))


METRICS = lookup({"w": "weight", "h": "height", "t": "body_temperature"}, "skip")


@pytest.mark.parametrize(
    ("unit", "record", "expected"),
    [
        (UnitRead("u"), {"m": "w", "v": 70000, "u": "g"}, ("weight", 70.0, "kg")),
        (UnitRead("u"), {"m": "h", "v": 180, "u": "cm"}, ("height", 1.8, "m")),
        (UnitRead("u"), {"m": "t", "v": 98.6, "u": "°F"}, ("body_temperature", 37.0, "Cel")),
        ("g", {"m": "w", "v": 70000}, ("weight", 70.0, "kg")),
    ],
)
def test_a_number_is_converted_to_the_unit_of_the_metric_the_record_says(unit, record, expected):
    mapping = made(vitals({"any": {"metric": path("m", lookup=METRICS), "value": path("v", unit=unit)}}))
    mapped = mapping.map(record)
    name, value, of = (cell(mapped, column) for column in ("metric", "value", "unit"))
    assert (name, pytest.approx(value, rel=1e-12), of, mapped.issues) == (*expected, [])


def test_a_metric_of_the_record_and_a_unit_that_does_not_fit_it():
    by_record = made(vitals({"any": {"metric": path("m", lookup=METRICS), "value": path("v", unit=UnitRead("u"))}}))
    assert rules(by_record.map({"m": "h", "v": 70, "u": "kg"})) == [("u", "unit")]
    assert rules(by_record.map({"m": "h", "v": "x", "u": "m"})) == [("v", "number")]
    assert by_record.map({"m": "?", "v": 70, "u": "blub"}) == ([], [], False)
    fixed = made(vitals({"any": {"metric": path("m", lookup=METRICS), "value": path("v", unit="kg")}}))
    assert rules(fixed.map({"m": "h", "v": 70})) == [("v", "unit")]


def test_alternatives_each_have_their_own_unit():
    value = Reading(first=(path("grams", unit="g"), path("pounds", unit="lb"), path("any", unit=UnitRead("u"))))
    mapping = made(vitals({"any": {"metric": path("m", lookup=METRICS), "value": value}}))
    records = [{"grams": 70000}, {"pounds": 154.324}, {"any": 0.07, "u": "Mg"}]
    assert [round(cell(mapping.map({"m": "w", **one}), "value"), 3) for one in records] == [70.0, 70.0, 70.0]


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"unit": UnitRead("u"), "lookup": lookup({"a": 1})}, "unit: what a lookup gives has nothing of the record"),
        ({"unit": "kcal", "exponent": "e", "lookup": lookup({"a": 1})}, "exponent: what a lookup gives"),
        ({"unit": UnitRead("u b")}, "is not JMESPath"),
    ],
)
def test_what_cannot_go_together(how, complaint):
    with pytest.raises(WrongUse, match=complaint):
        made(workouts(energy=path("v", **how)))
    with pytest.raises(WrongUse, match="a constant has nothing of the record beside it"):
        made(workouts(energy=Reading(const=1, has_const=True, unit=UnitRead("u"))))
    with pytest.raises(WrongUse, match="exponent: sport is no number"):
        made(workouts(sport=path("v", exponent="e")))
    with pytest.raises(WrongUse, match="sport has no unit"):
        made(workouts(sport=path("v", unit=UnitRead("u"))))
    with pytest.raises(WrongUse, match="that of an offset is the same in every record"):
        made(workouts(utc_offset=path("v", unit=UnitRead("u"))))


OBSERVATIONS = vital(
    """
rows:
  measured:
    when: valueQuantity
    metric: {path: "code.coding[?system == 'http://loinc.org'].code", lookup: loinc, unknown: skip}
    value: {path: valueQuantity.value, unit: {first: [valueQuantity.code, valueQuantity.unit]}}
  components:
    each: component
    key: code.coding[0].code
    metric: {path: "code.coding[?system == 'http://loinc.org'].code", lookup: loinc, unknown: skip}
    value: {path: valueQuantity.value, unit: {first: [valueQuantity.code, valueQuantity.unit]}, optional: true}
""",
    top="columns: {start_time: {first: [effectiveDateTime, effectivePeriod.start]}}",
)
LOINC = (
    "loinc: {8867-4: heart_rate, 8480-6: systolic_blood_pressure, 8462-4: diastolic_blood_pressure, 29463-7: weight}"
)


def coded(*codes, system="http://loinc.org"):
    return {"coding": [{"system": system, "code": code} for code in codes]}


def test_an_observation_is_a_row_and_its_components_are_rows(tmp_path):
    mapping = from_yaml(tmp_path, OBSERVATIONS, LOINC)
    at = {"effectiveDateTime": "2026-01-02T03:04:05+01:00"}
    weight = {**at, "code": coded("3141-9", "29463-7"), "valueQuantity": {"value": 154, "unit": "lbs"}}
    assert shown(mapping.map(weight), "metric", "value", "start_time") == [
        ("measured", "weight", 69.85322498, "2026-01-02T02:04:05Z")
    ]
    pressure = {**at, "code": coded("85354-9"), "component": [
        {"code": coded("8480-6"), "valueQuantity": {"value": 120, "unit": "mmHg", "code": "mm[Hg]"}},
        {"code": coded("8462-4"), "valueQuantity": {"value": 10.7, "unit": "kPa"}},
        {"code": coded("8867-4"), "dataAbsentReason": {"text": "not done"}},
        {"code": coded("8480-6", system="urn:other")},
    ]}  # fmt: skip
    mapped = mapping.map(pressure)
    assert found(mapped) == []
    assert shown(mapped, "metric", "value", "unit") == [
        ("components/8480-6", "systolic_blood_pressure", 120.0, "mm[Hg]"),
        ("components/8462-4", "diastolic_blood_pressure", 10.7 / 0.133322387415, "mm[Hg]"),
    ]
    pressure["component"][1]["valueQuantity"]["unit"] = "bar?"
    assert found(mapping.map(pressure)) == [("component[].valueQuantity.unit", "unit")]
