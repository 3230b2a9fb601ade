"""Times of which a source knows less than an instant; items taken out of a record for the whole mapping."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from mapping_made import cell, made, path, rules

from hde.spec.mapping import Each, LocalOffset, RowSet, Target


def procedures(**columns: Any) -> Any:
    return made(Target("procedures", (RowSet("", columns),)))


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("written", "instant", "day", "text"),
    [
        ("2026-03-02T12:00:00Z", NOON, None, None),
        ("2026-03-02T07:00:00-05:00", NOON, DAY, None),
        ("2026-03-02", None, DAY, "2026-03-02"),
        ("2026-03-02T12:00:00", None, DAY, "2026-03-02T12:00:00"),
        ("2026-03-02 12:00", None, DAY, "2026-03-02 12:00"),
        ("2026-03", None, None, "2026-03"),
        ("2026", None, None, "2026"),
    ],
)
def test_what_is_known_of_a_time_is_kept_and_no_more(
    written: str, instant: datetime | None, day: date | None, text: str | None
) -> None:
    mapped = procedures(start_time=path("at")).map({"at": written})
    assert [cell(mapped, name) for name in ("start_time", "local_date", "start_text")] == [instant, day, text]


@pytest.mark.parametrize("written", ["yesterday", "2026-13", "2026-02-30", "02/03/2026"])
def test_a_text_that_says_no_time_is_kept_with_a_warning(written: str) -> None:
    mapped = procedures(start_time=path("at")).map({"at": written})
    assert [cell(mapped, name) for name in ("start_time", "local_date", "start_text")] == [None, None, written]
    assert [(issue.path, issue.rule, issue.level) for issue in mapped.issues] == [("at", "time", "warning")]


@pytest.mark.parametrize("written", [2026, True, ["2026"], "x" * 101])
def test_what_is_no_time_at_all(written: Any) -> None:
    assert rules(procedures(start_time=path("at")).map({"at": written})) == [("at", "time")]


def test_a_pattern_without_a_zone_names_a_day() -> None:
    mapped = procedures(start_time=path("at", time="%m/%d/%Y %H:%M")).map({"at": "03/02/2026 12:00"})
    assert (cell(mapped, "start_time"), cell(mapped, "local_date")) == (None, DAY)


def test_an_offset_beside_a_local_time_makes_it_an_instant() -> None:
    reading = path("at", offset=LocalOffset("offset"))
    mapped = procedures(start_time=reading).map({"at": "2026-03-02T07:00:00", "offset": "-05:00"})
    assert (cell(mapped, "start_time"), cell(mapped, "local_date")) == (NOON, DAY)


def test_the_end_has_a_day_of_its_own() -> None:
    mapped = procedures(start_time=path("a"), end_time=path("b")).map({"a": "2026-03-01", "b": "2026-03-02"})
    assert (cell(mapped, "end_time"), cell(mapped, "end_date")) == (None, DAY)


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-03-02", DAY), ("2026-03-02T23:30:00-05:00", DAY), ("2026-03", None), ("2026", None)],
)
def test_the_day_something_was_recorded_is_the_day_that_is_written(written: str, day: date | None) -> None:
    mapped = made(Target("conditions", (RowSet("", {"recorded_date": path("at")}),))).map({"at": written})
    assert rules(mapped) == []
    assert cell(mapped, "recorded_date") == day


def test_a_column_may_depend_on_a_condition() -> None:
    mapping = procedures(name=path("name", when="status == 'final'"), outcome=path("outcome"))
    assert cell(mapping.map({"name": "x", "status": "final"}), "name") == "x"
    assert cell(mapping.map({"name": "x", "status": "draft"}), "name") is None


def test_a_record_and_its_parts_as_items_of_one_kind() -> None:
    items = Each("[[@], parts || `[]`][]")
    columns = {"name": path("name"), "category": path("$parent.name", when="!kind")}
    mapping = made(Target("procedures", (RowSet("", columns),), each=items))
    mapped = mapping.map({"kind": "whole", "name": "a", "parts": [{"name": "b"}, {"name": "c"}]})
    assert [(row.part, cell(mapped, "name", n), cell(mapped, "category", n)) for n, row in enumerate(mapped.rows)] == [
        ("0", "a", None),
        ("1", "b", "a"),
        ("2", "c", "a"),
    ]
