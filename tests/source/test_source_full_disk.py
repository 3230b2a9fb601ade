"""A token store that cannot be written: no token is spent, and what was there is there."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from oauth_made import KEY, Provider, ask, token
from source_made import Source

from hde.errors import DatabaseUnreachable, WrongUse
from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored
from hde.tokens.file import FileTokens

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits and mounts of POSIX")

HELD = Stored(token(expires_in=-1))


def files(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.suffix != ".lock"}


@pytest.mark.parametrize("more", [-100, 0, 200])
def test_without_room_for_the_answer_nothing_is_asked(source, provider, processes, tmp_path, stop, more):
    """-100: not even the mark can be written. 200: the mark can, an answer that is longer than the token could not."""
    path = tmp_path / "home" / "tokens.json"
    store = FileTokens(path, KEY)
    store.write("demo", "me", HELD)
    was = files(path.parent)
    [ended] = processes.run(source, store, str(path), f"no file larger than {path.stat().st_size + more}")
    assert ended.code == 1
    assert ended.said.strip().splitlines()[-1] == (
        f"hde.errors.WrongUse: {path} cannot be written (File too large): tokens are stored there;"
        " what it holds is as it was"
    )
    assert files(path.parent) == was
    assert provider.refreshes == []
    assert ask(source, store, stop)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with suppress(OSError), (folder / "ballast").open("ab", buffering=0) as file:
        while file.write(bytes(1024)):
            pass


def test_on_a_full_disk_nothing_is_asked(source: Source, provider: Provider, stop: threading.Event, small_disk: Path):
    store = FileTokens(small_disk / "tokens.json", KEY)
    store.write("demo", "me", HELD)
    fill(small_disk)
    was = files(small_disk)
    with pytest.raises(WrongUse, match=r"cannot be written \(No space left on device\).*is as it was$"):
        ask(source, store, stop)
    assert files(small_disk) == was
    assert provider.refreshes == []
    (small_disk / "ballast").unlink()
    assert ask(source, store, stop)


def test_a_disk_that_fills_while_the_answer_is_awaited_holds_it_all_the_same(
    source: Source, provider: Provider, stop: threading.Event, small_disk: Path
) -> None:
    store = FileTokens(small_disk / "tokens.json", KEY)
    store.write("demo", "me", HELD)
    provider.before = lambda: fill(small_disk)
    assert ask(source, store, stop)
    stored = store.read("demo", "me")
    assert stored is not None
    assert (stored.token.refresh, stored.generation) == ("refresh-1", 2)
    assert [entry.name for entry in small_disk.iterdir() if entry.suffix in (".room", ".new")] == []


def test_a_database_that_cannot_be_written_spends_no_token(
    source: Source, provider: Provider, stop: threading.Event, database: Database
) -> None:
    store = DatabaseTokens(database, KEY)
    store.write("demo", "me", HELD)
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute("ALTER DATABASE for_a_test SET default_transaction_read_only = on")
    with pytest.raises(DatabaseUnreachable) as caught:
        ask(source, store, stop)
    assert str(caught.value).startswith(
        "meta.tokens in the database cannot be written; what it holds is as it was:"
        " the embedded database: it only reads; PostgreSQL error 25006 (ReadOnlySqlTransaction)."
    )
    assert provider.refreshes == []
    assert store.read("demo", "me") == HELD
