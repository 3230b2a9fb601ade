"""The embedded PostgreSQL with many who come, leave and are killed, and with more than one person on the machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_made import as_root, child, connected, ended, linux, mark, posix, says, until

from hde.errors import DatabaseUnreachable
from hde.store import embedded

USERS = ("daemon", "bin")
"""Of every machine; initdb wants a user that has a name."""


def crowd_of(home: Path, count: int) -> None:
    """All come at once; every third is killed, at any moment, and the others find a server until they leave."""
    crowd = [child(home) for _ in range(count)]
    for one in crowd[::3]:
        one.kill()
    staying = [one for index, one in enumerate(crowd) if index % 3]
    assert [says(one) for one in staying] == ["attached"] * len(staying)
    killed_late = staying[::3]
    for one in killed_late:
        one.kill()
    assert embedded.running(home)
    left = [one for one in staying if one not in killed_late]
    assert [ended(one) for one in left] == [(0, "")] * len(left)
    for one in (*crowd[::3], *killed_late):
        one.communicate()
    assert not embedded.running(home)
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not embedded.running(home)
    assert not list(home.glob("pg.new*"))


@posix
def test_a_crowd_whose_every_third_is_killed_ends_with_the_server_stopped(home: Path) -> None:
    home.mkdir()
    crowd_of(home, 12)


@linux
@as_root
def test_two_users_of_one_machine_have_a_database_each(home: Path) -> None:
    """Even where both homes are too long for a socket, and share the folder for short ones."""
    import pwd

    uids = [pwd.getpwnam(name).pw_uid for name in USERS]
    homes = [home.parent / f"of{uid}" / ("long" * 30) / "h" for uid in uids]
    for uid, own in zip(uids, homes, strict=True):
        own.parent.mkdir(parents=True)
        for folder in own.parents[:2]:
            os.chown(folder, uid, uid)
    children = [child(own, uid=uid) for uid, own in zip(uids, homes, strict=True)]
    assert [says(one) for one in children] == ["attached"] * 2
    code, complaint = ended(child(homes[0], uid=uids[1]))
    assert (code, "Permission denied" in complaint, "HDE_HOME" in complaint) == (1, True, True)
    assert [ended(one) for one in children] == [(0, "")] * 2


def a_folder(file: Path) -> None:
    file.mkdir()


def garbage(file: Path) -> None:
    file.write_bytes(b"\0garbage 4194\n")


def a_link_elsewhere(file: Path) -> None:
    file.symlink_to(file.parent / "nowhere" / "lock")


def not_to_be_written(file: Path) -> None:
    file.write_bytes(b"")
    file.chmod(0o400)


LOCKS = [
    ("pg.lock", garbage, ""), ("pg.lock", not_to_be_written, ""), ("pg.lock", a_folder, "pg.lock: Is a directory"),
    ("pg.lock", a_link_elsewhere, "pg.lock"), ("pg.keep", garbage, ""), ("pgpass", garbage, "refuses us"),
    ("pg.log", garbage, ""),
]  # fmt: skip


@posix
@pytest.mark.parametrize(("name", "damage", "says"), LOCKS, ids=[f"{name}-{how.__name__}" for name, how, _ in LOCKS])
def test_own_files_that_are_damaged_are_of_no_concern_or_named(
    made: Path, name: str, damage: Callable[[Path], None], says: str
) -> None:
    if damage is not garbage:
        (made / name).unlink(missing_ok=True)
    damage(made / name)
    if not says:
        assert mark(made) == 7
        return
    with pytest.raises(DatabaseUnreachable) as told, embedded.attached(made):
        pass
    assert says in str(told.value)
    assert len(str(told.value).splitlines()) <= 2
    assert not embedded.running(made)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield
    finally:
        until(lambda: subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode == 0)


@linux
@as_root
@pytest.mark.parametrize("megabytes", [1, 20, 30, 36, 40])
def test_a_disk_too_small_to_begin_on_is_told_and_left_as_it_was(home: Path, megabytes: int) -> None:
    with small_disk(home.parent / "disk", megabytes):
        own = home.parent / "disk" / "h"
        own.mkdir(mode=0o755)
        with (
            pytest.raises(DatabaseUnreachable, match=r"No space left on device|the disk is full") as told,
            embedded.attached(own),
        ):
            pass
        assert len(str(told.value).splitlines()) <= 2
        assert not [left for left in own.iterdir() if left.name.startswith("pg.new")]
        assert not embedded.running(own)


@linux
@as_root
def test_a_disk_that_fills_up_costs_nothing_that_was_stored(home: Path) -> None:
    from hde.store.database import Database

    with small_disk(home.parent / "disk", 220):
        own = home.parent / "disk" / "h"
        own.mkdir(mode=0o755)
        with embedded.attached(own) as conninfo:
            database = Database(conninfo)
            with database.connection(autocommit=True) as connection:
                connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
            with pytest.raises(DatabaseUnreachable, match="disk is full"), database.connection() as connection:
                connection.execute("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 400000)")
            assert mark(own) == 7
        assert mark(own) == 7
        assert not embedded.running(own)
