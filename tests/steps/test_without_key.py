"""A record that has no key cannot be stored: what is left of it is an issue, until its window is read without it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from loopback_made import Source, write_connector
from run_made import ask, call, counts

OPEN = "SELECT record, path, rule FROM meta.issues WHERE origin = 'raw' AND closed_at IS NULL"


def test_a_record_without_a_key_is_not_forgotten_when_other_pages_and_windows_are_well(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha", parallel=1)
    source.fill("alpha")
    source.page = 3
    bad = next(record for record in source.records["alpha"] if record["id"] == 40)
    del bad["id"]
    assert call("run", "made").code == 1
    [(record, path, rule)] = ask(database_url, OPEN)
    assert (path, rule) == ("id", "key missing")
    mark, window = record.split(" ")
    start, end = map(datetime.fromisoformat, window.split("/"))
    assert mark == "?"
    assert start <= datetime.fromisoformat(bad["at"]) < end
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"]) - 1

    assert call("run", "made").code == 0, "only what is unsettled is read again"
    assert ask(database_url, OPEN) == [(record, path, rule)]

    bad["id"] = 40
    assert call("run", "made", "--full").code == 0
    assert ask(database_url, OPEN) == []
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])
