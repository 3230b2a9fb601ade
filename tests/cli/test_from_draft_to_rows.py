"""Each way to sign in that `hde new` can draft, from one answer to rows in the database."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from loopback_made import Reply, Seen, Source
from run_made import Outcome, ask, call

SECRET = "a/secret+word"
READINGS = [
    {"id": 7000 + number, "measured_at": f"2026-01-0{number}T06:30:00Z", "heart_rate": 50 + number}
    for number in range(1, 4)
]
BASIC = base64.b64encode(f"us:{SECRET}".encode()).decode()
KINDS = {
    "none": {},
    "key-header": {"authorization": f"Bearer {SECRET}"},
    "key-query": {"api_key": SECRET},
    "basic": {"authorization": f"Basic {BASIC}"},
    "oauth2_code": {"authorization": "Bearer a-given-token"},
    "oauth2_client": {"authorization": "Bearer a-given-token"},
    "session": {"authorization": "Bearer a-given-token"},
}
SETTINGS = {
    "KEY": SECRET, "USERNAME": "us", "PASSWORD": SECRET, "CLIENT_ID": "us", "CLIENT_SECRET": SECRET,
}  # fmt: skip


def answers(credential: dict[str, str]) -> Callable[[Seen], Reply]:
    def answer(seen: Seen) -> Reply:
        match seen.path:
            case "/v1/oauth/authorize":
                back = urlencode({"code": "c0de", "state": seen.query["state"]})
                return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{back}"})
            case "/v1/oauth/token":
                return Reply({"access_token": "a-given-token"}, 200 if seen.form["client_secret"] == SECRET else 401)
            case "/v1/login":
                return Reply({"token": "a-given-token"}, 200 if json.loads(seen.body)["password"] == SECRET else 401)
        is_known = credential.items() <= {**seen.headers, **seen.query}.items()
        return Reply({"readings": READINGS}) if is_known else Reply(status=401)

    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_becomes_rows(
    kind: str, source: Source, database_url: str, agreeing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.answer = answers(KINDS[kind])
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"METER_{name}", value)
    monkeypatch.setenv("METER_REDIRECT_URI", agreeing)
    Path("answer.json").write_text(json.dumps({"readings": READINGS}))

    def went(*arguments: str) -> Outcome:
        found = call(*arguments)
        assert found.code == 0, found.said
        assert not any(secret in found.said for secret in (SECRET, BASIC, "a-given-token"))
        return found

    made = went("new", "meter", "--base-url", f"{source.url}/v1", "--path", "/readings", "--sample", "answer.json",
                "--auth", kind, "--yes")  # fmt: skip
    assert ("hde auth meter" in made.out) == (kind in ("oauth2_code", "oauth2_client", "session"))
    went("validate", "meter")
    assert " passed, 0 failed" in went("test", "meter").out
    fixture = next(Path("mappings/meter/fixtures/readings").glob("*.json"))
    went("preview", "meter", "readings", "--fixture", fixture.stem)
    went("auth", "meter")
    assert "7001" in went("preview", "meter", "readings").out
    went("run", "meter")
    assert ask(database_url, "SELECT count(*) FROM meter_raw.readings") == [3]
    assert ask(database_url, "SELECT count(*) FROM canonical.biometrics_vitals") == [3]
