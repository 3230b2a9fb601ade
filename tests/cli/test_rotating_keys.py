"""`hde auth rotate-key`, as a person meets it."""

from __future__ import annotations

import json

import pytest
from run_made import call, keep_token

from hde.places import home
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, Token
from hde.tokens.seal import SecretKey

ONE, OTHER = "the first key of this home", "the second key of this home"


def token_of(account: str) -> None:
    keep_token({"access_token": "marked-a", "refresh_token": "marked-r"}, account=account, connector="made")


def sealed() -> list[str]:
    return [entry["sealed"] for entry in json.loads((home() / ".token_store.json").read_text())["made"].values()]


def test_a_key_file_is_made_anew_and_no_key_is_printed(database_url: str) -> None:
    token_of("ada")
    token_of("grace")
    was, key = sealed(), (home() / "secret.key").read_text()
    found = call("auth", "rotate-key", "-v")
    assert (found.code, found.out) == (
        0, f"2 tokens are encrypted with the new key, from {home() / 'secret.key'}; 0 were before.\n",
    )  # fmt: skip
    new = (home() / "secret.key").read_text()
    assert new != key
    assert set(sealed()).isdisjoint(was)
    assert not any(text in found.said for text in (key, new, "marked"))


def test_with_a_setting_the_former_key_is_given_as_well(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDE_SECRET_KEY", ONE)
    token_of("ada")
    found = call("auth", "rotate-key")
    assert (found.code, found.err) == (
        2,
        "hde: every token is sealed with the key in HDE_SECRET_KEY already\n"
        "for another one: set HDE_SECRET_KEY to it and HDE_FORMER_SECRET_KEY to the present one, then run this again\n",
    )
    monkeypatch.setenv("HDE_SECRET_KEY", OTHER)
    assert call("auth", "rotate-key").code == 1
    monkeypatch.setenv("HDE_FORMER_SECRET_KEY", ONE)
    for line in ("1 token is encrypted with the new key, from HDE_SECRET_KEY; 0 were before.",
                 "0 tokens are encrypted with the new key, from HDE_SECRET_KEY; 1 were before."):  # fmt: skip
        found = call("auth", "rotate-key")
        assert (found.code, found.out) == (
            0, f"{line}\nHDE_FORMER_SECRET_KEY is needed no longer than commands run that were started with it.\n",
        )  # fmt: skip
        assert ONE not in found.said
        assert OTHER not in found.said
    monkeypatch.delenv("HDE_FORMER_SECRET_KEY")
    assert call("auth", "rotate-key").code == 2


def test_a_token_that_no_key_opens_is_named(database: Database, database_url: str) -> None:
    token_of("ada")
    DatabaseTokens(database, SecretKey(b"x" * 32, "memory", "s")).write("made", "eve", Stored(Token("z")))
    found = call("auth", "rotate-key")
    assert found.code == 1
    assert "1 token is encrypted" in found.out
    assert found.err.startswith("made, account eve: left as it was: the made token was encrypted with another key")
    assert "a former HDE_SECRET_KEY" in found.err


def test_it_explains_itself() -> None:
    found = call("auth", "rotate-key", "--help")
    assert found.code == 0
    assert "HDE_FORMER_SECRET_KEY" in found.out
    assert "hde auth rotate-key [OPTIONS]" in found.out
    assert "rotate-key" in call("auth", "--help").out
