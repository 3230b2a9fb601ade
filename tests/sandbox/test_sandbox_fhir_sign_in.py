"""The simulated hospital's SMART sign-in: what a client must prove, and what it is given."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from hde.sandbox import fhir
from hde.sandbox.fhir.scopes import allows, granted, parse

CALLBACK = "http://127.0.0.1:8123/callback?from=hde"
VERIFIER = "a-verifier-of-43-characters-at-the-very-least-"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = (fhir.CLIENT_ID, fhir.CLIENT_SECRET)
ASKED = "openid launch/patient offline_access patient/*.rs"


class Door:
    """The sign-in of one hospital, step by step."""

    def __init__(self, sandbox, client):
        self.sandbox, self.client = sandbox, client
        self.smart = client.get(f"{sandbox.base_url}/.well-known/smart-configuration", headers={"Accept": "*/*"}).json()

    def authorize(self, **change):
        request = {
            "response_type": "code", "client_id": fhir.CLIENT_ID, "redirect_uri": CALLBACK, "scope": ASKED,
            "state": "s<&>0123456789012345678", "aud": self.sandbox.base_url, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }  # fmt: skip
        params = {name: value for name, value in {**request, **change}.items() if value is not None}
        return self.client.get(self.smart["authorization_endpoint"], params=params)

    def code(self, **change):
        return came_back(self.authorize(**change))["code"]

    def token(self, auth=SECRET, **form):
        return self.client.post(self.smart["token_endpoint"], data=form, auth=auth or None)

    def redeem(self, code, /, auth=SECRET, **change):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(auth, **{**form, **change})

    def refresh(self, tokens, auth=SECRET):
        return self.token(auth, grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def status(self, tokens, path):
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/fhir+json"}
        return self.client.get(f"{self.sandbox.base_url}/{path}", headers=headers).status_code


@pytest.fixture
def door(request):
    settings = getattr(request, "param", {})
    with fhir.serve(days=200, **{"auto_consent": True, **settings}) as sandbox, httpx.Client() as client:
        yield Door(sandbox, client)


def came_back(response):
    assert response.status_code == 302
    assert response.headers["Location"].startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def test_a_code_and_its_verifier_bring_a_token_with_the_patient_beside_it(door):
    tokens = door.redeem(door.code()).json()
    assert tokens["patient"] == door.sandbox.patient
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"].split() == ["launch/patient", "offline_access", "patient/*.rs"], "openid was not granted"
    assert door.status(tokens, f"Patient/{tokens['patient']}") == 200
    assert "patient" not in door.redeem(door.code(scope="patient/*.rs")).json()


@pytest.mark.parametrize("change", [
    {"aud": None}, {"aud": "https://elsewhere.example"}, {"code_challenge": None}, {"code_challenge_method": "plain"},
    {"code_challenge_method": None}, {"state": "short"}, {"response_type": "token"}, {"scope": "patient/*.write"},
    {"scope": ""},
], ids=str)  # fmt: skip
def test_a_wrong_request_is_told_to_the_client(door, change):
    answer = came_back(door.authorize(**change))
    assert "code" not in answer
    assert answer["error"] in ("invalid_request", "invalid_scope", "unsupported_response_type")
    assert answer["error_description"]


def test_the_audience_is_the_base_to_the_letter(door):
    assert came_back(door.authorize(aud=f"{door.sandbox.base_url}/"))["error"] == "invalid_request"


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": "callback"}, {"redirect_uri": None}])
def test_an_unsafe_request_is_never_sent_back(door, change):
    answer = door.authorize(**change)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(("change", "status", "error"), [
    ({"auth": (fhir.CLIENT_ID, "wrong")}, 401, "invalid_client"),
    ({"auth": None}, 401, "invalid_client"),
    ({"auth": None, "client_id": fhir.PUBLIC_ID}, 400, "invalid_grant"),
    ({"code_verifier": "another-verifier-of-43-characters-at-the-least-"}, 400, "invalid_grant"),
    ({"code_verifier": ""}, 400, "invalid_grant"),
    ({"redirect_uri": "http://127.0.0.1:8123/"}, 400, "invalid_grant"),
    ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
], ids=str)  # fmt: skip
def test_a_token_request_must_prove_everything(door, change, status, error):
    answer = door.redeem(door.code(), **change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("auth", [
    {"auth": SECRET},
    {"auth": None, "client_id": fhir.CLIENT_ID, "client_secret": fhir.CLIENT_SECRET},
], ids=["basic", "body"])  # fmt: skip
def test_a_secret_comes_in_the_header_or_in_the_body(door, auth):
    assert door.redeem(door.code(), **auth).status_code == 200


def test_a_public_client_has_no_secret(door):
    tokens = door.redeem(door.code(client_id=fhir.PUBLIC_ID), auth=None, client_id=fhir.PUBLIC_ID).json()
    assert door.status(tokens, f"Patient/{tokens['patient']}") == 200
    answer = door.token(
        None, grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id=fhir.PUBLIC_ID
    )
    assert answer.status_code == 200


def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_it(door):
    code = door.code()
    tokens = door.redeem(code).json()
    assert door.redeem(code).json()["error"] == "invalid_grant"
    assert door.status(tokens, f"Patient/{tokens['patient']}") == 401


def test_refresh_tokens_rotate_and_a_spent_one_ends_all(door):
    first = door.redeem(door.code()).json()
    second = door.refresh(first).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["patient"] == first["patient"]
    patient = f"Patient/{first['patient']}"
    assert [door.status(tokens, patient) for tokens in (first, second)] == [401, 200]
    assert door.refresh(first).json()["error"] == "invalid_grant"
    assert door.refresh(second).json()["error"] == "invalid_grant"
    assert door.status(second, patient) == 401
    assert door.sandbox.refreshes == 1


@pytest.mark.parametrize("door", [{"token_seconds": 60}], indirect=True)
def test_an_access_token_ends_with_its_time(door):
    tokens = door.redeem(door.code()).json()
    assert tokens["expires_in"] == 60
    door.sandbox.advance(seconds=61)
    assert door.status(tokens, f"Patient/{tokens['patient']}") == 401
    assert door.status(door.refresh(tokens).json(), f"Patient/{tokens['patient']}") == 200


@pytest.mark.parametrize("door", [{"auto_consent": False}], indirect=True)
def test_the_patient_is_asked_and_may_say_no(door):
    page = door.authorize(scope="launch/patient patient/Observation.rs")
    assert "Read: Observation" in page.text
    assert "Read: Condition" not in page.text
    assert "s<&>" not in page.text
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    form = {unescape(name): unescape(value) for name, value in fields}
    said = {one: came_back(door.client.post(door.smart["authorization_endpoint"], data={**form, "decision": one}))
            for one in ("deny", "allow")}  # fmt: skip
    assert said["deny"] == {"from": "hde", "state": form["state"], **said["deny"]}
    assert said["deny"]["error"] == "access_denied"
    assert door.redeem(said["allow"]["code"]).status_code == 200


@pytest.mark.parametrize(("manners", "asked", "expected"), [
    ("plain", "patient/*.cruds", "patient/*.rs"),
    ("plain", "patient/Observation.read system/*.read", "patient/Observation.read"),
    ("plain", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory"),
    ("epic", "patient/Procedure.rs patient/Encounter.rs offline_access", "patient/Encounter.rs offline_access"),
    ("oracle", "patient/Condition.rs", ""),
    ("oracle", "patient/Condition.read patient/Immunization.read", "patient/Condition.read"),
    ("plain", "patient/Observation.sr launch", ""),
])  # fmt: skip
def test_less_is_granted_than_was_asked_for(manners, asked, expected):
    assert " ".join(granted(asked.split(), fhir.MANNERS[manners], "patient")) == expected


def test_a_wildcard_is_spelled_out_where_something_is_withheld():
    given = granted(["patient/*.rs"], fhir.MANNERS["epic"], "patient")
    assert "patient/Observation.rs" in given
    assert not any("*" in scope or "Procedure" in scope for scope in given)


@pytest.mark.parametrize(("scope", "right", "expected"), [
    ("patient/Observation.read", "s", True), ("patient/Observation.r", "s", False), ("patient/*.s", "s", True),
    ("patient/Condition.rs", "s", False), ("patient/Observation.write", "r", False), ("openid", "r", False),
])  # fmt: skip
def test_what_a_scope_lets_a_client_do(scope, right, expected):
    assert allows([scope], "Observation", right) is expected


def test_a_scope_has_one_form():
    assert [getattr(parse(one), "form", None) for one in ("patient/*.read", "user/Patient.r", "patient/patient.r")] == [
        "v1", "v2", None,
    ]  # fmt: skip


@pytest.mark.parametrize("door", [{"manners": "epic"}], indirect=True)
def test_one_hospital_does_not_name_the_scope_that_its_refresh_token_comes_of(door):
    tokens = door.redeem(door.code()).json()
    assert "offline_access" not in tokens["scope"]
    assert "refresh_token" in tokens
    public = door.redeem(door.code(client_id=fhir.PUBLIC_ID), auth=None, client_id=fhir.PUBLIC_ID).json()
    assert "refresh_token" not in public


@pytest.mark.parametrize("door", [{"manners": name} for name in ("plain", "epic", "oracle")], indirect=True, ids=str)
def test_what_the_hospital_says_of_itself_is_true(door):
    smart = door.smart
    assert smart["code_challenge_methods_supported"] == ["S256"]
    base = door.sandbox.base_url
    statement = door.client.get(f"{base}/metadata", headers={"Accept": "application/fhir+json"}).json()
    security = statement["rest"][0]["security"]["extension"][0]["extension"]
    assert {one["url"]: one["valueUri"] for one in security} == {
        "authorize": smart["authorization_endpoint"], "token": smart["token_endpoint"],
    }  # fmt: skip
    for scope in smart["scopes_supported"]:
        assert granted([scope], fhir.MANNERS[statement["software"]["name"].partition("(")[2][:-1]], "patient")
