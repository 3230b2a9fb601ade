"""One run of one contestant as a process: how long it took and what it cost, client and PostgreSQL apart."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.postgres import Server


class Failed(Exception):
    """A contestant ended with an error; what it said."""


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of CPU, bytes of WAL, and the largest resident set of any one process in bytes."""

    seconds: float
    peak: int
    client_cpu: float
    postgres_cpu: float
    wal: int


def measure(command: Sequence[str], environment: Mapping[str, str], server: Server) -> Measured:
    """Run `command` to its end, from its start to its exit. Raises Failed.

    A last line of JSON with `seconds` and `cpu` stands for the clock: of one whose preparation is not measured.
    """
    server.settle()
    wal, postgres_cpu = server.wal_position(), server.cpu_seconds()
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        # Of it and of the children it waited for. It counts from this process's own size on, which is smaller.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read()
    if process.returncode:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
    told = _told(output)
    return Measured(
        seconds=told.get("seconds", seconds),
        peak=usage.ru_maxrss * 1024,
        client_cpu=told.get("cpu", usage.ru_utime + usage.ru_stime),
        postgres_cpu=server.cpu_seconds() - postgres_cpu,
        wal=server.wal_position() - wal,
    )


def _told(output: str) -> dict[str, float]:
    last = output.strip().rpartition("\n")[2]
    if not last.startswith("{"):
        return {}
    found = json.loads(last)
    return {name: found[name] for name in ("seconds", "cpu") if name in found}


def first_row(command: Sequence[str], environment: Mapping[str, str], server: Server, table: str) -> float:
    """Seconds from the start of `command` until `table` holds a row that others can see; then it is ended."""
    query = psycopg.sql.SQL("SELECT FROM {} LIMIT 1").format(psycopg.sql.Identifier(*table.split(".")))
    with psycopg.connect(server.conninfo, autocommit=True) as watching, open(os.devnull, "w") as nowhere:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere)
        try:
            while True:
                has_ended = process.poll() is not None
                try:
                    if watching.execute(query).fetchone() is not None:
                        return time.monotonic() - began
                except psycopg.errors.UndefinedTable:
                    pass
                if has_ended:
                    raise Failed(f"{' '.join(command)} ended without a row in {table}")
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()


def python_path(*folders: Path) -> dict[str, str]:
    """This environment without what would lead a contestant elsewhere, and with `folders` to import from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HDE_", "PG", "PYTHON"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, folders))}
