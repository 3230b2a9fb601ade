"""Results: what is read out of a value, a unit, a range and a flag as sources write them, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_made import cell, const, made, path

from hde.canonical import ANALYTES
from hde.mapping.concentrations import conversion
from hde.mapping.flags import flag
from hde.mapping.result_text import Quantity, Range, Ratio, Span, read_span, read_value
from hde.mapping.unit_table import ALIASES, ANY_CASE, COMMON
from hde.mapping.units import ucum
from hde.spec.mapping import RowSet, Target

LOINC = "http://loinc.org"
COLUMNS = ("source_value", "source_unit", "comparator", "value_text", "absent_reason", "ref_low", "ref_high",
           "ref_text", "ref_unit", "source_interpretation", "value_low", "value_high", "value_boolean")  # fmt: skip
LABS = made(
    Target(
        "lab_results",
        (RowSet("", {name: path(name) for name in COLUMNS} | {"code": path("code", prefer=(LOINC,), system=LOINC)}),),
    )
)


def result(**record: Any) -> dict[str, Any]:
    """Every column of a result that is not null."""
    mapped = LABS.map(record)
    assert [row.table for row in mapped.rows][:1] == ["lab_results"]
    names = (*COLUMNS, "value", "unit", "value_kind", "interpretation", "analyte")
    return {name: found for name in names if (found := cell(mapped, name)) is not None}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("5.1", Quantity(5.1, None, None)),
        ("0.16646872355818987", Quantity(0.16646872355818987, None, None)),
        ("-0.5", Quantity(-0.5, None, None)),
        (".5", Quantity(0.5, None, None)),
        ("<0.3", Quantity(0.3, "<", None)),
        (">= 90", Quantity(90, ">=", None)),
        ("≤ 4", Quantity(4, "<=", None)),
        ("< OR = 4", Quantity(4, "<=", None)),
        ("5.00 M/mm3", Quantity(5, None, "M/mm3")),
        ("12.00000 seconds", Quantity(12, None, "seconds")),
        ("3.1 L", Quantity(3.1, None, None, "L")),
        ("104 HH", Quantity(104, None, None, "HH")),
        ("1,234,567", Quantity(1234567, None, None)),
        ("0-2 /HPF", Range(0, 2, "/HPF")),
        ("5 - 10", Range(5, 10, None)),
        ("1:40", Ratio(1, 40)),
    ],
)
def test_a_value_written_as_text(written: str, read: object) -> None:
    assert read_value(written) == read


@pytest.mark.parametrize(
    "written",
    ["NEGATIVE", "1,234", "5,1", "5.", "10-5", "5 or more", "2024-01-05", "3+", "5 apples", "SEE NOTE:", "", "5.1 5.2"],
)
def test_what_is_not_certainly_a_number_stays_text(written: str) -> None:
    assert read_value(written) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<=200", Span(None, 200, None)),
        ("<200 mg/dL", Span(None, 200, "mg/dL")),
        ("> OR = 40 mg/dL", Span(40, None, "mg/dL")),
        ("0.50 - 0.90 mg/dL", Span(0.5, 0.9, "mg/dL")),
        ("(3.5\u20135.1)", Span(3.5, 5.1, None)),
        ("[4.0 to 10.0]", Span(4, 10, None)),
        ("Reference range: <100", Span(None, 100, None)),
        ("less than 5", Span(None, 5, None)),
        ("not more than 5 mg/L", Span(None, 5, "mg/L")),
        ("At least 1.0", Span(1, None, None)),
        ("above 60", Span(60, None, None)),
        ("40-190 mcg/dL (calc)", Span(40, 190, "mcg/dL (calc)")),
        ("-2 - 2", Span(-2, 2, None)),
    ],
)
def test_a_reference_range_written_as_text(written: str, read: Span) -> None:
    assert read_span(written) == read


@pytest.mark.parametrize("written", ["Not Estab.", "Male: 1-3 Female: 2-4", "5 - 1", "see note", "1-2, 3-4", "x" * 300])
def test_a_reference_range_that_says_more_or_other_than_one_range(written: str) -> None:
    assert read_span(written) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("K/uL", "10*3/uL"), ("x10E3/uL", "10*3/uL"), ("10^3/uL", "10*3/uL"), ("x10(3)/mcL", "10*3/uL"),
        ("10*6/µL", "10*6/uL"), ("10^9/L", "10*9/L"), ("Thousand/uL", "10*3/uL"), ("mcg/dL", "ug/dL"),
        ("\u03bcg/dL", "ug/dL"), ("bpm", "/min"), ("mg/dL (calc)", "mg/dL"), ("mEq/L", "meq/L"), ("KILOGRAMS", "kg"),
        ("mL/min/1.73 m2", "mL/min/{1.73_m2}"), ("BEATS PER MINUTE", "/min"), ("fl", "fL"), ("[pH]", "[pH]"),
        ("MG/L", "mg/L"), ("k/ul", "10*3/uL"), ("mEq/l", "meq/L"), ("mg / L", "mg/L"), ("GM/DL", "g/dL"),
        ("zorkmids", None), ("", None), ("mg/dL fasting", None), ("K" * 100, None),
    ],
)  # fmt: skip
def test_a_unit_as_sources_write_it(written: str, code: str | None) -> None:
    assert ucum(written) == code


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"source_value": 5.1}, {"value": 5.1, "value_kind": "quantity", "source_value": "5.1"}),
        ({"source_value": "4.0", "source_unit": "K/uL"}, {"value": 4.0, "unit": "10*3/uL", "source_unit": "K/uL"}),
        ({"source_value": "<5"}, {"value": 5.0, "comparator": "<"}),
        ({"source_value": 3, "source_unit": "zorkmids"}, {"value": 3.0, "source_unit": "zorkmids", "unit": None}),
        ({"source_value": "NOT DETECTED"}, {"value_kind": "text", "value_text": "NOT DETECTED", "value": None}),
        ({"source_value": "1:40"}, {"value_kind": "ratio", "value_low": 1.0, "value_high": 40.0}),
        ({"value_boolean": False}, {"value_kind": "boolean", "value_boolean": False}),
        ({"absent_reason": "not-performed"}, {"value_kind": "absent"}),
        (
            {"absent_reason": "x", "source_value": "12.0 seconds"},
            {"value_kind": "quantity", "value": 12.0, "unit": "s"},
        ),
        ({"absent_reason": "x", "source_value": "hemolyzed"}, {"value_kind": "absent", "value_text": None}),
        ({}, {"value_kind": None}),
    ],
)
def test_a_result_has_the_kind_of_what_its_source_wrote(record: dict[str, Any], expected: dict[str, Any]) -> None:
    found = result(**record)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"ref_text": "70 - 99 mg/dL"}, {"ref_low": 70.0, "ref_high": 99.0}),
        ({"ref_text": "3.9 - 5.5 mmol/L"}, {"ref_low": None, "ref_high": None, "ref_text": "3.9 - 5.5 mmol/L"}),
        ({"ref_low": 3.9, "ref_high": 5.5, "ref_unit": "mmol/L"}, {"ref_low": None, "ref_text": "3.9 - 5.5 mmol/L"}),
        ({"ref_low": 70, "ref_unit": "mg/dl"}, {"ref_low": 70.0, "ref_high": None, "ref_text": ">=70 mg/dl"}),
        ({"ref_text": "Not Estab."}, {"ref_low": None, "ref_high": None}),
    ],
)
def test_a_reference_range_is_in_the_unit_of_the_value_or_only_text(
    record: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = result(source_value=104, source_unit="mg/dL", **record)
    assert {name: found.get(name) for name in expected} == expected


def test_the_unit_may_stand_behind_the_range_only() -> None:
    found = result(source_value="104", ref_text="<100 mg/dL")
    assert (found["unit"], found["source_unit"], found["ref_high"]) == ("mg/dL", "mg/dL", 100.0)


def test_an_unknown_unit_is_kept_and_flagged() -> None:
    (issue,) = LABS.map({"source_value": 3, "source_unit": "zorkmids"}).issues
    assert (issue.path, issue.rule, issue.level) == ("source_unit", "unit", "warning")


def test_an_unknown_flag_is_kept_and_flagged() -> None:
    mapped = LABS.map({"source_value": 3, "source_interpretation": "peculiar"})
    assert cell(mapped, "source_interpretation") == "peculiar"
    assert cell(mapped, "interpretation") is None
    assert [(issue.rule, issue.level) for issue in mapped.issues] == [("flag", "warning")]


@pytest.mark.parametrize(
    ("code", "value", "unit", "ref", "expected"),
    [
        ("14749-6", 5.55, "mmol/L", "3.9-5.5", {"value": 99.9866, "unit": "mg/dL", "ref_low": 70.2608}),
        ("2345-7", 100, "mg/dL", "70-99", {"value": 100.0, "unit": "mg/dL", "ref_low": 70.0}),
        ("2951-2", 140, "mEq/L", "135-145", {"value": 140.0, "unit": "mmol/L", "ref_high": 145.0}),
        ("718-7", 140, "g/L", "120-160", {"value": 14.0, "unit": "g/dL", "ref_low": 12.0}),
        ("6690-2", 6.1, "10*9/L", "4-11", {"value": 6.1, "unit": "10*3/uL", "ref_high": 11.0}),
        ("1920-8", 23, "IU/L", "10-35", {"value": 23.0, "unit": "U/L", "ref_high": 35.0}),
        ("4548-4", 48, "mmol/mol", "20-42", {"value": 48.0, "unit": "mmol/mol", "ref_high": 42.0}),
        ("718-7", 8.7, "mmol/L", None, {"value": 8.7, "unit": "mmol/L"}),
    ],
    ids=[
        "by molar mass",
        "as it is",
        "by charge",
        "by UCUM",
        "cells",
        "an enzyme",
        "another scale",
        "no molar mass is declared",
    ],
)
def test_an_analyte_has_one_unit_where_something_certain_leads_there(
    code: str, value: float, unit: str, ref: str | None, expected: dict[str, Any]
) -> None:
    found = result(code=code, source_value=value, source_unit=unit, ref_text=ref)
    assert {name: found.get(name) for name in expected} == pytest.approx(expected)
    assert (found["source_value"], found["source_unit"]) == (f"{value}", unit)


@pytest.mark.parametrize(
    ("written", "code"),
    [("H", "H"), ("h", "H"), ("High", "H"), ("above high  normal", "H"), ("CRITICAL LOW", "LL"), ("Abnormal", "A"),
     ("(A)", "A"), ("POS", "POS"), ("Not Detected", "ND"), ("R", "R"), ("*", None), ("see below", None)],
)  # fmt: skip
def test_a_flag(written: str, code: str | None) -> None:
    assert flag(written) == code


def test_a_ratio_in_any_case_is_one_unit() -> None:
    spelt = [*ALIASES.items(), *((code, code) for code in COMMON)]
    assert {one: code for one, code in spelt if "/" in one and ANY_CASE[one.lower()] != code} == {}


@pytest.mark.parametrize("code", ANALYTES)
def test_the_codes_of_analytes_have_right_check_digits(code: str) -> None:
    digits, _, check = code.partition("-")
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    assert -sum(number - 9 if number > 9 else number for number in doubled) % 10 == int(check)


@pytest.mark.parametrize("analyte", dict.fromkeys(ANALYTES.values()), ids=lambda analyte: analyte.name)
def test_the_units_of_analytes_are_known_without_the_unit_library(analyte: Any) -> None:
    assert ucum(analyte.unit) == analyte.unit


@given(st.floats(0.01, 1e4), st.sampled_from([one for one in dict.fromkeys(ANALYTES.values()) if one.molar_mass]))
def test_from_mass_to_substance_and_back(number: float, analyte: Any) -> None:
    to_unit = conversion("mmol/L", analyte)
    assert to_unit is not None
    if analyte.unit.endswith("mol/L"):
        return
    mass = {"mg/dL": 10.0, "ug/dL": 0.01, "ng/dL": 1e-5, "ng/mL": 0.001, "pg/mL": 1e-6}[analyte.unit]
    assert to_unit(number) * mass / analyte.molar_mass == pytest.approx(number, rel=1e-4)


@given(st.text(max_size=60))
def test_no_text_is_too_strange_for_a_result(text: str) -> None:
    read_value(text)
    read_span(text)
    flag(text)


def test_a_constant_unit_does_as_well_as_one_of_the_record() -> None:
    mapped = made(Target("lab_results", (RowSet("", {"source_value": path("v"), "source_unit": const("mg/dl")}),)))
    assert cell(mapped.map({"v": 3}), "unit") == "mg/dL"
