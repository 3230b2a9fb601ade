"""Everything in one file and back, with the wheel's pg_dump and pg_restore: whole or not there, in one transaction."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from hde.durable import sync_folder
from hde.errors import Busy, DatabaseUnreachable, WrongUse
from hde.places import bundled
from hde.store import migrate
from hde.store.database import Connection, Database, lock_number
from hde.store.embedded.binaries import INHERITED, programs
from hde.store.holdings import holdings
from hde.store.refusals import refusal_of

BEGINS = b"PGDMP"
# Roles are the server's, not the database's: `hde db grant` gives the rights again where they are wanted.
WITHOUT_ROLES = ("--no-owner", "--no-privileges", "--no-policies", "--no-security-labels")


def dump(database: Database, to: Path) -> int:
    """One moment of the database into a new file, 0600; its size. A run may go on meanwhile."""
    if to.exists():
        raise WrongUse(f"{to} exists already; a dump overwrites nothing")
    schemas = () if database.is_ours else tuple(f"--schema={one}" for one in _schemas(database))
    making = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(making, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with _running("pg_dump", database, "--format=custom", *schemas, f"--file={making}") as process:
            _, said = process.communicate()
        if process.returncode:
            raise DatabaseUnreachable(f"{to} was not written: {_reason(said)}")
        with making.open("rb") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        making.rename(to)
        sync_folder(to.absolute().parent)
    except OSError as error:
        raise WrongUse(f"{error.filename or to}: {error.strerror}; nothing was written") from None
    finally:
        making.unlink(missing_ok=True)
    return size


def restore(database: Database, file: Path, *, replace: bool = False) -> str:
    """What the file holds, in one transaction; the migration it was at. Roles and their rights are not in it.

    Into a database that holds nothing of hde, or with `replace` instead of all that it holds of it.
    """
    revision = _checked(database, file)
    with database.connection(autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s, 0)", (lock_number("migrate"),))
        doomed = _in_the_way(guard, _listed(database, file))
        if doomed and not replace:
            raise WrongUse(
                f"database {guard.info.dbname} holds {', '.join(doomed)} already.\nTo replace them, without a way back:"
                " hde db restore --replace"
            )
        _refuse_while_in_use(guard)
        before = [SQL("DROP SCHEMA {} CASCADE").format(Identifier(one)).as_string(guard) for one in doomed]
        _play(database, file, before, version=guard.info.server_version)
    return revision


def _play(database: Database, file: Path, before: Sequence[str], *, version: int) -> None:
    """The file's statements between BEGIN and COMMIT; the COMMIT only once pg_restore has read the file to its end."""
    quiet = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate", "--output=" + os.devnull)
    with (
        _running("psql", database, *quiet, "--file=-", stdin=subprocess.PIPE) as psql,
        _running("pg_restore", None, *WITHOUT_ROLES, "--file=-", str(file), stdout=subprocess.PIPE) as reading,
    ):
        assert psql.stdin is not None
        assert reading.stdout is not None
        with suppress(BrokenPipeError):  # psql has ended, and says why
            psql.stdin.write("".join(f"{line};\n" for line in ("BEGIN", *before)).encode())
            _copy(reading.stdout, psql.stdin, version)
            reading.stdout.close()
            is_whole = reading.wait() == 0
            psql.stdin.write(b"COMMIT;\n" if is_whole else b"\nROLLBACK;\n")
        _, said = psql.communicate()
        unread = reading.stderr.read() if reading.stderr else b""
        if psql.returncode:
            state = re.search(r"(?:ERROR|FATAL):\s+(\w{5})\b", said.decode("utf-8", "replace"))
            raise refusal_of(state[1]) if state else DatabaseUnreachable(f"nothing was restored: {_reason(said)}")
        if reading.returncode:
            raise WrongUse(f"{file} cannot be read to its end, so nothing was restored: {_reason(unread)}")


def _copy(source: IO[bytes], target: IO[bytes], version: int) -> None:
    is_first = True
    while piece := source.read(1 << 16):
        if is_first and version < 170_000:  # a setting that older servers do not know
            piece = piece.replace(b"SET transaction_timeout = 0;\n", b"", 1)
        is_first = False
        target.write(piece)


def _checked(database: Database, file: Path) -> str:
    """The migration that the dump is at. WrongUse where it is none, or one of a newer hde."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(BEGINS))
    except OSError as error:
        raise WrongUse(f"{file}: {error.strerror}") from None
    if begins != BEGINS:
        raise WrongUse(f"{file} is no dump: `hde db dump` makes them")
    table = _read(file, "--data-only", "--schema=meta", "--table=alembic_version", "--file=-")
    found = re.search(rb"^COPY [^\n]*alembic_version[^\n]*\n(\w+)\n", table, re.MULTILINE)
    if not found:
        raise WrongUse(f"{file} is a dump of a database without hde's tables")
    revision = found[1].decode()
    if revision != migrate.NEWEST and not any((bundled("migrations") / "versions").glob(f"{revision}_*.py")):
        raise DatabaseUnreachable(
            f"{file} is at migration {revision}, which this hde does not know: a newer one made it.\nUpgrade hde;"
            " nothing was restored."
        )
    return revision


def _listed(database: Database, file: Path) -> list[str]:
    """The schemas that the dump makes."""
    found = re.findall(r"^\d+; \d+ \d+ SCHEMA - (\S+)", _read(file, "--list").decode(), re.MULTILINE)
    return [name for name in found if name != "public"]


def _in_the_way(connection: Connection, made: Sequence[str]) -> list[str]:
    rows = connection.execute("SELECT nspname::text FROM pg_namespace ORDER BY 1").fetchall()
    there = [row[0] for row in rows]
    ours = set(made) | ({"meta", "canonical"} if "meta" in there else set())
    if "meta" in there and connection.execute("SELECT to_regclass('meta.connections')").fetchone() != (None,):
        with connection.cursor() as cursor:
            ours |= {one.schema for one in holdings(cursor)}
    return [name for name in there if name in ours]


def _refuse_while_in_use(connection: Connection) -> None:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (lock_number("run") % 2**32,),
    ).fetchone()
    if row and row[0]:
        raise Busy("a run or remap is at work in this database; restore when it is done")


def _schemas(database: Database) -> list[str]:
    """Of hde, in a database that may hold more."""
    with database.connection() as connection, connection.cursor() as cursor:
        return sorted({"meta", "canonical"} | {one.schema for one in holdings(cursor)})


def _read(file: Path, *options: str) -> bytes:
    with _running("pg_restore", None, *options, str(file), stdout=subprocess.PIPE) as process:
        out, said = process.communicate()
    if process.returncode:
        raise WrongUse(f"{file} cannot be read: {_reason(said)}")
    return out


@contextmanager
def _running(
    program: str, database: Database | None, *options: str, stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """Ended with the block. The password goes by the environment, which only this user may read; never by arguments."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | {"LC_ALL": "C"}
    arguments = [str(programs() / program), *options]
    if database is not None:
        parts = {name: str(value) for name, value in conninfo_to_dict(database.conninfo).items() if value is not None}
        if password := parts.pop("password", ""):
            environment["PGPASSWORD"] = password
        arguments += [f"--dbname={make_conninfo(**parts)}", "--no-password"]
        for name in ("PGPASSFILE", "PGSERVICEFILE", "PGSSLROOTCERT", "HOME"):
            environment |= {name: os.environ[name]} if name in os.environ else {}
    process = subprocess.Popen(arguments, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment)
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def _reason(said: bytes) -> str:
    """The first line of complaint: rows of data only come later, in CONTEXT and DETAIL."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return re.sub(r"^\w+: (?:error: )?", "", lines[0])[:300] if lines else "no reason was given"
