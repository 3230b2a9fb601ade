"""Homes, children and ways to damage a server, for the tests of the embedded one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hde.errors import DatabaseUnreachable
from hde.store import embedded
from hde.store.embedded import leftovers, place
from hde.store.embedded.account import Account

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, modes and sockets")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
as_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root becomes other users")


STRANGER = 54321  # an uid that owns nothing
CHILD = """
import os, sys
from pathlib import Path
import encodings.ascii, encodings.idna, importlib.metadata, psycopg  # while its files can still be read
from hde.errors import HdeError
from hde.store import embedded
uid, home = int(sys.argv[1]), Path(sys.argv[2])
if uid >= 0:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
try:
    with embedded.attached(home) as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute("SELECT 1")
        connection.close()
        print("attached", flush=True)
        sys.stdin.read()
except HdeError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@contextlib.contextmanager
def folder_of_homes() -> Iterator[Path]:
    """A short folder that any account may pass through, so that root's servers live inside its homes."""
    folder = Path(tempfile.mkdtemp(prefix="hde"))
    folder.chmod(0o755)
    yield folder
    for found in (folder / "h", *folder.glob("*/h")):
        if found.exists():
            with contextlib.suppress(DatabaseUnreachable):
                embedded.stop(found, force=True)
    shutil.rmtree(folder)


@contextlib.contextmanager
def connected(conninfo: str) -> Iterator[psycopg.Connection]:
    with contextlib.closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        yield connection


def mark(home: Path) -> int:
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        row = connection.execute("SELECT n FROM mark").fetchone()
    assert row
    return int(row[0])


def child(home: Path, uid: int = -1, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """A process that attaches, says so, and leaves when its input ends."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CHILD, str(uid), str(home)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", preexec_fn=before
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Let a child leave; its exit code and what it complained of."""
    _, complaint = process.communicate("")
    return process.returncode, complaint


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def server_processes(home: Path) -> list[int]:
    return leftovers.workers(place.find_place(home)) or []


def postmaster(home: Path) -> int:
    return int((home / "pg" / "postmaster.pid").read_text().splitlines()[0])


def account(home: Path) -> Account | None:
    return place.find_place(home).account


def killed_server(home: Path) -> None:
    """Leave what a power cut leaves: a server that did not shut down, and its lock files."""
    embedded.start(home)
    (home / "pg.keep").unlink()
    for pid in server_processes(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not server_processes(home))


def used_home(home: Path) -> Path:
    """Make `home` one whose database has been used and stopped."""
    home.mkdir()
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
    return home


def copied(used: Path, home: Path) -> Path:
    if sys.platform == "win32":
        shutil.copytree(used, home)
    else:
        subprocess.run(["cp", "-a", used, home], check=True)
    return home
