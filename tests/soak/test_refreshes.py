"""A refresh killed at any instant, many times in a row on one store: HDE_SOAK times for each of ten seeds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from oauth_made import KEY, Provider, ask, token
from refreshing_made import Processes
from source_made import Source
from test_source_killed_refresh import sign_in_again

from hde.errors import SignInNeeded
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, TokenStore
from hde.tokens.file import FileTokens

FIRST, MANY = int(os.environ.get("HDE_SOAK_FROM", "1000")), int(os.environ.get("HDE_SOAK", "100"))


@pytest.fixture
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.close()


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.close()


@pytest.mark.parametrize("kind", ["file", "database"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + 10))
def test_a_refresh_killed_at_any_instant(
    seed: int, kind: str, tmp_path: Path, source: Source, processes: Processes, database: Database
) -> None:
    """Either the token is there, or the store says that an answer was lost; never anything else."""
    chance, provider, path = Random(seed), Provider(source), tmp_path / "home" / "tokens.json"
    store: TokenStore = FileTokens(path, KEY) if kind == "file" else DatabaseTokens(database, KEY)
    place = str(path) if kind == "file" else database.conninfo
    beside, lost, killed = Stored(token("of another")), 0, 0
    store.write("demo", "you", beside)
    store.write("demo", "me", Stored(token()))
    for _ in range(MANY):
        held = store.read("demo", "me")
        assert held is not None
        store.write("demo", "me", Stored(token(held.token.access, held.token.refresh, -1), held.generation + 1))
        after = chance.uniform(0, 0.08)
        killer = threading.Timer(after, processes.kill)
        killer.start()
        [ended] = processes.run(source, store, place)
        killer.join()
        assert ended.code in (0, -signal.SIGKILL), ended.said
        killed += ended.code != 0
        time.sleep(0.02)  # a request that was under way arrives
        try:
            assert ask(source, store, threading.Event())
        except SignInNeeded as error:
            assert "interrupted and its answer lost" in str(error)  # noqa: PT017 - it may come or not
            lost += 1
            sign_in_again(provider, store)
            assert ask(source, store, threading.Event())
        assert store.read("demo", "you") == beside
    assert killed > MANY // 10
    assert lost < killed
