"""A provider that gives and rotates tokens as RFC 6749 says, until a test bends it; connectors read from YAML."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
from source_made import QUICK, Reply, Seen, Source

from hde.source.carry import send_of
from hde.source.oauth import SignedIn, StoredSignIn
from hde.source.renewal import unattended_token
from hde.source.session import Session, Unlimited
from hde.source.signin import sign_in
from hde.spec.connector import Connector
from hde.spec.load import load_source
from hde.spec.sign_in import OAuth2Code
from hde.tokens import Stored, Token, TokenStore

SETTINGS = {"client_id": "the id", "client_secret": "s3cr:t", "user": "ada", "password": "pass-w0rd", "key": "k-1234"}
_CONNECTOR = """\
name: demo
settings:
  url: {}
  redirect: {default: "http://localhost:1/cb"}
  client_id: {}
  client_secret: {secret: true}
  user: {}
  password: {secret: true}
  key: {secret: true}
http:
  base_url: "{{ settings.url }}/api"
"""
_RESOURCES = """
resources:
  things: {path: /things, key: [id], columns: {id: text}}
"""
CODE = """\
auth:
  kind: oauth2_code
  client: {id: "{{ settings.client_id }}", secret: "{{ settings.client_secret }}"}
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}
  token: {url: "{{ settings.url }}/token"}
account: {id: user}
"""


def read_connector(folder: Path, auth: str, http: str = "") -> Connector:
    """A connector with these lines of `auth` and `account`, and further lines of `http`."""
    file = folder / "demo.yaml"
    file.write_text(_CONNECTOR + http + auth + _RESOURCES, encoding="utf-8")
    return load_source(file, folder / "none").connector


def fields_of(seen: Seen) -> dict[str, str]:
    """The parameters of a token request, however they were sent."""
    if seen.method == "GET":
        return {name: values[0] for name, values in seen.query.items()}
    if seen.headers.get("content-type") == "application/json":
        return dict(json.loads(seen.body))
    return {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}


class Grants:
    """`accepts` says what is wrong with a request, `shape` bends the answer, `beside` stands next to the token."""

    def __init__(
        self,
        source: Source,
        *,
        accepts: Callable[[Seen, dict[str, str]], str | None] = lambda seen, fields: None,
        shape: Callable[[dict[str, Any]], Any] = lambda answer: answer,
        beside: dict[str, Any] | None = None,
        has_refresh: bool = True,
    ) -> None:
        self.asked: list[tuple[Seen, dict[str, str]]] = []
        self.pages: list[Seen] = []
        self.access = ""
        self.refresh = ""
        self._accepts, self._shape, self._has_refresh = accepts, shape, has_refresh
        self._beside = {"user": "ada", "expires_in": 3600} if beside is None else beside
        self._turn = threading.Lock()
        source.answer = self.answer

    def answer(self, seen: Seen) -> Any:
        with self._turn:
            if seen.path == "/authorize":
                self.pages.append(seen)
                back = urlencode({"code": "c0de", "state": seen["state"] or ""})
                return Reply(status=302, headers={"Location": f"{seen['redirect_uri']}?{back}"})
            if seen.path in ("/token", "/refresh"):
                return self._token(seen)
            if self.access and seen.headers.get("authorization") == f"Bearer {self.access}":
                return {"id": "1", "path": seen.path}
            return Reply(status=401)

    def _token(self, seen: Seen) -> Any:
        fields = fields_of(seen)
        self.asked.append((seen, fields))
        wrong = self._accepts(seen, fields)
        kind = fields.get("grant_type")
        if kind == "refresh_token" and fields.get("refresh_token") != self.refresh:
            wrong = "invalid_grant"
        if wrong:
            return Reply({"error": wrong}, status=401 if wrong == "invalid_client" else 400)
        number = len(self.asked)
        self.access, self.refresh = f"access-{number}", f"refresh-{number}"
        answer = {"access_token": self.access, "token_type": "Bearer"}
        if self._has_refresh and kind != "client_credentials":
            answer["refresh_token"] = self.refresh
        if kind != "refresh_token":
            answer |= self._beside
        return self._shape(answer)

    def end_access(self) -> None:
        """The access token is refused from now on."""
        self.access = ""


def settings_for(source: Source, **more: str) -> dict[str, str]:
    return {"url": source.url, "redirect": "http://localhost:1/cb", **SETTINGS, **more}


def first_token(connector: Connector, settings: dict[str, str]) -> Token:
    """Signed in: with a person who agrees and pastes where they were sent to, or without one."""
    if not isinstance(connector.auth, OAuth2Code):
        return unattended_token(connector, settings)
    said: list[str] = []

    def paste(question: str) -> str:
        return httpx.get(said[0].split("\n")[1]).headers["location"]

    return sign_in(connector, settings, connector.auth, browser=None, say=said.append, ask=paste)


def open_session(
    connector: Connector, settings: dict[str, str], auth: httpx.Auth | None, stop: threading.Event | None = None
) -> Session:
    return Session(connector, settings, auth=auth, budget=Unlimited(), stop=stop or threading.Event(), patience=QUICK)


def signed_in(connector: Connector, settings: dict[str, str], store: TokenStore) -> tuple[Session, str]:
    """A session over a token that was got and stored as `hde auth` does, and whose it is."""
    token = first_token(connector, settings)
    with open_session(connector, settings, SignedIn(token, send_of(connector))) as session:
        account = str(session.identify()["id"])
    store.write("demo", account, Stored(token))
    return open_session(connector, settings, StoredSignIn(connector, settings, store, account)), account
