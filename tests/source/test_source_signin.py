"""Signing in through the browser or by pasting, and who that was."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oauth_made import SETTINGS, oauth_connector, session_on, token
from source_made import Reply, Source, request

from hde.errors import SignInNeeded, SourceError, WrongUse
from hde.source.oauth import SignedIn, StoredSignIn
from hde.source.session import Session, Unlimited
from hde.source.signin import sign_in
from hde.spec.connector import AccountRequest
from hde.tokens import Stored, Token


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
    return sign_in(made, SETTINGS, made.auth, browser=browser, say=lambda line: None, ask=ask, timeout=timeout)


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
        sign_in(made, SETTINGS, made.auth, browser=lambda url: None, say=lambda line: None, ask=None)


def pasting(source: Source, *texts: str, **parts) -> Token:
    said: list[str] = []
    made = oauth_connector(source.url, **parts)
    left = iter(texts)

    def ask(question: str) -> str:
        state = parse_qs(urlsplit(said[0].split("\n")[1]).query)["state"][0]
        return next(left).replace("{state}", state)

    return sign_in(made, SETTINGS, made.auth, browser=None, say=said.append, ask=ask)


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
