"""A traced record gives exactly what mapping gives, and says which path each value was read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mapping_made import const, lookup, path

from hde.mapping.compiled import compile_mapping
from hde.mapping.trace import Trace, trace
from hde.spec.mapping import Each, Mapping, Reading, Reference, RowSet, Target

NOON = "2026-01-02T12:00:00Z"
START = path("at")


def vitals(each: Each | None = None, key: str | None = None, **rows: dict[str, Reading]) -> Mapping:
    sets = tuple(RowSet(name, {"start_time": START, **columns}) for name, columns in rows.items())
    target = Target("biometrics_vitals", sets, each=each, key=key)
    return Mapping("acme/things", Path("acme/things.yaml"), "things", {target.table: target})


CASES: dict[str, tuple[Mapping, dict[str, Any], str, dict[str, list[tuple[str, Any]]]]] = {
    "a path": (
        vitals(weight={"value": path("w", unit="g")}),
        {"at": NOON, "w": 70_000},
        "weight",
        {"value": [("w", 70_000)]},
    ),
    "the first that is there": (
        vitals(weight={"value": Reading(first=(path("a.x"), path("b")), unit="kg")}),
        {"at": NOON, "b": 70},
        "weight",
        {"value": [("a.x", None), ("b", 70)]},
    ),
    "a sum": (
        vitals(weight={"value": Reading(sum=("fat", "lean"), unit="kg")}),
        {"at": NOON, "fat": 10, "lean": 60},
        "weight",
        {"value": [("fat", 10), ("lean", 60)]},
    ),
    "a lookup and a constant": (
        vitals(
            weight={
                "value": path("w", unit="kg"),
                "state": path("s", lookup=lookup({"ok": "final"})),
                "context": const("day"),
            }
        ),
        {"at": NOON, "w": 70, "s": "ok"},
        "weight",
        {"state": [("s", "ok")]},
    ),
    "a column two rows share": (
        vitals(weight={"value": path("w", unit="kg")}, height={"value": path("h", unit="m")}),
        {"at": NOON, "w": 70, "h": 1.8},
        "height",
        {"start_time": [("at", NOON)], "value": [("h", 1.8)]},
    ),
    "items of a list": (
        vitals(Each(path="items"), "id", weight={"start_time": path("t"), "value": path("w", unit="kg")}),
        {"items": [{"id": "a", "t": NOON, "w": 70}, None, {"id": "b", "t": NOON, "w": 71}]},
        "weight/b",
        {"value": [("items[].w", 71)], "start_time": [("items[].t", NOON)]},
    ),
}


def traced(mapping: Mapping, record: dict[str, Any], **options: Any) -> Trace:
    given = {"row": {}, "references": {}, "account": {}, **options}
    found = trace(mapping, record, **given)
    assert found.mapped == compile_mapping(mapping).map(record, **given)
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_was_read_is_said_for_each_column(case: str) -> None:
    mapping, record, part, expected = CASES[case]
    row = traced(mapping, record).of("biometrics_vitals", part)
    assert row is not None
    assert row.row is not None
    read = {name: [(text, value) for text, value in one.paths] for name, one in row.columns.items() if name in expected}
    assert read == expected


def test_another_record_is_named() -> None:
    target = Target(
        "biometrics_vitals", (RowSet("weight", {"start_time": path("$visit.at"), "value": path("w", unit="kg")}),)
    )
    mapping = Mapping(
        "acme/things",
        Path("a.yaml"),
        "things",
        {target.table: target},
        {"visit": Reference("visit", "visits", "visit_id")},
    )
    row = traced(mapping, {"w": 70}, references={"visit": {"at": NOON}}).of("biometrics_vitals", "weight")
    assert row is not None
    assert row.columns["start_time"].paths == [("$visit.at", NOON)]
    assert traced(mapping, {"w": 70}, references={"visit": None}).mapped.waiting


def test_what_broke_a_record_is_seen() -> None:
    found = traced(vitals(weight={"value": path("w", unit="kg")}), {"at": NOON, "w": "heavy"})
    assert [(one.path, one.rule) for one in found.mapped.issues] == [("w", "number")]
    assert found.seen("w")[0] == "heavy"
    assert found.of("biometrics_vitals", "weight") is None


def test_a_condition_is_seen() -> None:
    mapping = vitals(weight={"value": path("w", unit="kg")})
    target = mapping.to["biometrics_vitals"]
    guarded = Mapping("a/b", Path("a.yaml"), "b", {target.table: Target(target.table, target.rows, when="score")})
    assert traced(guarded, {"at": NOON, "w": 70, "score": None}).asked == [("score", None)]


def test_compiling_without_a_watch_reports_to_nobody() -> None:
    mapping, record, part, _ = CASES["a path"]
    found = traced(mapping, record)
    before = len(found.reads)
    compile_mapping(mapping).map(record)
    assert len(found.reads) == before
    assert part == "weight"


def test_the_row_of_a_record_with_codes_is_found_among_theirs() -> None:
    columns = {"code": path("code", prefer=("urn:a",)), "name": path("code.text")}
    targets = {"procedures": Target("procedures", (RowSet("", columns),), each=Each("done"))}
    mapping = Mapping("acme/things", Path("acme/things.yaml"), "things", targets)
    codes = [{"text": text, "coding": [{"system": "urn:a", "code": text}] * 2} for text in "xy"]
    row = traced(mapping, {"done": [{"code": code} for code in codes]}).of("procedures", "1")
    assert row is not None
    assert row.row is not None
    assert "y" in row.row.values
    assert row.columns["name"].paths == [("done[].code.text", "y")]
