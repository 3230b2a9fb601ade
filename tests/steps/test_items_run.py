"""A record taken apart by `each`, from the source to Postgres: rows by their part, replaced together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loopback_made import Source, write_connector
from run_made import ask, call

MAPPING = """\
from: alpha
columns: {start_time: at}
to:
  biometrics_vitals:
    rows:
      weight: {value: {path: kg, unit: kg, optional: true}}
      heart_rate:
        each: beats
        key: no
        start_time: {path: $parent.at, plus: {path: $parent.step, unit: s, times: $index}}
        value: {path: bpm, unit: {path: unit}}
ignore: {id: the key, v: nothing}
"""


def beats(*rates: int, unit: str = "bpm") -> list[dict[str, Any]]:
    return [{"no": number, "bpm": rate, "unit": unit} for number, rate in enumerate(rates, start=1)]


def rows(url: str) -> list[tuple[str, float, int]]:
    """Part, value, and the run that wrote it."""
    return ask(url, "SELECT part, value, run_id FROM canonical.biometrics_vitals ORDER BY part")


def run(source: Source, record: dict[str, Any]) -> None:
    source.records["alpha"] = [record]
    assert call("run", "made").code in (0, 1)


def test_items_are_rows_and_one_that_is_gone_takes_its_row(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha")
    (tmp_path / "mappings" / "made").mkdir(parents=True)
    (tmp_path / "mappings" / "made" / "alpha.yaml").write_text(MAPPING)
    at = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    record = {"id": 1, "at": at, "v": 1, "step": 60, "kg": 70}
    run(source, {**record, "beats": beats(60, 61, 62)})
    first = rows(database_url)
    assert [row[:2] for row in first] == [
        ("heart_rate/1", 60.0), ("heart_rate/2", 61.0), ("heart_rate/3", 62.0), ("weight", 70.0),
    ]  # fmt: skip
    run(source, {**record, "beats": beats(60, 99)})
    second = rows(database_url)
    assert [row[:2] for row in second] == [("heart_rate/1", 60.0), ("heart_rate/2", 99.0), ("weight", 70.0)]
    assert [row[2] > first[0][2] for row in second] == [False, True, False], "what did not change is not written"
    run(source, {**record, "beats": beats(60, 99, unit="beats a day")})
    assert rows(database_url) == [], "a record that no longer reads has no rows"
    assert ask(database_url, "SELECT path, rule FROM meta.issues WHERE closed_at IS NULL") == [("beats[].unit", "unit")]
    run(source, {**record, "beats": beats(60, 99)})
    assert [row[:2] for row in rows(database_url)] == [row[:2] for row in second]
    assert ask(database_url, "SELECT path FROM meta.issues WHERE closed_at IS NULL") == []
