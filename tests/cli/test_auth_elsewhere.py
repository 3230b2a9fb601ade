"""`hde auth` where a connector leads to another server than it did: what was given at one is sent to no other."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from loopback_made import Reply, Seen, Source
from run_made import ask, call

from hde.places import home
from hde.tokens import Stored
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key

SIGNS_IN = """
name: made
settings: {url: {}, redirect: {}}
http: {base_url: "{{ settings.url }}", errors: [{status: 403, do: skip}, {status: 418, do: fail}]}
auth:
  kind: oauth2_code
  client: {id: us, send: body}
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}
  token: {url: "{{ settings.url }}/token"}
account: {id: user}
resources:
  things: {path: /things, records: records, key: [id], columns: {id: text}}
"""
REVOKES_ELSEWHERE = SIGNS_IN.replace("account:", "  revoke: {url: https://elsewhere.example/revoke}\naccount:")
UNATTENDED = """
name: made
settings: {url: {}, key: {secret: true, default: s3cret-word}}
http: {base_url: "{{ settings.url }}"}
auth:
  kind: oauth2_client
  client: {id: us, secret: "{{ settings.key }}", send: body}
  token: {url: "{{ settings.url }}/token"}
account: {id: user}
resources:
  things: {path: /things, records: records, key: [id], columns: {id: text}}
"""
KEYS = """
name: made
settings: {url: {}}
http: {base_url: "{{ settings.url }}"}
exports:
  everything:
    path: /export
    keep: {url: {header: Location}}
    status: {path: "{{ export.url }}"}
    poll: {every: 10s, most: 10m, max_wait: 1h}
    discard: {method: DELETE, path: "{{ export.url }}"}
resources:
  things: {path: /things, records: records, key: [id], columns: {id: text}}
  others: {key: [id], columns: {id: text}, format: ndjson, export: {of: everything, files: "output"}}
"""
ELSEWHERE = "https://elsewhere.example"
NOBODY_THERE = "https://127.0.0.2:1"
"""Another origin, and no loopback one by its name."""


class Provider:
    def __init__(self, source: Source) -> None:
        self.given: list[str] = []
        self.user, self.status = "ada", 200
        source.answer = self._answer

    def _answer(self, seen: Seen) -> Reply:
        if seen.path == "/authorize":
            back = urlencode({"code": "c", "state": seen.query["state"]})
            return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{back}"})
        if seen.path == "/token":
            self.given.append(f"access-{len(self.given) + 1}")
            token = {"access_token": self.given[-1], "refresh_token": f"refresh-{len(self.given)}"}
            return Reply({**token, "expires_in": 3600, "user": self.user})
        return Reply({"records": [{"id": "1"}]}, status=self.status)


@pytest.fixture
def connector(tmp_path: Path) -> Path:
    file = tmp_path / "connectors" / "made.yaml"
    file.parent.mkdir()
    file.write_text(SIGNS_IN)
    return file


@pytest.fixture
def provider(
    source: Source, connector: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Provider:
    """Somebody has signed in there, as ada."""

    def browser(url: str) -> bool:
        options = {"follow_redirects": True, "timeout": 10.0}
        threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    monkeypatch.setenv("MADE_REDIRECT", f"http://localhost:{free_port}/callback")
    monkeypatch.setenv("HDE_PATIENCE", "0.001")
    provider = Provider(source)
    found = call("auth", "made")
    assert found.code == 0, found.said
    return provider


def stored(account: str = "ada") -> Stored:
    found = FileTokens(home() / ".token_store.json", find_key(home())).read("made", account)
    assert found is not None
    return found


def agreed(url: str) -> list[tuple[str, list[str]]]:
    return ask(url, "SELECT external_id, origins FROM meta.connections ORDER BY id")


def test_a_stored_sign_in_is_not_sent_to_a_new_origin(
    provider: Provider, connector: Path, source: Source, database_url: str
) -> None:
    connector.write_text(REVOKES_ELSEWHERE)
    before = len(source.seen)
    for command in (["run", "made"], ["preview", "made", "things"], ["disconnect", "made", "--yes"]):
        found = call(*command)
        assert found.code == 3, command
        assert f"{ELSEWHERE} now, and did not when you signed in" in found.err
        assert found.err.endswith("sign in there: hde auth made\n")
    assert len(source.seen) == before

    found = call("auth", "made")
    assert found.code == 0, found.said
    assert f"Requests go to {ELSEWHERE} now: the sign-in of account ada is not sent there" in found.err
    assert "works" not in found.said
    assert "signed in as account ada" in found.out
    assert "hde forget --account made/ada" in found.err, "it may be another person's id there"
    since = source.seen[before:]
    assert [seen.path for seen in since] == ["/authorize", "/token"]
    assert not any("access-1" in str(seen) or "refresh-1" in str(seen) for seen in since)
    assert agreed(database_url) == [("ada", [ELSEWHERE])]
    assert stored().token.access == "access-2"
    assert "account ada works. Nothing to do" in call("auth", "made").out


def test_a_sign_in_that_fails_elsewhere_replaces_and_agrees_to_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, connector: Path, database_url: str
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    connector.write_text(UNATTENDED)
    monkeypatch.setenv("MADE_URL", NOBODY_THERE)
    found = call("auth", "made")
    assert found.code == 1
    assert f"Requests go to {NOBODY_THERE} now" in found.err
    assert agreed(database_url) == [("ada", [])]
    assert stored().token.access == "access-1"
    assert call("run", "made").code == 3


def test_another_account_elsewhere_leaves_the_first_where_it_was(
    provider: Provider, connector: Path, database_url: str
) -> None:
    connector.write_text(REVOKES_ELSEWHERE)
    provider.user = "grace"
    found = call("auth", "made")
    assert "signed in as account grace" in found.out
    assert "forget" not in found.err
    assert agreed(database_url) == [("ada", []), ("grace", [ELSEWHERE])]
    assert stored("ada").token.access == "access-1"
    assert call("run", "made", "--account", "ada").code == 3
    assert call("run", "made", "--account", "grace").code == 0


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (418, 1, "answers 418\nSo it is not known whether the stored sign-in works. Anew: hde auth made --force"),
        (403, 1, "the source gives none of things to this account\nSo it is not known"),
        (401, 0, "signed in as account ada"),
    ],
)
def test_only_a_request_that_succeeded_shows_that_a_sign_in_works(
    status: int, code: int, words: str, provider: Provider
) -> None:
    provider.status = status
    found = call("auth", "made")
    assert found.code == code, found.said
    assert words in found.said
    assert "Nothing to do" not in found.said


def test_who_wrote_a_setting_agrees_to_it_and_is_told(source: Source, connector: Path, database_url: str) -> None:
    connector.write_text(KEYS)
    Provider(source)
    assert call("run", "made", "things").code == 0
    assert call("auth", "made").out == "made: the settings work, account default.\n"
    connector.write_text(KEYS.replace("discard:", f"origins: [{ELSEWHERE}]\n    discard:"))
    assert call("run", "made", "things").code == 3
    found = call("auth", "made")
    assert found.out == f"made: the settings work, account default. Requests go to {ELSEWHERE} now: agreed.\n"
    assert call("run", "made", "things").code == 0


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (SIGNS_IN, "MADE_URL leads to http://192.0.2.2"),
        (UNATTENDED, "MADE_URL leads to http://192.0.2.2"),
        (
            SIGNS_IN.replace('"{{ settings.url }}/token"', "http://192.0.2.2/t?k=v"),
            "auth.token.url leads to http://192.0.2.2",
        ),
    ],
    ids=["code", "client", "written"],
)
def test_nobody_signs_in_over_plain_http(
    said: str, lines: str, connector: Path, source: Source, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    connector.write_text(said)
    monkeypatch.setenv("MADE_REDIRECT", "http://localhost:1/callback")
    monkeypatch.setenv("MADE_URL", source.url if "auth.token" in lines else "http://192.0.2.2/r4")
    found = call("auth", "made")
    assert found.code == 2
    assert found.err == f"hde: made: {lines}, which is not encrypted: nobody signs in there\n"
    assert source.seen == []
