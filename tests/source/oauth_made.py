"""A provider that rotates its tokens, a connector that signs in there, and sessions with a stored sign-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from source_made import QUICK, Reply, Seen, Source, connector, request

from hde.source.oauth import StoredSignIn
from hde.source.session import Session, Unlimited
from hde.spec.connector import Connector, Setting
from hde.spec.sign_in import Authorize, Client, OAuth2Code, TokenRequest
from hde.spec.template import compile_template, compile_tree
from hde.tokens import Token
from hde.tokens.seal import SecretKey

KEY = SecretKey(b"k" * 32)
SETTINGS = {"client_id": "the id", "client_secret": "s3cr:t"}


def oauth_connector(url: str, *, redirect: str = "http://localhost:1/cb", send: str = "body", **parts) -> Connector:
    authorize = {"pkce": True, "scopes": tuple(map(compile_template, ("offline", "read")))} | parts.pop("authorize", {})
    auth = OAuth2Code(
        client=Client(
            compile_template("{{ settings.client_id }}"), compile_template("{{ settings.client_secret }}"), send
        ),
        authorize=Authorize(compile_template(redirect), compile_template(url + "/auth?x=1"), **authorize),
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
        self.answered: Callable[[], Reply | None] = lambda: None
        """Called when the new tokens are given and the old ones spent, before the answer goes out."""
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
            if (instead := self.answered()) is not None:
                return instead
            if self.lost:
                self.lost -= 1
                return Reply(hang_up=True)
            return {
                "access_token": self.access,
                "refresh_token": self.refresh,
                "expires_in": 3600,
                "token_type": "bearer",
            }


def token(access: str = "access-0", refresh: str | None = "refresh-0", expires_in: float | None = 3600) -> Token:
    return Token(access, refresh, None if expires_in is None else time.time() + expires_in, {"who": "me"})


def session_on(source: Source, store, stop, **parts) -> Session:
    made = oauth_connector(source.url, **parts)
    auth = StoredSignIn(made, SETTINGS, store, "me")
    return Session(made, SETTINGS, auth=auth, budget=Unlimited(), stop=stop, patience=QUICK)


def ask(source, store, stop) -> bytes:
    with session_on(source, store, stop) as session:
        return session.answer(request(), {}).body
