"""Sign-ins without a person: client credentials, a key that signs, a session login, a name and a password."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grant_made import Grants, fields_of, first_token, open_session, read_connector, settings_for, signed_in
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jwt import JWTClaimsRegistry
from source_made import Reply, Seen, request, resource

from hde.errors import Refused, SignInNeeded, Unreachable, Unreadable, WrongUse
from hde.source.carry import basic
from hde.source.oauth import StoredSignIn
from hde.source.pages import read_pages
from hde.source.renewal import RENEWALS
from hde.spec.connector import NextUrl, Where
from hde.spec.freeze_sign_in import KINDS
from hde.tokens import Stored

CLIENT = """\
auth:
  kind: oauth2_client
  client: {id: "{{ settings.client_id }}", secret: "{{ settings.client_secret }}", send: basic}
  token: {url: "{{ settings.url }}/token", params: {resource: all}}
  scopes: [system/Observation.read, system/Patient.read]
account: {id: user}
"""
KEYED = """\
auth:
  kind: oauth2_client
  client: {id: "{{ settings.client_id }}", key: "{{ settings.key }}", alg: ALG}
  token: {url: "{{ settings.url }}/token"}
account: {id: user}
"""
LOGIN = """\
auth:
  kind: session
  login:
    method: POST
    path: /login
    json: {user: "{{ settings.user }}", password: "{{ settings.password }}"}
  token: data.session
  send: {header: X-Session}
account: {id: user.id}
"""


def test_every_kind_that_brings_a_token_can_renew_it() -> None:
    assert set(RENEWALS) | {"basic"} == set(KINDS)


def test_a_client_asks_for_a_token_as_itself(source, store, tmp_path) -> None:
    grants = Grants(source)
    session, account = signed_in(read_connector(tmp_path, CLIENT), settings_for(source), store)
    with session:
        session.answer(request(), {})
        grants.end_access()
        session.answer(request(), {})
    assert account == "ada"
    assert [fields for _, fields in grants.asked] == 2 * [
        {
            "grant_type": "client_credentials",
            "scope": "system/Observation.read system/Patient.read",
            "resource": "all",
        }
    ]
    assert store.read("demo", "ada").generation == 2


def test_a_token_near_its_end_is_asked_for_anew(source, store, tmp_path) -> None:
    grants = Grants(source)
    made = read_connector(tmp_path, CLIENT)
    token = first_token(made, settings_for(source))
    ending = Stored(type(token)(token.access, None, time.time() + 20, token.answer))
    store.write("demo", "ada", ending)
    with open_session(made, settings_for(source), StoredSignIn(made, settings_for(source), store, "ada")) as session:
        session.answer(request(), {})
    assert len(grants.asked) == 2


PROCESS = """
import sys, threading
sys.path[:0] = {paths!r}
from pathlib import Path
from grant_made import open_session
from oauth_made import KEY
from source_made import request
from hde.source.oauth import StoredSignIn
from hde.spec.load import load_source
from hde.tokens.file import FileTokens
made = load_source(Path({file!r}), Path("none")).connector
auth = StoredSignIn(made, {settings!r}, FileTokens(Path({store!r}), KEY), "ada")
with open_session(made, {settings!r}, auth) as session:
    print(session.answer(request(), {{}}).outcome)
"""


@pytest.mark.parametrize("auth", [CLIENT, LOGIN], ids=["client", "session"])
def test_processes_that_share_a_store_ask_once(auth, source, store, tmp_path) -> None:
    logins = Logins(source) if auth is LOGIN else Grants(source)
    made, settings = read_connector(tmp_path, auth), settings_for(source)
    store.write("demo", "ada", Stored(first_token(made, settings)))
    logins.end_access()
    paths = [str(Path(__file__).parent), *(path for path in sys.path if path.endswith("engine"))]
    code = PROCESS.format(paths=paths, file=str(made.file), settings=settings, store=store.where)
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=60) for process in running]
    assert [out.strip() for out, _ in ended] == ["read"] * 4, ended
    assert len(logins.asked) == 2


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply({"error": "invalid_client"}, status=401), WrongUse, "check DEMO_CLIENT_ID and DEMO_CLIENT_SECRET"),
        (Reply({"error": "unauthorized_client"}, status=400), WrongUse, "check DEMO_CLIENT_ID"),
        (Reply({"error": "invalid_grant"}, status=400), WrongUse, "check DEMO_CLIENT_ID"),
        (Reply({"error": "invalid_scope"}, status=400), Refused, "400 invalid_scope"),
        (Reply(status=503), Unreachable, "503"),
        (Reply(b"<html>"), Unreadable, "not JSON"),
    ],
)
def test_a_client_that_is_not_accepted_is_the_settings_business(reply, error, words, source, tmp_path) -> None:
    source.answer = lambda seen: reply
    with pytest.raises(error, match=words):
        first_token(read_connector(tmp_path, CLIENT), settings_for(source))


KEYS = {
    "RS384": RSAKey.generate_key(2048, {"kid": "one"}, private=True),
    "ES384": ECKey.generate_key("P-384", {"kid": "one"}, private=True),
}


def pem(alg: str) -> str:
    return KEYS[alg].as_pem(private=True).decode()


def checking(alg: str, url: str) -> Callable[[Seen, dict[str, str]], str | None]:
    """The other side of RFC 7523: signature, audience, end and a `jti` that was not seen before."""
    used: set[str] = set()

    def accepts(seen: Seen, fields: dict[str, str]) -> str | None:
        if fields.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return "invalid_client"
        public = type(KEYS[alg]).import_key(KEYS[alg].as_dict(private=False))
        token = jwt.decode(fields["client_assertion"], public, algorithms=[alg])
        claims = JWTClaimsRegistry(
            iss={"essential": True, "value": "the id"},
            sub={"essential": True, "value": "the id"},
            aud={"essential": True, "value": url},
            exp={"essential": True},
            jti={"essential": True},
        )
        claims.validate(token.claims)
        is_fresh = token.claims["jti"] not in used and token.claims["exp"] <= time.time() + 300
        used.add(token.claims["jti"])
        return None if is_fresh and token.header["typ"] == "JWT" and "client_secret" not in fields else "invalid_client"

    return accepts


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize(
    "text",
    [
        pem,
        lambda alg: pem(alg).replace("\n", "\\n"),
        lambda alg: pem(alg).replace("\n", " "),
        lambda alg: json.dumps(KEYS[alg].as_dict(private=True)),
    ],
    ids=["pem", "pem with \\n", "pem in one line", "jwk"],
)
def test_a_key_signs_the_client_in(alg, text, source, store, tmp_path) -> None:
    grants = Grants(source, accepts=checking(alg, source.url + "/token"))
    made = read_connector(tmp_path, KEYED.replace("ALG", alg))
    session, _ = signed_in(made, settings_for(source, key=text(alg)), store)
    with session:
        grants.end_access()
        session.answer(request(), {})
    assert len(grants.asked) == 2


def test_a_key_may_lie_in_a_file(source, tmp_path) -> None:
    grants = Grants(source, accepts=checking("ES384", source.url + "/token"))
    (tmp_path / "key.pem").write_text(pem("ES384"))
    made = read_connector(tmp_path, KEYED.replace("ALG", "ES384"))
    assert first_token(made, settings_for(source, key=str(tmp_path / "key.pem"))).access == grants.access


@pytest.mark.parametrize(
    ("more", "kid", "audience"),
    [("", None, "/token"), (", kid: two, audience: https://idp.example", "two", "https://idp.example")],
)
def test_key_id_and_audience_may_be_given(more, kid, audience, source, tmp_path) -> None:
    grants = Grants(source)
    made = read_connector(tmp_path, KEYED.replace("alg: ALG", "alg: RS384" + more))
    first_token(made, settings_for(source, key=pem("RS384")))
    token = jwt.decode(grants.asked[0][1]["client_assertion"], KEYS["RS384"], algorithms=["RS384"])
    assert token.header.get("kid") == kid
    assert token.claims["aud"] == (source.url + audience if audience[0] == "/" else audience)


def test_a_code_is_redeemed_by_a_key_too(source, store, tmp_path) -> None:
    grants = Grants(source, accepts=checking("RS384", source.url + "/token"))
    code = KEYED.replace("oauth2_client", "oauth2_code").replace(
        "  token:",
        '  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}\n  token:',
    )
    made = read_connector(tmp_path, code.replace("ALG", "RS384"))
    session, _ = signed_in(made, settings_for(source, key=pem("RS384")), store)
    with session:
        grants.end_access()
        session.answer(request(), {})
    assert [fields["grant_type"] for _, fields in grants.asked] == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize(
    ("alg", "text", "words"),
    [
        ("RS384", "secret-that-is-no-key", "neither a PEM"),
        ("RS384", "/no/such/file.pem", "neither a PEM"),
        ("RS384", "x" * 9000, "neither a PEM"),
        ("RS384", '{"kty": "RSA"', "is no JSON"),
        ("RS384", '{"keys": []}', "a set of keys"),
        ("RS384", '{"kty": "RSA", "n": "secret-n"}', "takes an RSA key"),
        ("RS384", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0", "no whole PEM"),
        ("RS384", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "takes an RSA key"),
        ("RS384", pem("ES384"), "takes an RSA key"),
        ("ES384", pem("RS384"), "takes an EC key"),
        ("ES384", ECKey.generate_key("P-256", private=True).as_pem(private=True).decode(), "another curve"),
        ("RS384", KEYS["RS384"].as_pem(private=False).decode(), "a public key"),
        ("RS384", KEYS["RS384"].as_pem(private=True, password="locked").decode(), "locked with a passphrase"),
    ],
)
def test_a_key_that_cannot_sign_is_said_without_showing_it(alg, text, words, source, tmp_path) -> None:
    made = read_connector(tmp_path, KEYED.replace("ALG", alg))
    with pytest.raises(WrongUse, match=words) as caught:
        first_token(made, settings_for(source, key=text))
    said = str(caught.value)
    assert said.startswith("demo: auth.client.key (DEMO_KEY) ")
    assert not any(part in said for part in (text, "secret", "MII", "/no/such"))
    assert source.seen == []


class Logins:
    """Gives a session to who knows the password; `put` says where in the answer, `holds` where it must come back."""

    def __init__(
        self,
        source: Any,
        *,
        put: Callable[[str], Any] = lambda session: {"data": {"session": session}, "user": {"id": "ada"}},
        holds: Callable[[Seen, str], bool] = lambda seen, session: seen.headers.get("x-session") == session,
    ) -> None:
        self.asked: list[dict[str, str]] = []
        self.session = ""
        self._put, self._holds = put, holds
        self._turn = threading.Lock()
        source.answer = self.answer

    def answer(self, seen: Seen) -> Any:
        with self._turn:
            if seen.path == "/api/login":
                fields = fields_of(seen)
                self.asked.append(fields)
                if fields.get("password") != "pass-w0rd":
                    return Reply(status=401)
                self.session = f"session-{len(self.asked)}"
                return self._put(self.session)
            return {"id": "1"} if self.session and self._holds(seen, self.session) else Reply(status=401)

    def end_access(self) -> None:
        self.session = ""


def has_cookie(seen: Seen, name: str, value: str) -> bool:
    return [f"{name}={value}"] == [
        one for one in seen.headers.get("cookie", "").split("; ") if one.startswith(f"{name}=")
    ]


PLACES = {
    "a header with a prefix": (
        "send: {header: X-Session}",
        'send: {header: Authorization, prefix: "Session "}',
        {"holds": lambda seen, session: seen.headers.get("authorization") == f"Session {session}"},
    ),
    "a parameter": (
        "send: {header: X-Session}",
        "send: {param: sid}",
        {"holds": lambda seen, session: seen.query.get("sid") == [session] and seen.query["a b"] == ["c/d"]},
    ),
    "a cookie, set and sent beside others": (
        "token: data.session\n  send: {header: X-Session}",
        "token: {cookie: sid}\n  send: {cookie: sid}",
        {
            "put": lambda session: Reply(
                {"user": {"id": "ada"}},
                headers={"Set-Cookie": f"sid={session}; Path=/; HttpOnly; Expires=Wed, 09 Jun 2100 10:18:14 GMT"},
            ),
            "holds": lambda seen, session: has_cookie(seen, "sid", session) and has_cookie(seen, "lang", "en"),
        },
    ),
    "a cookie of a login that redirects": (
        "token: data.session\n  send: {header: X-Session}\naccount: {id: user.id}",
        "token: {cookie: sid}\n  send: {cookie: sid}",
        {
            "put": lambda session: Reply(
                status=302, headers={"Set-Cookie": f"sid={session}", "Location": "https://elsewhere.example"}
            ),
            "holds": lambda seen, session: has_cookie(seen, "sid", session),
        },
    ),
    "a header of the answer": (
        "token: data.session",
        "token: {header: X-Auth}",
        {"put": lambda session: Reply({"user": {"id": "ada"}}, headers={"X-Auth": session})},
    ),
    "a form": (
        'json: {user: "{{ settings.user }}", password: "{{ settings.password }}"}',
        'form: {user: "{{ settings.user }}", password: "{{ settings.password }}"}',
        {},
    ),
}


@pytest.mark.parametrize(("old", "new", "server"), PLACES.values(), ids=PLACES)
def test_a_session_is_taken_and_carried_where_the_source_wants_it(old, new, server, source, store, tmp_path) -> None:
    logins = Logins(source, **server)
    assert old in LOGIN
    made = read_connector(tmp_path, LOGIN.replace(old, new), '  headers: {Cookie: "lang=en"}\n')
    session, account = signed_in(made, settings_for(source), store)
    assert account == ("ada" if made.account else "default")
    asked = request(params={"a b": "c/d"})
    with session:
        session.answer(asked, {})
        session.answer(asked, {})
        logins.end_access()
        session.answer(asked, {})
    assert len(logins.asked) == 2
    assert store.read("demo", account).generation == 2


@pytest.mark.parametrize(
    ("line", "beside", "again"), [("30m", {}, False), ("{path: valid}", {"valid": 30}, False), ("45s", {}, False)]
)
def test_a_session_that_is_known_to_end_is_renewed_before(line, beside, again, source, store, tmp_path) -> None:
    logins = Logins(source, put=lambda session: {"data": {"session": session}, "user": {"id": "ada"}, **beside})
    made = read_connector(tmp_path, LOGIN.replace("account:", f"  expires: {line}\naccount:"))
    session, _ = signed_in(made, settings_for(source), store)
    stored = store.read("demo", "ada")
    with session:
        session.answer(request(), {})
    assert len(logins.asked) == 1
    ended = type(stored.token)(stored.token.access, None, time.time() - 1, stored.token.answer)
    store.write("demo", "ada", Stored(ended, 5))
    with open_session(made, settings_for(source), StoredSignIn(made, settings_for(source), store, "ada")) as session:
        session.answer(request(), {})
    assert len(logins.asked) == 2


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(status=401), WrongUse, "with 401: the login is not accepted; check DEMO_USER and DEMO_PASSWORD"),
        (Reply({"ok": False, "why": "locked"}), WrongUse, "200: locked: the login is not accepted"),
        (Reply({"ok": True}), Unreadable, "holds no token at 'data.session'"),
        (Reply(b"<html>"), Unreadable, "holds no token"),
        (Reply({"data": {"session": "a\nb"}}), Unreadable, "nothing that could be sent"),
        (Reply({"data": {"session": ["Mary"]}}), Unreadable, "nothing that could be sent"),
        (Reply(status=302, headers={"Location": "https://evil.example"}), Refused, "302 and no token"),
        (Reply(status=503), Unreachable, "503"),
    ],
)
def test_a_login_that_fails_says_whose_business_it_is(reply, error, words, source, tmp_path) -> None:
    source.answer = lambda seen: reply
    rules = '    errors: [{body: "ok == `false`", do: sign_in, message: why}]\n  token: data'
    made = read_connector(tmp_path, LOGIN.replace("  token: data", rules))
    with pytest.raises(error, match=words) as caught:
        first_token(made, settings_for(source))
    assert "Mary" not in str(caught.value)
    assert "pass-w0rd" not in str(caught.value)
    assert len(source.seen) == 1


def test_a_session_refused_again_after_a_new_login_needs_the_person(source, store, tmp_path) -> None:
    logins = Logins(source)
    session, _ = signed_in(read_connector(tmp_path, LOGIN), settings_for(source), store)
    strict = logins.answer
    source.answer = lambda seen: strict(seen) if seen.path == "/api/login" else Reply(status=401)
    with session, pytest.raises(SignInNeeded, match="even with a new token"):
        session.answer(request(), {})
    assert len(logins.asked) == 2


def test_a_session_is_renewed_by_a_rule_in_status_200(source, store, tmp_path) -> None:
    logins = Logins(source)
    http = '  errors: [{status: 200, body: "error == `1`", do: refresh}]\n'
    session, _ = signed_in(read_connector(tmp_path, LOGIN, http), settings_for(source), store)
    strict = logins.answer
    source.answer = lambda seen: (
        {"error": 1} if isinstance(found := strict(seen), Reply) and found.status == 401 else found
    )
    logins.end_access()
    with session:
        assert b'"1"' in session.answer(request(), {}).body
    assert len(logins.asked) == 2


def test_a_session_repeated_in_a_next_link_is_not_kept(source, store, tmp_path) -> None:
    logins = Logins(source, holds=lambda seen, session: seen.query.get("sid") == [session])
    made = read_connector(tmp_path, LOGIN.replace("{header: X-Session}", "{param: sid}"))
    session, _ = signed_in(made, settings_for(source), store)
    strict = logins.answer

    def linking(seen: Seen) -> Any:
        found = strict(seen)
        is_first = isinstance(found, dict) and "id" in found and "page" not in seen.query
        return {**found, "next": f"/api/things?sid={logins.session}&page=2"} if is_first else found

    source.answer = linking
    with session:
        pages = list(
            read_pages(
                session, resource(pagination=NextUrl(Where("next")), columns={"id": "text"}), None, arrived=lambda: 1
            )
        )
    assert len(pages) == 2
    assert pages[0].next is not None
    assert str(pages[0].next["url"]).endswith("/api/things?page=2")
    assert source.seen[-1].query == {"page": ["2"], "sid": [logins.session]}


def test_no_session_gets_into_what_templates_may_name(source, store, tmp_path) -> None:
    Logins(source)
    made = read_connector(tmp_path, LOGIN.replace("{id: user.id}", "{id: user.id, keep: {s: data.session}}"))
    session, _ = signed_in(made, settings_for(source), store)
    with session:
        assert session.identify() == {"id": "ada", "s": None}


BASIC = 'auth: {kind: basic, username: "{{ settings.user }}", password: "{{ settings.password }}"}\n'


@pytest.mark.parametrize(
    ("password", "pair"), [("pass-w0rd", b"ada:pass-w0rd"), ("", b"ada:"), ("p\u00e4ss", b"ada:p\xc3\xa4ss")]
)
def test_a_name_and_a_password_go_with_every_request(password, pair, source, tmp_path) -> None:
    source.answer = lambda seen: {}
    made, settings = read_connector(tmp_path, BASIC), settings_for(source, password=password)
    with open_session(made, settings, basic(made.auth, settings)) as session:
        session.answer(request(), {})
    assert source.seen[0].headers["authorization"] == "Basic " + base64.b64encode(pair).decode()


def test_a_password_that_is_refused_names_its_settings(source, tmp_path) -> None:
    source.answer = lambda seen: Reply(status=401)
    made, settings = read_connector(tmp_path, BASIC), settings_for(source)
    with (
        open_session(made, settings, basic(made.auth, settings)) as session,
        pytest.raises(SignInNeeded, match="check DEMO_USER and DEMO_PASSWORD"),
    ):
        session.answer(request(), {})
    assert len(source.seen) == 1


@pytest.mark.parametrize(
    ("http", "name", "value"),
    [
        ('headers: {Authorization: "Bearer {{ settings.key }}"}', "authorization", "Bearer k-1234"),
        ('headers: {X-Api-Key: "{{ settings.key }}"}', "x-api-key", "k-1234"),
        ('headers: {Cookie: "sid={{ settings.key }}"}', "cookie", "sid=k-1234"),
        ('params: {api_key: "{{ settings.key }}"}', "api_key", "k-1234"),
    ],
)
def test_a_key_is_no_kind_of_sign_in(http, name, value, source, other_source, tmp_path) -> None:
    source.answer = lambda seen: Reply(status=302, headers={"Location": other_source.url + "/x"})
    made = read_connector(tmp_path, "", f"  {http}\n")
    with open_session(made, settings_for(source), None) as session, pytest.raises(Refused):
        session.answer(request(), {})
    assert value in (source.seen[0].headers.get(name), source.seen[0][name])
    assert other_source.seen == []
