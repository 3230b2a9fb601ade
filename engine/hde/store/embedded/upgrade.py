"""A cluster of another major version brought to the one that the wheel runs: dumped by its own server, restored beside
it, and put in its place by renaming. What was there stays, under the name of its version.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hde.durable import replace_file, sync_folder
from hde.errors import DatabaseUnreachable, WrongUse
from hde.store.embedded import cluster
from hde.store.embedded.account import private_folder
from hde.store.embedded.binaries import MAJOR, programs, run
from hde.store.embedded.leftovers import set_aside_dead_locks, workers
from hde.store.embedded.place import Place, checked_socket_folder, conninfo_of

READY = "ready"


def version_of(place: Place) -> str:
    """The major version that made the data."""
    try:
        return (place.data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return MAJOR


def binaries_of(version: str, said: Path | None) -> Path:
    """The folder of the programs of another version: the one that is named, the wheel's, or where Debian has it."""
    named = said or (Path(os.environ["HDE_OLD_BINARIES"]) if os.environ.get("HDE_OLD_BINARIES") else None)
    usual = [programs().parents[1] / f"pginstall{suffix}" / "bin" for suffix in ("", version)]
    usual.append(Path(f"/usr/lib/postgresql/{version}/bin"))
    for folder in [named] if named else usual:
        if (folder / "pg_ctl").exists() and _is_of(folder, version):
            return folder
    where = f"{named} holds no programs of PostgreSQL {version}" if named else f"PostgreSQL {version} is not installed"
    raise WrongUse(
        f"{where}, and only it can read these data.\nName its folder of pg_ctl: hde db upgrade --from-binaries DIR; or"
        " dump with the hde that made them (hde db dump) and restore here."
    )


def beside(place: Place) -> Place:
    """Where the new cluster is made: a home of its own within the old one's base."""
    folder = place.base / "pg.upgrading"
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder, place.account)
    return Place(folder, folder, place.account)


@contextlib.contextmanager
def old_server(place: Place, binaries: Path) -> Iterator[str]:
    """The old data's own server, while the block runs; its conninfo."""
    if workers(place):
        raise WrongUse(f"the database in {place.data} is running: end who uses it, or hde db stop")
    set_aside_dead_locks(place)
    folder = checked_socket_folder(place)
    sockets = "." if folder == place.data else str(folder)
    options = f"-c listen_addresses= -c unix_socket_directories={sockets} -c unix_socket_permissions=0700"
    outcome = run(binaries, place, "pg_ctl", "start", "-w", "-t", "120", "-s", "-l", place.log.name, "-o", options)
    if outcome.code:
        raise DatabaseUnreachable(
            f"The old database in {place.data} did not start.\n{cluster.reason(outcome.output)} (see {place.log})"
        )
    try:
        yield conninfo_of(place)
    finally:
        run(binaries, place, "pg_ctl", "stop", "-w", "-t", "120", "-s", "-m", "fast")


def take_over(place: Place, new: Place, version: str) -> Path:
    """The new cluster under the old one's name; where the old one is now. Killed in between, `finish` goes on."""
    (new.home / READY).write_text(version, encoding="ascii")
    sync_folder(new.home)
    finish(place)
    return place.data.with_name(f"pg.{version}")


def finish(place: Place) -> None:
    """Nothing, unless an upgrade was interrupted between its renames."""
    folder = place.base / "pg.upgrading"
    if not (folder / READY).exists():
        return
    version = (folder / READY).read_text(encoding="ascii")
    if (folder / "pg").exists():
        if place.data.exists():
            shutil.copy2(place.passfile, place.passfile.with_name(f"pgpass.{version}"))
            place.data.rename(place.data.with_name(f"pg.{version}"))
        (folder / "pg").rename(place.data)
        sync_folder(place.base)
    if (folder / "pgpass").exists():
        content = (folder / "pgpass").read_bytes()
        replace_file(place.passfile, content, place.passfile.with_name("pgpass.new"))
    shutil.rmtree(folder, ignore_errors=True)


def _is_of(folder: Path, version: str) -> bool:
    with contextlib.suppress(OSError):
        place = Place(folder, folder, None)
        return f"PostgreSQL) {version}" in run(folder, place, "postgres", "--version").output
    return False
