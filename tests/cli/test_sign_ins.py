"""Each way to sign in, from `hde auth` to `hde disconnect`, against a source that knows no other."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from loopback_made import Reply, Seen, Source
from run_made import Outcome, ask, call, keep_token

from hde.places import home
from hde.store.database import lock_number

CONNECTOR = """
name: made
title: Made
settings:
  url: {{}}
  id: {{default: us}}
  secret: {{secret: true, default: s3cret-word}}
  key: {{secret: true, default: none}}
  redirect: {{default: "http://localhost:1/cb"}}
http: {{base_url: "{{{{ settings.url }}}}"}}
{auth}
resources:
  things: {{path: /things, records: records, key: [id], columns: {{id: text}}}}
"""
ACCOUNT = "\naccount: {path: /me, id: id, keep: {zone: zone}}"
BASIC = 'auth: {kind: basic, username: "{{ settings.id }}", password: "{{ settings.secret }}"}' + ACCOUNT
CLIENT = (
    """\
auth:
  kind: oauth2_client
  client: {id: "{{ settings.id }}", secret: "{{ settings.secret }}"}
  token: {url: "{{ settings.url }}/token"}
  revoke: {url: "{{ settings.url }}/revoke"}"""
    + ACCOUNT
)
KEYED = (
    """\
auth:
  kind: oauth2_client
  client: {id: "{{ settings.id }}", key: "{{ settings.key }}", alg: ES384}
  token: {url: "{{ settings.url }}/token"}"""
    + ACCOUNT
)
SESSION = (
    """\
auth:
  kind: session
  login: {method: POST, path: /login, form: {user: "{{ settings.id }}", word: "{{ settings.secret }}"}}
  token: token
  send: {header: X-Session}
  revoke: {method: POST, path: /logout}"""
    + ACCOUNT
)
CODE = """\
auth:
  kind: oauth2_code
  client: {id: "{{ settings.id }}", secret: "{{ settings.secret }}"}
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}
  token: {url: "{{ settings.url }}/token"}
  after_consent: {method: POST, path: /users, AFTER errors: [{status: 409, do: empty}]}
  revoke: {method: DELETE, path: "/users/{{ account.id }}", errors: [{status: 404, do: empty}]}
account: {id: user, keep: {zone: zone}}"""
PRIVATE = ECKey.generate_key("P-384", private=True)
RECORDS = {"records": [{"id": "1"}, {"id": "2"}]}


class Provider:
    """Answers records to who carries the credentials it gave out, or the one pair it knows."""

    def __init__(self, source: Source) -> None:
        self.given = ""
        self.count = 0
        self.users_status = 201
        self.revoked: list[Seen] = []
        self.revoke_status = 200
        source.answer = self.answer

    def answer(self, seen: Seen) -> Reply:
        match seen.path:
            case "/authorize":
                back = urlencode({"code": "c0de", "state": seen.query["state"]})
                return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{back}"})
            case "/token" | "/login":
                return self._token(seen)
            case "/revoke":
                self.revoked.append(seen)
                return Reply({}, status=self.revoke_status)
        if not self._is_ours(seen):
            return Reply(status=401)
        match seen.path:
            case "/me":
                return Reply({"id": "ada", "zone": "Europe/London"})
            case "/users":
                return Reply({}, status=self.users_status)
            case "/logout" | "/users/ada":
                self.revoked.append(seen)
                return Reply({}, status=self.revoke_status)
        return Reply(RECORDS)

    def _token(self, seen: Seen) -> Reply:
        form = seen.form
        if assertion := form.get("client_assertion"):
            token = jwt.decode(assertion, PRIVATE, algorithms=["ES384"])
            is_known = token.claims["iss"] == "us" and time.time() < token.claims["exp"] <= time.time() + 300
        else:
            is_known = "s3cret-word" in (form.get("client_secret"), form.get("word"))
        if not is_known:
            return Reply({"error": "invalid_client"}, status=401)
        self.count += 1
        self.given = f"given-{self.count}"
        beside = {"user": "ada", "zone": "Europe/London"} if form.get("code") else {}
        return Reply({"access_token": self.given, "token": self.given, **beside})

    def _is_ours(self, seen: Seen) -> bool:
        pair = base64.b64encode(b"us:s3cret-word").decode()
        known = {f"Basic {pair}", *([f"Bearer {self.given}", self.given] if self.given else [])}
        return seen.headers.get("authorization", seen.headers.get("x-session")) in known


@pytest.fixture
def provider(source: Source, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("MADE_KEY", PRIVATE.as_pem(private=True).decode())
    return Provider(source)


@pytest.fixture
def connector(tmp_path: Path) -> Callable[[str], None]:
    def write(auth: str) -> None:
        file = tmp_path / "connectors" / "made.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(CONNECTOR.format(auth=auth), encoding="utf-8")

    return write


def things(url: str) -> list[str]:
    return sorted(ask(url, "SELECT id FROM made_raw.things"))


def status(url: str) -> list[tuple[str, str]]:
    return ask(url, "SELECT external_id, status FROM meta.connections")


def says(found: Outcome, *words: str) -> None:
    for word in words:
        assert word in found.said
    assert not any(secret in found.said for secret in ("s3cret-word", "given-", "PRIVATE"))


def test_basic_needs_no_sign_in(provider: Provider, connector: Callable[[str], None], database_url: str) -> None:
    connector(BASIC)
    says(call("auth", "made"), "Made: the settings work, account ada.")
    assert call("run", "made").code == 0
    assert things(database_url) == ["1", "2"]
    assert not (home() / ".token_store.json").exists()
    ended = call("disconnect", "made", "--yes")
    assert ended.code == 2
    says(ended, "made has no sign-in to end", ".env")


def test_a_wrong_password_names_its_settings(
    provider: Provider, connector: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connector(BASIC)
    monkeypatch.setenv("MADE_SECRET", "another-word")
    for command in ("auth", "run"):
        found = call(command, "made")
        assert found.code == 3
        says(found, "check MADE_ID and MADE_SECRET")
        assert "another-word" not in found.said


@pytest.mark.parametrize(
    ("auth", "end"),
    [
        (CLIENT, "the source has withdrawn the grant and the token is deleted"),
        (KEYED, "the token is deleted; the source was not told, so withdraw the consent there yourself"),
        (SESSION, "the source has withdrawn the grant and the token is deleted"),
    ],
    ids=["client credentials", "a key that signs", "session"],
)
def test_a_sign_in_without_a_person_from_auth_to_disconnect(
    auth: str, end: str, provider: Provider, connector: Callable[[str], None], database_url: str
) -> None:
    connector(auth)
    first = call("run", "made")
    assert first.code == 3
    says(first, "Not signed in at Made yet. Run: hde auth made")
    says(call("auth", "made"), "Made: signed in as account ada.")
    says(call("auth", "made"), "Nothing to do")
    provider.given = "ended"
    assert call("run", "made").code == 0
    assert things(database_url) == ["1", "2"]
    assert provider.count == 2
    ended = call("disconnect", "made", "--yes")
    assert ended.code == 0, ended.said
    says(ended, f"Made: account ada is disconnected: {end}. Its records stay.")
    assert things(database_url) == ["1", "2"]
    assert status(database_url) == [("ada", "disconnected")]
    assert call("run", "made").code == 3
    again = call("disconnect", "made", "--yes")
    assert again.code == 2
    says(again, "made is not signed in")
    assert call("auth", "made").code == 0
    assert status(database_url) == [("ada", "connected")]


def test_rfc_7009_is_told_the_token_and_the_client(provider: Provider, connector: Callable[[str], None]) -> None:
    connector(CLIENT)
    assert call("auth", "made").code == 0
    assert call("disconnect", "made", "--yes").code == 0
    [seen] = provider.revoked
    expected = {
        "token": "given-1",
        "token_type_hint": "access_token",
        "client_id": "us",
        "client_secret": "s3cret-word",
    }
    assert seen.form == expected


@pytest.mark.parametrize("answers", [201, 409])
@pytest.mark.parametrize("account", ["", 'json: {member: "{{ account.id }}"},'], ids=["plain", "naming the account"])
def test_a_user_is_registered_after_consent(
    account: str,
    answers: int,
    provider: Provider,
    connector: Callable[[str], None],
    agreeing: str,
    source: Source,
    database_url: str,
) -> None:
    connector(CODE.replace("AFTER", account))
    provider.users_status = answers
    found = call("auth", "made")
    assert found.code == 0, found.said
    assert [seen.path for seen in source.seen if seen.path == "/users"] == ["/users"]
    assert call("run", "made").code == 0
    assert [seen.path for seen in source.seen if seen.path == "/users"] == ["/users"], "once, not with every run"
    assert ask(database_url, "SELECT kept FROM meta.connections") == [{"zone": "Europe/London"}]


def test_nothing_is_stored_where_registering_fails(
    provider: Provider, connector: Callable[[str], None], agreeing: str, database_url: str
) -> None:
    connector(CODE.replace("AFTER", ""))
    provider.users_status = 403
    found = call("auth", "made")
    assert found.code == 1
    says(found, "made: POST /users answers 403")
    assert status(database_url) == []
    assert call("run", "made").code == 3


@pytest.mark.parametrize("answers", [204, 404])
def test_a_grant_is_withdrawn_by_a_request_of_the_source(
    answers: int, provider: Provider, connector: Callable[[str], None], agreeing: str
) -> None:
    connector(CODE.replace("AFTER", ""))
    assert call("auth", "made").code == 0
    provider.revoke_status = answers
    ended = call("disconnect", "made", "--yes")
    assert ended.code == 0, ended.said
    assert [(seen.path, seen.headers["authorization"]) for seen in provider.revoked] == [
        ("/users/ada", "Bearer given-1")
    ]


def test_a_source_that_cannot_be_told_keeps_the_token(
    provider: Provider, connector: Callable[[str], None], database_url: str
) -> None:
    connector(CLIENT)
    assert call("auth", "made").code == 0
    provider.revoke_status = 503
    failed = call("disconnect", "made", "--yes")
    assert failed.code == 1
    says(failed, "503", "The token was kept", "hde disconnect made --account ada --forget-token")
    assert status(database_url) == [("ada", "connected")]
    assert call("run", "made").code == 0
    forgotten = call("disconnect", "made", "--yes", "--account", "ada", "--forget-token")
    assert forgotten.code == 0
    says(forgotten, "the source was not told")
    assert len(provider.revoked) == 1
    assert call("run", "made").code == 3


def test_a_grant_that_ended_at_the_source_is_no_obstacle(
    provider: Provider, connector: Callable[[str], None], agreeing: str, database_url: str
) -> None:
    connector(CODE.replace("AFTER", ""))
    assert call("auth", "made").code == 0
    provider.given = "ended there"
    ended = call("disconnect", "made", "--yes")
    assert ended.code == 0, ended.said
    says(ended, "the source does not accept the token any more; it is deleted")
    assert status(database_url) == [("ada", "disconnected")]


def test_a_lost_key_is_no_obstacle_to_forgetting(
    provider: Provider, connector: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connector(SESSION)
    monkeypatch.setenv("HDE_SECRET_KEY", "a first key of the home")
    assert call("auth", "made").code == 0
    monkeypatch.setenv("HDE_SECRET_KEY", "another key of the home")
    failed = call("disconnect", "made", "--yes")
    assert failed.code == 1
    says(failed, "encrypted with another key", "--forget-token")
    assert call("disconnect", "made", "--yes", "--forget-token").code == 0


def test_it_asks_before_it_ends_anything(provider: Provider, connector: Callable[[str], None]) -> None:
    connector(SESSION)
    assert call("auth", "made").code == 0
    found = call("disconnect", "made")
    assert found.code == 2
    says(found, "Disconnect Made, account ada? Its records stay.", "--yes")
    assert provider.revoked == []
    keep_token({"access_token": "x-1", "refresh_token": "x-2"}, account="grace", connector="made")
    found = call("disconnect", "made", "--yes")
    assert found.code == 2
    says(found, "made has 2 accounts: ada, grace. Choose one with --account")
    says(call("disconnect", "made", "--yes", "--account", "eve"), "no sign-in for account eve. There are: ada, grace")
    assert call("disconnect", "made", "--yes", "--account", "ada").code == 0


def test_an_account_that_is_being_read_is_not_disconnected(
    provider: Provider, connector: Callable[[str], None], source: Source, database_url: str
) -> None:
    connector(SESSION)
    assert call("auth", "made").code == 0
    [number] = ask(database_url, "SELECT id FROM meta.connections")
    with psycopg.connect(database_url, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s, %s)", (lock_number("run"), number))
        found = call("disconnect", "made", "--yes")
    assert found.code == 5
    says(found, "is being read by another hde")
    assert provider.revoked == []
