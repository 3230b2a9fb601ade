"""A person signs in: the browser out, the answer back (or pasted), the code against a token. Stores nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from hde.errors import SignInNeeded, Unreadable, WrongUse
from hde.redact import clean, register_secret
from hde.source.address import is_loopback, origin, with_query
from hde.source.endpoints import Settings, endpoint
from hde.source.grant import Spent, request_token
from hde.source.listener import listening
from hde.spec.connector import Connector
from hde.spec.sign_in import OAuth2Code, asked_scopes
from hde.spec.template import render_tree
from hde.tokens import Token

PASTES = 3


@dataclass(frozen=True)
class _Attempt:
    """What ties an answer to the question: nobody else knows the state, nobody else can use the code."""

    redirect_uri: str
    pkce: bool
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def owns(self, query: str) -> bool:
        """Whether an answer is to this question. A refusal may come without the state: it gives nothing away."""
        given = _fields(query)
        if "state" in given:
            return hmac.compare_digest(given["state"].encode(), self.state.encode())
        return "error" in given


def sign_in(
    connector: Connector,
    settings: Settings,
    auth: OAuth2Code,
    *,
    browser: Callable[[str], None] | None,
    say: Callable[[str], None],
    ask: Callable[[str], str] | None,
    timeout: float = 300.0,
) -> Token:
    """The token of a person who signed in. `browser` opens a URL (None: none is at hand), `say` shows a line.

    With a browser and a redirect_uri on http loopback the answer is listened for; else the person pastes the address
    they were sent to, which `ask` brings. SignInNeeded where they did not agree, WrongUse where the client is wrong.
    """
    scope = {"settings": settings}
    attempt = _Attempt(auth.authorize.redirect_uri.render(scope), auth.authorize.pkce)
    register_secret(attempt.verifier)
    url = _authorize_url(connector, settings, auth, attempt)
    parts = urlsplit(attempt.redirect_uri)
    if browser is not None and parts.scheme == "http" and is_loopback(parts.hostname or ""):
        with listening(attempt.redirect_uri, attempt.owns) as wait:
            say(f"Sign in to {connector.title or connector.name} in your browser. If it does not open, go to\n{url}")
            browser(url)
            answer = wait(timeout)
    elif ask is not None:
        say(f"Sign in to {connector.title or connector.name}: open this address in a browser\n{url}")
        answer = _pasted(attempt, say, ask)
    else:
        raise WrongUse(f"{connector.name}: no browser and no terminal to paste the answer into")
    return _token(connector, settings, auth, attempt, _code(connector, answer))


def _authorize_url(connector: Connector, settings: Settings, auth: OAuth2Code, attempt: _Attempt) -> str:
    scope: Mapping[str, object] = {"settings": settings}
    url = endpoint(connector, settings, auth, "authorization_endpoint")
    origin(url)
    extra = render_tree(auth.authorize.params, scope)
    params: dict[str, object] = {
        **(extra if isinstance(extra, dict) else {}),
        "response_type": "code",
        "client_id": auth.client.id.render(scope),
        "redirect_uri": attempt.redirect_uri,
        "state": attempt.state,
    }
    if scopes := asked_scopes(auth.authorize.scopes, auth.authorize.scope_separator, scope):
        params["scope"] = scopes
    if attempt.pkce:
        params |= {"code_challenge": attempt.challenge, "code_challenge_method": "S256"}
    return with_query(url, params)


def _pasted(attempt: _Attempt, say: Callable[[str], None], ask: Callable[[str], str]) -> str:
    for _ in range(PASTES):
        text = ask("Paste the whole address you were sent to afterwards").strip()
        query = urlsplit(text).query if "?" in text else ""
        if attempt.owns(query):
            return query
        say(
            "That is not the answer to this sign-in: "
            "its address begins with your redirect_uri and holds code= and state="
        )
    raise SignInNeeded("no answer to this sign-in was pasted; run it again")


def _code(connector: Connector, query: str) -> str:
    given = _fields(query)
    if error := given.get("error"):
        words = _words(f"{error}: {given['error_description']}" if "error_description" in given else error)
        raise SignInNeeded(
            f"{connector.name}: the sign-in was refused ({words}); run `hde auth {connector.name}` again"
        )
    if not given.get("code"):
        raise Unreadable(f"{connector.name}: the answer to the sign-in holds no code")
    register_secret(given["code"])
    return given["code"]


def _token(connector: Connector, settings: Settings, auth: OAuth2Code, attempt: _Attempt, code: str) -> Token:
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_uri}
    if attempt.pkce:
        values["code_verifier"] = attempt.verifier
    try:
        return request_token(connector, settings, auth, auth.token, values)
    except Spent as error:
        raise SignInNeeded(
            f"{error}: the code was too old or used before; run `hde auth {connector.name}` again"
        ) from None


def _fields(query: str) -> dict[str, str]:
    """The first of each; a repeated state or code is not given a second meaning."""
    try:
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=50).items()}
    except ValueError:
        return {}


def _words(text: str) -> str:
    return clean(" ".join("".join(char if char.isprintable() else " " for char in text[:500]).split()))[:200]
