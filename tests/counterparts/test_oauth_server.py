"""Against an OAuth2 server that is not ours and verifies PKCE: signing in by a code, renewing, and being signed out."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from counterparts_made import OAUTH_SERVER, free_port, needs, running
from joserfc import jwt
from joserfc.jwk import KeySet
from loopback_made import Reply, Seen, Source
from run_made import ask, call

pytestmark = needs("node_modules/.bin/oauth2-mock-server")
CONNECTOR = """
name: made
settings: {url: {}, provider: {}, redirect: {}}
http: {base_url: "{{ settings.url }}"}
auth:
  kind: oauth2_code
  client: {id: ours}
  authorize: {redirect_uri: "{{ settings.redirect }}", scopes: [openid, offline_access]}
  discovery: "{{ settings.provider }}/.well-known/openid-configuration"
account: {path: /me, id: id}
resources:
  things: {path: /things, key: [id], columns: {id: text}}
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}"
    command = [str(OAUTH_SERVER), "-a", "localhost", "-p", str(port)]
    with running(command, f"{url}/.well-known/openid-configuration", tmp_path_factory.mktemp("provider")):
        yield url


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses a person's browser was sent to; it agrees at once."""
    seen: list[str] = []

    def open_(url: str) -> bool:
        seen.append(url)
        options = {"follow_redirects": True, "timeout": 10.0, "trust_env": False}
        threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    return seen


class Api:
    """Answers to who brings a token that the provider has signed."""

    def __init__(self, provider: str) -> None:
        keys = httpx.get(f"{provider}/jwks", trust_env=False).json()
        self.keys = KeySet.import_key_set(keys)
        self.source = Source()
        self.source.answer = self.answer
        self.refuses = 0
        """How many of the next requests are told to renew."""

    def answer(self, seen: Seen) -> Reply:
        scheme, _, token = seen.headers.get("authorization", "").partition(" ")
        assert scheme == "Bearer"
        jwt.decode(token, self.keys)
        if self.refuses:
            self.refuses -= 1
            return Reply({}, status=401)
        return Reply({"id": "7"} if seen.path == "/me" else [{"id": "a"}])


@pytest.fixture
def api(provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.chdir(tmp_path)
    api = Api(provider)
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors/made.yaml").write_text(CONNECTOR)
    redirect = f"http://localhost:{free_port()}/callback"
    for name, value in {"URL": api.source.url, "PROVIDER": provider, "REDIRECT": redirect}.items():
        monkeypatch.setenv(f"MADE_{name}", value)
    yield api
    api.source.close()


def test_a_code_is_exchanged_with_its_verifier_and_the_token_renewed(
    api: Api, visited: list[str], database_url: str
) -> None:
    signed = call("auth", "made")
    assert signed.code == 0, signed.said
    asked = dict(parse_qsl(urlsplit(visited[0]).query))
    assert asked["code_challenge_method"] == "S256"
    assert call("run", "made").code == 0
    api.refuses = 1
    found = call("run", "made")
    assert (found.code, api.refuses) == (0, 0), found.said
    assert ask(database_url, "SELECT id FROM made_raw.things") == ["a"]


def test_the_counterpart_does_verify(provider: str) -> None:
    """Else what passes above would say nothing."""
    asked = {
        "response_type": "code", "client_id": "ours", "redirect_uri": "http://localhost:1/cb", "state": "s",
        "scope": "openid", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }  # fmt: skip
    page = httpx.get(f"{provider}/authorize", params=asked, trust_env=False)
    code = dict(parse_qsl(urlsplit(page.headers["location"]).query))["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost:1/cb",
        "client_id": "ours", "code_verifier": "x" * 50,
    }  # fmt: skip
    assert httpx.post(f"{provider}/token", data=form, trust_env=False).status_code == 400
