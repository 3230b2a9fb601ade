"""The local offset of a row: as a column says it, as its time carries it, or as a zone gives it at that time."""

from __future__ import annotations

from typing import Any

import pytest
from mapping_made import made, path, workouts

from hde.canonical import TABLES
from hde.spec.mapping import LocalOffset, Reading

COLUMNS = [column.name for column in TABLES["workouts"].columns]
SUMMER, WINTER = "2026-07-01T12:00:00", "2026-01-01T12:00:00"


def offset(record: dict[str, Any], **columns: Reading) -> object:
    """What `utc_offset` becomes, or the issues' rules."""
    mapped = made(workouts(**columns)).map(record, account={"zone": "Europe/Vienna"})
    if mapped.issues:
        return [issue.rule for issue in mapped.issues]
    (row,) = mapped.rows
    return row.values[COLUMNS.index("utc_offset")]


@pytest.mark.parametrize(
    ("start", "record", "expected"),
    [
        (path("at"), {"at": f"{SUMMER}+02:00"}, "+02:00"),
        (path("at"), {"at": f"{SUMMER}-05:30"}, "-05:30"),
        (path("at"), {"at": f"{SUMMER}Z"}, None),
        (path("at"), {"at": f"{SUMMER}-00:00"}, None),
        (path("at", zone="$account.zone"), {"at": SUMMER}, "+02:00"),
        (path("at", zone="$account.zone"), {"at": WINTER}, "+01:00"),
        (path("at", zone="$account.zone", time="%d.%m.%Y %H:%M"), {"at": "01.07.2026 12:00"}, "+02:00"),
        (path("at", offset=LocalOffset("ahead", "min")), {"at": SUMMER, "ahead": -90}, "-01:30"),
        (path("at", time="epoch"), {"at": 1767225600}, None),
        (Reading(first=(path("a"), path("b"))), {"a": None, "b": f"{SUMMER}+01:00"}, "+01:00"),
        (Reading(first=(path("a"), path("b"))), {"a": f"{SUMMER}Z", "b": f"{SUMMER}+01:00"}, None),
        (path("at", time="clock", after="day", zone="$account.zone"), {"at": "23:10", "day": "2026-07-01"}, "+02:00"),
    ],
)
def test_a_row_without_an_offset_has_that_of_its_start(
    start: Reading, record: dict[str, Any], expected: object
) -> None:
    assert offset(record, start_time=start) == expected


@pytest.mark.parametrize(
    ("reading", "record", "expected"),
    [
        (path("at"), {"at": f"{SUMMER}+02:00"}, "+02:00"),
        (path("at"), {"at": f"{SUMMER}Z"}, ["offset"]),
        (path("off"), {"at": f"{SUMMER}+02:00", "off": "-03:00"}, "-03:00"),
        (path("at", zone="$account.zone"), {"at": f"{WINTER}Z"}, "+01:00"),
        (path("s", time="epoch", zone="$account.zone"), {"at": f"{SUMMER}Z", "s": 1782907200}, "+02:00"),
        (path("at", zone="zone"), {"at": f"{SUMMER}Z", "zone": "Mars/Olympus"}, ["zone"]),
    ],
)
def test_what_a_mapping_says_of_the_offset_goes_first(
    reading: Reading, record: dict[str, Any], expected: object
) -> None:
    assert offset(record, start_time=path("at"), utc_offset=reading) == expected
