"""A record that is stored already is read no further than its key, and what is wrong with records stays known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from loopback_made import Reply, Source, write_made
from run_made import ask, call

WRONG = "SELECT record, path, rule FROM meta.issues WHERE origin = 'raw' AND closed_at IS NULL ORDER BY 1, 2"


def declare(folder: Path, extra: str) -> None:
    write_made(folder, f"things: {{path: /things, key: [id], columns: {{id: bigint, extra: {extra}}}}}")


def test_what_can_be_told_apart_and_not_stored_is_an_issue_and_no_row(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    declare(tmp_path, "int")
    nested: Any = 1
    for _ in range(300):
        nested = [nested]
    source.answer = lambda seen: Reply([{"id": 1}, {"id": 2, "nested": nested}, {"id": 3}])
    for new in (2, 0):
        run = call("run", "made", "--full", "--json")
        assert (run.of("things")["new"], run.of("things")["unchanged"]) == (new, 2 - new)
        assert ask(database_url, "SELECT id FROM made_raw.things ORDER BY id") == [1, 3]
        assert ask(database_url, WRONG) == [("?", "", "nested deeper than 200 levels")]


def test_what_is_wrong_in_unchanged_records_follows_the_connector(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    source.answer = lambda seen: Reply([{"id": 1, "a": "x", "b": 5}, {"id": 2, "a": 6, "b": 7}])
    declare(tmp_path, "{path: a, type: int}")
    call("run", "made", "--full")
    assert ask(database_url, WRONG) == [("1", "a", "int: type")]
    declare(tmp_path, "{path: b, type: int}")
    call("run", "made", "--full")
    assert ask(database_url, WRONG) == [], "read again, since something was wrong with it"
    declare(tmp_path, "{path: a, type: int}")
    call("run", "made", "--full")
    assert ask(database_url, WRONG) == [("1", "a", "int: type")], "noticed while the column was filled anew"
    assert ask(database_url, "SELECT id, extra FROM made_raw.things ORDER BY id") == [(1, None), (2, 6)]


@pytest.mark.parametrize(
    ("value", "rule"),
    [("1e199999", "number out of range"), ("-1e-99999", "number out of range"), ('"\xff"', "invalid UTF-8")],
)
def test_what_only_postgres_refuses_spoils_its_own_record(
    source: Source, tmp_path: Path, database_url: str, value: str, rule: str
) -> None:
    declare(tmp_path, "int")
    answers = iter(["1", value])
    for text in answers:
        body = f'[{{"id": 1, "extra": 5}}, {{"id": 2, "extra": 6, "x": {text}}}, {{"id": 3, "x": {text}}}]'
        source.answer = lambda seen, body=body: Reply(body.encode("latin-1"))
        call("run", "made", "--full")
    assert ask(database_url, "SELECT id, extra FROM made_raw.things ORDER BY id") == [(1, 5), (2, 6), (3, None)]
    assert ask(database_url, WRONG) == [("2", "", rule), ("3", "", rule)]
    assert ask(database_url, "SELECT id, payload->>'x' FROM made_raw.things_history ORDER BY id") == [
        (2, "1"),
        (3, "1"),
    ]
    assert ask(database_url, "SELECT _received IS NULL FROM made_raw.things ORDER BY id") == [True, False, False]
