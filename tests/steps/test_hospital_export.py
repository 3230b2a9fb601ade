"""A hospital's bulk export, read by a registered system with a key: whole, then what changed and what went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hospitals_made import RESOURCES, hospital, run, served, sign_in, stored
from run_made import ask

from hde.sandbox import fhir

BULK = "fhir-bulk"
NOT_GRANTED = "immunizations"


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[fhir.Sandbox]:
    """At a hospital that allows one export at a time."""
    with hospital(monkeypatch, BULK, manners="oracle", export_polls=1, export_wait=0) as sandbox:
        sign_in(BULK)
        yield sandbox


def all_stored(url: str) -> dict[str, dict[str, Any]]:
    return {name: stored(url, name, BULK) for name in RESOURCES}


def all_served(sandbox: fhir.Sandbox) -> dict[str, dict[str, Any]]:
    return {name: {} if name == NOT_GRANTED else served(sandbox, name) for name in RESOURCES}


def test_everything_then_what_changed_and_what_went(signed_in: fhir.Sandbox, database_url: str) -> None:
    first = run(BULK)
    assert first.code == 0, first.said
    assert all_stored(database_url) == all_served(signed_in)
    assert {note.partition(": ")[2] for note in first.json["notes"]} == {
        "the source says: Immunization cannot be exported"
    }
    assert signed_in.exports == [], "let go, or there could not be another one"
    signed_in.advance(days=30)
    gone = next(iter(served(signed_in, "conditions")))
    signed_in.delete("Condition", gone)
    before = all_stored(database_url)["observations"]
    second = run(BULK)
    assert second.code == 0, second.said
    assert all_stored(database_url) == all_served(signed_in)
    assert second.of("conditions")["vanished"] == 1
    assert second.of("observations")["unchanged"] == 0, "what did not change was not sent"
    assert second.of("observations")["new"] == len(served(signed_in, "observations")) - len(before)
    assert ask(database_url, "SELECT _op FROM fhir_bulk_raw.conditions_history WHERE id = %s", gone) == ["D"]
    assert ask(database_url, "SELECT count(*) FROM canonical.conditions WHERE raw_source_id = %s", gone) == [0]


def test_a_token_that_has_ended_is_asked_for_anew(signed_in: fhir.Sandbox, database_url: str) -> None:
    signed_in.advance(seconds=301)
    assert run(BULK).code == 0
    assert all_stored(database_url) == all_served(signed_in)
