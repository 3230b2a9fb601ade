"""A wrong key, a damaged file, a file that is not ours: a clear word, and every byte is where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hde.errors import HdeError, SignInNeeded, WrongUse
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, Token
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key
from hde.tokens.seal import SecretKey

HELD = Stored(Token("marked-access", "marked-refresh", 1.5e9), 3)
Change = Callable[[Path], object]


def holds(data: bytes) -> Change:
    return lambda path: path.write_bytes(data)


def has_mode(mode: int) -> Change:
    return lambda path: path.chmod(mode)


def is_of_another(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(path, 54321, -1)


def is_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def sealed_is(change: Callable[[str], str]) -> Change:
    def changed(path: Path) -> None:
        entries = json.loads(path.read_text())
        entries["demo"]["me"]["sealed"] = change(entries["demo"]["me"]["sealed"])
        path.write_text(json.dumps(entries))

    return changed


DAMAGED = r"is damaged, or not a token file of hde, and was left as it is: move it away, then run `hde auth` again$"
POSIX = pytest.mark.skipif(os.name == "nt", reason="owners and modes")
TOKEN_FILES = [
    ("tokens.json", holds(b""), DAMAGED),
    ("tokens.json", holds(b'{"demo": {"me": {"gener'), DAMAGED),
    ("tokens.json", holds(b'{"access_token": "theirs", "expires_in": 5}'), DAMAGED),
    ("tokens.json", holds(b'["of", "another", "program"]'), DAMAGED),
    ("tokens.json", holds(b'{"demo": {"me": {"access": "theirs"}}}'), DAMAGED),
    ("tokens.json", holds(b"SQLite format 3\0\xff"), DAMAGED),
    ("tokens.json", holds(b"[" * 100_000), DAMAGED),
    ("tokens.json", is_folder, r"cannot be read \(.*\); tokens are stored there$"),
    ("tokens.json", sealed_is(lambda text: text[:-9] + "A" + text[-8:]), r"cannot be decrypted.*`hde auth demo`"),
    ("tokens.json", sealed_is(lambda text: "v1.x"), r"another key"),
    ("tokens.json", sealed_is(lambda text: "v9" + text[2:]), r"written by a newer hde: use that one$"),
    pytest.param("tokens.json", has_mode(0o644), r"open to others \(mode 0644\).*\nclose it: chmod 600 ", marks=POSIX),
    pytest.param("tokens.json", has_mode(0o660), r"open to others \(mode 0660\).*\nclose it: chmod 600 ", marks=POSIX),
    pytest.param("tokens.json", is_of_another, r"another user \(uid 54321\) and was left as.*\n.*chown", marks=POSIX),
    ("secret.key", holds(b""), r"does not hold a key: put the right file back, or set HDE_SECRET_KEY$"),
    ("secret.key", holds(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"), r"does not hold a key"),
    ("secret.key", holds(b"\xff\xfe\0"), r"does not hold a key"),
    ("secret.key", holds(b"YWFh" * 10 + b"YWE="), r"another key than .*secret.key.*: with the key of a secret.key"),
    ("secret.key", is_folder, r"cannot be read \(.*\): it holds the key that encrypts tokens$"),
    pytest.param("secret.key", has_mode(0o644), r"open to others \(mode 0644\).*\nclose it: chmod 600 ", marks=POSIX),
    pytest.param("secret.key", is_of_another, r"another user \(uid 54321\) and was left as it is", marks=POSIX),
]  # fmt: skip


def everything(home: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        entry.name: (entry.read_bytes() if entry.is_file() else b"", entry.stat().st_mode, entry.stat().st_uid)
        for entry in home.iterdir()
        if entry.suffix != ".lock"
    }


@pytest.mark.parametrize(("name", "change", "words"), TOKEN_FILES)
def test_what_cannot_be_used_is_said_and_nothing_is_destroyed(tmp_path, name, change, words):
    home = tmp_path / "home"
    FileTokens(home / "tokens.json", find_key(home, use_keyring=False)).write("demo", "me", HELD)
    change(home / name)
    was = everything(home)
    for _ in range(2):
        with pytest.raises(HdeError, match=words) as caught:
            FileTokens(home / "tokens.json", find_key(home, use_keyring=False)).read("demo", "me")
        assert isinstance(caught.value, WrongUse | SignInNeeded)
        assert len(str(caught.value).splitlines()) <= 2
        assert "marked" not in str(caught.value)
        assert everything(home) == was


@pytest.mark.parametrize(
    ("sealed", "words"),
    [
        ("", "cannot be decrypted"),
        ("their own text", "cannot be decrypted"),
        ("v2.abc.def", "newer hde"),
        ("v1.0123456789ab-s.AAAA", r"with a former HDE_SECRET_KEY \(0123456789ab\)\nset HDE_FORMER_SECRET_KEY to"),
        ("v1.0123456789ab-k.AAAA", r"with the key in a keyring \(0123456789ab\)\n.*`keyring get hde HOME`"),
        ("v1.0123456789ab-f.AAAA", r"with the key of a secret.key \(0123456789ab\)\n.*what stands in that file"),
        ("v1.0123456789ab.AAAA", r"with another one \(0123456789ab\)"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_opened_stays_as_it_is(database: Database, sealed: str, words: str) -> None:
    store = DatabaseTokens(database, SecretKey(b"k" * 32, "the keyring", "k"))
    store.write("demo", "me", HELD)
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute("UPDATE meta.tokens SET sealed = %s", (sealed,))
        was = connection.execute("SELECT t::text FROM meta.tokens t").fetchall()
        with pytest.raises(SignInNeeded, match=words):
            store.read("demo", "me")
        assert [(one[0], one[1]) for one in store.reseal().left] == [("demo", "me")]
        assert connection.execute("SELECT t::text FROM meta.tokens t").fetchall() == was


def test_a_key_that_was_being_made_when_it_was_killed_is_no_obstacle(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "secret.key.part").write_bytes(b"YWF")
    key = find_key(home, {}, use_keyring=False)
    assert find_key(home, {}, use_keyring=False) == key
    assert not (home / "secret.key.part").exists()
