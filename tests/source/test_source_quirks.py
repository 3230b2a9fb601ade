"""What providers make of OAuth2: each quirk is a server that takes nothing else, and an author's lines for it."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from grant_made import CODE, Grants, first_token, read_connector, settings_for, signed_in
from source_made import Reply, Seen, request

from hde.errors import Refused, SignInNeeded, Unreachable, Unreadable, WrongUse

PAIR = "Basic " + base64.b64encode(b"the%20id:s3cr%3At").decode()


@dataclass(frozen=True)
class Quirk:
    old: str = "account: {id: user}"
    """Of CODE; becomes `new`."""
    new: str = "account: {id: user}"
    accepts: Callable[[Seen, dict[str, str]], str | None] = lambda seen, fields: None
    shape: Callable[[dict[str, Any]], Any] = lambda answer: answer
    beside: dict[str, Any] = field(default_factory=lambda: {"user": "ada", "expires_in": 3600})
    page: dict[str, str] = field(default_factory=dict)
    """What the authorization page must be asked with."""


def only(holds: Callable[[Seen, dict[str, str]], bool]) -> Callable[[Seen, dict[str, str]], str | None]:
    return lambda seen, fields: None if holds(seen, fields) else "invalid_request"


TOKEN = 'token: {url: "{{ settings.url }}/token"}'
PARAMS = """\
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}", params: {prompt: login}}
  token: {url: "{{ settings.url }}/token", params: {resource: first}}
  refresh: {params: {resource: again}}
"""
QUIRKS = {
    "the secret in the body": Quirk(
        accepts=only(
            lambda seen, fields: fields.get("client_secret") == "s3cr:t" and "authorization" not in seen.headers
        )
    ),
    "the secret by basic": Quirk(
        'secret: "{{ settings.client_secret }}"',
        'secret: "{{ settings.client_secret }}", send: basic',
        only(lambda seen, fields: seen.headers.get("authorization") == PAIR and "client_id" not in fields),
    ),
    "a public client": Quirk(
        ', secret: "{{ settings.client_secret }}"',
        "",
        only(lambda seen, fields: "client_secret" not in fields and fields["client_id"] == "the id"),
    ),
    "scopes with commas": Quirk(
        'redirect_uri: "{{ settings.redirect }}"',
        'redirect_uri: "{{ settings.redirect }}", scopes: [read, write], scope_separator: ","',
        page={"scope": "read,write"},
    ),
    "a token request as JSON": Quirk(
        TOKEN,
        TOKEN.replace('/token"', '/token", send: json'),
        only(lambda seen, fields: seen.headers["content-type"] == "application/json" and "client_id" in fields),
    ),
    "a token request by GET": Quirk(
        TOKEN, TOKEN.replace('/token"', '/token", method: GET'), only(lambda seen, fields: seen.method == "GET")
    ),
    "further parameters": Quirk(
        CODE.partition("  authorize:")[2].partition("account:")[0],
        PARAMS.partition("  authorize:")[2],
        only(
            lambda seen, fields: (
                fields.get("resource") == ("again" if fields["grant_type"] == "refresh_token" else "first")
            )
        ),
        page={"prompt": "login"},
    ),
    "a refresh as the token request": Quirk(
        TOKEN,
        TOKEN.replace('/token"', '/token", params: {action: get}'),
        only(lambda seen, fields: fields.get("action") == "get"),
    ),
    "a separate refresh address": Quirk(
        TOKEN,
        TOKEN + '\n  refresh: {url: "{{ settings.url }}/refresh"}',
        only(lambda seen, fields: (seen.path == "/refresh") == (fields["grant_type"] == "refresh_token")),
    ),
    "a token inside the answer": Quirk(
        "account: {id: user}",
        "  answer: body\naccount: {id: user}",
        shape=lambda answer: {"status": 0, "body": answer},
    ),
    "fields of another name": Quirk(
        "account: {id: user}",
        '  answer: "{access_token: accessToken, refresh_token: refreshToken, who: who}"\naccount: {id: who.name}',
        shape=lambda answer: {
            "accessToken": answer["access_token"],
            "refreshToken": answer["refresh_token"],
            "who": {"name": answer.get("user")} if "user" in answer else None,
        },
    ),
    "the user deep in the answer": Quirk(
        "account: {id: user}", "account: {id: athlete.id}", beside={"athlete": {"id": "ada"}, "expires_in": 60}
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)
def test_a_quirk_of_a_provider_is_sayable(quirk: Quirk, source, store, tmp_path) -> None:
    assert quirk.old in CODE
    grants = Grants(source, accepts=quirk.accepts, shape=quirk.shape, beside=quirk.beside)
    made = read_connector(tmp_path, CODE.replace(quirk.old, quirk.new, 1))
    session, account = signed_in(made, settings_for(source), store)
    assert account == "ada"
    assert quirk.page.items() <= {name: values[0] for name, values in grants.pages[0].query.items()}.items()
    with session:
        session.answer(request(), {})
        grants.end_access()
        session.answer(request(), {})
        assert session.identify()["id"] == "ada", "kept, though the refresh answer does not say it again"
    assert [fields["grant_type"] for _, fields in grants.asked] == ["authorization_code", "refresh_token"]
    assert store.read("demo", "ada").token.access == grants.access


def in_an_hour(**shift: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=1, **shift)


EXPIRES = [
    ("", {"expires_in": 3600}, 3600),
    ("", {"expires_in": "3600"}, 3600),
    ("", {}, None),
    ("", {"expires_in": None}, None),
    ("", {"expires_in": 0}, None),
    ("  expires: {path: valid_for}\n", {"valid_for": 3600, "expires_in": 5}, 3600),
    ("  expires: 12h\n", {"expires_in": 5}, 43200),
    ("  expires: {path: ends, is: epoch}\n", {"ends": lambda: in_an_hour().timestamp()}, 3600),
    ("  expires: {path: ends, is: epoch}\n", {"ends": lambda: in_an_hour().timestamp() * 1000}, 3600),
    ("  expires: {path: ends.at, is: timestamp}\n", {"ends": {"at": lambda: in_an_hour().isoformat()}}, 3600),
    ("  expires: {path: ends, is: timestamp}\n", {"ends": lambda: f"{in_an_hour():%Y-%m-%dT%H:%M:%SZ}"}, 3600),
]


def made_now(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: made_now(item) for name, item in value.items()}
    return value() if callable(value) else value


@pytest.mark.parametrize(("line", "beside", "seconds"), EXPIRES)
def test_the_end_of_a_token_is_read_in_every_form(line, beside, seconds, source, tmp_path) -> None:
    Grants(source, beside={"user": "ada"}, shape=lambda answer: {**answer, **made_now(beside)})
    made = read_connector(tmp_path, CODE.replace("account:", line + "account:"))
    got = first_token(made, settings_for(source)).expires_at
    assert got is None if seconds is None else abs(got - time.time() - seconds) < 30


def test_the_end_is_counted_by_our_clock_where_the_providers_is_wrong(source, tmp_path) -> None:
    theirs = datetime.now(UTC) - timedelta(hours=5)
    Grants(
        source,
        shape=lambda answer: Reply(
            {**answer, "ends": (theirs + timedelta(hours=1)).timestamp()},
            headers={"Date": f"{theirs:%a, %d %b %Y %H:%M:%S GMT}"},
        ),
    )
    made = read_connector(tmp_path, CODE.replace("account:", "  expires: {path: ends, is: epoch}\naccount:"))
    assert abs(first_token(made, settings_for(source)).expires_at - time.time() - 3600) < 30


@pytest.mark.parametrize(
    ("line", "value", "words"),
    [
        ("{path: ends, is: epoch}", "soon", "'ends' no number"),
        ("{path: ends, is: timestamp}", "soon", "'ends' no timestamp"),
        ("{path: ends, is: timestamp}", 5, "'ends' no timestamp"),
        ("{path: ends, is: epoch}", 1000, "has ended already"),
        ("{path: ends}", [], "'ends' no number"),
    ],
)
def test_an_end_that_is_none_is_said(line, value, words, source, tmp_path) -> None:
    Grants(source, beside={"ends": value})
    made = read_connector(tmp_path, CODE.replace("account:", f"  expires: {line}\naccount:"))
    with pytest.raises(Unreadable, match=words):
        first_token(made, settings_for(source))


def test_a_token_of_minutes_is_not_renewed_with_every_request(source, store, tmp_path) -> None:
    grants = Grants(source, beside={"user": "ada", "expires_in": 50})
    session, _ = signed_in(read_connector(tmp_path, CODE), settings_for(source), store)
    with session:
        for _ in range(3):
            session.answer(request(), {})
    assert len(grants.asked) == 1


def test_no_refresh_token_means_to_sign_in_again(source, store, tmp_path) -> None:
    grants = Grants(source, has_refresh=False)
    session, _ = signed_in(read_connector(tmp_path, CODE), settings_for(source), store)
    with session:
        session.answer(request(), {})
        grants.end_access()
        with pytest.raises(SignInNeeded, match=r"gave none to renew it with .*; run `hde auth demo` to sign in"):
            session.answer(request(), {})
    assert len(grants.asked) == 1


RULES = """\
  token:
    url: "{{ settings.url }}/token"
    errors:
      - {body: "status == `601`", do: retry}
      - {body: "status == `503`", do: sign_in}
      - {body: "status != `0`", do: fail, message: error}
  answer: body
"""


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"status": 503, "error": "Mary"}, SignInNeeded, "provider has ended the grant"),
        ({"status": 601}, Unreachable, "answered with 200"),
        ({"status": 293, "error": "no such\nscope"}, Refused, "answered with 200: no such scope"),
        ({"status": 0}, Unreadable, "no object at 'body'"),
    ],
)
def test_a_provider_that_says_no_with_status_200_is_understood(answer, error, words, source, store, tmp_path) -> None:
    grants = Grants(source, shape=lambda inner: {"status": 0, "body": inner})
    made = read_connector(tmp_path, CODE.replace("  " + TOKEN + "\n", RULES))
    session, _ = signed_in(made, settings_for(source), store)
    former = store.read("demo", "ada")
    grants.end_access()
    source.answer = lambda seen: answer if seen.path == "/token" else Reply(status=401)
    with session, pytest.raises(error, match=words) as caught:
        session.answer(request(), {})
    assert "Mary" not in str(caught.value)
    assert store.read("demo", "ada").token == former.token


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"error": "bad_refresh_token"}, Refused, "200 bad_refresh_token"),
        ({"error": "invalid_grant"}, SignInNeeded, "ended the grant"),
        ({"error": "invalid_client"}, WrongUse, "check DEMO_CLIENT_ID and DEMO_CLIENT_SECRET"),
    ],
)
def test_an_oauth_error_counts_whatever_its_status(answer, error, words, source, store, tmp_path) -> None:
    grants = Grants(source)
    session, _ = signed_in(read_connector(tmp_path, CODE), settings_for(source), store)
    grants.end_access()
    source.answer = lambda seen: answer if seen.path == "/token" else Reply(status=401)
    with session, pytest.raises(error, match=words):
        session.answer(request(), {})


def test_a_clear_no_to_a_refresh_leaves_no_mark(source, store, tmp_path) -> None:
    grants = Grants(source)
    session, _ = signed_in(read_connector(tmp_path, CODE), settings_for(source), store)
    grants.end_access()
    source.answer = lambda seen: Reply({"error": "invalid_scope"}, status=400 if seen.path == "/token" else 401)
    with session, pytest.raises(Refused):
        session.answer(request(), {})
    assert store.read("demo", "ada").refreshing_since is None


def test_no_token_gets_into_what_templates_may_name(source, store, tmp_path) -> None:
    Grants(source, beside={"user": "ada", "id_token": "an-id-token"}, shape=lambda inner: {**inner, "copies": [inner]})
    made = read_connector(
        tmp_path, CODE.replace("{id: user}", '{id: user, keep: {a: access_token, c: "copies[].access_token"}}')
    )
    session, _ = signed_in(made, settings_for(source), store)
    with session:
        assert session.identify() == {"id": "ada", "a": None, "c": []}


def test_a_refresh_by_a_rule_in_status_200(source, store, tmp_path) -> None:
    grants = Grants(source)
    http = '  errors: [{status: 200, body: "status == `401`", do: refresh}]\n'
    session, _ = signed_in(read_connector(tmp_path, CODE, http), settings_for(source), store)
    strict = grants.answer
    source.answer = lambda seen: (
        {"status": 401} if isinstance(found := strict(seen), Reply) and found.status == 401 else found
    )
    grants.end_access()
    with session:
        assert b"things" in session.answer(request(), {}).body
    assert len(grants.asked) == 2
