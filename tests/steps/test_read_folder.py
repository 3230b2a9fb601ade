"""Runs of a connector whose source is a folder: what is read, what is left as it was, what vanishes, what is owed."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest
from run_made import Outcome, ask, call, ended, ending, start

CONNECTOR = """
name: lab
settings: {folder: {about: where the exports lie}}
files: {folder: "{{ settings.folder }}"}
resources:
  results:
    files: "**/*.csv"
    format: csv
    key: [id]
    missing: MISSING
    columns: {id: bigint, value: numeric, taken_in: {type: text, path: $file.name}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the exports, and `connectors/lab.yaml` beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connectors").mkdir()
    exports = tmp_path / "exports"
    exports.mkdir()
    monkeypatch.setenv("LAB_FOLDER", "exports")
    write_connector("keep")
    return exports


def write_connector(missing: str, **replaced: str) -> None:
    text = CONNECTOR.replace("MISSING", missing)
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    Path("connectors/lab.yaml").write_text(text)


def put(folder: Path, name: str, text: str | bytes, at: int = 1_700_000_000) -> None:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(folder / name, (at, at))


def stored(url: str) -> list[tuple[int, str, str]]:
    return ask(url, "SELECT id, value::text, taken_in FROM lab_raw.results ORDER BY id")


def run(*arguments: str) -> Outcome:
    return call("run", "lab", "--json", *arguments)


def numbers(found: Outcome) -> tuple[int, int, int, int]:
    of = found.of("results")
    return of["new"], of["changed"], of["unchanged"], of["vanished"]


def test_files_are_read_once_and_again_when_they_change(folder: Path, database_url: str) -> None:
    put(folder, "a.csv", "id,value\n1,1.10\n2,2\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/b.csv", "id,value\n3,3\n")
    put(folder, "x.zip", packed.getvalue())
    found = run()
    assert (found.code, numbers(found)) == (0, (3, 0, 0, 0))
    assert stored(database_url) == [(1, "1.10", "a.csv"), (2, "2", "a.csv"), (3, "3", "x.zip/in/b.csv")]

    found = run()
    assert (found.code, numbers(found)) == (0, (0, 0, 0, 0))
    assert "results: 2 of 2 files are as they were and were not read again (--full does)" in found.json["notes"]
    assert numbers(run("--full")) == (0, 0, 3, 0)

    put(folder, "a.csv", "id,value\n1,1.1\n2,20\n4,\n", at=1_700_000_001)
    assert numbers(run()) == (1, 2, 0, 0)
    (folder / "x.zip").unlink()
    assert numbers(run()) == (0, 0, 0, 0), "records stay where nothing says that they go"
    assert ask(database_url, "SELECT parent FROM meta.streams ORDER BY parent") == ["a.csv"]


def test_the_newer_of_two_files_that_hold_a_record_counts(folder: Path, database_url: str) -> None:
    put(folder, "old.csv", "id,value\n1,1\n", at=1_600_000_000)
    put(folder, "new.csv", "id,value\n1,2\n", at=1_700_000_000)
    assert run().code == 0
    assert stored(database_url) == [(1, "2", "new.csv")]


def test_another_format_reads_the_files_again(folder: Path, database_url: str) -> None:
    put(folder, "a.csv", "id;value\n1;1\n")
    assert run().code == 1, "no record has a key: issues"
    write_connector("keep", **{"format: csv": "format: {kind: csv, delimiter: ';'}"})
    assert numbers(run()) == (1, 0, 0, 0)
    assert stored(database_url) == [(1, "1", "a.csv")]


def test_what_no_file_holds_any_more_vanishes(folder: Path, database_url: str) -> None:
    write_connector("delete")
    put(folder, "a.csv", "id,value\n1,1\n2,2\n")
    put(folder, "b.csv", "id,value\n3,3\n4,4\n")
    assert numbers(run()) == (4, 0, 0, 0)
    assert numbers(run()) == (0, 0, 0, 0)
    put(folder, "a.csv", "id,value\n1,1\n", at=1_700_000_001)
    assert numbers(run()) == (0, 0, 3, 1)
    (folder / "b.csv").unlink()
    assert numbers(run()) == (0, 0, 1, 2)
    assert numbers(run()) == (0, 0, 0, 0)
    assert [row[0] for row in stored(database_url)] == [1]

    (folder / "a.csv").unlink()
    found = run()
    assert (found.code, numbers(found)) == (0, (0, 0, 0, 0)), "an empty folder is rather a wrong folder"
    assert "results: no file in the folder matches **/*.csv, so nothing was read" in found.json["notes"]


def test_a_record_that_moved_to_another_file_does_not_vanish(folder: Path, database_url: str) -> None:
    write_connector("delete")
    put(folder, "a.csv", "id,value\n1,1\n2,2\n")
    put(folder, "b.csv", "id,value\n3,3\n")
    run()
    put(folder, "a.csv", "id,value\n1,1\n", at=1_700_000_001)
    put(folder, "b.csv", "id,value\n2,2\n3,3\n", at=1_700_000_001)
    assert numbers(run())[3] == 0
    assert [row[0] for row in stored(database_url)] == [1, 2, 3]


def test_nothing_vanishes_where_a_file_cannot_be_read_to_its_end_and_it_stays_owed(
    folder: Path, database_url: str
) -> None:
    write_connector("delete")
    put(folder, "a.csv", "id,value\n1,1\n2,2\n")
    put(folder, "b.csv", "id,value\n3,3\n4,4\n")
    run()
    put(folder, "b.csv", "id,value\n3,30\n4", at=1_700_000_001)
    found = run()
    assert (found.code, numbers(found)) == (1, (0, 1, 2, 0))
    assert found.of("results")["failures"] == ["b.csv: line 3: cut off (1 cells of 2)"]
    assert [row[:2] for row in stored(database_url)] == [(1, "1"), (2, "2"), (3, "30"), (4, "4")]
    assert ask(database_url, "SELECT state, error FROM meta.windows WHERE parent = 'b.csv' ORDER BY id")[-1] == (
        "failed",
        "lab: results: b.csv: line 3: cut off (1 cells of 2)",
    )

    put(folder, "b.csv", "id,value\n3,30\n", at=1_700_000_002)
    found = run()
    assert (found.code, numbers(found)) == (0, (0, 0, 3, 1))


def test_so_many_that_it_looks_like_an_outage_stay_until_a_person_says_so(folder: Path, database_url: str) -> None:
    write_connector("delete")
    put(folder, "a.csv", "id,value\n" + "".join(f"{number},1\n" for number in range(40)))
    put(folder, "b.csv", "id,value\n100,1\n")
    run()
    (folder / "a.csv").unlink()
    for _ in range(2):
        found = run()
        assert (found.code, numbers(found)) == (1, (0, 0, 1, 0))
        assert "--accept-deletes" in found.of("results")["failures"][0]
    assert numbers(run("--accept-deletes")) == (0, 0, 1, 40)


def test_a_bad_record_stops_only_itself(folder: Path, database_url: str) -> None:
    put(folder, "a.csv", "id,value\nx,1\n2,2,2\n3,drei\n4,4\n")
    found = run()
    assert (found.code, numbers(found)) == (1, (2, 0, 0, 0))
    assert found.of("results")["failures"] == []
    assert stored(database_url) == [(3, None, "a.csv"), (4, "4", "a.csv")]
    rules = ask(database_url, "SELECT rule FROM meta.issues WHERE closed_at IS NULL ORDER BY rule")
    assert rules == ["bigint: form", "more cells than the header", "numeric: form"]


def test_what_is_wrong_in_one_file_stays_so_while_others_are_read(folder: Path, database_url: str) -> None:
    is_open = "SELECT record FROM meta.issues WHERE closed_at IS NULL ORDER BY record"
    put(folder, "a b.csv", "id,value\nx,1\n")
    put(folder, "b.csv", "id,value\ny,2\n")
    run()
    assert ask(database_url, is_open) == ["? - a b.csv", "? - b.csv"]
    put(folder, "b.csv", "id,value\n2,2\n", at=1_700_000_001)
    run()
    assert ask(database_url, is_open) == ["? - a b.csv"]
    (folder / "a b.csv").unlink()
    run()
    assert ask(database_url, is_open) == []


def test_files_whose_rows_have_no_key_are_named_until_they_read_well(folder: Path, database_url: str) -> None:
    put(folder, "a.csv", "id,value\n1,1\n", at=1_700_000_009)
    put(folder, "b.csv", "what,value\nHB,1\n")
    put(folder, "b 2.csv", "what,value\nHB,2\n")
    assert run().code == 1
    put(folder, "c.csv", "id;value\n3;1,5\n", at=1_700_000_001)
    run()
    put(folder, "d.csv", "id,value\n4,1\n", at=1_700_000_002)
    run()
    listed = [line.strip() for line in call("why", "--issues").out.splitlines()]
    assert listed == [
        "error   id: key missing  (raw, not stored)",
        "records for lab_raw.results in b 2.csv",
        "error   id: key missing  (raw, not stored)",
        "records for lab_raw.results in b.csv",
        "error   the record: more cells than the header  (raw, not stored)",
        "records for lab_raw.results in c.csv",
    ]
    put(folder, "b.csv", "id,value\n2,1\n", at=1_700_000_003)
    (folder / "b 2.csv").unlink()
    (folder / "c.csv").unlink()
    run()
    assert call("why", "--issues").out.strip() == "No open issues."


def test_another_folder_can_be_named_and_an_account(
    folder: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_FOLDER")
    other = tmp_path / "other {{ folder }}"
    other.mkdir()
    put(other, "a.csv", "id,value\n1,1\n")
    assert "LAB_FOLDER (where the exports lie)" in call("run", "lab").err
    assert numbers(run("--from", str(other))) == (1, 0, 0, 0)
    assert numbers(run("--from", str(other), "--account", "anna")) == (1, 0, 0, 0)
    assert ask(database_url, "SELECT external_id FROM meta.connections ORDER BY id") == ["default", "anna"]
    missing = call("run", "lab", "--from", str(tmp_path / "nowhere"))
    assert missing.code == 2
    assert "there is no such folder" in missing.err


def test_from_is_refused_where_an_api_is_asked() -> None:
    found = call("run", "whoop", "--from", ".")
    assert found.code == 2
    assert "--from is for connectors that read files, and whoop asks an API" in found.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_run_that_is_killed_within_a_file_reads_it_again(folder: Path, database_url: str) -> None:
    total = 200_000
    put(folder, "a.csv", "id,value\n" + "".join(f"{number},1\n" for number in range(total)))
    put(folder, "b.csv", "id,value\n-1,1\n", at=1_600_000_000)
    with ending(start("run", "lab", "--raw-only")) as process:
        while process.poll() is None:
            there = ask(database_url, "SELECT to_regclass('lab_raw.results') IS NOT NULL")[0]
            if there and ask(database_url, "SELECT count(*) FROM lab_raw.results")[0] > 1:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        ended(process)
    assert ask(database_url, "SELECT count(*) BETWEEN 2 AND 150000 FROM lab_raw.results") == [True]
    assert ask(database_url, "SELECT parent FROM meta.streams") == ["b.csv"]
    found = run("--raw-only")
    assert found.code == 0
    new, changed, unchanged, vanished = numbers(found)
    assert (new + unchanged, changed, vanished) == (total, 0, 0)
    assert ask(database_url, "SELECT count(*), count(DISTINCT id) FROM lab_raw.results") == [(total + 1, total + 1)]


def test_why_names_the_file_in_place_of_a_request(folder: Path, database_url: str) -> None:
    put(folder, "a.csv", "id,value\n1,1.10\n")
    assert run().code == 0
    lines = call("why", "lab_raw.results", "1").out.splitlines()
    assert "file          a.csv" in lines
    assert not any(line.startswith("request") for line in lines)
