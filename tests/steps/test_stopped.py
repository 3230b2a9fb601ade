"""A run that is stopped: what was fetched is stored, and the next one goes on from there."""

from __future__ import annotations

import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from loopback_made import Reply, Seen, Source, write_connector
from run_made import ask, call, counts, ended, ending, raw_hashes, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_stopped_run_keeps_what_it_has_and_the_next_goes_on_from_there(
    source: Source, tmp_path: Path, database_url: str, by: signal.Signals
) -> None:
    write_connector(tmp_path, "alpha", parallel=1)
    source.fill("alpha")
    source.page = 3

    def answer(seen: Seen) -> Reply | None:
        if seen.query.get("cursor") == "9":
            source.hold()
        return None

    source.answer = answer
    with ending(start("run", "made")) as process:
        while not any(seen.query.get("cursor") == "9" for seen in source.seen):
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(by)
        found = ended(process, within=15)  # the answer it waits for is held for twice as long
    assert found.code == 1
    assert "Stopped. What was fetched is stored" in found.out
    assert "Traceback" not in found.err
    unanswered = 1
    assert counts(database_url, "made_raw", "alpha")["alpha"] == 3 * (len(source.asked("alpha")) - unanswered)
    assert ask(database_url, "SELECT outcome FROM meta.runs") == ["stopped"]

    source.seen.clear()
    source.answer = lambda seen: None
    assert call("run", "made").code == 0
    assert source.asked("alpha")[0].query["cursor"] == "9", "the open window is gone on with, not begun again"
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_a_page_the_source_forgot_meanwhile_begins_the_window_anew(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_connector(tmp_path, "alpha", parallel=1)
    source.fill("alpha")
    source.answer = lambda seen: Reply(status=400) if seen.path == "/alpha" else None
    assert call("run", "made").code == 1
    ask(
        database_url,
        "UPDATE meta.windows SET state = 'open', cursor = '{\"cursor\": \"lost\"}', cursor_at = now()"
        " WHERE id = (SELECT min(id) FROM meta.windows) RETURNING id",
    )
    source.answer = lambda seen: Reply(status=400) if seen.query.get("cursor") == "lost" else None
    assert call("run", "made").code == 0
    assert counts(database_url, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_a_daily_refresh_that_is_stopped_leaves_the_day(source: Source, tmp_path: Path, database_url: str) -> None:
    write_connector(tmp_path, "alpha", "beta")
    source.fill("alpha", "beta", every=timedelta(hours=1), days=4)
    assert call("run", "made").code == 0
    was = raw_hashes(database_url, "made_raw", ("alpha", "beta"))
    source.records = {"alpha": [], "beta": source.records["beta"][:-30]}
    reading = len(source.seen)

    def answer(seen: Seen) -> Reply | None:
        if seen.path == "/beta":
            source.hold()
        return None

    source.answer = answer
    with ending(start("run", "made", "--daily-refresh", "--accept-deletes")) as process:
        while not any(seen.path == "/beta" for seen in source.seen[reading:]):
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        found = ended(process, within=15)
    assert found.code == 1
    assert "Traceback" not in found.err
    assert raw_hashes(database_url, "made_raw", ("alpha", "beta")) == was
    assert ask(database_url, "SELECT outcome FROM meta.runs ORDER BY id") == ["done", "stopped"]
