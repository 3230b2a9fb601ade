"""`hde` called in this process or in one of its own, a home that is signed in, and what a database holds."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import hde
from hde import cli
from hde.places import make_home
from hde.store.database import Database
from hde.tokens import Stored, Token
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key

RAW = ("user_basic_profile", "user_body_measurement", "cycles", "recoveries", "sleeps", "workouts")
CANONICAL = ("user_identity", "sleep_sessions", "workouts", "biometrics_vitals")
OF_COLLECTION = {"cycles": "cycle", "recoveries": "recovery", "sleeps": "sleep", "workouts": "workout"}
PATHS = {
    "cycles": "/developer/v2/cycle",
    "recoveries": "/developer/v2/recovery",
    "sleeps": "/developer/v2/activity/sleep",
    "workouts": "/developer/v2/activity/workout",
}
REPOSITORY = Path(hde.__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err

    def of(self, resource: str) -> dict[str, Any]:
        """A resource's numbers of `--json`."""
        (found,) = (numbers for numbers in self.json["resources"] if numbers["resource"] == resource)
        return dict(found)


def call(*arguments: str) -> Outcome:
    """`hde ARGUMENTS` in this process, through the entry point: its exit code and what it wrote."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    former, mask = sys.argv, os.umask(0o077)
    sys.argv = ["hde", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.argv = former
        os.umask(mask)
    return Outcome(code, *(text.buffer.getvalue().decode() for text in (out, err)))  # type: ignore[attr-defined]


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """`hde ARGUMENTS` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "hde", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "engine"), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], *, within: float = 60) -> Outcome:
    try:
        out, err = process.communicate(timeout=within)
    finally:
        process.kill()
    return Outcome(process.returncode, out, err)


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Whatever the test does, the process ends with it."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def keep_token(answer: dict[str, object], *, account: str, connector: str = "whoop") -> None:
    """A token endpoint's answer, kept as `hde auth` would."""
    home = make_home()
    token = Token(str(answer["access_token"]), str(answer["refresh_token"]))
    FileTokens(home / ".token_store.json", find_key(home)).write(connector, account, Stored(token))


def ask(url: str, sql: str, *values: object) -> list[Any]:
    """Rows; a row of one column is its value."""
    with psycopg.connect(url) as connection:
        found = connection.execute(sql.encode(), values or None).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def do(url: str, sql: str) -> None:
    """Statements that answer nothing."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def counts(url: str, schema: str, *tables: str) -> dict[str, int]:
    return {table: ask(url, f"SELECT count(*) FROM {schema}.{table}")[0] for table in tables}


def raw_hashes(url: str, schema: str = "whoop_raw", tables: tuple[str, ...] = RAW) -> dict[str, str]:
    """Of declared columns and payloads; what says who brought them and when is set aside."""
    return {table: _hash(url, schema, table, lambda column: not column.startswith("_")) for table in tables}


def canonical_hashes(url: str) -> dict[str, str]:
    """Of keys and business columns."""
    lineage = {"mapping_hash", "run_id", "mapped_at", "_hash"}
    # an observed record's time is when it was observed
    observed = " WHERE mapping <> 'whoop/user_body_measurement'"
    return {
        table: _hash(url, "canonical", table, lambda column: column not in lineage, observed) for table in CANONICAL
    }


def covered(url: str) -> dict[str, str]:
    """Of each resource, how many stretches of time are covered and where they begin."""
    rows = ask(
        url, "SELECT resource, (SELECT array_agg(lower(c)::text) FROM unnest(covered) c)::text FROM meta.streams"
    )
    return dict(rows)


def _hash(url: str, schema: str, table: str, counts: Callable[[str], bool], where: str = "") -> str:
    columns = ask(
        url,
        "SELECT column_name::text FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        schema,
        table,
    )
    listed = ", ".join(f'"{column}"' for column in sorted(columns) if counts(column))
    rows = ask(url, f"SELECT ROW({listed})::text FROM {schema}.{table}{where}")
    return f"{len(rows)} rows {hashlib.sha256(chr(10).join(sorted(rows)).encode()).hexdigest()[:16]}"


@contextmanager
def another_database(url: str, name: str) -> Iterator[str]:
    """A second migrated database on the same server, to compare with."""
    conninfo = Database(url).conninfo
    parts = conninfo_to_dict(conninfo)
    server = make_conninfo(conninfo, dbname="postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template".encode())
    try:
        yield url.replace(f"/{parts['dbname']}?", f"/{name}?")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
