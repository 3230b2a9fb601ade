"""Signing in, and a refresh token that is never burnt by us."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from source_made import QUICK, Reply, Seen, Source, connector, request

from hde.errors import Refused, SignInNeeded, SourceError, Unreachable, Unreadable, WrongUse
from hde.source.oauth import SignedIn, StoredSignIn
from hde.source.session import Session, Unlimited
from hde.source.signin import sign_in
from hde.spec.connector import AccountRequest, Authorize, Client, Connector, OAuth2Code, Setting, TokenRequest
from hde.spec.template import compile_template, compile_tree
from hde.tokens import Stored, Token
from hde.tokens.file import FileTokens
from hde.tokens.seal import SecretKey

KEY = SecretKey(b"k" * 32)
SETTINGS = {"client_id": "the id", "client_secret": "s3cr:t"}


def oauth_connector(url: str, *, redirect: str = "http://localhost:1/cb", send: str = "body", **parts) -> Connector:
    authorize = {"pkce": True, "scopes": ("offline", "read")} | parts.pop("authorize", {})
    auth = OAuth2Code(
        client=Client(
            compile_template("{{ settings.client_id }}"), compile_template("{{ settings.client_secret }}"), send
        ),
        authorize=Authorize(compile_template(url + "/auth?x=1"), compile_template(redirect), **authorize),
        token=TokenRequest(compile_template(url + "/token")),
        refresh=TokenRequest(params=compile_tree({"scope": "offline"})),
    )
    settings = {name: Setting(name, secret=name == "client_secret") for name in SETTINGS}
    return connector(url + "/api", auth=auth, settings=settings, **parts)


class Provider:
    """Rotates its tokens: a spent refresh token ends the grant."""

    def __init__(self, source: Source) -> None:
        self.access, self.refresh = "access-0", "refresh-0"
        self.refreshes: list[dict[str, list[str]]] = []
        self.alive = True
        self.before: Callable[[], Reply | None] = lambda: None
        self.lost = 0
        self._turn = threading.Lock()
        source.answer = self.answer

    def answer(self, seen: Seen):
        with self._turn:
            if seen.path != "/token":
                is_known = self.alive and seen.headers.get("authorization") == f"Bearer {self.access}"
                return {"path": seen.path} if is_known else Reply(status=401)
            form = parse_qs(seen.body.decode())
            self.refreshes.append(form)
            if (early := self.before()) is not None:
                return early
            if not self.alive or form["refresh_token"] != [self.refresh]:
                self.alive = False
                return Reply({"error": "invalid_grant"}, status=400)
            number = len(self.refreshes)
            self.access, self.refresh = f"access-{number}", f"refresh-{number}"
            if self.lost:
                self.lost -= 1
                return Reply(hang_up=True)
            return {
                "access_token": self.access,
                "refresh_token": self.refresh,
                "expires_in": 3600,
                "token_type": "bearer",
            }


@pytest.fixture
def provider(source: Source) -> Provider:
    return Provider(source)


@pytest.fixture
def store(tmp_path: Path) -> FileTokens:
    return FileTokens(tmp_path / "tokens.json", KEY)


def token(access: str = "access-0", refresh: str | None = "refresh-0", expires_in: float | None = 3600) -> Token:
    return Token(access, refresh, None if expires_in is None else time.time() + expires_in, {"who": "me"})


def session_on(source: Source, store, stop, **parts) -> Session:
    made = oauth_connector(source.url, **parts)
    auth = StoredSignIn(made, SETTINGS, store, "me")
    return Session(made, SETTINGS, auth=auth, budget=Unlimited(), stop=stop, patience=QUICK)


def ask(source, store, stop) -> bytes:
    with session_on(source, store, stop) as session:
        return session.answer(request(), {}).body


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
from test_source_oauth import FileTokens, KEY, ask
class At: url = {url!r}
print(ask(At, FileTokens(Path({store!r}), KEY), threading.Event()).decode())
"""


def start(source, store) -> subprocess.Popen[str]:
    paths = [str(Path(__file__).parent), *(path for path in sys.path if path.endswith("engine"))]
    code = PROCESS.format(paths=paths, url=source.url, store=store.where)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_eight_processes_renew_an_expired_token_once(source, provider, store):
    store.write("demo", "me", Stored(token(expires_in=-1)))
    running = [start(source, store) for _ in range(8)]
    ended = [process.communicate(timeout=60) for process in running]
    assert [out.strip() for out, _ in ended] == ['{"path":"/api/things"}'] * 8, ended
    assert len(provider.refreshes) == 1


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


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Browser:
    """Comes back with the code, and keeps what it was shown."""

    def __init__(self, query: str = "code=c0de&state={state}", *, first: tuple[str, ...] = ()) -> None:
        self.query = query
        self.first = first
        self.asked: dict[str, list[str]] = {}
        self.shown: list[tuple[int, str]] = []

    def __call__(self, url: str) -> None:
        self.asked = parse_qs(urlsplit(url).query)
        redirect, state = self.asked["redirect_uri"][0], self.asked["state"][0]
        base = redirect.rpartition("/")[0]
        targets = [base + target for target in self.first] + [f"{redirect}?{self.query.format(state=state)}"]
        for target in targets:
            answer = httpx.get(target)
            self.shown.append((answer.status_code, answer.text))


def signing_in(source: Source, browser: Browser | None = None, ask=None, timeout: float = 20, **parts) -> Token:
    made = oauth_connector(source.url, redirect=f"http://localhost:{free_port()}/cb", **parts)
    return sign_in(made, SETTINGS, browser=browser, say=lambda line: None, ask=ask, timeout=timeout)


ANSWER = {
    "access_token": "a",
    "refresh_token": "r",
    "expires_in": "3600",
    "scope": "read",
    "id_token": "x",
    "patient": "p",
}


@pytest.mark.parametrize("pkce", [True, False])
def test_a_person_signs_in_through_the_browser(source, pkce):
    source.in_turn(ANSWER)
    browser = Browser(first=("/favicon.ico", "/cb?code=stolen&state=wrong", "/cb"))
    got = signing_in(source, browser, authorize={"pkce": pkce})
    assert (got.access, got.refresh, got.answer) == ("a", "r", {"expires_in": "3600", "scope": "read", "patient": "p"})
    assert abs(got.expires_at - time.time() - 3600) < 60
    assert [status for status, _ in browser.shown] == [404, 400, 400, 200]
    assert browser.asked["scope"] == ["offline read"]
    assert len(browser.asked["state"][0]) >= 32
    form = parse_qs(source.seen[0].body.decode())
    assert form["code"] == ["c0de"]
    if pkce:
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert browser.asked["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
        assert browser.asked["code_challenge_method"] == ["S256"]
    else:
        assert "code_verifier" not in form
        assert "code_challenge" not in browser.asked


def test_the_client_may_sign_itself_in_by_basic(source):
    source.in_turn(ANSWER)
    signing_in(source, Browser(), send="basic")
    pair = base64.b64decode(source.seen[0].headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "the%20id:s3cr%3At"
    assert b"client_secret" not in source.seen[0].body


@pytest.mark.parametrize("state", ["&state={state}", ""])
def test_a_person_who_does_not_agree(source, state):
    browser = Browser("error=access_denied&error_description=No%0Athanks" + state)
    with pytest.raises(SignInNeeded, match="access_denied: No thanks"):
        signing_in(source, browser)


def test_nobody_comes_back(source):
    with pytest.raises(SignInNeeded, match="nobody came back"):
        signing_in(source, Browser("code=x&state=wrong"), timeout=0.2)


def test_a_port_that_is_taken_is_said(source):
    made = oauth_connector(source.url, redirect=f"{source.url}/cb")
    with pytest.raises(WrongUse, match="--no-browser"):
        sign_in(made, SETTINGS, browser=lambda url: None, say=lambda line: None, ask=None)


def pasting(source: Source, *texts: str, **parts) -> Token:
    said: list[str] = []
    made = oauth_connector(source.url, **parts)
    left = iter(texts)

    def ask(question: str) -> str:
        state = parse_qs(urlsplit(said[0].split("\n")[1]).query)["state"][0]
        return next(left).replace("{state}", state)

    return sign_in(made, SETTINGS, browser=None, say=said.append, ask=ask)


@pytest.mark.parametrize("redirect", ["http://localhost:1/cb", "https://me.example/cb", "demo://cb"])
def test_the_answer_may_be_pasted(source, redirect):
    source.in_turn(ANSWER)
    assert (
        pasting(source, "c0de", f"{redirect}?code=c&state=wrong", f" {redirect}?state={{state}}&code=c0de\n").access
        == "a"
    )
    assert parse_qs(source.seen[0].body.decode())["redirect_uri"] == ["http://localhost:1/cb"]


def test_a_pasted_answer_to_another_question_is_refused(source):
    with pytest.raises(SignInNeeded, match="no answer to this sign-in"):
        pasting(source, *["http://localhost:1/cb?code=c&state=" + "x" * 43] * 3)
    assert source.seen == []


def test_without_browser_and_terminal_there_is_no_sign_in(source):
    with pytest.raises(WrongUse, match="no browser"):
        signing_in(source)


def test_a_code_that_is_too_old_is_for_the_person(source):
    source.in_turn(Reply({"error": "invalid_grant"}, status=400))
    with pytest.raises(SignInNeeded, match="too old"):
        signing_in(source, Browser())


def test_who_signed_in_is_asked_with_the_new_token(source, provider, stop):
    made = oauth_connector(source.url, account=AccountRequest("path", request("/me")))
    with Session(made, SETTINGS, auth=SignedIn(token()), budget=Unlimited(), stop=stop) as session:
        assert session.identify() == {"id": "/api/me"}


def test_who_signed_in_may_stand_in_the_token_answer(source, store, stop):
    store.write("demo", "me", Stored(token()))
    made = oauth_connector(source.url, account=AccountRequest("who"))
    for auth in (SignedIn(token()), StoredSignIn(made, SETTINGS, store, "me")):
        with Session(made, SETTINGS, auth=auth, budget=Unlimited(), stop=stop) as session:
            assert session.identify() == {"id": "me"}
    assert source.seen == []


def test_the_token_does_not_travel_to_another_origin(source, other_source, provider, store, stop):
    store.write("demo", "me", Stored(token()))
    with session_on(source, store, stop) as session, pytest.raises(SourceError):
        session.answer(request(), {}, url=other_source.url + "/x")
    assert other_source.seen == []
