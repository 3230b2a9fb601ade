"""`keep:` in a connector: a run removes what arrived longer ago, everywhere, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_made import RAW, ask, call, canonical_hashes, counts, do, raw_hashes

from hde.sandbox import whoop

OLD = {
    "sleeps": "start < now() - interval '20 days'",
    "workouts": "start < now() - interval '20 days'",
    "cycles": "start < now() - interval '20 days'",
    "recoveries": "sleep_id IN (SELECT id FROM whoop_raw.sleeps WHERE start < now() - interval '20 days')",
    "user_basic_profile": "true",
    "user_body_measurement": "true",
}
"""Of each table, the records that are made to have arrived long ago."""


@pytest.fixture
def aged(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> str:
    """A member of forty days, read by a connector with `keep: 30d`; some of it 40 days ago."""
    connector = folder / "connectors" / "whoop.yaml"
    connector.write_text(connector.read_text().replace("\nname: whoop\n", "\nname: whoop\nkeep: 30d\n", 1))
    assert "keep: 30d" in connector.read_text()
    assert call("run", "whoop").code == 0
    for table in OLD:
        age = f"UPDATE whoop_raw.{table} SET _fetched_at = _fetched_at - interval '40 days'"
        do(database_url, f"{age} WHERE {OLD[table]}")
    return database_url


def old(url: str) -> dict[str, int]:
    return {
        table: ask(url, f"SELECT count(*) FROM whoop_raw.{table} WHERE _fetched_at < now() - interval '30 days'")[0]
        for table in RAW
    }


def rows_of(url: str, *tables: str) -> int:
    mappings = [f"whoop/{table}" for table in tables]
    count = "SELECT count(*) FROM canonical.{} WHERE mapping = ANY(%s)"
    return sum(
        ask(url, count.format(table), mappings)[0]
        for table in ("user_identity", "sleep_sessions", "workouts", "biometrics_vitals")
    )


def test_what_arrived_longer_ago_goes_from_raw_history_and_canonical(aged: str) -> None:
    expired, before = old(aged), counts(aged, "whoop_raw", *RAW)
    assert all(expired.values())
    canonical = rows_of(aged, *RAW)

    found = call("run", "whoop")

    assert found.code == 0, found.said
    assert f"sleeps: {expired['sleeps']} records older than `keep` are removed" in found.out
    assert not any(old(aged).values())
    after = counts(aged, "whoop_raw", *RAW)
    assert (after["user_basic_profile"], after["user_body_measurement"]) == (1, 1)  # read again, a new copy
    for table in ("sleeps", "workouts", "cycles", "recoveries"):
        assert after[table] == before[table] - expired[table] > 0
        assert ask(aged, f"SELECT count(*) FROM whoop_raw.{table}_history") == [0]
    assert rows_of(aged, *RAW) < canonical
    assert rows_of(aged, "user_basic_profile", "user_body_measurement") > 1
    kept, mapped = raw_hashes(aged), canonical_hashes(aged)
    assert "keep" not in call("run", "whoop").out
    assert call("remap", "whoop").code == 0
    assert (raw_hashes(aged), canonical_hashes(aged)) == (kept, mapped)  # canonical is what the records left give


def test_an_interrupted_removal_is_finished_by_the_next_run(aged: str) -> None:
    canonical = canonical_hashes(aged)
    expired = old(aged)["sleeps"]
    assert call("run", "whoop", "--raw-only").code == 0  # removed, and not mapped yet
    assert old(aged)["sleeps"] == 0
    assert ask(aged, "SELECT count(*) FROM whoop_raw.sleeps_history WHERE _op = 'D'") == [expired]
    assert canonical_hashes(aged)["sleep_sessions"] == canonical["sleep_sessions"]
    assert call("run", "whoop").code == 0
    assert ask(aged, "SELECT count(*) FROM whoop_raw.sleeps_history") == [0]
    (left,) = ask(aged, "SELECT count(*) FROM whoop_raw.sleeps")
    assert ask(aged, "SELECT count(*) FROM canonical.sleep_sessions") == [left]


def test_an_account_that_is_read_no_more_is_pruned_by_a_remap(aged: str) -> None:
    assert call("disconnect", "whoop", "--yes").code == 0
    assert call("remap", "whoop").code == 0
    assert not any(old(aged).values())
    assert rows_of(aged, "user_basic_profile") == 0
    assert ask(aged, "SELECT count(*) FROM whoop_raw.sleeps_history") == [0]
