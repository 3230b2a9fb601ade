"""Where the pieces of one home's database are and how it is reached. Looks, remembers a port; starts nothing."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from hde.store.embedded.account import (
    Account,
    acts_as_root,
    own_uid,
    owner_of,
    private_folder,
    reaches,
    root_folder,
    serves_root,
)

TCP = sys.platform == "win32"  # no unix sockets there: 127.0.0.1, a free port, and the password
SYSTEM = Path("/var/lib/hde")  # root's databases, when the server's account cannot enter the home
LONGEST_SOCKET_PATH = 100  # bytes; the kernels allow 104 (macOS) and 108 (Linux)
SOCKET_PORT = 5432  # only part of the socket's name


@dataclass(frozen=True)
class Place:
    """`home` is the caller's folder, `base` the one beside whose `pg` the log lies, `account` who runs the server."""

    home: Path
    base: Path
    account: Account | None  # None: the caller

    @property
    def data(self) -> Path:
        return self.base / "pg"

    @property
    def log(self) -> Path:
        return self.base / "pg.log"

    @property
    def lock(self) -> Path:
        return self.home / "pg.lock"

    @property
    def keep(self) -> Path:
        return self.home / "pg.keep"

    @property
    def passfile(self) -> Path:
        return self.home / "pgpass"

    @property
    def remembered_port(self) -> Path:
        return self.home / "pg.port"


def find_place(home: Path) -> Place:
    """The place of `home`'s database, existing or to be made. Creates nothing."""
    home = home.expanduser().resolve()
    if not acts_as_root():
        return Place(home, home, None)
    system = SYSTEM / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    # What exists decides first: a mode changed later must never make a second, empty database appear.
    for name in ("pg", "pg.upgrading"):  # the second by itself: an upgrade was killed between two renames
        for base in (home, system):
            if (base / name).exists():
                return Place(home, base, owner_of(base / name))
    account = serves_root()
    would_be_made = not home.exists()  # 0700 and root's, so nobody else enters it
    return Place(home, system if would_be_made or not reaches(account, home) else home, account)


def make_folders(place: Place) -> None:
    """The home (0700 when it is new) and, for root, the folder that holds the data."""
    place.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.base != place.home:
        root_folder(place.base.parent)
        root_folder(place.base)


def socket_folder(place: Place) -> Path:
    """The folder of the server's socket: the data folder, or a short one when that path is too long for a socket."""
    if len(os.fsencode(place.data / f".s.PGSQL.{SOCKET_PORT}")) < LONGEST_SOCKET_PATH:
        return place.data
    # Not TMPDIR: it differs between a terminal and cron, and both must find the same server.
    short = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())
    uid = place.account.uid if place.account else own_uid()
    return short / f"hde-{uid}-{hashlib.sha256(os.fsencode(place.data)).hexdigest()[:10]}"


def checked_socket_folder(place: Place) -> Path:
    """`socket_folder`, made when missing. Raises DatabaseUnreachable when it is not the server's account's alone."""
    folder = socket_folder(place)
    if folder != place.data:
        private_folder(folder, place.account)
    return folder


def port(place: Place) -> int:
    """The port to connect to; where it is a real one it is chosen once and remembered in the home."""
    if not TCP:
        return SOCKET_PORT
    try:
        return int(place.remembered_port.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return choose_port(place)


def choose_port(place: Place) -> int:
    """A port nobody listens on at this moment, remembered for all who come later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        chosen = int(probe.getsockname()[1])
    place.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.remembered_port.write_text(f"{chosen}\n", encoding="ascii")
    return chosen


def port_is_free(number: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # where this option would let us share a port that somebody listens on
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def conninfo_of(place: Place, dbname: str = "hde") -> str:
    """libpq conninfo without a password: the passfile has it."""
    reached: dict[str, Any] = {"host": str(socket_folder(place))}
    if TCP:
        # A stranger that listens on our port must not be told the password, so nothing but SCRAM is answered.
        reached = {"host": "127.0.0.1", "sslmode": "disable", "gssencmode": "disable", "require_auth": "scram-sha-256"}
    return make_conninfo(
        **reached,
        port=port(place),
        user="hde",
        dbname=dbname,
        passfile=str(place.passfile),
        password="",  # else a PGPASSWORD meant for another server would be sent instead of the passfile's
        connect_timeout=10,
    )
