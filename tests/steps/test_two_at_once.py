"""Two commands at once for one account: the second says so and ends, or waits. A remap is such a command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback_made import Reply, Seen, Source, write_connector
from run_made import ask, call, canonical_hashes, counts, ended, ending, start

MAPPING = """
from: alpha
columns: {start_time: at}
to: {biometrics_vitals: {rows: {weight: {value: {path: v, unit: kg}}}}}
ignore: {id: the key}
"""


@pytest.fixture
def made(source: Source, tmp_path: Path, database_url: str) -> str:
    """A connector with a mapping and a first run; the database's URL."""
    write_connector(tmp_path, "alpha", parallel=1)
    (tmp_path / "mappings" / "made").mkdir(parents=True)
    (tmp_path / "mappings" / "made" / "alpha.yaml").write_text(MAPPING)
    source.fill("alpha")
    for record in source.records["alpha"]:
        record["v"] = 60 + record["id"] % 30
    return database_url


@contextmanager
def one_at_work(source: Source) -> Iterator[int]:
    """`hde run made` in a process of its own, which waits for an answer until the block is left. Its process id."""
    reading = threading.Event()

    def answer(seen: Seen) -> Reply | None:
        if seen.query.get("cursor") == "20" and not reading.is_set():
            reading.set()
            source.hold()
        return None

    source.answer = answer
    with ending(start("run", "made")) as process:
        while not reading.wait(0.05):
            assert process.poll() is None, ended(process).said
        yield process.pid
        source.held.set()
        found = ended(process)
    assert found.code == 0, found.said


def test_a_second_run_says_who_is_first_and_one_that_waits_follows_it(source: Source, made: str) -> None:
    with one_at_work(source) as first:
        second = call("run", "made")
        assert second.code == 5
        assert f"made id-of-somebody is being read by hde run, process {first} on" in second.err
        assert "--wait" in second.err
        waiting = start("run", "made", "--wait")
        told = waiting.stderr
        assert told
        assert "waiting for it to end" in told.readline()
        assert ask(made, "SELECT count(*) FROM meta.runs") == [1]
    with ending(waiting):
        assert ended(waiting).code == 0
    assert ask(made, "SELECT command, outcome FROM meta.runs ORDER BY id") == [("run", "done")] * 2
    assert counts(made, "made_raw", "alpha")["alpha"] == len(source.records["alpha"])


def test_a_remap_beside_a_run_waits_or_is_refused_and_changes_nothing_of_it(source: Source, made: str) -> None:
    with one_at_work(source) as first:
        refused = call("remap", "made")
        assert refused.code == 5
        assert f"hde run, process {first} on" in refused.err
        remap = start("remap", "made", "--wait")
        told = remap.stderr
        assert told
        assert "waiting for it to end" in told.readline()
    with ending(remap):
        assert ended(remap).code == 0
    was = canonical_hashes(made)
    assert counts(made, "canonical", "biometrics_vitals")["biometrics_vitals"] == len(source.records["alpha"])
    assert call("remap", "made").code == 0
    assert canonical_hashes(made) == was
    commands = ask(made, "SELECT command, outcome FROM meta.runs ORDER BY id")
    assert commands == [("run", "done"), ("remap", "done"), ("remap", "done")]
