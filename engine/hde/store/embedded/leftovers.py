"""What killed processes leave in a home, and what may be cleared away: half-made clusters, lock files, a long log.

Whoever calls holds the home's lock. Ends no process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hde.store.embedded import place as places
from hde.store.embedded.place import Place, port, socket_folder

LONGEST_LOG = 1_000_000  # bytes


def clear_unfinished(place: Place) -> None:
    """Remove what killed attempts to make a cluster left behind."""
    for left in (*place.base.glob("pg.new*"), *place.home.glob("pg.new*")):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def is_of_a_former_home(place: Place) -> bool:
    """Whether the data, which lies outside the home, outlived it: the home is empty, so nothing there opens it."""
    if place.base == place.home or not place.data.exists():
        return False
    return all(entry.name == place.lock.name for entry in place.home.iterdir())


def set_aside(place: Place) -> Path:
    """Move data that nobody has the password of out of the way. Removing it is its owner's decision."""
    number = 1
    while (aside := place.base / f"pg.former.{number}").exists():
        number += 1
    place.data.rename(aside)
    return aside


def workers(place: Place) -> list[int] | None:
    """The ids of PostgreSQL's processes that work in the data folder; None where that cannot be known."""
    if sys.platform == "win32":
        return None
    if Path("/proc/self/cwd").exists():
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _works_in(entry, place.data)]
    try:
        asked = subprocess.run(
            ["lsof", "-w", "-a", "-c", "postgres", "-d", "cwd", "-F", "pn"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return _lsof_pids(asked.stdout, place.data) if not asked.stderr.strip() else None


def bound_log(place: Place) -> None:
    """Keep the log's last piece when it has grown; the server appends, so its file may be cut while it runs."""
    try:
        descriptor = os.open(place.log, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return
    with open(descriptor, "r+b") as log:
        size = log.seek(0, os.SEEK_END)
        if size <= LONGEST_LOG:
            return
        log.seek(size - LONGEST_LOG // 10)
        tail = log.read().partition(b"\n")[2]
        log.truncate(0)
        log.seek(0)
        log.write(tail)


def set_aside_dead_locks(place: Place) -> None:
    """Rename lock files that PostgreSQL would stumble over, but only when certainly no server works in the data.

    It copes with a dead pid by itself; it refuses garbage, and a pid that now belongs to somebody else's process,
    which is what a container's restart or a reboot leaves.
    """
    if places.TCP or workers(place) != []:
        return
    for lock in (place.data / "postmaster.pid", socket_folder(place) / f".s.PGSQL.{port(place)}.lock"):
        if lock.is_file() and not lock.is_symlink() and not _names_dead_process(lock):
            lock.replace(lock.with_name(f"{lock.name}.aside"))


def _names_dead_process(lock: Path) -> bool:
    first = lock.read_bytes()[:200].partition(b"\n")[0].strip()
    if not first.isdigit() or not 0 < int(first) < 2**31:
        return False
    try:
        os.kill(int(first), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _works_in(entry: Path, data: Path) -> bool:
    try:
        return (entry / "comm").read_text().strip() == "postgres" and (entry / "cwd").readlink() == data
    except OSError:  # it ended, or is another user's
        return False


def _lsof_pids(listing: str, data: Path) -> list[int]:
    found: list[int] = []
    pid = 0
    for line in listing.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line == f"n{data}":
            found.append(pid)
    return found
