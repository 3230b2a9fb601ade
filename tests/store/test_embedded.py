"""The embedded PostgreSQL: who starts it, who stops it, and how it is reached; every server here is a real one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from embedded_made import (
    STRANGER,
    child,
    connected,
    ended,
    linux,
    mark,
    posix,
    says,
    until,
)

from hde.errors import DatabaseUnreachable, WrongUse
from hde.store import embedded
from hde.store.embedded import place


def test_first_starts_it_and_last_stops_it_with_the_data_kept(home: Path) -> None:
    home.mkdir()
    assert not embedded.running(home)
    with embedded.attached(home) as conninfo:
        assert embedded.running(home)
        with connected(conninfo) as connection:
            connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
    assert not embedded.running(home)
    assert mark(home) == 7
    assert not embedded.running(home)


def test_two_processes_share_it_and_the_last_stops_it(made: Path) -> None:
    other = child(made)
    assert says(other) == "attached"
    assert mark(made) == 7
    assert embedded.running(made)
    assert ended(other) == (0, "")
    assert not embedded.running(made)


@pytest.mark.parametrize("nested", [1, 2])
def test_blocks_of_one_process_share_it_too(made: Path, nested: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(nested):
            stack.enter_context(embedded.attached(made))
        assert mark(made) == 7
        assert embedded.running(made)
    assert not embedded.running(made)


@posix
def test_killed_sole_user_leaves_a_server_that_the_next_attaches_to_and_stops(made: Path) -> None:
    other = child(made)
    assert says(other) == "attached"
    other.kill()
    other.communicate()
    assert embedded.running(made)
    assert mark(made) == 7
    assert not embedded.running(made)


def test_twelve_at_once_on_an_empty_home(home: Path) -> None:
    home.mkdir()
    crowd = [child(home) for _ in range(12)]
    assert [ended(one) for one in crowd] == [(0, "")] * 12
    assert not embedded.running(home)
    assert not list(home.glob("pg.new*"))


def test_kept_server_stays_until_it_is_stopped(made: Path) -> None:
    conninfo = embedded.start(made)
    assert conninfo == embedded.conninfo(made)
    assert mark(made) == 7
    assert embedded.running(made)
    with connected(conninfo):
        with pytest.raises(WrongUse, match="1 program is connected"):
            embedded.stop(made)
        assert embedded.running(made)
        assert embedded.stop(made, force=True)
    assert not embedded.running(made)
    assert not embedded.stop(made)
    assert mark(made) == 7
    assert not embedded.running(made)


def test_stop_without_a_database_makes_none(home: Path) -> None:
    assert not embedded.stop(home)
    assert not home.exists()


def test_server_stopped_under_a_block_is_no_error_at_its_end(made: Path) -> None:
    with embedded.attached(made):
        assert embedded.stop(made, force=True)
    assert not embedded.running(made)


@linux
def test_server_crashed_under_a_block_is_stopped_at_its_end(made: Path) -> None:
    def back() -> bool:
        with contextlib.suppress(psycopg.OperationalError), connected(embedded.conninfo(made)):
            return True
        return False

    with embedded.attached(made) as conninfo:
        with connected(conninfo) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)  # the postmaster ends all others and recovers
        until(back)
    assert not embedded.running(made)


def test_only_the_files_own_error_comes_out_of_a_block(made: Path) -> None:
    with pytest.raises(FileNotFoundError), embedded.attached(made):
        (made / "missing").read_text()
    assert not embedded.running(made)


def test_password_of_another_server_in_the_environment_does_not_matter(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "of another server")
    monkeypatch.setenv("PGPORT", "1")
    assert mark(made) == 7


def test_over_tcp_a_remembered_port_is_used_and_left_when_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of Windows, on any system: loopback, SCRAM, a port of its own."""
    monkeypatch.setattr(place, "TCP", True)
    home.mkdir()
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
    first = place.port(place.find_place(home))
    assert f"port={first} " in conninfo
    assert mark(home) == 7
    assert place.port(place.find_place(home)) == first
    with socket.create_server(("127.0.0.1", first)), embedded.attached(home):
        assert place.port(place.find_place(home)) != first
        assert mark(home) == 7
    assert not embedded.running(home)


@posix
def test_home_too_long_for_a_socket_uses_a_short_private_folder(home: Path) -> None:
    deep = home.parent / ("long" * 30) / "h"
    deep.mkdir(parents=True)
    with embedded.attached(deep) as conninfo:
        folder = Path(psycopg.conninfo.conninfo_to_dict(conninfo)["host"])  # type: ignore[arg-type]  # str|int|None
        assert folder.parent == Path("/tmp")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with connected(conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not folder.exists()


def wide_open(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def a_link(folder: Path) -> None:
    target = folder.with_name(folder.name + ".target")
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


def a_strangers(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    folder.mkdir(mode=0o700)
    os.chown(folder, STRANGER, STRANGER)


@posix
@pytest.mark.parametrize("prepare", [wide_open, a_link, a_strangers])
def test_socket_folder_that_somebody_else_prepared_is_refused(home: Path, prepare: Callable[[Path], None]) -> None:
    deep = home.parent / ("long" * 30) / "h"
    deep.mkdir(parents=True)
    folder = place.socket_folder(place.find_place(deep))
    prepare(folder)
    try:
        with pytest.raises(DatabaseUnreachable, match="not a private folder"), embedded.attached(deep):
            pass
    finally:
        for left in (folder, folder.with_name(folder.name + ".target")):
            if left.is_symlink():
                left.unlink()
            elif left.exists():
                left.rmdir()
