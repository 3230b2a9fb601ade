"""The simulated hospital's bulk export: asked for, waited for, fetched, thrown away. And back ends that sign."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hospital_made import Hospital, hospital

from hde.sandbox import fhir

ASYNC = {"Prefer": "respond-async"}


def kick_off(at: Hospital, path: str = "$export", **params: Any) -> str:
    answer = at.get(path, headers=ASYNC, **params)
    assert (answer.status_code, answer.content) == (202, b"")
    return answer.headers["Content-Location"]


def lines(at: Hospital, output: dict[str, Any]) -> list[dict[str, Any]]:
    answer = at.get(output["url"])
    assert answer.headers["Content-Type"] == "application/fhir+ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert len(found) == output["count"]
    return found


@pytest.mark.parametrize("path", ["$export", "Patient/$export", "Group/all/$export"])
def test_an_export_goes_from_asking_to_files(path: str) -> None:
    with hospital(export_wait=0) as at:
        status = kick_off(at, path, _type="Patient,Observation")
        waited = [at.get(status) for _ in range(2)]
        assert [one.status_code for one in waited] == [202, 202]
        assert [one.headers["X-Progress"] for one in waited] == ["34% done", "67% done"]
        assert waited[0].headers["Retry-After"] == "0"
        manifest = at.get(status).json()
        assert manifest["requiresAccessToken"] is True
        assert manifest["transactionTime"] == at.sandbox.now.isoformat()
        assert path in manifest["request"]
        parts = [output for output in manifest["output"] if output["type"] == "Observation"]
        found = {one["id"] for output in parts for one in lines(at, output)}
        assert found == {one.id for one in at.sandbox.resources("Observation")}
        assert len(parts) == 5, "several files of one type"
        assert at.client.delete(status, headers=at.bearer).status_code == 202
        assert at.get(status).status_code == at.get(manifest["output"][0]["url"]).status_code == 404
        assert at.sandbox.exports == []


def test_an_export_since_then_has_what_changed_and_what_went() -> None:
    with hospital(export_polls=0) as at:
        before = at.sandbox.now
        gone = at.sandbox.resources("Condition")[0].id
        at.sandbox.advance(minutes=1)
        at.sandbox.delete("Condition", gone)
        at.sandbox.change("Encounter", at.sandbox.resources("Encounter")[0].id, status="cancelled")
        manifest = at.get(kick_off(at, _since=before.isoformat(), _type="Condition,Encounter,Basic")).json()
        assert [(one["type"], one["count"]) for one in manifest["output"]] == [("Encounter", 1)]
        (bundle,) = lines(at, manifest["deleted"][0])
        assert bundle["entry"] == [{"request": {"method": "DELETE", "url": f"Condition/{gone}"}}]
        (error,) = lines(at, manifest["error"][0])
        assert error["issue"][0]["severity"] == "error"


def test_who_asks_too_often_or_twice_is_told_to_wait() -> None:
    with hospital(manners="oracle", export_wait=60) as at:
        status = kick_off(at)
        assert at.get(status).status_code == 202
        hasty = at.get(status)
        assert (hasty.status_code, hasty.headers["Retry-After"]) == (429, "60")
        at.sandbox.advance(seconds=60)
        assert at.get(status).status_code == 202
        assert at.get("$export", headers=ASYNC).status_code == 429
        at.client.delete(status, headers=at.bearer)
        kick_off(at)


@pytest.mark.parametrize(("headers", "params", "status"), [
    ({}, {}, 400), ({**ASYNC, "Accept": "text/html"}, {}, 406), (ASYNC, {"_since": "lately"}, 400),
])  # fmt: skip
def test_a_wrong_request_is_refused(headers: dict[str, str], params: dict[str, str], status: int) -> None:
    with hospital(days=100) as at:
        assert at.get("$export", headers=headers, **params).status_code == status


def test_a_file_needs_the_token() -> None:
    with hospital(days=100, export_polls=0) as at:
        url = at.get(kick_off(at)).json()["output"][0]["url"]
        assert at.client.get(url).status_code == 401
    with hospital(days=100, export_polls=0, manners="open") as at:
        manifest = at.get(kick_off(at)).json()
        assert manifest["requiresAccessToken"] is False
        assert at.client.get(manifest["output"][0]["url"]).status_code == 200


def encoded(value: bytes | dict[str, Any]) -> str:
    text = json.dumps(value).encode() if isinstance(value, dict) else value
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def assertion(key: Any, url: str, **change: Any) -> str:
    algorithm = "RS384" if isinstance(key, rsa.RSAPrivateKey) else "ES384"
    claims = {"iss": fhir.KEY_ID, "sub": fhir.KEY_ID, "aud": url, "exp": time.time() + 240, "jti": "one", **change}
    message = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}"
    if isinstance(key, rsa.RSAPrivateKey):
        return f"{message}.{encoded(key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA384()))}"
    numbers = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA384())))
    return f"{message}.{encoded(b''.join(number.to_bytes(48, 'big') for number in numbers))}"


@pytest.mark.parametrize("make", [
    lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    lambda: ec.generate_private_key(ec.SECP384R1()),
], ids=["RS384", "ES384"])  # fmt: skip
def test_a_back_end_proves_itself_by_its_key(make: Any) -> None:
    key, another = make(), make()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with hospital(days=100, public_keys=[public]) as at:
        smart = at.get(".well-known/smart-configuration").json()
        url = smart["token_endpoint"]

        def ask(signed: str, scope: str = "system/*.rs") -> Any:
            form = {"grant_type": "client_credentials", "scope": scope, "client_assertion": signed,
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
            return at.client.post(url, data=form)

        tokens = ask(assertion(key, url)).json()
        assert (tokens["expires_in"], tokens["scope"]) == (300, "system/*.rs")
        assert "patient" not in tokens
        assert "refresh_token" not in tokens
        at.bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert at.get("Group/all/$export", headers=ASYNC).status_code == 202
        wrong = {
            "used before": assertion(key, url), "another key": assertion(another, url, jti="2"),
            "another audience": assertion(key, "https://elsewhere.example", jti="3"),
            "too long": assertion(key, url, jti="4", exp=time.time() + 900),
            "over": assertion(key, url, jti="5", exp=time.time() - 10),
            "another client": assertion(key, url, jti="6", sub="other"), "nothing": "a.b.c",
        }  # fmt: skip
        for name, signed in wrong.items():
            assert (ask(signed).status_code, ask(signed).json()["error"]) == (401, "invalid_client"), name
        assert ask(assertion(key, url, jti="7"), "patient/*.rs").json()["error"] == "invalid_scope"
