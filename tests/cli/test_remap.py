"""Canonical rows can be made again from raw at any time, and follow their mappings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_made import ask, call, canonical_hashes, counts, do

from hde.sandbox import whoop

ENERGY = "energy: {path: score.kilojoule, unit: kJ}"


@pytest.fixture
def loaded(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> whoop.Sandbox:
    assert call("run", "whoop").code == 0
    return sandbox


def edit(folder: Path, name: str, before: str, after: str) -> None:
    file = folder / "mappings" / "whoop" / f"{name}.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def dry_run(column: str) -> dict[str, str]:
    """A column of the dry run's table, by resource."""
    found = call("remap", "whoop", "--dry-run")
    assert found.code == 0
    lines = [line.split() for line in found.out.splitlines() if line.strip()]
    index = next(line for line in lines if line[0] == "resource").index(column)
    return {line[0]: line[index] for line in lines if line[0] in ("workouts", "sleeps", "cycles", "recoveries")}


def test_a_remap_ends_in_the_same_rows_without_the_network(loaded: whoop.Sandbox, database_url: str) -> None:
    was, asked = canonical_hashes(database_url), len(loaded.log)
    assert call("remap", "whoop").code == 0
    assert canonical_hashes(database_url) == was
    do(database_url, "DELETE FROM canonical.biometrics_vitals")
    do(database_url, "UPDATE canonical.workouts SET energy = 1, _hash = ''")
    assert canonical_hashes(database_url) != was
    found = call("remap", "whoop")
    assert found.code == 0
    assert "what the remap changed" in found.out
    assert canonical_hashes(database_url) == was
    assert len(loaded.log) == asked


def test_a_dry_run_counts_what_an_edit_would_change_and_changes_nothing(
    loaded: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    was = canonical_hashes(database_url)
    assert set(dry_run("changed").values()) == {"·"}
    edit(folder, "workouts", ENERGY, "energy: {path: score.kilojoule, unit: kcal}")
    scored = ask(database_url, "SELECT count(*) FROM canonical.workouts WHERE energy IS NOT NULL")[0]
    assert dry_run("changed") == {"sleeps": "·", "cycles": "·", "recoveries": "·", "workouts": str(scored)}
    assert f"energy {scored}" in call("remap", "whoop", "--dry-run").out
    assert canonical_hashes(database_url) == was


def test_an_edited_mapping_is_mapped_again_by_the_next_run(
    loaded: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    before = ask(database_url, "SELECT sum(energy) FROM canonical.workouts")[0]
    edit(folder, "workouts", ENERGY, "energy: {path: score.kilojoule, unit: kcal}")
    assert call("run", "whoop", "user_basic_profile").code == 0
    assert ask(database_url, "SELECT sum(energy) FROM canonical.workouts")[0] == pytest.approx(before * 4.184)
    assert set(dry_run("changed").values()) == {"·"}


def test_a_mapping_that_is_gone_takes_its_rows_along(loaded: whoop.Sandbox, folder: Path, database_url: str) -> None:
    rows = counts(database_url, "canonical", "workouts")["workouts"]
    (folder / "mappings" / "whoop" / "workouts.yaml").unlink()
    assert dry_run("removed")["workouts"] == str(rows)
    assert counts(database_url, "canonical", "workouts")["workouts"] == rows
    found = call("run", "whoop", "cycles")
    assert found.code == 0
    assert f"mapping whoop/workouts is gone: {rows} rows of canonical.workouts went with it" in found.out
    assert counts(database_url, "canonical", "workouts")["workouts"] == 0
    assert counts(database_url, "canonical", "sleep_sessions")["sleep_sessions"] > 0


def test_a_target_that_is_gone_takes_its_rows_along(loaded: whoop.Sandbox, folder: Path, database_url: str) -> None:
    vitals = "SELECT count(*) FROM canonical.biometrics_vitals WHERE mapping = 'whoop/sleeps'"
    assert ask(database_url, vitals)[0] > 0
    file = folder / "mappings" / "whoop" / "sleeps.yaml"
    text = file.read_text()
    begin, end = text.index("  biometrics_vitals:"), text.index("ignore:")
    file.write_text(text[:begin] + text[end:])
    assert call("remap", "whoop").code == 0
    assert ask(database_url, vitals) == [0]


def test_a_mapping_that_names_what_is_not_there_is_refused_before_anything_happens(
    loaded: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    was, asked = canonical_hashes(database_url), len(loaded.log)
    for name, before, after, said in (
        ("workouts", "from: workouts", "from: workuots", "Did you mean 'workouts'?"),
        ("recoveries", "from: sleeps", "from: slumbers", "recoveries.yaml:4:"),
        ("recoveries", "key: sleep_id", "key: sleep_idd", "Did you mean 'sleep_id'?"),
        ("sleeps", "is_nap: nap", "is_nap: 'nap['", "JMESPath"),
        ("sleeps", "sleep_sessions:", "sleep_session:", "sleep_sessions"),
    ):
        edit(folder, name, before, after)
        for command in ("run", "remap"):
            found = call(command, "whoop")
            assert found.code == 2, found.said
            assert said in found.err
        edit(folder, name, after, before)
    assert canonical_hashes(database_url) == was
    assert len(loaded.log) == asked


def test_nothing_to_remap_is_said(folder: Path, database_url: str) -> None:
    found = call("remap", "whoop")
    assert found.code == 2
    assert "hde run whoop" in found.err


def test_a_counterpart_that_comes_later_makes_the_record_due(
    serve: Callable[..., whoop.Sandbox], database_url: str
) -> None:
    serve()
    assert call("run", "whoop", "recoveries").code == 0
    assert ask(database_url, "SELECT count(*) FROM canonical.biometrics_vitals") == [0], "they wait for their sleeps"
    assert call("run", "whoop", "sleeps").code == 0
    late = canonical_hashes(database_url)["biometrics_vitals"]
    assert call("remap", "whoop").code == 0
    assert canonical_hashes(database_url)["biometrics_vitals"] == late
    assert ask(
        database_url,
        "SELECT count(DISTINCT raw_source_id) > 20 FROM canonical.biometrics_vitals WHERE mapping = 'whoop/recoveries'",
    ) == [True]


def test_with_nothing_stored_it_says_so(database_url: str) -> None:
    found = call("remap")
    assert found.code == 0
    assert "Nothing is stored yet" in found.out


def test_a_dry_run_changes_no_table(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> None:
    connector = folder / "connectors" / "whoop.yaml"
    whole = connector.read_text()
    connector.write_text(whole.replace("      step_count: int\n", ""))
    assert call("run", "whoop").code == 0
    connector.write_text(whole)
    found = call("remap", "whoop", "--dry-run")
    assert found.code == 0
    assert "cycles: step_count would be filled from the payloads" in found.out
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'whoop_raw' AND column_name = %s"
    assert ask(database_url, columns, "step_count") == [0]
