"""A PostgreSQL as it is met: another major version, a role that may little, a server that is restarted."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hde.store import migrate
from hde.store.database import Database
from hde.store.embedded.account import acts_as_root, serves_root
from hde.store.embedded.binaries import find_binaries
from hde.store.embedded.place import find_place

DEBIANS = Path("/usr/lib/postgresql/15/bin")
needs_15 = pytest.mark.skipif(not (DEBIANS / "initdb").exists(), reason="Debian's postgresql 15 is not installed")
PASSWORD = "of-a-test"
RUNNER = "runner"
"""Owns the databases of these tests, and is nothing more."""


@dataclass
class Server:
    """A cluster of its own, listening on a socket in its folder."""

    binaries: Path
    folder: Path

    @property
    def conninfo(self) -> str:
        return make_conninfo(host=str(self.folder), user="hde", password=PASSWORD, dbname="postgres")

    def run(self, program: str, *arguments: str) -> None:
        account = serves_root() if acts_as_root() else None
        subprocess.run(
            [str(self.binaries / program), *arguments],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        )

    def make(self) -> None:
        if acts_as_root():
            account = serves_root()
            os.chown(self.folder, account.uid, account.gid)
        (self.folder / "pw").write_text(PASSWORD)
        (self.folder / "pw").chmod(0o644)
        flags = ("--auth=scram-sha-256", "--username=hde", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.run("initdb", *flags, "--pwfile=pw", "data")

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "start", "-w", "-s", "-D", "data", "-l", "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "stop", "-w", "-s", "-D", "data", "-m", mode)


@contextmanager
def server_of(binaries: Path | None = None) -> Iterator[Server]:
    """Of the wheel's programs where no others are named."""
    folder = Path(tempfile.mkdtemp(prefix="hde-real-"))
    folder.chmod(0o755)
    server = Server(binaries or find_binaries(find_place(folder)), folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop("immediate")
        shutil.rmtree(folder)


def with_runner(conninfo: str) -> str:
    """The conninfo of a server's superuser, after `runner` and its migrated template were made there."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (RUNNER,)).fetchone() is not None:
            return conninfo  # this server has served these tests before
        connection.execute(f"CREATE ROLE {RUNNER} LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute(f"CREATE DATABASE template_of_{RUNNER} OWNER {RUNNER} TEMPLATE template0".encode())
    migrate.upgrade(Database(as_runner(conninfo, f"template_of_{RUNNER}")))
    return conninfo


def as_runner(conninfo: str, name: str, **more: str) -> str:
    """A URL with a password in it, as people write them."""
    parts = conninfo_to_dict(conninfo)
    query = "&".join(f"{key}={value}" for key, value in {"host": str(parts["host"]), **more}.items())
    return f"postgresql://{RUNNER}:{PASSWORD}@/{name}?{query}"


@contextmanager
def database_of_runner(conninfo: str, name: str) -> Iterator[str]:
    """A migrated database of its own, as a URL."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {RUNNER} TEMPLATE template_of_{RUNNER}".encode())
    try:
        yield as_runner(conninfo, name)
    finally:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def command(conninfo: str, name: str, *statements: str) -> None:
    """As the superuser, whatever the database is set to."""
    free = "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"
    with psycopg.connect(make_conninfo(conninfo, dbname=name, options=free), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def at_each_batch(body: str, table: str = "whoop_raw.sleeps") -> tuple[str, ...]:
    """What happens, in the transaction of a batch, when its rows are inserted."""
    return (
        "CREATE SEQUENCE IF NOT EXISTS public.batches",
        f"GRANT ALL ON SEQUENCE public.batches TO {RUNNER}",
        "CREATE OR REPLACE FUNCTION public.happens() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body}; RETURN NULL; END $$",
        f"DROP TRIGGER IF EXISTS happens ON {table}",
        f"CREATE TRIGGER happens AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION public.happens()",
    )
