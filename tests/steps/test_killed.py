"""A run that is killed with SIGKILL, wherever it is, or whose PostgreSQL is: the next ones end as if nothing had been,
and ask for nothing that is stored.

`tests/soak` has the same for many more instants.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from random import Random

import psycopg
import pytest
from faults_made import API, TOKEN, everything, member, run_until_done, three_days_ago, undisturbed_run
from killed_made import (
    Left,
    holding,
    is_waiting,
    kill_server,
    killed_after,
    killed_when,
    killed_while_it_prints,
    own_server,
    wait_for_the_dead,
)
from psycopg.conninfo import make_conninfo
from run_made import ask, call, ended, ending, start

from hde.sandbox.faults import Faults, Rule
from hde.sandbox.faults import answers as way
from hde.store import embedded
from hde.store.database import as_url

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
DAYS = 120
LONG = 60.0
"""Seconds for which an answer is held back; the run is killed long before."""


@pytest.fixture(scope="module")
def when() -> datetime:
    return three_days_ago()


@pytest.fixture(scope="module")
def undisturbed(server: str, when: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    with undisturbed_run(server, tmp_path_factory.mktemp("home"), days=DAYS, now=when) as url:
        yield everything(url)


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_instant_nothing_is_lost_and_nothing_stored_is_asked_for_again(
    seed: int, when: datetime, undisturbed: dict[str, object], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    slowly = Faults([Rule(way.Drip(0.02), on=API)])
    with member(monkeypatch, slowly, days=DAYS, now=when) as sandbox:
        for _ in range(4):
            left, asked = Left.by(database_url), len(sandbox.log)
            killed_after(sandbox.log, chance.randint(4, 40), chance.random() / 10)
            wait_for_the_dead(database_url)
            assert left.asked_in_vain(sandbox.log[asked:]) == []
        left, asked = Left.by(database_url), len(sandbox.log)
        assert call("run", "whoop").code == 0
        assert left.asked_in_vain(sandbox.log[asked:]) == []
    assert everything(database_url) == undisturbed


@pytest.mark.parametrize(("table", "statement"), [("whoop_raw.sleeps", "COPY"), ("meta.windows", "%meta.windows")])
def test_killed_while_a_batch_is_being_stored(
    table: str, statement: str, when: datetime, undisturbed: dict[str, object], database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with member(monkeypatch, None, days=DAYS, now=when):
        assert call("run", "whoop", "user_basic_profile").code == 0, "the tables are made"
        with holding(database_url, f"LOCK TABLE {table} IN SHARE MODE"):
            killed_when(lambda: is_waiting(database_url, statement))
        wait_for_the_dead(database_url)
        assert call("run", "whoop").code == 0
    assert everything(database_url) == undisturbed


def test_killed_between_the_last_commit_and_what_it_has_to_say(
    when: datetime, undisturbed: dict[str, object], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with member(monkeypatch, None, days=DAYS, now=when) as sandbox:
        killed_while_it_prints(lambda: ask(database_url, "SELECT outcome FROM meta.runs") == ["done"])
        wait_for_the_dead(database_url)
        assert everything(database_url) == undisturbed
        left, asked = Left.by(database_url), len(sandbox.log)
        assert call("run", "whoop").code == 0
        assert left.asked_in_vain(sandbox.log[asked:]) == []
    assert everything(database_url) == undisturbed


@pytest.mark.parametrize(
    ("fault", "recovers"),
    [(way.Hang(LONG), True), (way.Lost(LONG), False)],
    ids=["before-it-is-seen", "after-it-is-done"],
)
def test_killed_during_a_refresh(
    fault: way.Hang | way.Lost, recovers: bool, when: datetime, undisturbed: dict[str, object], database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A token that the provider has not seen is as good as before; of one it has replaced, the successor is lost."""
    faults = Faults([Rule(way.Expired(), on=API, nth=(12,)), Rule(fault, on=TOKEN, nth=(1,))])
    with member(monkeypatch, faults, days=DAYS, now=when) as sandbox:
        killed_when(lambda: (TOKEN, fault.name) in faults.done)
        wait_for_the_dead(database_url)
        found = call("run", "whoop")
        assert found.code == (0 if recovers else 3), found.said
        if not recovers:
            assert "an earlier refresh was interrupted and its answer lost" in found.err
            assert len(run_until_done(sandbox)) <= 2
    assert everything(database_url) == undisturbed


@pytest.mark.parametrize("schema", ["meta", "canonical"])
def test_killed_while_the_database_is_being_made(
    schema: str, server: str, when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare TEMPLATE template0")
    try:
        url = as_url(make_conninfo(server, dbname="bare"))
        monkeypatch.setenv("HDE_DATABASE_URL", url)
        with member(monkeypatch, None, days=DAYS, now=when):
            with holding(url, f"CREATE SCHEMA {schema}"):
                killed_when(lambda: is_waiting(url, "%SCHEMA"))
            wait_for_the_dead(url)
            assert call("run", "whoop").code == 0
        assert everything(url) == undisturbed
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE bare WITH (FORCE)")


@pytest.mark.parametrize("requests", [(12, 20)])
def test_postgres_killed_under_a_run(
    requests: tuple[int, ...], when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says so, starts the server anew, which recovers, and goes on from what is stored."""
    slowly = Faults([Rule(way.Drip(0.1), on=API)])
    with own_server(monkeypatch) as home, member(monkeypatch, slowly, days=DAYS, now=when) as sandbox:
        with ending(start("run", "whoop")) as process:
            for number in requests:
                asked = len(sandbox.log)
                while len(sandbox.log) < asked + number and process.poll() is None:
                    time.sleep(0.002)
                kill_server(home)
            found = ended(process)
        assert found.code == 0, found.said
        assert "Going on from what is stored" in found.err
        assert "Traceback" not in found.said
        with embedded.attached(home) as conninfo:
            assert everything(conninfo) == undisturbed
