"""A record that has no key cannot be stored: what is left of it is an issue, until its window is read without it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
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
    listed = call("why", "--issues").out
    assert f"records for made_raw.alpha, asked for from {start.isoformat()} to {end.isoformat()}" in listed
    assert "hde why" not in listed

    bad["id"] = 40
    assert call("run", "made", "--full").code == 0
    assert ask(database_url, OPEN) == []
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_records_of_somebody_else_are_issues_and_not_stored(
    source: Source, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADE_KEY", "me")
    write_connector(tmp_path, "alpha", columns="{who: {type: text, names: account}}")
    source.fill("alpha")
    for record in source.records["alpha"]:
        record["who"] = "id-of-me"
    another = source.records["alpha"][7]
    another["who"] = "id-of-somebody-else"
    found = call("run", "made", "-v")
    assert found.code == 1
    assert "somebody" not in found.said
    stored = ask(database_url, "SELECT id, who FROM made_raw.alpha")
    assert len(stored) == len(source.records["alpha"]) - 1
    assert {who for _, who in stored} == {"id-of-me"}
    [(record, path, rule)] = ask(database_url, OPEN)
    assert (record[:1], path, rule) == ("?", "who", "names another account")
