"""Codes: the declared preference decides which one counts, and all of them are kept beside the row."""

from __future__ import annotations

from typing import Any

import pytest
from mapping_made import cell, made, path, rules

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.spec.mapping import RowSet, Target

LOINC, SNOMED, LOCAL = "http://loinc.org", "http://snomed.info/sct", "urn:local"


def coding(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"system": system, "code": code, **more}


def conditions(*prefer: str, **more: Any) -> Any:
    return made(Target("conditions", (RowSet("", {"code": path("code", prefer=prefer or None, **more)}),)))


PRESSURE = [coding(LOCAL, "BP"), coding(LOINC, "55284-4"), coding(LOINC, "85354-9"), coding(LOINC, "8716-3")]


@pytest.mark.parametrize(
    ("prefer", "given", "chosen"),
    [
        ((f"{LOINC}|85354-9", LOINC), PRESSURE, "85354-9"),
        ((LOINC,), PRESSURE, "55284-4"),
        ((SNOMED, LOINC), PRESSURE, "55284-4"),
        ((SNOMED,), PRESSURE, None),
        ((SNOMED, "*"), PRESSURE, "BP"),
        ((LOINC,), [coding(LOINC, "1-8"), coding(LOINC, "2-6", userSelected=True)], "2-6"),
        ((SNOMED,), {"coding": [coding(LOCAL, "x"), coding(SNOMED, "73211009")], "text": "Diabetes"}, "73211009"),
        ((SNOMED,), [{"coding": [coding(LOCAL, "x")]}, {"coding": [coding(SNOMED, "1")]}], "1"),
        ((SNOMED,), coding(SNOMED, "22"), "22"),
        ((SNOMED,), {"text": "words only"}, None),
        ((SNOMED,), [], None),
        ((SNOMED,), [None], None),
    ],
)
def test_the_first_wish_that_is_met_counts(prefer: tuple[str, ...], given: Any, chosen: str | None) -> None:
    mapped = conditions(*prefer).map({"code": given})
    assert rules(mapped) == []
    assert cell(mapped, "code") == chosen


def test_every_code_is_kept_with_the_row_it_belongs_to() -> None:
    mapped = conditions(SNOMED).map({"code": [coding(LOCAL, "x", display="Local"), coding(SNOMED, "1", display="One")]})
    names = [column.name for column in TABLES["codings"].columns]
    kept = [dict(zip(names, row.values, strict=True)) for row in mapped.rows if row.table == "codings"]
    assert [row.part for row in mapped.rows] == ["", "conditions/code/0", "conditions/code/1"]
    common = {"of_table": "conditions", "of_part": "", "role": "code", "user_selected": None}
    assert kept == [
        {**common, "rank": 0, "system": LOCAL, "code": "x", "display": "Local", "chosen": False},
        {**common, "rank": 1, "system": SNOMED, "code": "1", "display": "One", "chosen": True},
    ]
    assert (cell(mapped, "code_system"), cell(mapped, "code_display")) == (SNOMED, "One")


def test_a_mapping_that_reads_codes_writes_them() -> None:
    assert conditions(SNOMED).tables == ("conditions", "codings")


def test_a_code_without_a_system_has_that_of_the_mapping() -> None:
    mapped = conditions(system=LOINC).map({"code": "2345-7"})
    assert (cell(mapped, "code"), cell(mapped, "code_system")) == ("2345-7", LOINC)


@pytest.mark.parametrize("given", ["E11.9", True, ["E11.9"], [[1]], {"coding": ["x"]}, [{"system": 1, "code": "x"}]])
def test_what_is_no_code(given: Any) -> None:
    (issue,) = conditions(SNOMED).map({"code": given}).issues
    assert issue.level == "error"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"code": path("code")}, r"code: prefer: which of several codes counts is missing"),
        ({"name": path("name", prefer=(SNOMED,))}, r"name: prefer: name is no code"),
        ({"name": path("name", system=SNOMED)}, r"name: system: name is no code"),
    ],
)
def test_what_a_mapping_must_say_of_codes(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        made(Target("conditions", (RowSet("", columns),)))


def test_nobody_else_writes_the_table_of_codes() -> None:
    with pytest.raises(WrongUse, match="written by the engine"):
        made(Target("codings", (RowSet("", {"code": path("code")}),)))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Encounter/e1", "e1"),
        ("https://example.com/fhir/Encounter/e1", "e1"),
        ("Encounter/e1/_history/3", "e1"),
        ("urn:uuid:6f2c", "6f2c"),
        ("e1", "e1"),
        ("#inside", None),
    ],
)
def test_a_reference_is_the_id_of_the_other_record(written: str, read: str | None) -> None:
    mapped = made(Target("conditions", (RowSet("", {"encounter": path("at")}),))).map({"at": written})
    assert cell(mapped, "encounter") == read
