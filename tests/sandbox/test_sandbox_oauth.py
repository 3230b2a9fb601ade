"""The simulated OAuth server: consent, codes, rotation, replay, revocation, scopes and expiry."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from hde.sandbox import whoop

AUTHORIZE, TOKEN = "/oauth/oauth2/auth", "/oauth/oauth2/token"
CALLBACK = "http://127.0.0.1:8123/callback?from=hde"
EVERYTHING = " ".join(whoop.SCOPES)
REQUEST = {
    "client_id": whoop.CLIENT_ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "state": "s<&>1234",
    "scope": EVERYTHING,
}
CLIENT = {"client_id": whoop.CLIENT_ID, "client_secret": whoop.CLIENT_SECRET}
CYCLES = "/developer/v2/cycle"


@pytest.fixture
def client(start):
    with httpx.Client(base_url=start(days=3).base_url) as client:
        yield client


@pytest.fixture
def willing(start):
    """A server that never asks, with the sandbox behind it."""
    sandbox = start(days=3, auto_consent=True)
    with httpx.Client(base_url=sandbox.base_url) as client:
        client.sandbox = sandbox
        yield client


def came_back(response):
    assert response.status_code == 302
    assert response.headers["Location"].startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def code(client, **change):
    return came_back(client.get(AUTHORIZE, params=REQUEST | change))["code"]


def redeem(client, granted, /, **change):
    form = {"grant_type": "authorization_code", "code": granted, "redirect_uri": CALLBACK, **CLIENT, **change}
    return client.post(TOKEN, data={name: value for name, value in form.items() if value is not None})


def refresh(client, tokens, **change):
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": "offline", **CLIENT}
    return client.post(TOKEN, data=form | change)


def status(client, tokens, path=CYCLES):
    return client.get(path, headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code


def press(client, decision, **change):
    page = client.get(AUTHORIZE, params=REQUEST | change)
    assert page.status_code == 200
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    form = {unescape(name): unescape(value) for name, value in fields}
    return client.post(AUTHORIZE, data=form | {"decision": decision})


def test_the_consent_page_shows_what_is_asked_and_escapes_it(client):
    page = client.get(AUTHORIZE, params=REQUEST | {"scope": "read:sleep offline"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Sleep: stages" in page.text
    assert "Workouts" not in page.text
    assert "s<&>1234" not in page.text


def test_allow_leads_to_a_code_and_the_code_to_tokens(client):
    answer = came_back(press(client, "allow"))
    assert answer["state"] == REQUEST["state"]
    assert answer["from"] == "hde"
    tokens = redeem(client, answer["code"]).json()
    assert tokens.keys() == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "bearer")
    assert tokens["scope"] == EVERYTHING
    assert status(client, tokens) == 200


def test_deny_leads_back_with_an_error(client):
    answer = came_back(press(client, "deny"))
    assert answer["error"] == "request_forbidden"
    assert answer["state"] == REQUEST["state"]
    assert "code" not in answer


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": "1234567"}, "invalid_state"),
        ({"scope": "read:cycle"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_to_the_client(willing, change, error):
    answer = came_back(willing.get(AUTHORIZE, params=REQUEST | change))
    assert answer["error"] == error
    assert "code" not in answer


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": ""}, {"redirect_uri": "callback"}])
def test_an_unsafe_request_is_never_sent_back(willing, change):
    answer = willing.get(AUTHORIZE, params=REQUEST | change)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_custom_scheme_may_be_a_callback(willing):
    answer = willing.get(AUTHORIZE, params=REQUEST | {"redirect_uri": "whoop://example/redirect"})
    assert answer.headers["Location"].startswith("whoop://example/redirect?code=")


@pytest.mark.parametrize(
    ("change", "expected", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"code": "wrong"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8123/callback"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
    ],
)
def test_a_code_is_redeemed_only_by_its_client(willing, change, expected, error):
    answer = redeem(willing, code(willing), **change)
    assert (answer.status_code, answer.json()["error"]) == (expected, error)


def test_client_credentials_go_in_the_form_body_only(willing):
    form = {"grant_type": "authorization_code", "code": code(willing), "redirect_uri": CALLBACK}
    basic = willing.post(TOKEN, data=form, auth=(whoop.CLIENT_ID, whoop.CLIENT_SECRET))
    assert basic.json()["error"] == "invalid_client"
    assert willing.post(TOKEN, json=form | CLIENT).json()["error"] == "invalid_request"


def test_a_code_used_twice_takes_its_tokens_along(willing):
    granted = code(willing)
    tokens = redeem(willing, granted).json()
    assert redeem(willing, granted).json()["error"] == "invalid_grant"
    assert status(willing, tokens) == 401
    assert refresh(willing, tokens).status_code == 400


def test_a_code_expires(willing):
    granted = code(willing)
    willing.sandbox.advance(minutes=2)
    assert redeem(willing, granted).json()["error"] == "invalid_grant"


CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"verifier" * 6).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(("verifier", "expected"), [("verifier" * 6, 200), ("wrong" * 9, 400), (None, 400)])
def test_a_code_challenge_must_be_met(willing, verifier, expected):
    granted = code(willing, code_challenge=CHALLENGE, code_challenge_method="S256")
    assert redeem(willing, granted, code_verifier=verifier).status_code == expected


def test_without_offline_there_is_no_refresh_token(willing):
    tokens = redeem(willing, code(willing, scope="read:cycles")).json()
    assert "refresh_token" not in tokens
    assert status(willing, tokens) == 200


def test_a_refresh_ends_the_former_pair(willing):
    first = redeem(willing, code(willing)).json()
    second = refresh(willing, first).json()
    assert second["scope"] == EVERYTHING
    assert status(willing, first) == 401
    assert status(willing, second) == 200
    assert willing.sandbox.refreshes == 1


def test_a_spent_refresh_token_revokes_the_whole_chain(willing):
    first = redeem(willing, code(willing)).json()
    second = refresh(willing, first).json()
    replay = refresh(willing, first)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert status(willing, second) == 401
    assert refresh(willing, second).json()["error"] == "invalid_grant"
    assert willing.sandbox.refreshes == 1


def test_one_members_replay_leaves_another_consent_alone(willing):
    other = willing.sandbox.sign_in()
    first = redeem(willing, code(willing)).json()
    refresh(willing, first)
    refresh(willing, first)
    assert status(willing, other) == 200


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"refresh_token": "wrong"}, {"scope": "read:all"}])
def test_a_refused_refresh_spends_nothing(willing, change):
    tokens = redeem(willing, code(willing)).json()
    assert refresh(willing, tokens, **change).status_code in (400, 401)
    assert status(willing, tokens) == 200
    assert refresh(willing, tokens).status_code == 200


def test_an_access_token_expires_and_can_be_refreshed(willing):
    tokens = redeem(willing, code(willing)).json()
    willing.sandbox.advance(seconds=3599)
    assert status(willing, tokens) == 200
    willing.sandbox.advance(seconds=2)
    assert status(willing, tokens) == 401
    assert status(willing, refresh(willing, tokens).json()) == 200


def test_deleting_the_access_kills_all_tokens(willing):
    tokens, other = redeem(willing, code(willing)).json(), willing.sandbox.sign_in()
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = willing.delete("/developer/v2/user/access", headers=header)
    assert (answer.status_code, answer.content) == (204, b"")
    assert willing.delete("/developer/v2/user/access", headers=header).status_code == 401
    assert [status(willing, pair) for pair in (tokens, other)] == [401, 401]
    assert refresh(willing, tokens).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("read:cycles", "/v2/cycle"),
        ("read:recovery", "/v2/recovery"),
        ("read:recovery", "/v2/cycle/{cycle}/recovery"),
        ("read:sleep", "/v2/activity/sleep"),
        ("read:sleep", "/v2/cycle/{cycle}/sleep"),
        ("read:workout", "/v2/activity/workout"),
        ("read:profile", "/v2/user/profile/basic"),
        ("read:body_measurement", "/v2/user/measurement/body"),
    ],
)
def test_each_endpoint_wants_its_scope(willing, scope, path):
    everything = {"Authorization": f"Bearer {willing.sandbox.sign_in()['access_token']}"}
    cycle = willing.get(CYCLES, params={"limit": 2}, headers=everything).json()["records"][1]["id"]
    path = path.format(cycle=cycle)
    others = [name for name in whoop.SCOPES if name != scope]
    assert status(willing, willing.sandbox.sign_in([scope]), f"/developer{path}") == 200
    assert status(willing, willing.sandbox.sign_in(others), f"/developer{path}") == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc", "bearer"])
def test_no_valid_token_no_data(willing, header):
    assert willing.get(CYCLES, headers={"Authorization": header}).status_code == 401


def test_the_callback_names_the_granted_scope(willing):
    location = willing.get(AUTHORIZE, params=REQUEST).headers["Location"]
    assert parse_qs(urlsplit(location).query)["scope"] == [EVERYTHING]
