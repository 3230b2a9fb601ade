"""An embedded database made by PostgreSQL 15, brought to the version that is run today."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from embedded_made import connected, folder_of_homes, posix

from hde.cli import cli
from hde.errors import DatabaseUnreachable, HdeError, WrongUse
from hde.store import embedded, migrate
from hde.store.database import Database
from hde.store.embedded import binaries, cluster, place
from hde.store.embedded import upgrade as steps
from hde.store.embedded.account import private_file, private_folder
from hde.store.upgrade import upgrade

DEBIANS = Path("/usr/lib/postgresql/15/bin")
pytestmark = [
    posix, pytest.mark.skipif(not (DEBIANS / "initdb").exists(), reason="Debian's postgresql 15 is not installed")
]  # fmt: skip


@pytest.fixture(scope="module")
def of_15() -> Iterator[Path]:
    """A home as an hde of that time would have left it."""
    with folder_of_homes() as folder:
        home = folder / "h"
        home.mkdir()
        where = place.find_place(home)
        private_folder(where.data, where.account)
        private_file(home / "pw", "of-then\n", where.account)
        private_file(where.passfile, "*:*:*:hde:of-then\n", None)
        flags = ("--auth=scram-sha-256", "--username=hde", "--encoding=UTF8", "--locale=C", "--no-sync")
        made = binaries.run(DEBIANS, where, "initdb", *flags, f"--pwfile={home / 'pw'}", f"--pgdata={where.data}")
        assert made.code == 0, made.output
        (home / "pw").unlink()
        private_file(where.log, "", where.account)
        with steps.old_server(where, DEBIANS) as conninfo:
            with psycopg.connect(place.conninfo_of(where, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE hde")
            migrate.upgrade(Database(conninfo))
            with connected(conninfo) as connection:
                connection.execute("INSERT INTO meta.connections (connector, external_id) VALUES ('made', 'someone')")
                connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
        yield home


@pytest.fixture
def old(home: Path, of_15: Path) -> Path:
    shutil.copytree(of_15, home, symlinks=True)
    if os.geteuid() == 0:
        found = (of_15 / "pg").stat()
        for entry in (home / "pg", *(home / "pg").rglob("*"), home / "pg.log"):
            os.chown(entry, found.st_uid, found.st_gid)
    return home


def held(home: Path) -> tuple[Any, ...]:
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        row = connection.execute(
            "SELECT n, (SELECT external_id FROM meta.connections), current_setting('server_version_num')::int / 10000"
            " FROM mark"
        ).fetchone()
    assert row
    return tuple(row)


def test_it_is_refused_with_what_to_do_then_upgraded_and_the_old_one_kept(old: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="hde db upgrade"), embedded.attached(old):
        pass
    said = CliRunner().invoke(
        cli, ["--home", str(old), "db", "upgrade"]
    )  # Debian's programs are where they usually are
    assert f"kept in {old / 'pg.15'}" in said.output
    assert held(old) == (7, "someone", 18)
    assert (old / "pg.15" / "PG_VERSION").read_text().strip() == "15"
    assert (old / "pgpass.15").read_text() == "*:*:*:hde:of-then\n"
    assert not (old / "pg.upgrading").exists()
    said = CliRunner().invoke(cli, ["--home", str(old), "db", "upgrade"])
    assert said.output.startswith("Nothing to do")


def test_without_its_programs_it_is_said_what_is_needed(old: Path) -> None:
    with pytest.raises(WrongUse, match="--from-binaries"):
        upgrade(old, old)
    assert sorted(entry.name for entry in old.iterdir()) == ["pg", "pg.lock", "pg.log", "pgpass"]


@pytest.mark.parametrize("step", ["create", "start"])
def test_what_fails_leaves_the_old_one_as_it_was(old: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(place: place.Place) -> None:
        raise DatabaseUnreachable("no room")

    with monkeypatch.context() as patch:
        patch.setattr(cluster, step, fails)
        with pytest.raises(HdeError, match="no room"):
            upgrade(old, DEBIANS)
    assert (old / "pg" / "PG_VERSION").read_text().strip() == "15"
    assert upgrade(old, DEBIANS) == old / "pg.15"
    assert held(old) == (7, "someone", 18)


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_killed_between_two_renames_the_next_command_finishes(
    old: Path, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = Path.rename, [renames]

    class Killed(BaseException):
        pass

    def rename(self: Path, target: Path) -> Path:
        if self.name == "pg" and target.name in ("pg", "pg.15"):
            if not left[0]:
                raise Killed
            left[0] -= 1
        return real(self, target)

    def stays(*arguments: object, **named: object) -> None:
        pass  # a killed process clears nothing away

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        patch.setattr("hde.store.upgrade.shutil.rmtree", stays)
        if renames == 2:
            patch.setattr(steps, "replace_file", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            upgrade(old, DEBIANS)
    assert held(old) == (7, "someone", 18)
    assert (old / "pg.15").exists()
    assert not (old / "pg.upgrading").exists()
