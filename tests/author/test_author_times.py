"""Times of the called address become the window; what cannot be told stays, and is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from author_made import new, said

DAY = [{"id": 1, "day": "2026-01-01"}]
START, END = "{{ window.start }}", "{{ window.end }}"


class Called(NamedTuple):
    title: str
    address: str
    expected: dict[str, Any]
    marks: tuple[str, ...] = ()
    """Lines of the connector that end so."""


CALLED = [
    Called(
        "dates in the path",
        "/1.2/user/-/sleep/date/2026-01-01/2026-01-31.json",
        {"path": f"/1.2/user/-/sleep/date/{START}/{END}.json", "format": "date", "step": "30d", "name": "sleep"},
        ("# guessed: its times were those of one call",),
    ),
    Called(
        "one date in the path asks for a day",
        "/1/user/-/hr/date/2026-01-01/1d.json",
        {"path": f"/1/user/-/hr/date/{START}/1d.json", "format": "date", "step": "1d", "end": None, "name": "hr"},
    ),
    Called("epochs in the path", "/rides/1767225600/1767312000", {"path": f"/rides/{START}/{END}", "format": "epoch"}),
    Called(
        "instants in the path",
        "/hr/from/2026-01-01T00:00:00Z/to/2026-02-01T00:00:00Z",
        {"path": f"/hr/from/{START}/to/{END}", "format": None, "name": "hr"},
    ),
    Called("since an instant in the path", "/hr/since/1767225600000", {"path": f"/hr/since/{START}", "step": None}),
    Called(
        "before and after, whatever their order",
        "/t?before=1525500000&after=1524900000",
        {"params": {"before": END, "after": START}, "format": "epoch"},
        ('before: "{{ window.end }}"   # guessed: the end of what is asked for',),
    ),
    Called(
        "an operator in brackets",
        "/t?find[date][$gte]=1767225600000&count=1000",
        {"params": {"find[date][$gte]": START, "count": 1000}, "format": "epoch_ms", "step": None},
        ("# guessed: the start of what is asked for",),
    ),
    Called(
        "two times without a name: the earlier one is the start",
        "/t?b=2026-02-01&a=2026-01-01",
        {"params": {"b": END, "a": START}, "format": "date"},
    ),
    Called("a day", "/t?date=2026-01-01", {"params": {"date": START}, "format": "date", "step": "1d"}),
    Called(
        "an end alone, and a time that says nothing, stay as they are",
        "/t?until=2026-02-01&x=1767225600",
        {"params": {"until": "2026-02-01", "x": "1767225600"}, "settle": None},
        (
            'until: "2026-02-01"   # look: this looks like a time, and is now fixed',
            'x: "1767225600"   # look: this looks like a time, and is now fixed',
        ),
    ),
    Called(
        "an id as long as an epoch is none",
        "/t?max_id=1525500000&start=2026-01-01",
        {"params": {"max_id": "1525500000", "start": START}},
    ),
    Called(
        "an extension is no part of a name", "/user/-/profile.json", {"path": "/user/-/profile.json", "name": "profile"}
    ),
]


@pytest.mark.parametrize("case", CALLED, ids=lambda case: case.title)
def test_times_of_the_address(folder: Path, case: Called) -> None:
    (folder / "answer.json").write_text(json.dumps(DAY))
    new("drafted", "--base-url", "https://api.example.com", "--path", case.address, "--sample", "answer.json")
    ((name, resource),) = said("connectors/drafted.yaml")["resources"].items()
    flat = {**resource, **resource.get("window", {}), "name": name}
    assert {key: flat.get(key) for key in case.expected} == case.expected
    lines = (folder / "connectors/drafted.yaml").read_text().splitlines()
    assert [mark for mark in case.marks if not any(line.endswith(mark) for line in lines)] == []


def test_where_history_begins_is_said_and_asked(folder: Path) -> None:
    (folder / "answer.json").write_text(json.dumps(DAY))
    made = new("drafted", "--path", "https://api.example.com/t?since=2026-01-01", "--sample", "answer.json")
    assert said("connectors/drafted.yaml")["resources"]["t"]["window"]["from"] == "730d"
    assert "look: from: where does history begin?" in made.out


@pytest.mark.parametrize(
    ("path", "answer", "key", "columns"),
    [
        (
            "/days?since=1767225600",
            {"n": 1.5},
            ["day"],
            {"day": {"type": "bigint", "path": "$window.start"}, "n": "float"},
        ),
        (
            "/days/2026-01-01.json",
            {"summary": {"steps": 8000}, "user_id": 1},
            ["day"],
            {"day": {"type": "date", "path": "$window.start"}, "summary.steps": "int", "user_id": "bigint"},
        ),
        ("/days/2026-01-01", {"date": "2026-01-01", "steps": 8000}, ["date"], {"date": "date", "steps": "int"}),
    ],
)
def test_an_object_about_a_day_is_a_record_per_day(
    folder: Path, path: str, answer: Any, key: list[str], columns: dict[str, Any]
) -> None:
    (folder / "answer.json").write_text(json.dumps(answer))
    new("drafted", "--path", f"https://api.example.com{path}", "--sample", "answer.json")
    (resource,) = said("connectors/drafted.yaml")["resources"].values()
    assert (resource["key"], resource["columns"], resource["window"]["step"]) == (key, columns, "1d")
