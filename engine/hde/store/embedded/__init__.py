"""The embedded PostgreSQL of one home: started by the first who needs it, stopped by the last who leaves.

Who still uses it is PostgreSQL's own list of clients, never a list of ours. Knows nothing of schemas or roles.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from filelock import FileLock, Timeout
from psycopg import pq

from hde.errors import DatabaseUnreachable, WrongUse
from hde.store.embedded import cluster
from hde.store.embedded import place as places
from hde.store.embedded.account import owns
from hde.store.embedded.leftovers import bound_log, is_of_a_former_home, set_aside, workers
from hde.store.embedded.place import Place, conninfo_of, find_place, make_folders
from hde.store.embedded.upgrade import finish
from hde.store.refusals import refusal

__all__ = ["attached", "conninfo", "data_folder", "discard", "exclusively", "running", "start", "stop"]

LONGEST_START = 150.0  # seconds, recovery after a crash included
LONGEST_WAIT = 600.0  # seconds for the lock: those before us may each be recovering
ATTACHED, LEAVING = "hde attached", "hde leaving"
CLIENTS = """
    SELECT count(*) FILTER (WHERE application_name = %(attached)s), count(*)
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND coalesce(application_name, '') <> %(leaving)s
"""

Connection = psycopg.Connection[tuple[Any, ...]]


@contextlib.contextmanager
def attached(home: Path) -> Iterator[str]:
    """Yield the conninfo of `home`'s database, which runs for as long as the block does.

    Close your own connections before leaving: one left open keeps the server running until the next command ends.
    Raises DatabaseUnreachable with PostgreSQL's or the system's reason.
    """
    with _in_words(home):
        place = find_place(home)
        with _locked(place):
            own = _opened(place)
    try:
        yield conninfo_of(place)
    finally:
        try:
            with _in_words(home), _locked(place):
                _leave(place, own)
        except DatabaseUnreachable as error:
            # The caller's work is done and stored; the next command stops the server.
            logging.getLogger(__name__).warning("%s", error)


def start(home: Path) -> str:
    """Start the server, keep it running until `stop`, and return its conninfo."""
    with _in_words(home):
        place = find_place(home)
        with _locked(place):
            _opened(place).close()
            place.keep.touch(mode=0o600)
        return conninfo_of(place)


def stop(home: Path, force: bool = False) -> bool:
    """Stop the server, also one that `start` keeps; False when none ran.

    Raises WrongUse while others are connected, unless `force`.
    """
    with _in_words(home):
        place = find_place(home)
        if not place.data.exists():
            return False
        with _locked(place):
            if not _runs(place):
                place.keep.unlink(missing_ok=True)
                return False
            if not force:
                with contextlib.closing(_opened(place)) as own:
                    clients = _others(own)
                    _take_leave(own)
                _refuse_others(home, clients)
            place.keep.unlink(missing_ok=True)
            cluster.stop(place)
            return True


def discard(home: Path) -> None:
    """Stop the server and remove the database for good, wherever its data lies. The rest of the home stays."""
    stop(home, force=True)
    with _in_words(home):
        place = find_place(home)
        if place.data.exists():
            with _locked(place):
                shutil.rmtree(place.data)
                for left in (place.passfile, place.log):
                    left.unlink(missing_ok=True)


def running(home: Path) -> bool:
    """Whether a server of `home` runs, be it still starting or already stopping."""
    with _in_words(home):
        return _runs(find_place(home))


@contextlib.contextmanager
def exclusively(home: Path) -> Iterator[Place]:
    """The place of `home`'s database, while nobody else starts or stops its server."""
    with _in_words(home):
        place = find_place(home)
        with _locked(place):
            finish(place)
            yield place


def data_folder(home: Path) -> Path:
    """Where `home`'s records lie: inside it, or for root where the server's account may go."""
    with _in_words(home):
        return find_place(home).data


def conninfo(home: Path) -> str:
    """Where `home`'s database is or will be reached: libpq key/value pairs, with a passfile instead of a password."""
    with _in_words(home):
        return conninfo_of(find_place(home))


@contextlib.contextmanager
def _in_words(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseUnreachable(
            f"{error.filename or home}: {error.strerror or error}: the embedded database cannot be used.\n"
            "Make that possible, choose another HDE_HOME, or set HDE_DATABASE_URL."
        ) from None


@contextlib.contextmanager
def _locked(place: Place) -> Iterator[None]:
    make_folders(place)
    try:
        with FileLock(place.lock, timeout=LONGEST_WAIT, mode=0o600, poll_interval=0.02):
            yield
    except Timeout:
        raise DatabaseUnreachable(
            f"{place.lock}: another hde has been starting or stopping the database for {LONGEST_WAIT / 60:.0f} minutes."
            "\nEnd it and try again."
        ) from None


def _opened(place: Place) -> Connection:
    """A connection to the running server; makes and starts it when nobody has."""
    finish(place)
    if is_of_a_former_home(place):
        if workers(place):
            cluster.stop(place)
        aside = set_aside(place)
        logging.getLogger(__name__).warning(
            "%s is new, and the database of a former folder of that name was set aside in %s", place.home, aside
        )
    if not place.data.exists():
        cluster.create(place)
    _check_ours(place)
    bound_log(place)
    deadline = time.monotonic() + LONGEST_START
    refused, started = 0, False
    while time.monotonic() < deadline:
        answer = _ping(place)
        if answer == pq.Ping.OK:
            try:
                own = _connected(place)
            except psycopg.OperationalError as error:
                refused += 1  # once may be a server that went away between ping and this
                if refused > 2:
                    if started:
                        cluster.stop(place)
                    reason = str(error).partition("\n")[0]
                    raise DatabaseUnreachable(f"The database of {place.home} runs but refuses us.\n{reason}") from None
            else:
                _make_database(place, own)
                return own
        elif answer != pq.Ping.REJECT and not workers(place):
            cluster.start(place)
            started = True
            continue
        time.sleep(0.05)
    raise DatabaseUnreachable(
        f"The database of {place.home} runs (processes {workers(place) or 'unknown'}) but does not answer.\n"
        f"Look at {place.log}, or end those processes."
    )


def _check_ours(place: Place) -> None:
    if place.account is None and not owns(place.data):
        raise DatabaseUnreachable(
            f"{place.data} belongs to another user.\n"
            "Run hde as that user, choose another HDE_HOME, or set HDE_DATABASE_URL."
        )
    if not place.passfile.exists():
        raise DatabaseUnreachable(
            f"{place.passfile} is missing: it holds the password of the database in {place.data}.\n"
            "Bring it back from a backup, or choose another HDE_HOME."
        )


def _leave(place: Place, own: Connection) -> None:
    """Give up `own`; the last one stops the server, unless `start` keeps it."""
    with contextlib.closing(own):
        try:
            last = _last(place, own)
        except psycopg.OperationalError:  # the server was stopped, or crashed and came back
            if not _runs(place):
                return
            with contextlib.closing(_opened(place)) as again:
                last = _last(place, again)
    if last:
        cluster.stop(place)


def _last(place: Place, own: Connection) -> bool:
    if not place.keep.exists() and not _others(own):
        return True
    _take_leave(own)
    return False


def _take_leave(own: Connection) -> None:
    # Our backend outlives this connection by a moment; the next to leave must not count it.
    own.execute("SELECT set_config('application_name', %s, false)", (LEAVING,))


def _others(own: Connection) -> int:
    """How many clients besides `own` use the server; those that only just hung up are given a moment to vanish."""
    for _ in range(25):
        row = own.execute(CLIENTS, {"attached": ATTACHED, "leaving": LEAVING}).fetchone()
        attached_too, all_of_them = row or (0, 0)
        if attached_too or not all_of_them:
            break
        time.sleep(0.02)
    return int(all_of_them)


def _refuse_others(home: Path, clients: int) -> None:
    if clients:
        who = "1 program is" if clients == 1 else f"{clients} programs are"
        raise WrongUse(f"{who} connected to the database of {home}.\nEnd them first, or stop it by force.")


def _connected(place: Place) -> Connection:
    # Not to `hde`: a restore must be able to drop and make it while we keep the server up.
    return psycopg.connect(conninfo_of(place, "postgres"), autocommit=True, application_name=ATTACHED)


def _make_database(place: Place, own: Connection) -> None:
    try:
        if own.execute("SELECT FROM pg_database WHERE datname = 'hde'").fetchone() is None:
            own.execute("CREATE DATABASE hde")
    except psycopg.Error as error:
        with contextlib.closing(own), contextlib.suppress(psycopg.Error):
            if _last(place, own):
                cluster.stop(place)
        raise refusal(error) from None


def _ping(place: Place) -> pq.Ping:
    # Whoever listens on a remembered port need not be our server.
    if places.TCP and cluster.status(place).code:
        return pq.Ping.NO_RESPONSE
    return pq.Ping(pq.PGconn.ping(conninfo_of(place).encode()))


def _runs(place: Place) -> bool:
    return place.data.exists() and _ping(place) in (pq.Ping.OK, pq.Ping.REJECT)
