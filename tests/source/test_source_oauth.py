"""A refresh token that is never burnt by us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from oauth_made import SETTINGS, ask, oauth_connector, session_on, token
from source_made import Reply, request

from hde.errors import Refused, SignInNeeded, Unreachable, Unreadable, WrongUse
from hde.source import oauth
from hde.source.oauth import StoredSignIn
from hde.tokens import Stored
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key, new_key


def test_a_good_token_is_used_as_it_is(source, provider, store, stop):
    store.write("demo", "me", Stored(token()))
    assert ask(source, store, stop) == b'{"path":"/api/things"}'
    assert provider.refreshes == []


@pytest.mark.parametrize("expires_in", [-10, 30])
def test_a_token_near_its_end_is_renewed_before_it_is_used(source, provider, store, stop, expires_in):
    store.write("demo", "me", Stored(token(expires_in=expires_in)))
    ask(source, store, stop)
    [form] = provider.refreshes
    assert form == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-0"],
        "scope": ["offline"],
        "client_id": ["the id"],
        "client_secret": ["s3cr:t"],
    }
    stored = store.read("demo", "me")
    assert (stored.token.access, stored.token.refresh, stored.generation) == ("access-1", "refresh-1", 2)
    assert stored.refreshing_since is None
    assert stored.token.answer["who"] == "me"
    assert [seen.path for seen in source.seen] == ["/token", "/api/things"]


def test_a_refused_token_is_renewed_once(source, provider, store, stop):
    store.write("demo", "me", Stored(token(access="stale")))
    ask(source, store, stop)
    assert len(provider.refreshes) == 1


def test_a_new_token_that_is_refused_too_needs_the_person(source, provider, store, stop):
    provider.before = lambda: Reply({"access_token": "useless", "token_type": "Bearer"})
    store.write("demo", "me", Stored(token(access="stale")))
    with pytest.raises(SignInNeeded, match="hde auth demo"):
        ask(source, store, stop)
    assert len(provider.refreshes) == 1
    assert store.read("demo", "me").token.refresh == "refresh-0"  # an answer may leave out what did not change


def test_a_token_another_process_brought_is_used_without_a_request(source, provider, store, stop):
    store.write("demo", "me", Stored(token(access="stale")))
    with session_on(source, store, stop) as session:
        provider.alive = False
        with pytest.raises(SignInNeeded):
            session.answer(request(), {})
        provider.alive = True
        provider.refreshes.clear()
        store.write("demo", "me", Stored(token(access=provider.access), generation=9))
        session.answer(request(), {})
    assert provider.refreshes == []


def test_eight_threads_renew_an_expired_token_once(source, provider, store, stop):
    store.write("demo", "me", Stored(token(expires_in=-1)))
    bodies: list[bytes] = []
    with session_on(source, store, stop) as session:
        threads = [threading.Thread(target=lambda: bodies.append(session.answer(request(), {}).body)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(bodies), len(provider.refreshes)) == (8, 1)


PROCESS = """
import sys, threading
sys.path[:0] = {paths!r}
from pathlib import Path
from hde.tokens.file import FileTokens
from oauth_made import KEY, ask
class At: url = {url!r}
print(ask(At, FileTokens(Path({store!r}), KEY), threading.Event()).decode())
"""


def start(source, store) -> subprocess.Popen[str]:
    paths = [str(Path(__file__).parent), *(path for path in sys.path if path.endswith("engine"))]
    code = PROCESS.format(paths=paths, url=source.url, store=store.where)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_waits_for_a_refresh_in_flight(source, provider, store):
    store.write("demo", "me", Stored(token(expires_in=-1)))
    hold, arrived = threading.Event(), threading.Event()

    def slow() -> None:
        arrived.set()
        hold.wait(20)

    provider.before = slow
    process = start(source, store)
    assert arrived.wait(30)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    hold.set()
    _, err = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in err
    assert store.read("demo", "me").token.refresh == "refresh-1"


def test_a_lost_answer_is_asked_for_once_more_with_the_same_token(source, provider, store, stop):
    lost = iter([Reply(hang_up=True), None])
    provider.before = lambda: next(lost)
    store.write("demo", "me", Stored(token(expires_in=-1)))
    ask(source, store, stop)
    assert [form["refresh_token"] for form in provider.refreshes] == [["refresh-0"], ["refresh-0"]]


def test_an_answer_lost_for_good_ends_in_a_clear_word(source, provider, store, stop):
    provider.lost = 9
    store.write("demo", "me", Stored(token(expires_in=-1)))
    with pytest.raises(SignInNeeded, match="provider has ended the grant"):
        ask(source, store, stop)


def test_a_mark_found_at_a_start_is_tried_with_the_old_token_once(source, provider, store, stop):
    store.write("demo", "me", Stored(token(expires_in=-1), 1, refreshing_since=time.time() - 60))
    ask(source, store, stop)
    assert len(provider.refreshes) == 1
    assert store.read("demo", "me").refreshing_since is None


def test_a_mark_says_why_a_grant_is_gone(source, provider, store, stop):
    provider.alive = False
    store.write("demo", "me", Stored(token(expires_in=-1), 1, refreshing_since=time.time() - 60))
    with pytest.raises(SignInNeeded, match="interrupted and its answer lost"):
        ask(source, store, stop)
    assert len(provider.refreshes) == 1


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(status=429), Reply(hang_up=True)])
def test_a_provider_that_is_away_keeps_the_token(source, provider, store, stop, reply):
    provider.before = lambda: reply
    store.write("demo", "me", Stored(token(expires_in=-1)))
    with pytest.raises(Unreachable):
        ask(source, store, stop)
    assert store.read("demo", "me").token.refresh == "refresh-0"
    provider.before = lambda: None
    ask(source, store, stop)


def test_no_connection_to_the_provider_leaves_no_mark(source, store, stop):
    store.write("demo", "me", Stored(token(expires_in=-1)))
    made = oauth_connector("http://127.0.0.1:9")
    auth = StoredSignIn(made, SETTINGS, store, "me")
    with pytest.raises(Unreachable, match="no connection"):
        auth.renew(httpx.Request("GET", source.url, extensions={"hde_token_generation": 1}))
    assert store.read("demo", "me").refreshing_since is None


def test_a_token_that_still_holds_is_used_while_the_provider_is_away(source, provider, store, stop):
    provider.before = lambda: Reply(status=503)
    store.write("demo", "me", Stored(token(expires_in=50)))
    assert ask(source, store, stop)


def test_a_store_that_cannot_be_written_spends_no_token(source, provider, stop):
    class ReadOnly:
        where = "a store"

        def read(self, connector, account):
            return Stored(token(expires_in=-1))

        def write(self, connector, account, stored):
            raise WrongUse("cannot be written")

        def locked(self, connector, account):
            return threading.Lock()

    with pytest.raises(WrongUse, match="cannot be written"):
        ask(source, ReadOnly(), stop)
    assert provider.refreshes == []


@pytest.mark.parametrize("failures", [2, 9])
def test_an_answer_is_not_given_up_while_the_store_is_away(source, provider, store, stop, monkeypatch, failures):
    monkeypatch.setattr(oauth, "AGAIN", (0.01,) * 4)
    really, asked = store.write, []

    def away(connector: str, account: str, stored: Stored) -> None:
        if stored.generation == 2 and len(asked) < failures:
            asked.append(stored)
            raise WrongUse("the store is away")
        really(connector, account, stored)

    store.write("demo", "me", Stored(token(expires_in=-1)))
    monkeypatch.setattr(store, "write", away)
    if failures == 2:
        ask(source, store, stop)
        assert store.read("demo", "me").token.refresh == "refresh-1"
        return
    with pytest.raises(WrongUse, match="the store is away"):
        ask(source, store, stop)
    assert len(asked) == 5
    monkeypatch.undo()
    with pytest.raises(SignInNeeded, match="interrupted and its answer lost"):
        ask(source, store, stop)


def test_a_key_that_changes_while_an_answer_is_awaited_loses_nothing(source, provider, tmp_path, stop):
    home, path = tmp_path / "home", tmp_path / "home" / "tokens.json"

    def rotate() -> None:
        with new_key(home, use_keyring=False) as key:
            assert FileTokens(path, key).reseal().changed == 1

    def by_now() -> FileTokens:
        return FileTokens(path, find_key(home, {}, use_keyring=False))

    store = by_now()
    store.write("demo", "me", Stored(token(expires_in=-1)))
    provider.before = rotate
    assert ask(source, store, stop)
    assert by_now().read("demo", "me").token.refresh == "refresh-1"
    assert ask(source, by_now(), stop)
    assert len(provider.refreshes) == 1


def test_no_token_and_no_refresh_token_need_the_person(source, provider, store, stop):
    with pytest.raises(SignInNeeded, match="there is no token"):
        ask(source, store, stop)
    store.write("demo", "me", Stored(token(refresh=None, expires_in=30)))
    ask(source, store, stop)
    store.write("demo", "me", Stored(token(refresh=None, expires_in=-1)))
    with pytest.raises(SignInNeeded, match="gave none to renew"):
        ask(source, store, stop)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply({"error": "invalid_client"}, status=401), WrongUse, "DEMO_CLIENT_ID and DEMO_CLIENT_SECRET"),
        (Reply({"error": "invalid_client"}, status=400), WrongUse, "check DEMO_CLIENT_ID"),
        (Reply({"error": "invalid_scope", "error_description": "Mary"}, status=400), Refused, "400 invalid_scope"),
        (Reply({"error": "token_inactive"}, status=400), SignInNeeded, "hde auth demo"),
        (Reply(b"<html>Mary</html>"), Unreadable, "not JSON"),
        (Reply({"access_token": ""}), Unreadable, "access_token"),
        (Reply({"access_token": 5}), Unreadable, "access_token"),
        (Reply({"access_token": "a\nb"}), Unreadable, "access_token"),
        (Reply({"access_token": "a", "token_type": "mac"}), Unreadable, "bearer"),
        (Reply({"access_token": "a", "expires_in": "soon"}), Unreadable, "expires_in"),
        (Reply({"access_token": "a", "expires_in": True}), Unreadable, "expires_in"),
        (Reply({"access_token": "a", "refresh_token": 1}), Unreadable, "refresh_token"),
        (Reply(b"", status=302, headers={"Location": "https://evil.example"}), Refused, "302"),
    ],
)
def test_token_answers_are_read_strictly(source, provider, store, stop, reply, error, words):
    provider.before = lambda: reply
    store.write("demo", "me", Stored(token(expires_in=-1)))
    with pytest.raises(error, match=words) as caught:
        ask(source, store, stop)
    assert "Mary" not in str(caught.value)
    assert store.read("demo", "me").token.refresh == "refresh-0"
