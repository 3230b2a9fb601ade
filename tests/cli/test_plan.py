"""What an edited mapping would change is said before it is done, value by value, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from run_made import Outcome, ask, call, canonical_hashes, do

from hde.sandbox import whoop

Edit = Callable[[str, str, str], None]
ENERGY = "energy: {path: score.kilojoule, unit: kJ}"


@pytest.fixture
def loaded(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> whoop.Sandbox:
    assert call("run", "whoop").code == 0
    return sandbox


@pytest.fixture
def edit(folder: Path) -> Edit:
    def change(name: str, before: str, after: str) -> None:
        file = folder / "mappings" / "whoop" / f"{name}.yaml"
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after))

    return change


def planned(*options: str) -> dict[str, Any]:
    found = call("plan", "whoop", "--json", *options)
    assert found.code == 0, found.said
    (connector,) = found.json
    return {mapping["mapping"]: mapping for mapping in connector["mappings"]} | {"": connector}


def numbers(mapping: dict[str, Any], table: str) -> tuple[int, int, int]:
    of = mapping["tables"][table]
    return of["added"], of["removed"], of["changed"]


def test_nothing_is_planned_where_nothing_was_edited(loaded: whoop.Sandbox, database_url: str) -> None:
    found = planned()
    assert not found[""]["changes"]
    assert {one["version"] for name, one in found.items() if name} == {"as it was"}
    said = call("plan", "whoop", "--exit-code")
    assert said.code == 0
    assert "Nothing would change: cycles, recoveries, sleeps" in said.out


def test_a_plan_is_what_the_remap_then_does(loaded: whoop.Sandbox, edit: Edit, database_url: str) -> None:
    edit("workouts", ENERGY, "energy: {path: score.kilojoule, unit: kcal}")
    edit("sleeps", "      is_nap: nap\n", "")
    edit("recoveries", "      spo2: {value", "      body_temperature: {value")
    edit("recoveries", 'score.spo2_percentage, unit: "%"', "score.skin_temp_celsius, unit: Cel")
    was = canonical_hashes(database_url)
    before = ask(database_url, "SELECT raw_source_id, energy FROM canonical.workouts WHERE energy IS NOT NULL")
    found = planned("--samples", "1000")
    assert canonical_hashes(database_url) == was
    energy = found["whoop/workouts"]["tables"]["workouts"]["columns"]["energy"]
    assert {one["record"]: one["was"] for one in energy["samples"]} == dict(before)
    assert found["whoop/workouts"]["version"] == "edited"
    naps = ask(database_url, "SELECT count(*) FROM canonical.sleep_sessions WHERE is_nap IS NOT NULL")[0]
    assert numbers(found["whoop/sleeps"], "sleep_sessions") == (0, 0, naps)
    added, removed, _ = numbers(found["whoop/recoveries"], "biometrics_vitals")
    assert removed == ask(database_url, "SELECT count(*) FROM canonical.biometrics_vitals WHERE metric = 'spo2'")[0] > 0
    assert call("plan", "whoop", "--exit-code").code == 1
    assert call("remap", "whoop").code == 0
    after = dict(ask(database_url, "SELECT raw_source_id, energy FROM canonical.workouts WHERE energy IS NOT NULL"))
    assert {one["record"]: one["now"] for one in energy["samples"]} == after
    warmth = "SELECT count(*) FROM canonical.biometrics_vitals WHERE metric = 'body_temperature'"
    assert ask(database_url, warmth) == [added]
    assert not planned()[""]["changes"]


def test_values_are_shown_with_their_unit_and_record(loaded: whoop.Sandbox, edit: Edit, database_url: str) -> None:
    edit("workouts", ENERGY, "energy: {path: score.kilojoule, unit: kcal}")
    said = call("plan", "whoop", "--samples", "2").out
    lines = [line for line in said.splitlines() if "->" in line]
    assert len(lines) == 2
    assert all("kcal" in line and line.split()[-1].count("-") == 4 for line in lines)
    assert "whoop/workouts  edited since it was mapped" in said
    assert "hde remap whoop" in said


def test_issues_that_would_open_and_close_are_counted(loaded: whoop.Sandbox, edit: Edit, database_url: str) -> None:
    edit("sleeps", "is_nap: nap", "is_nap: score_state")
    (opening,) = planned()["whoop/sleeps"]["issues"]["open"]
    sleeps = ask(database_url, "SELECT count(*) FROM whoop_raw.sleeps")[0]
    assert (opening["path"], opening["rule"], opening["records"]) == ("score_state", "type", sleeps)
    assert numbers(planned()["whoop/sleeps"], "sleep_sessions") == (0, sleeps, 0)
    assert call("remap", "whoop").code == 1
    edit("sleeps", "is_nap: score_state", "is_nap: nap")
    found = planned()["whoop/sleeps"]
    (closing,) = found["issues"]["close"]
    assert (closing["records"], found["issues"]["open"]) == (sleeps, [])
    assert numbers(found, "sleep_sessions") == (sleeps, 0, 0)


def test_records_that_would_wait_are_counted(loaded: whoop.Sandbox, edit: Edit, database_url: str) -> None:
    edit("recoveries", "{from: sleeps, key: sleep_id}", "{from: workouts, key: sleep_id}")
    found = planned()["whoop/recoveries"]
    assert found["waiting"]["records"] == ask(database_url, "SELECT count(*) FROM whoop_raw.recoveries")[0]
    assert numbers(found, "biometrics_vitals")[1] > 0


def test_a_mapping_that_was_renamed_is_recognised(loaded: whoop.Sandbox, folder: Path, database_url: str) -> None:
    mappings = folder / "mappings" / "whoop"
    (mappings / "workouts.yaml").rename(mappings / "exercise.yaml")
    found = planned()
    rows = ask(database_url, "SELECT count(*) FROM canonical.workouts")[0]
    assert (found["whoop/exercise"]["version"], numbers(found["whoop/exercise"], "workouts")) == ("new", (rows, 0, 0))
    assert (found["whoop/workouts"]["version"], numbers(found["whoop/workouts"], "workouts")) == ("gone", (0, rows, 0))
    assert found["whoop/workouts"]["note"] == "whoop/exercise is new and writes the same tables: renamed?"


def test_rows_of_another_resource_go_when_the_mapping_reads_a_new_one(
    loaded: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    file = folder / "mappings" / "whoop" / "workouts.yaml"
    file.with_stem("sleeps").unlink()
    text = file.read_text()
    file.write_text(text.replace("from: workouts", "from: sleeps").replace("sport_name", "score_state"))
    rows, sleeps = (
        ask(database_url, "SELECT count(*) FROM canonical.workouts")[0],
        "SELECT count(*) FROM whoop_raw.sleeps",
    )
    was = planned()["whoop/workouts"]
    assert numbers(was, "workouts")[:2] == (ask(database_url, sleeps)[0], rows)
    assert call("remap", "whoop").code in (0, 1)
    assert ask(database_url, "SELECT DISTINCT raw_table FROM canonical.workouts") == ["whoop_raw.sleeps"]
    assert not planned()[""]["changes"]


def test_rows_whose_record_is_not_there_any_more_go(loaded: whoop.Sandbox, database_url: str) -> None:
    do(database_url, "DELETE FROM whoop_raw.workouts WHERE id IN (SELECT id FROM whoop_raw.workouts LIMIT 3)")
    assert numbers(planned()["whoop/workouts"], "workouts") == (0, 3, 0)
    found = call("remap", "whoop", "--json")
    assert found.of("workouts")["canonical_removed"] == 3
    assert not planned()[""]["changes"]


def test_what_is_not_mapped_yet_is_told_apart(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> None:
    assert call("run", "whoop", "sleeps", "--raw-only").code == 0
    assert planned()["whoop/sleeps"]["version"] == "new"
    assert call("remap", "whoop").code == 0
    do(database_url, "UPDATE whoop_raw.sleeps SET _seq = nextval('whoop_raw._seq') WHERE nap")
    naps = ask(database_url, "SELECT count(*) FROM whoop_raw.sleeps WHERE nap")[0]
    assert planned()["whoop/sleeps"]["due"] == naps > 0
    assert "not mapped yet" in call("plan", "whoop").out


def test_columns_that_are_not_there_yet_are_announced(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> None:
    connector = folder / "connectors" / "whoop.yaml"
    whole = connector.read_text()
    connector.write_text(whole.replace("      step_count: int\n", "").replace("      sleep_id: uuid\n", ""))
    assert call("run", "whoop", "cycles", "--raw-only").code in (0, 2)
    connector.write_text(whole.replace("      step_count: int\n", ""))
    assert call("run", "whoop").code == 0
    connector.write_text(
        whole.replace("score.strain: float\n      score.kilojoule", "score.strain: numeric\n      score.kilojoule")
    )
    raw = planned()[""]["raw"]
    assert raw["cycles"]["added"] == ["step_count"]
    assert "step_count would be added and filled" in call("plan", "whoop").out
    assert ask(database_url, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'step_count'") == [0]


def test_a_plan_waits_for_no_run_beside_it(loaded: whoop.Sandbox, edit: Edit, database_url: str) -> None:
    edit("workouts", ENERGY, "energy: {path: score.kilojoule, unit: kcal}")
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('map:whoop/workouts'), 1)")
        other.execute("UPDATE canonical.workouts SET energy = energy")
        assert planned()["whoop/workouts"]["tables"]["workouts"]["changed"] > 0


def test_without_records_it_says_so(folder: Path, database_url: str) -> None:
    found: Outcome = call("plan", "whoop")
    assert (found.code, "hde run whoop" in found.err) == (2, True)
    assert "Nothing is stored yet" in call("plan").out
