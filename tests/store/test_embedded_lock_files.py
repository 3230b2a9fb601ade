"""The embedded PostgreSQL after kills and with damaged files."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from embedded_made import (
    account,
    child,
    connected,
    ended,
    killed_server,
    linux,
    mark,
    posix,
    postmaster,
    until,
)

from hde.errors import DatabaseUnreachable
from hde.store import embedded
from hde.store.embedded import leftovers, place


@posix
def test_killed_server_recovers(made: Path) -> None:
    killed_server(made)
    assert mark(made) == 7
    assert not embedded.running(made)


LOCKS = ["postmaster.pid", ".s.PGSQL.5432.lock"]


@linux
@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"99999999999999999999\n", b"4194"])
def test_damaged_lock_file_is_set_aside_when_no_server_runs(made: Path, lock: str, content: bytes) -> None:
    (made / "pg" / lock).write_bytes(content)
    assert mark(made) == 7


@linux
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_whose_pid_is_now_somebody_elses_is_set_aside(made: Path, lock: str) -> None:
    killed_server(made)
    file = made / "pg" / lock
    runs_as = account(made)
    uid = runs_as.uid if runs_as else None
    bystander = subprocess.Popen(["sleep", "60"], user=uid)
    try:
        _, _, rest = file.read_text().partition("\n")
        file.write_text(f"{bystander.pid}\n{rest}")
        assert mark(made) == 7
        assert file.with_name(f"{lock}.aside").exists()
    finally:
        bystander.kill()
        bystander.wait()


@linux
def test_lock_file_damaged_while_the_server_runs_does_not_make_a_second_one(made: Path) -> None:
    with embedded.attached(made):
        before = postmaster(made)
        file = made / "pg" / "postmaster.pid"
        whole = file.read_bytes()
        file.write_bytes(b"garbage")
        leftovers.set_aside_dead_locks(place.find_place(made))
        assert file.read_bytes() == b"garbage"
        assert mark(made) == 7
        file.write_bytes(whole)
        assert postmaster(made) == before
    assert not embedded.running(made)


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("moment", ["pg.new*", "pg.new*/global", "pg.new*/postgresql.conf", "pg", "pg/postmaster.pid"])
def test_first_start_ended_at_any_moment_leaves_nothing_broken(home: Path, how: signal.Signals, moment: str) -> None:
    home.mkdir()
    other = child(home)
    until(lambda: list(home.glob(moment)))
    other.send_signal(how)
    other.communicate("")
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("hde",)
    assert not embedded.running(home)
    assert not [left for left in home.iterdir() if left.name.startswith("pg.new")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"17\n", "made by PostgreSQL 17"), (b"9.6\n", "made by PostgreSQL 9.6"), (None, "is not a")],
)
def test_data_of_another_version_are_refused_untouched(made: Path, content: bytes | None, message: str) -> None:
    file = made / "pg" / "PG_VERSION"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    before = sorted((made / "pg").iterdir())
    with pytest.raises(DatabaseUnreachable, match=message), embedded.attached(made):
        pass
    assert sorted((made / "pg").iterdir()) == before


def test_missing_passfile_is_named(made: Path) -> None:
    (made / "pgpass").unlink()
    with pytest.raises(DatabaseUnreachable, match="pgpass is missing"), embedded.attached(made):
        pass


@posix
def test_too_little_room_is_told_and_leaves_nothing(home: Path) -> None:
    import resource

    home.mkdir()
    code, complaint = ended(child(home, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))))
    assert code == 1
    assert "DatabaseUnreachable: No database could be made" in complaint
    assert [left.name for left in home.iterdir()] == ["pg.lock"]
