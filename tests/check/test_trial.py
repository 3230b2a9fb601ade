"""What recorded records prove against a connector's column types and against a mapping, said without any value."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Complaints = Callable[[str, str, str], list[str]]
NIGHT, FULL = "mappings/pulse/fixtures/nights/night.json", "mappings/pulse/fixtures/readings/full.json"
CONNECTOR, NIGHTS, READINGS = "connectors/pulse.yaml", "mappings/pulse/nights.yaml", "mappings/pulse/readings.yaml"

TYPES = [
    (CONNECTOR, "      id: bigint", "      id: timestamptz",
     "connectors/pulse.yaml:31:7: resources.readings.columns.id: fixture 'full' of readings has a number at id, and "
     "the column is timestamptz. Say how it is written ({type: timestamptz, time: epoch}), or declare it bigint and "
     "read it in the mapping"),
    (CONNECTOR, "score.total: float", "score.total: int",
     "connectors/pulse.yaml:24:7: resources.nights.columns.score.total: fixture 'night' of nights has a number at "
     "score.total that is not a whole number, and the column is int"),
    (CONNECTOR, "night_id: uuid", "night_id: bigint",
     "connectors/pulse.yaml:32:7: resources.readings.columns.night_id: fixture 'full' of readings has a string at "
     "night_id that is not a whole number, and the column is bigint"),
    (FULL, '"id": 7', '"id": 70000000000000000000',
     "connectors/pulse.yaml:31:7: resources.readings.columns.id: fixture 'full' of readings has a number at id that is "
     "too large for bigint"),
    (NIGHT, '"begin": "2026-01-01T22:00:00Z"', '"begin": "2026-01-01 22:00"',
     "connectors/pulse.yaml:23:7: resources.nights.columns.begin: warning: fixture 'night' of nights has a string at "
     "begin that is not RFC 3339 with an offset (2026-01-31T22:00:00Z), and the column is timestamptz. Say how it "
     "is written ({type: timestamptz, time: '%d.%m.%Y %H:%M'}), or declare it text and read it in the mapping"),
    (FULL, '"id": 7,', '"id": null,',
     "connectors/pulse.yaml:31:7: resources.readings.columns.id: fixture 'full' of readings: id: key missing"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), TYPES, ids=[new for _, _, new, _ in TYPES])
def test_a_column_whose_type_the_recorded_value_does_not_have(
    file: str, old: str, new: str, said: str, complaints: Complaints
) -> None:
    found = complaints(file, old, new)
    assert said in found
    assert "70000000000000000000" not in "".join(found)


OTHERS = re.compile("reads or ignores|ignored here|no column uses")
MAPPINGS = [
    (NIGHTS, "end_time: end", "end_time: status",
     "mappings/pulse/nights.yaml:8:17: to.sleep_sessions.columns.end_time: no fixture of nights can be mapped: "
     "status (a string) is no time as the mapping reads it: without `time`, RFC 3339 with an offset "
     "(2026-01-31T22:00:00Z); e.g. fixture 'night'"),
    (NIGHTS, "score.asleep, unit", "score.raw, unit",
     "mappings/pulse/nights.yaml:11:22: to.sleep_sessions.columns.asleep.path: score.raw (an array) is no number; "
     "e.g. fixture 'night'"),
    (NIGHTS, "{path: status, lookup: status}", "status",
     "mappings/pulse/nights.yaml:4:10: columns.state: no fixture of nights can be mapped: "
     "status (a string) holds a word the column does not take: give it a `lookup`; e.g. fixture 'night'"),
    (READINGS, "start_time: $night.begin", "start_time: $night.score.asleep",
     "mappings/pulse/readings.yaml:5:15: columns.start_time: no fixture of readings can be mapped: "
     "$night.score.asleep (a number) is no time as the mapping reads it: without `time`, RFC 3339 with an offset "
     "(2026-01-31T22:00:00Z); e.g. fixture 'full'"),
    (NIGHTS, "end_time: end", "end_time: {path: begin, plus: score.asleep}",
     "mappings/pulse/nights.yaml:8:37: to.sleep_sessions.columns.end_time.plus: fixture 'night' of nights has a number "
     "here: a number needs unit: {path: score.asleep, unit: min}"),
    (NIGHTS, "end_time: end", "end_time: {path: begin, plus: {path: score.asleep}}",
     "mappings/pulse/nights.yaml:8:44: to.sleep_sessions.columns.end_time.plus.path: fixture 'night' of nights has a "
     "number here: a number needs unit: {path: score.asleep, unit: min}"),
    (NIGHTS, "end_time: end", 'end_time: {path: begin, time: "%Y-%m-%dT%H:%M:%SZ", offset: score.asleep}',
     "mappings/pulse/nights.yaml:8:67: to.sleep_sessions.columns.end_time.offset: fixture 'night' of nights has a "
     "number here: a number needs unit: {path: score.asleep, unit: min}"),
    (NIGHTS, "utc_offset: offset", "utc_offset: score.asleep",
     "mappings/pulse/nights.yaml:9:19: to.sleep_sessions.columns.utc_offset: fixture 'night' of nights has a "
     "number here: a number needs unit: {path: score.asleep, unit: min}"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), MAPPINGS, ids=[new for _, _, new, _ in MAPPINGS])
def test_a_mapping_that_no_recorded_record_can_be_read_by(
    file: str, old: str, new: str, said: str, complaints: Complaints
) -> None:
    found = complaints(file, old, new)
    assert [line for line in found if not OTHERS.search(line)] == [said]


def test_reasons_that_differ_from_fixture_to_fixture_are_said_once_each(complaints: Complaints, pulse: Path) -> None:
    file = pulse / "mappings/pulse/fixtures/nights/pending.json"
    file.write_text(file.read_text().replace('"open"', "7"))
    found = complaints(NIGHT, '"begin": "2026-01-01T22:00:00Z"', '"begin": null')
    assert [line for line in found if "nights" in line and "warning" not in line] == [
        "mappings/pulse/nights.yaml:1:7: from: no fixture of nights can be mapped: begin is empty, "
        "and the column needs a value; e.g. fixture 'night'"
    ]


def test_one_odd_record_among_others_is_no_mistake_of_the_mapping(complaints: Complaints) -> None:
    assert complaints(NIGHT, '"offset": "+01:00"', '"offset": "east"') == []


def test_a_word_that_the_lookup_lacks_is_a_warning_unless_a_test_or_the_lookup_speaks_of_it(
    complaints: Complaints, pulse: Path
) -> None:
    (found,) = complaints(NIGHT, '"done"', '"dreaming"')
    assert found.startswith(
        "mappings/pulse/nights.yaml:4:17: columns.state.path: warning: fixture 'night' of nights has"
    )
    (pulse / "mappings/pulse/tests/nights.yaml").write_text(
        "mapping: nights\ntests:\n  - {title: odd, given: night, error: {path: status, rule: lookup}}\n"
    )
    assert complaints(NIGHT, "dreaming", "dreaming") == []


def test_what_a_test_expects_to_be_refused_is_no_mistake(complaints: Complaints, pulse: Path) -> None:
    (pulse / "mappings/pulse/tests/readings.yaml").write_text(
        "mapping: readings\ntests:\n  - {title: odd, given: full, error: {path: values.hrv, rule: number}}\n"
    )
    assert complaints(FULL, '"hrv": 61.5', '"hrv": "high"') == []


def test_without_the_record_a_mapping_waits_for_or_an_account_nothing_is_tried(complaints: Complaints) -> None:
    assert complaints(FULL, '"night_id": "0d0e6c1a', '"night_id": "00000000') == []
    found = complaints(NIGHTS, "end_time: end", "end_time: {path: status, zone: $account.zone}")
    assert [line for line in found if "reads or ignores" not in line] == []
