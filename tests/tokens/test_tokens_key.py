"""Where the key of a home comes from, and that there is never a second one."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from hde.errors import WrongUse
from hde.tokens.keys import find_key


class Keyring(KeyringBackend):
    """A desktop's keyring, for as long as it is there and open."""

    priority = 5  # type: ignore[assignment]  # what keyring's own backends do

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


@pytest.fixture
def desktop() -> Iterator[Keyring]:
    before = keyring.get_keyring()
    backend = Keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_key_is_taken_from_the_environment_first(tmp_path):
    given = find_key(tmp_path, {"HDE_SECRET_KEY": "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="}, use_keyring=False)
    assert given.raw == b"a" * 32
    words = find_key(tmp_path, {"HDE_SECRET_KEY": "a long enough pass phrase"}, use_keyring=False)
    assert words.raw == find_key(tmp_path, {"HDE_SECRET_KEY": "a long enough pass phrase"}).raw
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WrongUse, match="too short") as caught:
        find_key(tmp_path, {"HDE_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_without_a_keyring_a_key_file_is_made_once_with_a_warning(tmp_path, caplog):
    home = tmp_path / "home"
    with caplog.at_level(logging.WARNING):
        keys = {find_key(home, {}, use_keyring=False).raw for _ in range(3)}
    assert len(keys) == 1
    assert len([record for record in caplog.records if "secret.key" in record.getMessage()]) == 1
    if os.name != "nt":
        assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600


def test_a_damaged_key_file_is_not_replaced(tmp_path):
    (tmp_path / "secret.key").write_text("x")
    with pytest.raises(WrongUse, match="does not hold a key"):
        find_key(tmp_path, {}, use_keyring=False)
    assert (tmp_path / "secret.key").read_text() == "x"


def test_a_keyring_holds_the_key_and_the_home_says_so(home, desktop, caplog):
    keys = {find_key(home, {}).raw for _ in range(3)}
    assert len(keys) == 1
    assert list(desktop.held) == [("hde", str(home.resolve()))]
    assert not (home / "secret.key").exists()
    assert (home / "secret.key.at").read_text().strip() == "keyring"
    assert caplog.records == []


@pytest.mark.parametrize("away", ["no desktop", "locked", "emptied"])
def test_a_run_without_the_keyring_makes_no_second_key(home, desktop, away):
    key = find_key(home, {}).raw
    held = dict(desktop.held)
    if away == "no desktop":
        keyring.set_keyring(NoKeyring())
    elif away == "locked":
        desktop.is_locked = True
    else:
        desktop.held.clear()
    with pytest.raises(WrongUse, match=r"keyring.*\n.*HDE_SECRET_KEY"):
        find_key(home, {})
    assert not (home / "secret.key").exists()
    assert desktop.held in (held, {})
    [text] = held.values()
    assert find_key(home, {"HDE_SECRET_KEY": text}).raw == key
    keyring.set_keyring(desktop)
    desktop.is_locked = False
    desktop.held.update(held)
    assert find_key(home, {}).raw == key


def test_a_home_from_before_the_note_gets_one_and_keeps_its_key(home, desktop):
    key = find_key(home, {}).raw
    (home / "secret.key.at").unlink()
    assert find_key(home, {}).raw == key
    assert (home / "secret.key.at").exists()


def test_a_key_file_stays_the_key_where_a_keyring_comes_later(home, desktop):
    key = find_key(home, {}, use_keyring=False).raw
    assert find_key(home, {}).raw == key
    assert desktop.held == {}
    assert not (home / "secret.key.at").exists()
