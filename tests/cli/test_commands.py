"""The commands beside a run: status, query, db, migrate, validate, test, demo, sandbox."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sys
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from run_made import call, do, ended, ending, start

from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID


def test_status_says_what_is_there(sandbox: whoop.Sandbox, database_url: str) -> None:
    empty = call("status")
    assert empty.code == 0
    assert "hde auth" in empty.out
    assert call("run", "whoop").code == 0
    found = call("status")
    assert found.code == 0
    for word in (str(USER_ID), "connected", "done", "sleeps", "whoop_raw.sleeps", "canonical.sleep_sessions"):
        assert word in found.out
    said = call("status", "--json").json
    assert set(said) >= {"connections", "streams", "issues", "tables"}
    assert ["whoop_raw.sleeps", sandbox.total["sleep"]] in said["tables"]
    assert not said["issues"]


def test_status_shows_what_failed_until_it_was_read(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop").code == 0
    sandbox.fail(400)
    assert call("run", "whoop", "sleeps").code == 1
    assert "400" in call("status").out
    assert call("run", "whoop", "sleeps").code == 0
    assert "400" not in call("status").out


def test_a_query_in_three_forms(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop", "sleeps").code == 0
    sql = 'SELECT id, start, nap, score_respiratory_rate, "end" FROM whoop_raw.sleeps ORDER BY start LIMIT 3'
    rows = list(csv.DictReader(call("query", sql, "--format", "csv").out.splitlines()))
    answers = call("query", sql, "--format", "json").json
    table = call("query", sql)
    assert len(rows) == len(answers) == 3
    assert [row["id"] for row in rows] == [answer["id"] for answer in answers]
    assert datetime.fromisoformat(rows[0]["start"]) == datetime.fromisoformat(answers[0]["start"])
    assert isinstance(answers[0]["nap"], bool)
    assert isinstance(answers[0]["score_respiratory_rate"], float)
    assert all(row["id"] in table.out for row in rows)
    assert "3 rows" in table.err


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_query_cannot_write(database_url: str, form: str) -> None:
    for sql in (
        "CREATE TABLE public.mine (a int)",
        "INSERT INTO meta.connections (connector, external_id) VALUES ('a', 'b')",
        "WITH gone AS (DELETE FROM meta.connections RETURNING 1) SELECT * FROM gone",
        "COMMIT; CREATE TABLE public.mine (a int)",
        "SET default_transaction_read_only = off; CREATE TABLE public.mine (a int)",
    ):
        found = call("query", sql, "--format", form)
        assert found.code == 2, (sql, found.said)
    assert call("query", "SELECT to_regclass('public.mine') IS NULL AS nothing", "--format", "json").json == [
        {"nothing": True}
    ]


def test_migrate_says_from_where_to_where(database_url: str) -> None:
    assert "Up to date" in call("migrate").out
    do(database_url, "DROP SCHEMA canonical CASCADE; DROP SCHEMA meta CASCADE")
    found = call("migrate")
    assert found.code == 0, found.said
    assert "empty -> " in found.out
    assert "Up to date" in call("migrate").out


def test_validate_and_test_by_exit_code(folder: Path) -> None:
    assert call("validate").code == 0
    assert call("test").code == 0
    assert re.fullmatch(r"\d+ passed, 0 failed\n", call("test", "whoop").out)
    tests = folder / "mappings" / "whoop" / "tests" / "workouts.yaml"
    tests.write_text(re.sub(r"(source_sport|sport): \w+", r"\1: another", tests.read_text(), count=1))
    failed = call("test", "whoop")
    assert failed.code == 1
    assert "FAILED" in failed.out
    assert "another" in failed.out
    connector = folder / "connectors" / "whoop.yaml"
    connector.write_text(connector.read_text().replace("kind: cursor", "kind: curser"))
    wrong = call("validate")
    assert wrong.code == 1
    assert re.search(r"connectors/whoop\.yaml:\d+:\d+: .*curser.*Did you mean 'cursor'", wrong.out)
    run = call("run", "whoop")
    assert run.code == 2
    assert "curser" in run.err
    assert call("test", "whoop").code == 2


def test_the_database_of_a_url_is_not_ours_to_start_or_to_print(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HDE_DATABASE_URL", "postgresql://somebody:the-password@127.0.0.1:1/nothing")
    for command in ("url", "start", "stop"):
        found = call("db", command)
        assert found.code == 2
        assert "the-password" not in found.said


DEMOS = [
    ([], ("Signed in as account", "The last seven days", "What was trained"), "canonical.sleep_sessions", 39),
    (["fhir"], ("Signed in as account", "The latest laboratory results", "reference", "atorvastatin"),
     "canonical.lab_results WHERE unit IS NOT NULL", 30),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "says", "rows", "least"), DEMOS, ids=["whoop", "fhir"])
def test_the_demo_goes_from_sign_in_to_answers(
    tmp_path: Path, provider: list[str], says: tuple[str, ...], rows: str, least: int
) -> None:
    """In a home of its own, with the embedded server; then `hde db` on it."""
    tmp_path.chmod(0o755)
    (home := tmp_path / "demo-home").mkdir(mode=0o755)
    environment = {"HDE_HOME": str(home), "HDE_DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/never"}
    try:
        with ending(start("demo", *provider, "--days", "40" if not provider else "500", **environment)) as process:
            found = ended(process, within=120)
        assert found.code == 0, found.said
        for words in (*says, "yours to query"):
            assert words in found.out
        assert "Traceback" not in found.err
        query = f"SELECT count(*) AS found FROM {rows}"
        environment["HDE_DATABASE_URL"] = ""
        with ending(start("--home", str(home / "demo"), "query", query, "--format", "json", **environment)) as process:
            answer = ended(process)
        assert json.loads(answer.out)[0]["found"] >= least
        with ending(start("--home", str(home / "demo"), "db", "url", **environment)) as process:
            url = ended(process).out.strip()
        password = next(home.rglob("pgpass")).read_text().strip().rpartition(":")[2]
        assert url.startswith("postgresql://")
        assert len(password) > 8
        assert password not in url
    finally:
        with ending(start("--home", str(home / "demo"), "db", "stop", "--force", **environment)) as process:
            ended(process)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_the_sandbox_listens_where_it_is_told_until_ctrl_c(free_port: int) -> None:
    with ending(start("sandbox", "whoop", "--port", str(free_port), "--days", "5")) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        assert any(f"WHOOP_BASE_URL=http://127.0.0.1:{free_port}" in line for line in said)
        assert httpx.get(f"http://127.0.0.1:{free_port}/developer/v2/cycle").status_code == 401
        os.kill(process.pid, signal.SIGINT)
        found = ended(process, within=10)
    assert found.code == 0
    assert "Traceback" not in found.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_hospital_behaves_as_it_is_told_to() -> None:
    with ending(start("sandbox", "fhir", "--days", "200", "--manners", "epic")) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(4)]
        (base,) = (line.partition("=")[2] for line in said if line.startswith("FHIR_BASE_URL="))
        answer = httpx.get(f"{base}/Observation")
        os.kill(process.pid, signal.SIGINT)
        found = ended(process, within=10)
    assert (answer.status_code, answer.content) == (401, b"")
    assert found.code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "garden"], "There is no simulated 'garden'. There are: whoop, fhir"),
        (["sandbox", "garden"], "There is no simulated 'garden'. There are: whoop, fhir"),
        (["sandbox", "fhir", "--manners", "rude"], "has no manners 'rude'. There are: plain, open, epic, oracle"),
        (["sandbox", "whoop", "--manners", "epic"], "has no manners 'epic'. There are: none"),
    ],
)
def test_what_is_not_simulated_is_said(arguments: list[str], says: str) -> None:
    found = call(*arguments)
    assert found.code == 2
    assert says in found.err
