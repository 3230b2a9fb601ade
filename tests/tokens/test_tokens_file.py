"""Tokens at rest: sealed, private, whole, and never lost to a damaged file or a wrong key."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from hde.errors import SignInNeeded, WrongUse
from hde.tokens import Stored, Token
from hde.tokens import file as tokens_file
from hde.tokens.file import FileTokens
from hde.tokens.seal import SecretKey

KEY = SecretKey(b"a" * 32)
TOKEN = Token("access-text", "refresh-text", 1.5e9, {"scope": "a b", "patient": 5})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "tokens.json"


@pytest.fixture
def store(path: Path) -> FileTokens:
    return FileTokens(path, KEY)


def test_what_is_written_is_read(store):
    assert store.read("demo", "me") is None
    assert store.accounts("demo") == []
    stored = Stored(TOKEN, 3, 12.5)
    store.write("demo", "me", stored)
    store.write("demo", "b", Stored(Token("x")))
    store.write("other", "me", Stored(Token("y")))
    assert store.read("demo", "me") == stored
    assert store.accounts("demo") == ["b", "me"]
    store.remove("demo", "me")
    store.remove("demo", "nobody")
    assert store.accounts("demo") == ["b"]
    assert store.read("other", "me") == Stored(Token("y"))


def test_nothing_readable_lies_in_the_file(store, path):
    store.write("demo", "me", Stored(TOKEN))
    text = path.read_text()
    assert "access-text" not in text
    assert "refresh-text" not in text
    assert set(json.loads(text)["demo"]["me"]) == {"generation", "refreshing_since", "sealed"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_files_are_the_owners_alone(store, path):
    old = os.umask(0)
    try:
        store.write("demo", "me", Stored(TOKEN))
        with store.locked("demo", "me"):
            pass
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "{", "[]", '{"demo": 5}', '{"demo": {"me": "x"}}', "\xff"])
def test_a_damaged_file_is_named_and_left_alone(store, path, text):
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    for act in (
        lambda: store.read("demo", "me"),
        lambda: store.write("demo", "me", Stored(TOKEN)),
        lambda: store.remove("demo", "me"),
    ):
        with pytest.raises(WrongUse, match=r"tokens\.json is damaged"):
            act()
    assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("entry", [{}, {"generation": "1", "sealed": "x"}, {"generation": 1}])
def test_a_damaged_entry_is_named(store, path, entry):
    path.parent.mkdir()
    path.write_text(json.dumps({"demo": {"me": entry}}))
    with pytest.raises(WrongUse, match="damaged"):
        store.read("demo", "me")


def test_a_failing_write_leaves_what_was_there(store, path, monkeypatch):
    store.write("demo", "me", Stored(TOKEN))
    before = path.read_bytes()

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tokens_file.os, "replace", full)
    with pytest.raises(WrongUse, match="cannot be written"):
        store.write("demo", "me", Stored(Token("new")))
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir() if entry.suffix == ".new"] == []


@pytest.mark.parametrize(("act", "what"), [("replace", "written"), ("read_bytes", "read")])
@pytest.mark.parametrize("refusals", [2, 10_000])
def test_a_file_that_others_have_open_is_tried_again(store, path, monkeypatch, act, what, refusals):
    """Windows neither replaces nor opens a file at the moment another process reads or replaces it."""
    store.write("demo", "me", Stored(TOKEN))
    place = tokens_file.os if act == "replace" else Path
    really, asked = getattr(place, act), []

    def refusing(*given: object) -> object:
        asked.append(given)
        if len(asked) <= refusals:
            raise PermissionError(13, "Permission denied")
        return really(*given)

    monkeypatch.setattr(tokens_file, "IN_USE", 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(place, act, refusing)
        if refusals == 2:
            store.write("demo", "me", Stored(Token("new")))
        else:
            with pytest.raises(WrongUse, match=f"cannot be {what}"):
                store.write("demo", "me", Stored(Token("new")))
    assert store.read("demo", "me").token.access == ("new" if refusals == 2 else "access-text")
    assert [entry.name for entry in path.parent.iterdir() if entry.suffix == ".new"] == []


def test_a_place_that_cannot_hold_tokens_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    store = FileTokens(tmp_path / "file" / "tokens.json", KEY)
    for act in (lambda: store.write("demo", "me", Stored(TOKEN)), lambda: store.read("demo", "me")):
        with pytest.raises(WrongUse, match="file"):
            act()


def test_another_key_is_said_and_destroys_nothing(store, path):
    store.write("demo", "me", Stored(TOKEN))
    before = path.read_bytes()
    other = FileTokens(path, SecretKey(b"b" * 32, "HDE_SECRET_KEY"))
    with pytest.raises(SignInNeeded, match=r"another key.*HDE_SECRET_KEY"):
        other.read("demo", "me")
    assert other.accounts("demo") == ["me"]
    assert path.read_bytes() == before
    other.write("demo", "b", Stored(Token("x")))
    assert store.read("demo", "me") == Stored(TOKEN)


def test_a_token_opens_for_its_own_account_only(store, path):
    store.write("demo", "me", Stored(TOKEN))
    entries = json.loads(path.read_text())
    entries["demo"]["you"] = entries["demo"]["me"]
    path.write_text(json.dumps(entries))
    with pytest.raises(SignInNeeded, match="copied from another account"):
        store.read("demo", "you")


@pytest.mark.parametrize("sealed", ["", "v1", "v1.x.y", "garbage", "v1.{id}.!!!", "v1.{id}.AAAA"])
def test_a_changed_token_does_not_open(sealed):
    with pytest.raises(SignInNeeded):
        KEY.open(sealed.replace("{id}", KEY.id), "demo", "me")


def test_writers_do_not_lose_each_others_tokens(store):
    def write(account: int) -> None:
        for generation in range(1, 6):
            store.write("demo", str(account), Stored(TOKEN, generation))

    threads = [threading.Thread(target=write, args=(account,)) for account in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.read("demo", account).generation for account in store.accounts("demo")] == [5] * 6


def test_a_lock_is_held_against_others_of_the_same_account_only(store, monkeypatch):
    monkeypatch.setattr(tokens_file, "LONGEST_WAIT", 0.1)
    with store.locked("demo", "me"):
        store.write("demo", "me", Stored(TOKEN))
        with store.locked("demo", "you"):
            pass
        with pytest.raises(WrongUse, match="another hde"), store.locked("demo", "me"):
            pass
    with store.locked("demo", "me"):
        pass


def test_keys_and_tokens_cannot_be_printed():
    printed = repr(KEY) + repr(TOKEN) + repr(Stored(TOKEN)) + str(TOKEN)
    assert "aaaa" not in printed
    assert "access-text" not in printed
    assert "patient" not in printed
