"""`hde auth`: through the browser or a pasted address, once, one connection a person, tokens sealed at rest."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from loopback_made import Reply, Seen, Source
from run_made import ask, call, ended, ending, start

from hde.places import home
from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID

SIGNS_IN = """
name: made
settings: {url: {}, redirect: {}}
http: {base_url: "{{ settings.url }}"}
auth:
  kind: oauth2_code
  client: {id: us, send: body}
  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}", scopes: [all]}
  token: {url: "{{ settings.url }}/token"}
account: {path: /me, id: id}
resources:
  profile: {path: /me, key: [id], columns: {id: text}}
"""


@pytest.fixture
def unsigned(
    serve: Callable[..., whoop.Sandbox], free_port: int, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> whoop.Sandbox:
    """A sandbox whose member consents at once, and nobody signed in."""
    sandbox = serve(auto_consent=True)
    (home() / ".token_store.json").unlink()
    monkeypatch.setenv("WHOOP_REDIRECT_URI", f"http://localhost:{free_port}/callback")
    return sandbox


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the person's browser: follows where it is sent. The addresses it was given."""
    opened: list[str] = []

    def open_(url: str) -> bool:
        opened.append(url)
        options = {"follow_redirects": True, "timeout": 10.0}
        threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    return opened


def test_without_a_sign_in_a_run_says_what_to_do(unsigned: whoop.Sandbox) -> None:
    found = call("run", "whoop")
    assert found.code == 3
    assert found.err == "hde: Not signed in at WHOOP yet. Run: hde auth whoop\n"


def test_without_a_client_every_variable_that_is_missing_is_named(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WHOOP_CLIENT_ID", "WHOOP_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for command in ("auth", "run"):
        found = call(command, "whoop")
        assert found.code == 2
        assert "WHOOP_CLIENT_ID" in found.err
        assert "WHOOP_CLIENT_SECRET" in found.err
        assert ".env" in found.err


def test_the_browser_signs_in_and_a_working_token_is_left_alone(
    unsigned: whoop.Sandbox, browser: list[str], database_url: str
) -> None:
    first = call("auth", "whoop")
    assert first.code == 0, first.said
    assert f"signed in as account {USER_ID}" in first.out
    assert "hde run whoop" in first.out
    assert len(browser) == 1
    again = call("auth", "whoop")
    assert again.code == 0
    assert "Nothing to do" in again.out
    assert len(browser) == 1
    assert call("auth", "whoop", "--force").code == 0
    assert len(browser) == 2
    assert ask(database_url, "SELECT external_id FROM meta.connections") == [str(USER_ID)]
    assert call("run", "whoop", "user_basic_profile").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_tokens_lie_in_a_file_nobody_else_can_read_and_sealed(unsigned: whoop.Sandbox, browser: list[str]) -> None:
    assert call("auth", "whoop").code == 0
    file = home() / ".token_store.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    for token in issued(unsigned):
        assert token not in file.read_text()


def test_tokens_can_lie_in_the_database_sealed(
    unsigned: whoop.Sandbox, browser: list[str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDE_TOKEN_STORE", "database")
    assert call("auth", "whoop").code == 0
    assert not (home() / ".token_store.json").exists()
    (row,) = ask(database_url, "SELECT tokens::text FROM meta.tokens")
    assert all(token not in row for token in issued(unsigned))
    assert call("run", "whoop", "user_basic_profile").code == 0
    monkeypatch.setenv("HDE_TOKEN_STORE", "drawer")
    assert call("run", "whoop").code == 2


def test_an_address_can_be_pasted_where_there_is_no_browser(unsigned: whoop.Sandbox) -> None:
    with ending(start("auth", "whoop", "--no-browser")) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        url = next(line for line in process.stderr if line.startswith("http")).strip()
        answer = httpx.get(url, follow_redirects=False)
        process.stdin.write("https://localhost/nothing\n")
        process.stdin.write(answer.headers["location"] + "\n")
        process.stdin.flush()
        found = ended(process)
    assert found.code == 0, found.said
    assert "not the answer to this sign-in" in found.err
    assert f"signed in as account {USER_ID}" in found.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("arguments", [(), ("--no-browser",)], ids=["browser", "pasting"])
def test_the_first_ctrl_c_ends_the_waiting_for_a_person(
    unsigned: whoop.Sandbox, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with ending(start("auth", "whoop", *arguments, BROWSER="true")) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("http"))
        os.kill(process.pid, signal.SIGINT)
        found = ended(process, within=10)
    assert found.code == 130
    assert "Traceback" not in found.err


def test_a_declined_consent_is_three(serve: Callable[..., whoop.Sandbox], database_url: str) -> None:
    serve()
    (home() / ".token_store.json").unlink()
    with ending(start("auth", "whoop", "--no-browser")) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        url = next(line for line in process.stderr if line.startswith("http")).strip()
        state = str(httpx.URL(url).params["state"])
        process.stdin.write(f"http://localhost/callback?error=access_denied&state={state}\n")
        process.stdin.flush()
        found = ended(process)
    assert found.code == 3
    assert "refused (access_denied)" in found.err


def test_another_person_becomes_another_connection(
    source: Source,
    browser: list[str],
    free_port: int,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "made.yaml").write_text(SIGNS_IN)
    monkeypatch.setenv("MADE_REDIRECT", f"http://localhost:{free_port}/callback")
    people = ["ada", "grace"]

    def answer(seen: Seen) -> Reply:
        match seen.path:
            case "/authorize":
                given = urlencode({"code": people[0], "state": seen.query["state"]})
                return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{given}"})
            case "/token":
                code = seen.form["code"]
                return Reply({"access_token": f"{code}-access", "refresh_token": f"{code}-refresh", "expires_in": 3600})
        bearer = re.fullmatch(r"Bearer (\w+)-access", seen.headers.get("authorization", ""))
        return Reply({"id": bearer[1]}) if bearer else Reply(status=401)

    source.answer = answer
    assert call("auth", "made").code == 0
    people.pop(0)
    found = call("auth", "made", "--force")
    assert "signed in as account grace" in found.out
    assert ask(database_url, "SELECT external_id FROM meta.connections ORDER BY id") == ["ada", "grace"]
    assert call("run", "made").code == 2
    for person in ("ada", "grace"):
        assert call("run", "made", "--account", person).code == 0
    rows = ask(
        database_url, "SELECT external_id, p.id FROM made_raw.profile p JOIN meta.connections c ON c.id = _account"
    )
    assert sorted(rows) == [("ada", "ada"), ("grace", "grace")]


def test_disconnecting_withdraws_the_grant_and_keeps_the_records(
    serve: Callable[..., whoop.Sandbox], database_url: str
) -> None:
    sandbox = serve()
    assert call("run", "whoop", "user_basic_profile").code == 0
    assert issued(sandbox)
    found = call("disconnect", "whoop", "--yes")
    assert found.code == 0, found.said
    assert f"account {USER_ID} is disconnected: the source has withdrawn the grant" in found.out
    assert ask(database_url, "SELECT user_id FROM whoop_raw.user_basic_profile") == [USER_ID]
    assert ask(database_url, "SELECT status FROM meta.connections") == ["disconnected"]
    assert call("run", "whoop").code == 3
    assert [grant.revoked for grant in sandbox._world.oauth._refresh.values()] == [True]


def issued(sandbox: whoop.Sandbox) -> set[str]:
    """Every token and code the sandbox has given out."""
    server = sandbox._world.oauth
    return {*server._access, *server._refresh, *server._codes}


@pytest.mark.parametrize("verbose", [(), ("-v",)], ids=["plain", "verbose"])
def test_no_secret_is_ever_printed(
    unsigned: whoop.Sandbox, verbose: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ""
    with ending(start(*verbose, "auth", "whoop", "--no-browser")) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("http"):
                break
        location = httpx.get(lines[-1].strip(), follow_redirects=False).headers["location"]
        process.stdin.write(location + "\n")
        process.stdin.flush()
        said += "".join(lines) + ended(process).said
    unsigned.advance(hours=2)  # the token has ended: a refresh, too
    said += ended(start(*verbose, "run", "whoop")).said
    unsigned.fail(400)
    said += ended(start(*verbose, "run", "whoop", "--full")).said
    unsigned._world.oauth.revoke_all()
    said += ended(start(*verbose, "run", "whoop")).said
    said += ended(start(*verbose, "run", "whoop", WHOOP_CLIENT_SECRET="not-the-secret")).said
    assert unsigned.refreshes
    if verbose:
        assert "HTTP Request" in said, "httpx logs, and what it logs was looked at"
    for secret in {unsigned.client_secret, "not-the-secret", *issued(unsigned)}:
        assert secret not in said
    email = "robin.sand"
    assert email not in said
