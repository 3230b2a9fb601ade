"""A PostgreSQL of a contestant's own: the embedded one, in a folder that goes with it. All have the same settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import Composed

from hde.store import embedded
from hde.store.database import as_url

TICKS = os.sysconf("SC_CLK_TCK")
DATABASE = "bench"


@dataclass(frozen=True)
class Server:
    """A running server; `maintenance` is the conninfo of a database in it that is nobody's."""

    home: Path
    maintenance: str

    @property
    def conninfo(self) -> str:
        return make_conninfo(self.maintenance, dbname=DATABASE)

    @property
    def url(self) -> str:
        return as_url(self.conninfo)

    def keep_as_beginning(self) -> None:
        """The contestant's database as it is now is what every `empty` one begins as."""
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            connection.execute("ALTER DATABASE bench RENAME TO beginning")

    def empty(self) -> None:
        """A database that holds no record."""
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            connection.execute("CREATE DATABASE bench TEMPLATE beginning")

    def settle(self) -> None:
        """What autovacuum and the checkpointer would do in the hour between two runs, for all alike.

        Else whoever reads a row first pays for its hint bits: with checksums, a page of WAL for each page.
        """
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def wal_position(self) -> int:
        """Bytes of WAL written since the server was made."""
        return int(str(self.value("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")))

    def version(self) -> str:
        with psycopg.connect(self.maintenance) as connection:
            return connection.info.parameter_status("server_version") or ""

    def value(self, sql: LiteralString | Composed) -> object:
        """The first value of the first row of a query in the contestant's database."""
        with psycopg.connect(self.conninfo) as connection:
            row = connection.execute(sql).fetchone()
        return row[0] if row else None

    def cpu_seconds(self) -> float:
        """User and system time of the postmaster and of all its processes, those that have ended included."""
        postmaster = int((embedded.data_folder(self.home) / "postmaster.pid").read_text().split("\n", 1)[0])
        ticks = sum(_times(postmaster)[:4])
        for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            ticks += sum(_times(int(child))[:2])
        return ticks / TICKS


def _times(process: int) -> tuple[int, int, int, int]:
    """utime, stime, cutime, cstime in ticks; nothing of one that has ended: its parent has counted it."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0, 0, 0, 0
    utime, stime, cutime, cstime = (int(field) for field in fields[11:15])
    return utime, stime, cutime, cstime


@contextmanager
def running() -> Iterator[Server]:
    """A new server, stopped and removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="hde-bench-"))
    home.chmod(0o755)  # as root the server runs as somebody else, who must reach it
    try:
        server = Server(home, make_conninfo(embedded.start(home), dbname="postgres"))
        try:
            with psycopg.connect(server.maintenance, autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            yield server
        finally:
            embedded.stop(home, force=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
