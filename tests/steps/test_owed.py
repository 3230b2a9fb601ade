"""What could not be read stays owed, exactly that is fetched by the next run, and nothing else suffers."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest
from loopback_made import DAY, Reply, Seen, Source, write_connector
from psycopg.conninfo import make_conninfo
from run_made import ask, call, counts, do, in_background

from hde.places import home
from hde.run import run
from hde.spec.load import load_source
from hde.steps.report import Report
from hde.steps.stage import Options

SETTLE = 2 * DAY


def windows(source: Source, *names: str) -> list[tuple[datetime, datetime]]:
    """Of first pages."""
    return sorted(seen.span for seen in source.asked(*names) if "cursor" not in seen.query)


def test_a_window_that_fails_stops_nothing_else_and_is_all_the_next_run_fetches(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha", "beta")
    source.fill("alpha", "beta")
    refuses = datetime.now(UTC) - 50 * DAY

    def answer(seen: Seen) -> Reply | None:
        if seen.path == "/alpha" and seen.span[0] <= refuses < seen.span[1]:
            return Reply({"error": "not today"}, status=400)
        return None

    source.answer = answer
    first = call("run", "made")
    assert first.code == 1
    assert "alpha" in first.out
    assert "answers 400" in first.out
    assert counts(database_url, "made_raw", "beta")["beta"] == len(source.records["beta"])
    (failed,) = ask(database_url, "SELECT start_at, end_at FROM meta.windows WHERE state = 'failed'")
    assert failed[0] <= refuses < failed[1]

    source.seen.clear()
    source.answer = lambda seen: None
    assert call("run", "made").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])
    asked = windows(source, "alpha")
    assert asked[0] == failed
    since = min(start for start, _ in asked[1:])
    assert datetime.now(UTC) - since < SETTLE + timedelta(minutes=2), "beside what failed only what is unsettled"
    assert all(datetime.now(UTC) - start < SETTLE + timedelta(minutes=2) for start, _ in windows(source, "beta"))


def test_pages_before_the_failure_stay_and_the_window_is_owed_whole(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha")
    source.fill("alpha")
    source.answer = lambda seen: Reply(status=400) if "cursor" in seen.query else None
    assert call("run", "made").code == 1
    stored = counts(database_url, "made_raw", "alpha")["alpha"]
    assert 0 < stored < len(source.records["alpha"])
    assert ask(database_url, "SELECT count(*) FROM meta.windows WHERE state = 'open'") == [0]
    source.answer = lambda seen: None
    assert call("run", "made").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_what_is_not_for_this_account_is_said_and_not_owed(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha", "beta", errors="[{status: 403, do: skip}]")
    source.fill("alpha", "beta")
    source.answer = lambda seen: Reply(status=403) if seen.path == "/beta" else None
    found = call("run", "made")
    assert found.code == 0
    assert "beta skipped: 403: not for this account" in found.out
    assert ask(database_url, "SELECT resource FROM meta.streams") == ["alpha"], "skipped is not empty, nor covered"
    found = call("run", "made", "--daily-refresh")
    assert found.code == 0
    assert "beta skipped: 403: not for this account" in found.out


def test_a_source_that_says_wait_is_waited_for(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha")
    source.fill("alpha")
    refusals = iter([Reply(status=429, headers={"Retry-After": "1"})])
    source.answer = lambda seen: next(refusals, None) if seen.path == "/alpha" else None
    assert call("run", "made").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_a_stop_before_the_first_request_is_no_success(source: Source, tmp_path: Path, database_url: str) -> None:
    file = write_connector(tmp_path, "alpha", account="")
    stop, report = threading.Event(), Report()
    run(load_source(file, tmp_path), Options(), home=home(), report=Report(), stop=threading.Event())
    stop.set()
    run(load_source(file, tmp_path), Options(), home=home(), report=report, stop=stop)
    assert report.is_owing
    assert ask(database_url, "SELECT outcome FROM meta.runs ORDER BY id") == ["done", "stopped"]


def test_the_database_goes_away_for_good_and_the_next_run_completes(
    source: Source, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HDE_PATIENCE", "0.001")
    write_connector(tmp_path, "alpha")
    source.fill("alpha")
    maintenance = make_conninfo(database_url, dbname="postgres")

    def answer(seen: Seen) -> Reply | None:
        if seen.query.get("cursor") == "10":
            with psycopg.connect(maintenance, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'for_a_test'"
                )
        return None

    source.answer = answer
    found = call("run", "made")
    assert found.code == 4
    assert caplog.text.count("Going on from what is stored") == 5
    source.answer = lambda seen: None
    assert call("run", "made").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_an_answer_received_earlier_never_overwrites_a_later_one(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    """Every window returns the same record, which changes with every answer; one answer goes out after another."""
    write_connector(tmp_path, "alpha", "beta", parallel=8)
    versions, turn, last = count(1), threading.Lock(), {}

    def answer(seen: Seen) -> Reply | None:
        if seen.path == "/me":
            return None
        turn.acquire()  # until it was sent, and there was time enough to receive it
        last[seen.path] = next(versions)
        return Reply({"records": [{"id": 1, "at": seen.query["start"], "v": last[seen.path]}], "next": None})

    def sent(seen: Seen) -> None:
        if seen.path != "/me":
            time.sleep(0.1)
            turn.release()

    source.answer, source.sent = answer, sent
    for _ in range(3):
        assert call("run", "made", "--full").code == 0
        assert ask(database_url, "SELECT v FROM made_raw.alpha") == [last["/alpha"]]
        assert ask(database_url, "SELECT v FROM made_raw.beta") == [last["/beta"]]


def test_two_runs_at_once_of_one_account_the_second_says_so(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha")
    source.fill("alpha")
    reading = threading.Event()

    def answer(seen: Seen) -> Reply | None:
        if seen.path == "/alpha":
            reading.set()
            source.hold()
        return None

    source.answer = answer
    report = Report()
    loaded = load_source(tmp_path / "connectors" / "made.yaml", tmp_path)
    first = in_background(
        lambda: run(loaded, Options(), home=home(), report=report, stop=threading.Event())  # as another process would
    )
    assert reading.wait(10)
    second = call("run", "made")
    assert second.code == 5
    assert f"made id-of-somebody is being read by hde run, process {os.getpid()} on" in second.err
    source.held.set()
    first.join(20)
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_different_accounts_are_read_side_by_side(
    source: Source, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_connector(tmp_path, "alpha")
    source.fill("alpha")
    reading = threading.Event()

    def answer(seen: Seen) -> Reply | None:
        if seen.path == "/alpha" and seen.headers["x-key"] == "first":
            reading.set()
            source.hold()
        return None

    source.answer = answer
    monkeypatch.setenv("MADE_KEY", "first")
    loaded = load_source(file, tmp_path)
    first = in_background(lambda: run(loaded, Options(), home=home(), report=Report(), stop=threading.Event()))
    assert reading.wait(10)
    monkeypatch.setenv("MADE_KEY", "second")
    assert call("run", "made").code == 0
    source.held.set()
    first.join(20)
    rows = ask(
        database_url,
        "SELECT c.external_id, count(*) FROM made_raw.alpha JOIN meta.connections c ON c.id = _account GROUP BY 1",
    )
    assert dict(rows) == dict.fromkeys(("id-of-first", "id-of-second"), len(source.records["alpha"]))


def test_many_records_gone_at_once_are_not_believed_and_their_window_stays_owed(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha", missing="delete")
    source.fill("alpha")
    assert call("run", "made").code == 0
    was = len(source.records["alpha"])
    source.records["alpha"] = source.records["alpha"][50:]
    found = call("run", "made", "--full")
    assert found.code == 1
    assert "--accept-deletes" in found.out
    assert counts(database_url, "made_raw", "alpha")["alpha"] > was - 50
    assert call("run", "made", "--full", "--accept-deletes").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == was - 50
    assert ask(database_url, "SELECT count(*) FROM made_raw.alpha_history WHERE _op = 'D'") == [50]


def test_an_outage_that_empties_small_windows_one_by_one_is_not_believed_either(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    """Ten records a window are below the guard of each; a run that loses them in every window is not to be believed."""
    write_connector(tmp_path, "alpha", missing="delete")
    source.fill("alpha", every=4 * DAY)
    assert call("run", "made").code == 0
    stored = counts(database_url, "made_raw", "alpha")["alpha"]
    do(database_url, "UPDATE meta.streams SET covered = '{}'")
    source.answer = lambda seen: None if seen.path == "/me" else Reply({"records": [], "next": None})
    found = call("run", "made")
    assert found.code == 1
    assert "looks like an outage" in found.out
    assert counts(database_url, "made_raw", "alpha")["alpha"] >= stored - 10

    source.answer = lambda seen: None
    source.seen.clear()
    assert call("run", "made").code == 0
    asked = windows(source, "alpha")
    assert max(end - start for start, end in asked) > 20 * DAY, "what was not believed is owed, and read again"
    assert call("run", "made", "--full").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == stored


def test_an_upper_end_alone_begins_where_history_does(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha")
    source.fill("alpha")
    until = datetime.now(UTC).replace(microsecond=0) - 40 * DAY
    assert call("run", "made", "--until", until.isoformat()).code == 0
    asked = windows(source, "alpha")
    assert abs(asked[0][0] - (datetime.now(UTC) - 100 * DAY)) < timedelta(minutes=2)
    assert asked[-1][1] == until


def test_the_youngest_window_of_every_resource_is_read_before_the_history_of_any(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha", "beta", "gamma", parallel=1)
    source.fill("alpha", "beta", "gamma", days=20)
    assert call("run", "made").code == 0
    first = [seen.path for seen in source.seen if "cursor" not in seen.query and seen.path != "/me"]
    assert first[:3] == ["/alpha", "/beta", "/gamma"]
    assert first[3:] == sorted(first[3:])
