"""A canonical value is followed back to what the source said, and a row that is not there to what keeps it away."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from run_made import ask, call, do

from hde.sandbox import whoop


@pytest.fixture
def loaded(sandbox: whoop.Sandbox, folder: Path, database_url: str) -> whoop.Sandbox:
    assert call("run", "whoop").code == 0
    return sandbox


def edit(folder: Path, name: str, before: str, after: str) -> None:
    file = folder / "mappings" / "whoop" / f"{name}.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def one(url: str, table: str, where: str = "true") -> str:
    return str(ask(url, f"SELECT raw_source_id FROM canonical.{table} WHERE {where} ORDER BY 1 LIMIT 1")[0])


def explained(*arguments: str) -> dict[str, Any]:
    found = call("why", *arguments, "--json")
    assert found.code == 0, found.said
    answer: dict[str, Any] = found.json
    return answer


def columns(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in answer["row"]["columns"]}


def test_every_column_says_where_it_comes_from(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "workouts", "distance IS NOT NULL AND sport = 'running'")
    payload = ask(database_url, "SELECT payload FROM whoop_raw.workouts WHERE id::text = %s", key)[0]
    found = columns(explained("workouts", key))
    expected = {
        "start_time": ([["start", payload["start"]]], []),
        "state": ([["score_state", "SCORED"]], ["lookup score_state: SCORED -> final"]),
        "sport": ([["sport_name", "running"]], ["lookup sport: running -> running"]),
        "energy": ([["score.kilojoule", payload["score"]["kilojoule"]]], ["kJ -> kcal: / 4.184"]),
        "distance": ([["score.distance_meter", payload["score"]["distance_meter"]]], ["in m"]),
        "load_scale": ([], ["a constant"]),
        "local_date": ([], [f"the local day of start_time, at {payload['timezone_offset']}"]),
    }
    assert {name: (found[name]["reads"], found[name]["steps"]) for name in expected} == expected
    stored = ask(database_url, "SELECT energy FROM canonical.workouts WHERE raw_source_id = %s", key)[0]
    assert found["energy"]["value"] == stored
    assert found["energy"]["written"] == "energy: {path: score.kilojoule, unit: kJ}"
    file, line = found["energy"]["where"].rsplit(":", 1)
    assert Path(file).read_text().splitlines()[int(line) - 1].strip() == found["energy"]["written"]
    assert not any(column["changed"] for column in found.values())


def test_all_rows_are_explained_as_they_are_stored(loaded: whoop.Sandbox, database_url: str) -> None:
    for table in ("user_identity", "sleep_sessions", "workouts", "biometrics_vitals"):
        kinds = "mapping, part" if table == "user_identity" else "mapping, part, state"
        rows = ask(database_url, f"SELECT DISTINCT ON ({kinds}) raw_source_id, mapping, part FROM canonical.{table}")
        for key, mapping, part in rows:
            answer = explained(table, key, "--mapping", mapping, "--part", part)
            assert answer["row"]["notes"] == [], (table, key)
            said = columns(answer)
            business = {name for name in answer["rows"][0] if name in said}
            for name in business:
                column = said[name]
                assert column["value"] == answer["rows"][0][name]
                if column["value"] is not None:
                    assert column["reads"] or column["steps"], (table, mapping, part, name)


def test_the_record_says_which_run_window_and_request_brought_it(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "sleep_sessions")
    record = explained("sleep_sessions", key)["row"]["record"]
    seq, run, start = ask(database_url, "SELECT _seq, _run_id, start FROM whoop_raw.sleeps WHERE id::text = %s", key)[0]
    assert (record["version"]["seq"], record["run"]["id"], record["run"]["command"]) == (seq, run, "run")
    (window,) = record["windows"]
    begin = window["start"]
    assert begin is None or begin <= start.isoformat()
    assert start.isoformat() < window["end"].replace("Z", "+00:00")
    assert record["request"].startswith("GET http://127.0.0.1")
    assert "/developer/v2/activity/sleep?" in record["request"]
    assert "end=" in record["request"]


def test_a_counterpart_is_followed(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "biometrics_vitals", "metric = 'hrv_rmssd'")
    answer = explained("biometrics_vitals", key, "--mapping", "whoop/recoveries", "--part", "hrv_rmssd")
    sleep = ask(database_url, "SELECT sleep_id::text FROM whoop_raw.recoveries WHERE cycle_id::text = %s", key)[0]
    assert answer["row"]["counterparts"]["sleep"]["version"]["key"] == sleep
    found = columns(answer)
    assert found["start_time"]["reads"][0][0] == "$sleep.start"
    assert found["value"]["unit"] == "ms"
    assert found["method"]["steps"] == ["from the metric list: hrv_rmssd"]
    (window,) = answer["row"]["record"]["windows"]
    assert window["end"] > found["start_time"]["value"]


def test_several_rows_are_told_apart(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "biometrics_vitals", "metric = 'hrv_rmssd'")
    said = call("why", "biometrics_vitals", key)
    assert said.code == 0
    (line,) = (line for line in said.out.splitlines() if "--part hrv_rmssd" in line)
    assert "--mapping whoop/recoveries" in line
    options = re.findall(r"--\S+ \S+", line)
    assert "value" in call("why", "canonical.biometrics_vitals", key, *" ".join(options).split()).out


def test_former_versions_say_what_changed(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "workouts", "energy IS NOT NULL")
    table = "whoop_raw.workouts"
    do(
        database_url,
        "INSERT INTO whoop_raw.workouts_history SELECT _account, id, jsonb_set(payload, '{score,strain}', '0.5'),"
        f" _hash, _received, 0, 99, _fetched_at - interval '1 day', 'U', _fetched_at, _run_id FROM {table}"
        f" WHERE id = '{key}'",
    )
    (change,) = explained("workouts", key)["row"]["record"]["changes"]
    assert list(change["paths"]) == ["score.strain"]
    assert change["paths"]["score.strain"][0] == 0.5
    assert "score.strain 0.5 -> " in call("why", "whoop_raw.workouts", key).out


def test_a_row_of_an_edited_mapping_shows_both_values(loaded: whoop.Sandbox, folder: Path, database_url: str) -> None:
    key = one(database_url, "workouts", "energy IS NOT NULL")
    edit(folder, "workouts", "unit: kJ", "unit: kcal")
    answer = explained("workouts", key)
    energy = columns(answer)["energy"]
    assert energy["changed"]["now"] == pytest.approx(energy["value"] * 4.184)
    assert "The mapping was edited since this row was written" in answer["row"]["notes"][0]
    assert "now " in call("why", "workouts", key, "--column", "energy").out


def test_an_issue_that_keeps_a_row_away_is_shown_with_its_value(
    loaded: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    key = one(database_url, "sleep_sessions")
    edit(folder, "sleeps", "is_nap: nap", "is_nap: score_state")
    assert call("remap", "whoop").code == 1
    found = call("why", "sleep_sessions", key)
    assert found.code == 1
    assert "an issue keeps its rows from being made" in found.out
    assert re.search(r"error +score_state = \w+: type \(whoop/sleeps\)", found.out)
    listed = call("why", "--issues")
    assert "score_state: type" in listed.out
    assert "hde why whoop_raw.sleeps '" in listed.out
    assert "score_state" in call("why", "whoop_raw.sleeps", key).out


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM canonical.biometrics_vitals", "it is not mapped yet"),
        (
            "DELETE FROM canonical.biometrics_vitals; DELETE FROM whoop_raw.sleeps",
            "waits for another record: sleep (sleep_id)",
        ),
        (
            "DELETE FROM canonical.biometrics_vitals; UPDATE whoop_raw.recoveries SET payload = payload - 'score'",
            "when    score = not there",
        ),
    ],
)
def test_a_row_that_is_not_there_has_a_reason(loaded: whoop.Sandbox, database_url: str, sql: str, said: str) -> None:
    key = one(database_url, "biometrics_vitals", "metric = 'hrv_rmssd'")
    do(database_url, sql)
    found = call("why", "biometrics_vitals", key, "--mapping", "whoop/recoveries")
    assert found.code == 1
    assert said in found.out


def test_a_record_that_vanished_is_told_from_history(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "workouts")
    do(
        database_url,
        "INSERT INTO whoop_raw.workouts_history SELECT _account, id, payload, _hash, _received, _seq, _run_id,"
        f" _fetched_at, 'D', now(), _run_id FROM whoop_raw.workouts WHERE id = '{key}';"
        f" DELETE FROM whoop_raw.workouts WHERE id = '{key}'",
    )
    assert "not in the raw table any more" in call("why", "workouts", key).out
    assert call("remap", "whoop").code == 0
    assert "the source no longer has this record" in call("why", "workouts", key).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sleep_session", "x"), "Did you mean 'sleep_sessions'?"),
        (("canonical.sleep", "x"), "There is no table canonical.sleep."),
        (("sleep_sessions",), "hde why TABLE KEY"),
        (("sleep_sessions", "x", "--column", "asleeep"), "Did you mean 'asleep'?"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    folder: Path, database_url: str, arguments: tuple[str, ...], said: str
) -> None:
    found = call("why", *arguments)
    assert found.code == 2
    assert said in found.err


def test_a_key_that_nobody_knows_gets_those_that_begin_so(loaded: whoop.Sandbox, database_url: str) -> None:
    key = one(database_url, "sleep_sessions")
    found = call("why", "sleep_sessions", key[:6])
    assert found.code == 1
    assert key in found.out
    assert call("why", "whoop_raw.sleeps", "no uuid").code == 1


def test_no_secret_is_shown(
    loaded: whoop.Sandbox, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = folder / "connectors" / "whoop.yaml"
    text = connector.read_text().replace("limit: 25,", 'limit: 25, key: "{{ settings.client_secret }}",')
    connector.write_text(text)
    monkeypatch.setenv("WHOOP_CLIENT_SECRET", "hush-hush")
    said = call("why", "sleep_sessions", one(database_url, "sleep_sessions"))
    assert "key=SECRET" in said.out
    assert "hush-hush" not in said.out + json.dumps(explained("sleep_sessions", one(database_url, "sleep_sessions")))
