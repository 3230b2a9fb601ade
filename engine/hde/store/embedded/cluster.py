"""One PostgreSQL cluster: made, started and stopped with the wheel's programs. Connects to nothing.

Whoever calls holds the home's lock.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shlex
import shutil
import sys

from hde.durable import sync_folder
from hde.errors import DatabaseUnreachable
from hde.store.embedded import place as places
from hde.store.embedded.account import private_file, private_folder
from hde.store.embedded.binaries import MAJOR, Outcome, find_binaries, run
from hde.store.embedded.leftovers import clear_unfinished, set_aside_dead_locks
from hde.store.embedded.place import Place, checked_socket_folder, choose_port, port, port_is_free, socket_folder

NO_ROOM = "No space left on device"
INITDB = (
    *("--auth=scram-sha-256", "--username=hde", "--encoding=UTF8", "--data-checksums", "--no-instructions"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),  # one sort order on every system
)
SETTINGS = {
    "cluster_name": "hde",
    "fsync": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "wal_compression": "off",  # the wheel has no lz4, and pglz costs more than it saves
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # PostgreSQL's messages carry row values: in DETAIL, CONTEXT and STATEMENT, and `invalid input syntax` in the
    # message itself. So no ERROR is logged at all, only LOG, FATAL and PANIC, and these without detail.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_checkpoints": "off",
}


def create(place: Place) -> None:
    """Make the cluster under another name and rename it, so that a killed initdb never leaves half a database.

    Raises DatabaseUnreachable with initdb's reason.
    """
    clear_unfinished(place)
    binaries = find_binaries(place)
    staging = place.base / f"pg.new.{secrets.token_hex(4)}"  # a name of its own: a killed one's initdb may still write
    password = secrets.token_urlsafe(24)
    pwfile, passfile = staging.with_name(f"{staging.name}.pw"), staging.with_name(f"{staging.name}.pgpass")
    try:
        private_folder(staging, place.account)
        private_file(pwfile, password + "\n", place.account)
        private_file(passfile, f"*:*:*:hde:{password}\n", None)
        outcome = run(binaries, place, "initdb", *INITDB, f"--pwfile={pwfile}", f"--pgdata={staging}")
        if outcome.code:
            raise DatabaseUnreachable(f"No database could be made in {place.base}.\n{reason(outcome.output)}")
        passfile.replace(place.passfile)
        staging.rename(place.data)
        sync_folder(place.base)
    finally:
        pwfile.unlink(missing_ok=True)
        passfile.unlink(missing_ok=True)
        shutil.rmtree(staging, ignore_errors=True)


def check_version(place: Place) -> None:
    """Raises DatabaseUnreachable unless the data are a cluster of the major version that the wheel runs."""
    try:
        made_by = (place.data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        raise DatabaseUnreachable(
            f"{place.data} is not a PostgreSQL data folder (no PG_VERSION).\nMove it away, or choose another HDE_HOME."
        ) from None
    if made_by != MAJOR:
        raise DatabaseUnreachable(
            f"{place.data} was made by PostgreSQL {made_by[:10]}, but this hde runs {MAJOR}; nothing was touched.\n"
            "Run `hde db upgrade` (docs/database.md), or choose another HDE_HOME."
        )


def start(place: Place) -> None:
    """Start the server and wait until it takes connections. Raises DatabaseUnreachable with the server's reason."""
    check_version(place)
    clear_unfinished(place)
    binaries = find_binaries(place)
    if places.TCP and not port_is_free(port(place)):
        choose_port(place)
    options = _options(place)
    set_aside_dead_locks(place)
    if not place.log.exists():
        private_file(place.log, "", place.account)
    seen = place.log.stat().st_size
    # Names relative to the working folder: pg_ctl hands them to a shell.
    outcome = run(binaries, place, "pg_ctl", "start", "-w", "-t", "120", "-s", "-l", place.log.name, "-o", options)
    if outcome.code:
        with place.log.open("rb") as log:
            log.seek(seen)
            said = log.read().decode("utf-8", "replace")
        why = reason(said) or reason(outcome.output)
        if "lock file" in why or "PID file" in why:
            why += f": if no postgres runs there (see ps), delete {place.data / 'postmaster.pid'}"
        raise DatabaseUnreachable(f"The database in {place.data} did not start.\n{why} (see {place.log})")


def stop(place: Place) -> None:
    """End the server in order, whoever is connected. Raises DatabaseUnreachable when it does not end."""
    outcome = run(find_binaries(place), place, "pg_ctl", "stop", "-w", "-t", "120", "-s", "-m", "fast")
    if outcome.code:
        raise DatabaseUnreachable(f"The database in {place.data} did not stop.\n{reason(outcome.output)}")
    if not places.TCP and (folder := socket_folder(place)) != place.data:
        with contextlib.suppress(OSError):
            folder.rmdir()


def status(place: Place) -> Outcome:
    """What `pg_ctl status` says; code 0 when a server of this cluster runs."""
    return run(find_binaries(place), place, "pg_ctl", "status")


def _options(place: Place) -> str:
    settings = dict(SETTINGS)
    if places.TCP:
        settings |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port(place))}
    else:
        folder = checked_socket_folder(place)
        settings |= {
            "listen_addresses": "",
            "unix_socket_directories": "." if folder == place.data else str(folder),
            "unix_socket_permissions": "0700",
            "port": str(port(place)),
        }
    if sys.platform in ("linux", "darwin"):
        settings["client_connection_check_interval"] = "10s"  # a killed client's long statement ends too
    return " ".join(f"-c {name}={shlex.quote(value) if value else ''}" for name, value in settings.items())


def reason(said: str) -> str:
    """The last line that tells why, without the time and process in front."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(FATAL|PANIC|error):", line)]
    full = [line for line in lines if NO_ROOM in line]  # what follows from it is told later, and louder
    chosen = (full or telling or lines or [""])[-1]
    return re.sub(r"^.*?\b(?:FATAL|PANIC):\s*", "", chosen)[:300]
