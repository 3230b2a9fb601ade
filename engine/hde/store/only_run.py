"""One command at a time for each account: an advisory lock of Postgres, which goes with the process that holds it."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from hde.errors import Busy, Stopped
from hde.store.database import Connection, Database, lock_number
from hde.store.journal import Account

PATIENCE = 2.0
"""Seconds; Postgres takes a moment to notice that a killed process is gone."""
_log = logging.getLogger(__name__)


@contextmanager
def only_run(
    database: Database, account: Account, command: str = "run", *, wait_until: threading.Event | None = None
) -> Iterator[None]:
    """Held for the whole command. Where another one has the account: Busy, which says which one and since when.

    With `wait_until` its end is waited for, however long it takes; Stopped once the event is set.
    """
    numbers = lock_number("run"), account.id
    with database.connection(autocommit=True) as connection:
        if not _taken(connection, numbers, time.monotonic() + PATIENCE):
            busy = f"{account.connector} {account.external_id} is being read by {_holder(connection, numbers)}"
            if wait_until is None:
                raise Busy(f"{busy}.\nTry again when it is done; `hde run` and `hde remap` wait for it with --wait.")
            _log.warning("%s; waiting for it to end", busy)
            if not _taken(connection, numbers, None, wait_until):
                raise Stopped(f"{busy}; stopped waiting for it")
        # Whoever comes second reads it: in pg_stat_activity a name is shown to every role.
        name = f"hde {command}, process {os.getpid()} on {socket.gethostname()}"
        connection.execute("SELECT set_config('application_name', %s, false)", (name,))
        yield


def _taken(
    connection: Connection, numbers: tuple[int, int], until: float | None, stop: threading.Event | None = None
) -> bool:
    pause = threading.Event() if stop is None else stop
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", numbers).fetchone()
        if row and row[0]:
            return True
        if (until is not None and time.monotonic() >= until) or pause.wait(0.1):
            return False


def _holder(connection: Connection, numbers: tuple[int, int]) -> str:
    """Its last statement was the one that gave it its name: since then it holds the account. Other roles' statements
    are not shown.
    """
    row = connection.execute(
        "SELECT a.application_name, a.query_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = %s"
        " AND l.objid::bigint = %s AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [number % 2**32 for number in numbers],
    ).fetchone()
    name, since = row or ("", None)
    return f"{name or 'another hde'}{_since(since)}"


def _since(at: datetime | None) -> str:
    return f", since {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
