"""A new key for all tokens: killed anywhere, everything can be opened, and the next call finishes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring
import psycopg
import pytest
from rotated_made import KeyringInFile, Rotations

from hde.errors import SignInNeeded, WrongUse
from hde.steps.rotate_key import rotate_key
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, Token
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key
from hde.tokens.seal import SecretKey

TOKENS = {("demo", "me"): Stored(Token("a", "b"), 3, 5.0), ("demo", "you"): Stored(Token("c", "d"), 2)}
IN_DATABASE = {("made", "me"): Stored(Token("e", "f"), 7), ("demo", "me"): Stored(Token("g", "h"), 1, 2.5)}
OLD, NEW = "b" * 43, "c" * 43


@dataclass
class Home:
    """A home with tokens in its file and in its database."""

    path: Path
    database: Database

    def files(self, key: SecretKey) -> FileTokens:
        return FileTokens(self.path / ".token_store.json", key)

    def write(self, key: SecretKey) -> None:
        for store, tokens in ((self.files(key), TOKENS), (DatabaseTokens(self.database, key), IN_DATABASE)):
            for (connector, account), stored in tokens.items():
                store.write(connector, account, stored)

    def read(self, key: SecretKey) -> list[dict[tuple[str, str], Stored | None]]:
        stores = (self.files(key), TOKENS), (DatabaseTokens(self.database, key), IN_DATABASE)
        return [{one: store.read(*one) for one in tokens} for store, tokens in stores]

    def sealed(self) -> list[str]:
        held = json.loads((self.path / ".token_store.json").read_text())
        with psycopg.connect(self.database.conninfo) as connection:
            rows = connection.execute("SELECT sealed FROM meta.tokens").fetchall()
        return [entry["sealed"] for of in held.values() for entry in of.values()] + [row[0] for row in rows]


@pytest.fixture(scope="module")
def rotations() -> Iterator[Rotations]:
    rotations = Rotations()
    yield rotations
    rotations.close()


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    (tmp_path / "home").mkdir(mode=0o700)
    return Home(tmp_path / "home", database)


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Path]:
    before = keyring.get_keyring()
    keyring.set_keyring(KeyringInFile(tmp_path / "ring"))
    yield tmp_path / "ring"
    keyring.set_keyring(before)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("kind", ["key file", "keyring", "setting"])
def test_killed_at_any_instant_all_tokens_can_be_opened_and_the_next_call_finishes(
    home, rotations, monkeypatch, request, tmp_path, kind
):
    ring = request.getfixturevalue("ring") if kind == "keyring" else None
    said = {"HDE_SECRET_KEY": NEW, "HDE_FORMER_SECRET_KEY": OLD} if kind == "setting" else {}
    old = find_key(home.path, {"HDE_SECRET_KEY": OLD} if said else None)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    shutil.copytree(home.path, tmp_path / "was")
    in_ring = ring.read_text() if ring else ""
    instant = 1
    while True:
        shutil.rmtree(home.path)
        shutil.copytree(tmp_path / "was", home.path)
        if ring:
            ring.write_text(in_ring)
        home.write(old)
        if not rotations.is_killed(home.path, home.database.conninfo, ring, said, instant):
            break
        assert home.read(find_key(home.path)) == [TOKENS, IN_DATABASE]
        if not said:
            assert home.read(old) == [TOKENS, IN_DATABASE], "a process that began before"
        rotate_key(home.database, home.path)
        expect_rotated(home, old)
        instant += 1
    expect_rotated(home, old)
    assert instant > 10


def expect_rotated(home: Home, old: SecretKey) -> None:
    key = find_key(home.path)
    assert key.id != old.id
    assert all(key.has_sealed(one) for one in home.sealed())
    assert home.read(SecretKey(key.raw)) == [TOKENS, IN_DATABASE], "without any other key"
    with pytest.raises(SignInNeeded, match="another key"):
        home.read(SecretKey(old.raw))
    assert {one.name for one in home.path.iterdir() if one.suffix not in (".lock", ".at", ".room")} <= {
        ".token_store.json", "secret.key", "secret.key.former",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["key file", "keyring"])
def test_the_former_key_opens_an_older_copy_until_the_next_rotation(home, request, kind):
    if kind == "keyring":
        request.getfixturevalue("ring")
    home.write(find_key(home.path))
    copy = (home.path / ".token_store.json").read_bytes()
    rotate_key(home.database, home.path)
    (home.path / ".token_store.json").write_bytes(copy)
    assert home.read(find_key(home.path)) == [TOKENS, IN_DATABASE]
    rotate_key(home.database, home.path)
    rotate_key(home.database, home.path)
    (home.path / ".token_store.json").write_bytes(copy)
    with pytest.raises(SignInNeeded, match="another key"):
        home.read(find_key(home.path))


@pytest.mark.parametrize("to", ["setting", "home"])
def test_a_key_may_move_between_the_setting_and_the_home(home, monkeypatch, to):
    said = {"HDE_SECRET_KEY": NEW}
    home.write(find_key(home.path, {} if to == "setting" else said))
    monkeypatch.setenv("HDE_SECRET_KEY" if to == "setting" else "HDE_FORMER_SECRET_KEY", NEW)
    assert home.read(find_key(home.path)) == [TOKENS, IN_DATABASE], "readable before anything is rotated"
    done = rotate_key(home.database, home.path)
    assert (done.tokens.changed, done.tokens.left) == (4, ())
    assert home.read(SecretKey(find_key(home.path).raw)) == [TOKENS, IN_DATABASE]


def test_what_no_key_opens_is_left_as_it_is_and_named(home, monkeypatch):
    home.write(find_key(home.path))
    DatabaseTokens(home.database, SecretKey(b"x" * 32)).write("lost", "me", Stored(Token("z")))
    lost = [one for one in home.sealed() if one.split(".")[1].startswith(SecretKey(b"x" * 32).id)]
    done = rotate_key(home.database, home.path)
    assert done.tokens.changed == 4
    [(connector, account, why)] = done.tokens.left
    assert (connector, account) == ("lost", "me")
    assert "another key" in why
    assert set(lost) <= set(home.sealed())
    monkeypatch.setenv("HDE_FORMER_SECRET_KEY", "eHh4" * 10 + "eHg=")
    assert rotate_key(home.database, home.path).tokens.changed == 5


def test_a_setting_that_did_not_change_is_no_new_key(home, monkeypatch):
    monkeypatch.setenv("HDE_SECRET_KEY", OLD)
    home.write(find_key(home.path))
    was = home.sealed()
    with pytest.raises(WrongUse, match="set HDE_SECRET_KEY to it and HDE_FORMER_SECRET_KEY to the present one"):
        rotate_key(home.database, home.path)
    assert home.sealed() == was
