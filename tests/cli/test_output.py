"""What a person and a machine see: plain progress, JSON, exit codes, errors of a line or two, nothing executed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from loopback_made import Reply, Source, write_connector
from rich.text import Text
from run_made import RAW, call, ended, ending, start

from hde.cli import progress
from hde.cli.progress import shown
from hde.sandbox import whoop
from hde.steps.report import Report

NUMBERS = {
    "resource", "requests", "records", "new", "changed", "unchanged", "vanished", "canonical", "canonical_removed",
    "issues", "skipped", "preparing", "failures", "seconds",
}  # fmt: skip


def test_json_is_all_there_is_on_standard_output(sandbox: whoop.Sandbox, database_url: str) -> None:
    found = call("run", "whoop", "--json")
    assert found.err == ""
    said = found.json
    assert set(said) == {"connector", "seconds", "owing", "notes", "resources"}
    assert (said["connector"], said["owing"], said["notes"]) == ("whoop", False, [])
    order = [*RAW[:2], "cycles", "recoveries", "sleeps", "workouts"]
    assert [numbers["resource"] for numbers in said["resources"]] == order
    for numbers in said["resources"]:
        assert set(numbers) == NUMBERS
        assert numbers["records"] == numbers["new"] + numbers["changed"] + numbers["unchanged"] > 0


def test_what_is_said_of_several_resources_in_the_same_words_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    for note in ("sleeps: the source says: busy", "keys: one left", "cycles: the source says: busy", "plain"):
        report.note(note)
    progress.closing_table("Made", report)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note")]
    assert said == ["note sleeps, cycles: the source says: busy", "note keys: one left", "note plain"]


def test_json_says_what_is_owed(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop").code == 0
    sandbox.fail(400)
    found = call("run", "whoop", "--json")
    assert found.code == 1
    assert found.json["owing"] is True
    (failure,) = [failure for numbers in found.json["resources"] for failure in numbers["failures"]]
    assert "400" in failure


def test_progress_is_plain_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    report = Report()
    with shown(report, quiet=False):
        report.planned("sleeps", 3)
        report.page("sleeps", 1)
        report.page("sleeps", 1)
        report.changed()
    said = capsys.readouterr()
    assert said.err.startswith("0/3 windows, 0 records, 2 pages")
    assert "\x1b" not in said.err
    assert said.out == ""


def test_the_closing_table_is_plain_where_there_is_no_terminal(sandbox: whoop.Sandbox, database_url: str) -> None:
    found = call("run", "whoop")
    assert "\x1b" not in found.out
    assert all(resource in found.out for resource in RAW)
    assert max(map(len, found.out.splitlines())) <= 110


@pytest.mark.parametrize("words", ["[/red] [bold]no[/]", ":warning: [link=x]", "[/]"])
def test_a_sources_own_words_are_shown_as_they_are(
    source: Source, tmp_path: Path, database_url: str, words: str
) -> None:
    write_connector(tmp_path, "alpha", errors="[{status: 400, do: fail, message: error}]")
    source.answer = lambda seen: Reply({"error": words}, status=400) if seen.path == "/alpha" else None
    found = call("run", "made")
    assert found.code == 1
    assert words in found.out
    assert "bug in hde" not in found.err
    status = call("status")
    assert status.code == 0
    assert Text(words.split()[0]).plain in status.out


def test_a_question_is_answered_with_what_the_database_holds(database_url: str) -> None:
    found = call("query", "SELECT '[/red]' AS a, ':smile:' AS b, '[bold]x' AS c")
    assert found.code == 0
    assert all(words in found.out for words in ("[/red]", ":smile:", "[bold]x"))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "command", [("run", "whoop"), ("status",), ("query", "SELECT 1"), ("migrate",), ("remap", "whoop")]
)
def test_a_database_that_is_away_is_four(
    sandbox: whoop.Sandbox, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HDE_DATABASE_URL", f"postgresql://somebody:the-password@127.0.0.1:{closed_port()}/nothing")
    found = call(*command)
    assert found.code == 4
    assert found.err.startswith("hde: ")
    assert found.err.count("\n") <= 2
    assert "the-password" not in found.said
    assert not sandbox.log


def test_a_crash_is_a_line_and_with_v_a_traceback_without_secrets(
    sandbox: whoop.Sandbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(f"something about {sandbox.client_secret} went wrong")

    monkeypatch.setattr("hde.cli.run.run_source", crash)
    found = call("run", "whoop")
    assert found.code == 1
    assert found.err == "hde: this is a bug in hde (RuntimeError). `hde -v ...` shows where; please report it.\n"
    monkeypatch.setenv("HDE_VERBOSE", "1")
    from hde.redact import register_secret

    register_secret(sandbox.client_secret)
    found = call("run", "whoop")
    assert "Traceback" in found.err
    assert "went wrong" in found.err
    assert sandbox.client_secret not in found.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("frobnicate",), "There is no command"),
        (("rum",), "Did you mean 'run'?"),
        (("run",), "Missing argument"),
        (("run", "whoopp"), "Did you mean 'whoop'?"),
        (("run", "no/such/file.yaml"), "there is no such file"),
        (("query", "DROP TABLE canonical.workouts"), "only reads"),
        (("query", "SELEC 1"), "syntax error"),
        (("query", "SELECT 1; SELECT 2"), "multiple commands"),
        (("sandbox", "whoopp"), "There is no simulated"),
    ],
    ids=str,
)
def test_wrong_use_is_two_and_a_line_or_two(database_url: str, arguments: tuple[str, ...], said: str) -> None:
    found = call(*arguments)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err
    assert len(found.err.splitlines()) <= 4  # click shows the usage as well


def test_help_names_every_command_and_imports_no_engine() -> None:
    with ending(start("--help")) as process:
        found = ended(process)
    assert found.code == 0
    for command in ("run", "auth", "validate", "test", "remap", "status", "query", "db", "migrate", "demo", "sandbox"):
        assert f"  {command} " in found.out


def test_a_pipe_that_closes_is_nothing_to_complain_about(database_url: str) -> None:
    with ending(start("query", "SELECT generate_series(1, 200000) AS number", "--format", "csv")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "number\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(20) in (0, 1)  # click's own end of a broken pipe is 1
