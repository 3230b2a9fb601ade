"""A refresh that is killed at any step, before a provider that ends the grant when a spent token comes again."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from oauth_made import KEY, Provider, ask, token
from refreshing_made import Processes, kill_at_provider
from source_made import Source

from hde.errors import SignInNeeded
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, TokenStore
from hde.tokens.file import FileTokens

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")

OLD, AGAIN, LOST, KEPT = "asks with the old token", "asks with the old token again", "the answer is lost", "kept"
"""What the next process finds: nothing was asked; asked in vain; asked, and the answer gone; the new token."""
EITHER = "kept, or the answer is lost"
BEFORE = {"before the lock": OLD, "with the lock": OLD, "before the mark": OLD}
ASKED = {
    "after the mark": OLD,
    "the request has arrived": AGAIN,
    "the answer is on its way": LOST,
    "before the answer": LOST,
}
AFTER = {"after the answer": KEPT, "before the lock is let go": KEPT, "after the lock is let go": KEPT}
IN_FILE = {
    **BEFORE,
    "the room has a file with nothing in it": OLD,
    "the room is half written": OLD,
    "the room is written, not on disk": OLD,
    "the mark has a file with nothing in it": OLD,
    "the mark is half written": OLD,
    "the mark is written, not on disk": OLD,
    "the mark is on disk, not in place": OLD,
    "the mark is in place": OLD,
    **ASKED,
    "the answer has a file with nothing in it": LOST,
    "the answer is half written": LOST,
    "the answer is written, not on disk": KEPT,
    "the answer is on disk, not in place": KEPT,
    "the answer is in place": KEPT,
    **AFTER,
}
IN_DATABASE = {
    **BEFORE,
    "the mark is not committed": OLD,
    "the mark is being committed": OLD,
    **ASKED,
    "the answer is not committed": LOST,
    "the answer is being committed": EITHER,
    **AFTER,
}


@pytest.mark.parametrize(("step", "found"), IN_FILE.items())
def test_killed_at_any_step_a_file_recovers_or_says_why_not(source, provider, processes, tmp_path, stop, step, found):
    path = tmp_path / "home" / "tokens.json"
    killed_and_asked_again(source, provider, processes, FileTokens(path, KEY), str(path), stop, step, found)
    left = {entry.suffix for entry in path.parent.iterdir()}
    assert left <= {".json", ".lock"}


@pytest.mark.parametrize(("step", "found"), IN_DATABASE.items())
def test_killed_at_any_step_the_database_recovers_or_says_why_not(
    source, provider, processes, database, stop, step, found
):
    store = DatabaseTokens(database, KEY)
    killed_and_asked_again(source, provider, processes, store, database.conninfo, stop, step, found)


def killed_and_asked_again(
    source: Source,
    provider: Provider,
    processes: Processes,
    store: TokenStore,
    place: str,
    stop: threading.Event,
    step: str,
    found: str,
) -> None:
    beside = Stored(token("of another"))
    store.write("demo", "you", beside)
    store.write("demo", "me", Stored(token(expires_in=-1)))
    kill_at_provider(provider, step, processes)
    [ended] = processes.run(source, store, place, step)
    assert ended.code == -signal.SIGKILL, f"the step was not come by: {ended.said}"
    asked = len(provider.refreshes)
    assert asked == (0 if found == OLD else 1)
    said = ""
    try:
        assert ask(source, store, stop) == b'{"path":"/api/things"}'
    except SignInNeeded as error:
        said = str(error)
    if said:
        assert found in (LOST, EITHER)
        assert "interrupted and its answer lost" in said
        assert "`hde auth demo`" in said
        assert len(provider.refreshes) == 2, "the old token is tried once: nothing can be lost by it"
        sign_in_again(provider, store)
        assert ask(source, store, stop) == b'{"path":"/api/things"}'
    else:
        assert len(provider.refreshes) == {OLD: 1, AGAIN: 2, KEPT: 1, EITHER: 1}[found]
        assert provider.alive
    stored = store.read("demo", "me")
    assert stored is not None
    assert (stored.token.access, stored.token.refresh) == (provider.access, provider.refresh)
    assert stored.refreshing_since is None
    assert store.read("demo", "you") == beside
    assert store.accounts("demo") == ["me", "you"]


def sign_in_again(provider: Provider, store: TokenStore) -> None:
    provider.alive = True
    with store.locked("demo", "me"):
        former = store.read("demo", "me")
        assert former is not None
        store.write("demo", "me", Stored(token(provider.access, provider.refresh), former.generation + 1))


@pytest.mark.parametrize("kind", ["file", "database"])
def test_eight_processes_share_a_store_and_replay_nothing(source, provider, processes, tmp_path, request, kind):
    """The provider ends the grant at the first replay: all eight are answered, so there was none."""
    if kind == "database":
        database: Database = request.getfixturevalue("database")
        store, place = DatabaseTokens(database, KEY), database.conninfo
    else:
        path = Path(tmp_path / "tokens.json")
        store, place = FileTokens(path, KEY), str(path)
    store.write("demo", "me", Stored(token(expires_in=-1)))
    ended = processes.run(source, store, place, many=8)
    assert [(one.code, one.said.strip()) for one in ended] == [(0, '{"path":"/api/things"}')] * 8
    assert (len(provider.refreshes), provider.alive) == (1, True)


def test_the_provider_of_these_tests_ends_the_grant_at_a_replay(source, provider, store, stop):
    store.write("demo", "me", Stored(token(expires_in=-1)))
    ask(source, store, stop)
    store.write("demo", "me", Stored(token(expires_in=-1), 3))
    with pytest.raises(SignInNeeded):
        ask(source, store, stop)
    assert not provider.alive
