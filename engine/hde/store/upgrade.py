"""The embedded database of another major version, brought to the one this hde runs. The old one is kept."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psycopg

from hde.errors import WrongUse
from hde.store import embedded
from hde.store.database import Database, values_hidden
from hde.store.dump import dump, restore
from hde.store.embedded import cluster
from hde.store.embedded.binaries import MAJOR
from hde.store.embedded.place import Place, conninfo_of
from hde.store.embedded.upgrade import beside, binaries_of, old_server, take_over, version_of


def upgrade(home: Path, binaries: Path | None = None) -> Path | None:
    """Where the old data are now; None where there was nothing to do. What fails leaves everything as it was."""
    with embedded.exclusively(home) as place:
        version = version_of(place)
        if version == MAJOR:
            return None
        kept = place.data.with_name(f"pg.{version}")
        if kept.exists():
            raise WrongUse(f"{kept} is there from an earlier upgrade: move it away, or remove it")
        old = binaries_of(version, binaries)
        new = beside(place)
        try:
            file = new.base / "all.dump"
            with old_server(place, old) as conninfo:
                dump(Database(conninfo, is_ours=True), file)
            _fill(new, file)
            file.unlink()
            return take_over(place, new, version)
        finally:
            shutil.rmtree(new.base, ignore_errors=True)


def _fill(new: Place, file: Path) -> None:
    cluster.create(new)
    cluster.start(new)
    try:
        with (
            values_hidden(),
            contextlib.closing(psycopg.connect(conninfo_of(new, "postgres"), autocommit=True)) as connection,
        ):
            connection.execute("CREATE DATABASE hde")
        restore(Database(conninfo_of(new), is_ours=True), file)
    finally:
        cluster.stop(new)
