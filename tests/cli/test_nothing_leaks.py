"""Every command at `-v`, against a source that fails in every way and repeats what it knows: no credential and no
health value is said, logged, or left in a file; ledger and issues say where something is wrong, never what it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from killed_made import own_server
from leaks_made import NUMBER, SECRET, VALUE, Provider, command_lines, files_with, write_made
from loopback_made import Source

from hde.store import embedded
from hde.store.embedded import place

MARKS = (VALUE, str(NUMBER), SECRET)
MOODS = {
    "well": 0, "bad records": 1, "refuses": 1, "breaks": 1, "html": 1, "cut off": 1, "elsewhere listed": 1,
    "says wrong": 1, "next elsewhere": 1, "redirects": 1, "expired": 0,
}  # fmt: skip
"""What the source does, and the exit code of the run that meets it."""
SHOWS_VALUES = (
    ("preview", "made", "notes"),
    ("record", "made", "notes", "--pages", "1"),
    ("why", "made_raw.notes", "g1"),
    ("plan", "made"),
    ("query", "SELECT note FROM made_raw.notes"),
    ("query", "SELECT note::int FROM made_raw.notes"),  # Postgres names the text it could not cast
)
"""They exist to show records to whoever asks; credentials are no part of those."""
SHOWS_NONE = (
    ("status",), ("status", "--json"), ("validate",), ("test",), ("remap", "made"), ("db", "url"), ("migrate",),
    ("why", "made_raw.notes", "?"),
    ("export", "--to", "out"), ("disconnect", "made", "--yes"), ("forget", "--account", "made/member", "--yes"),
)  # fmt: skip


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_server(monkeypatch) as home, embedded.attached(home):
        yield home


@pytest.fixture
def provider(home: Path, source: Source, tmp_path: Path, agreeing: str, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Signed in; the current folder holds its connector."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("HDE_SECRET_KEY", f"{SECRET}-of-this-machine")
    monkeypatch.setenv("MADE_SECRET", f"{SECRET}-of-the-client")
    monkeypatch.setenv("HDE_PATIENCE", "0.001")
    write_made(tmp_path)
    provider = Provider(source)
    assert provider.hde("auth", "made").code == 0
    return provider


def test_no_credential_and_no_health_value_leaves_its_place(
    provider: Provider, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for mood, code in MOODS.items():
        provider.mood = mood
        assert provider.hde("run", "made", "--full").code == code, mood
    break_tables(home)
    provider.mood = "revised"
    assert provider.hde("run", "made", "--full").code == 1
    mend_tables(home)
    for arguments in SHOWS_VALUES:
        found = provider.hde(*arguments)
        assert SECRET not in found.said, found.said
    said_by_design = len(provider.said)
    ledger = everything_in_meta(home)
    for arguments in SHOWS_NONE:
        provider.hde(*arguments)
    provider.mood = "no token"
    provider.hde("auth", "made")

    heard = [one.said for one in provider.said[: said_by_design - len(SHOWS_VALUES)] + provider.said[said_by_design:]]
    for mark in MARKS:
        assert [text for text in heard if mark in text] == []
        assert [text for text in caplog.messages if mark in text] == []
        assert [row for row in ledger if mark in row] == []
        assert [line for line in provider.arguments if mark in line] == []
    kept = place.find_place(home)
    assert files_with(SECRET, home, kept.base, tmp_path) == []
    assert (
        files_with(VALUE, home, kept.base, tmp_path, but=(kept.data / "base", kept.data / "pg_wal", *shown(tmp_path)))
        == []
    )


def test_the_databases_password_stands_in_its_file_only(provider: Provider, home: Path, tmp_path: Path) -> None:
    kept = place.find_place(home)
    (password,) = {line.rsplit(":", 1)[1] for line in kept.passfile.read_text().split()}
    for arguments in (("run", "made"), ("status",), ("db", "url"), ("query", "SELECT 1/0")):
        provider.hde(*arguments)
    assert [one.said for one in provider.said if password in one.said] == []
    assert [line for line in (*provider.arguments, *command_lines()) if password in line] == []
    assert files_with(password, home, kept.base, tmp_path) == [kept.passfile]


def break_tables(home: Path) -> None:
    """Rows are refused by Postgres itself, whose DETAIL and CONTEXT then hold them."""
    on(home, "ALTER TABLE made_raw.notes ADD CONSTRAINT no_notes CHECK (note IS NULL AND day IS NOT NULL) NOT VALID")


def mend_tables(home: Path) -> None:
    on(home, "ALTER TABLE made_raw.notes DROP CONSTRAINT no_notes")


def on(home: Path, sql: str) -> None:
    with embedded.attached(home) as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute(sql.encode())


def everything_in_meta(home: Path) -> list[str]:
    """Each row of the ledger as text."""
    with embedded.attached(home) as conninfo, psycopg.connect(conninfo) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'meta'").fetchall()
        rows = [connection.execute(f"SELECT t::text FROM meta.{name} t".encode()).fetchall() for (name,) in tables]
    return [text for of in rows for (text,) in of]


def shown(folder: Path) -> tuple[Path, ...]:
    """What was written for whoever asked for it: an export, fixtures with everybody in them made up."""
    return folder / "out", folder / "mappings"
