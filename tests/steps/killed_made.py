"""Killing a run at a chosen moment, and what the next one must not ask for again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from run_made import PATHS, REPOSITORY, ask, ending, start

from hde.sandbox.whoop import Call
from hde.store import embedded
from hde.store.embedded import leftovers, place

Window = tuple[str, datetime | None, datetime]
SECOND = timedelta(seconds=1)
NAMES = {path: name for name, path in PATHS.items()}


def until(happened: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Waits for something that a run does before it ends."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.002)


def killed_when(happened: Callable[[], object], *arguments: str) -> None:
    """`hde run whoop`, SIGKILLed as soon as something has happened."""
    with ending(start("run", "whoop", *arguments)) as process:
        until(happened, process)
        process.send_signal(signal.SIGKILL)
        process.wait()


def killed_after(log: list[Call], requests: int, seconds: float) -> None:
    """As above, some time after it has asked so often; it may have ended by then."""
    asked = len(log)
    with ending(start("run", "whoop")) as process:
        while len(log) - asked < requests and process.poll() is None:
            time.sleep(0.002)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()


def killed_while_it_prints(is_stored: Callable[[], object]) -> None:
    """Killed with everything committed and nothing said: its output goes into a pipe that is full."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while os.write(write_end, bytes(65536)):
            pass
    except BlockingIOError:
        os.set_blocking(write_end, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "hde", "run", "whoop"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "engine")},
        stdin=subprocess.DEVNULL,
        stdout=write_end,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    os.close(write_end)
    try:
        with ending(process):
            until(is_stored, process)
            assert process.poll() is None, "it cannot end before it has said what it did"
    finally:
        os.close(read_end)


def wait_for_the_dead(url: str) -> None:
    """Postgres notices a killed client when it next writes to it; until then the account counts as being read."""
    until(
        lambda: (
            ask(
                url,
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            )
            == [0]
        )
    )


@contextmanager
def holding(url: str, statement: str) -> Iterator[None]:
    """A transaction that is in the way of another one."""
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())
        yield
        connection.rollback()


def is_waiting(url: str, beginning: str) -> bool:
    """Whether a statement that begins like this waits for a lock."""
    return ask(
        url,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query ILIKE %s",
        f"{beginning}%",
    ) == [True]


@contextmanager
def own_server(patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with an embedded server of its own; runs use that."""
    folder = Path(tempfile.mkdtemp(prefix="hde-killed-"))
    folder.chmod(0o755)  # as root the server runs as somebody else, who must reach it
    patch.setenv("HDE_HOME", str(folder / "h"))
    patch.delenv("HDE_DATABASE_URL", raising=False)
    try:
        yield folder / "h"
    finally:
        embedded.stop(folder / "h", force=True)
        shutil.rmtree(folder)


def kill_server(home: Path) -> None:
    """SIGKILL to PostgreSQL and all it has started."""
    where = place.find_place(home)
    for pid in leftovers.workers(where) or []:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not leftovers.workers(where))


@dataclass(frozen=True)
class Left:
    """What a killed run left in the ledger."""

    cursors: dict[Window, str | None]
    """Of open windows the cursor that is stored with their records."""
    covered: list[Window]

    @staticmethod
    def by(url: str) -> Left:
        cursors = {
            (resource, start_at, end_at): (cursor or {}).get("cursor")
            for resource, start_at, end_at, cursor in ask(
                url,
                "SELECT resource, start_at, end_at, cursor FROM meta.windows"
                " WHERE state = 'open' AND end_at IS NOT NULL",
            )
        }
        covered = ask(url, "SELECT resource, lower(c), upper(c) FROM meta.streams, unnest(covered) c")
        return Left(cursors, covered)

    def asked_in_vain(self, calls: Iterable[Call]) -> list[Call]:
        """Requests for what is stored: within what is covered, or for an open window but not from its cursor on."""
        found: list[Call] = []
        begun: set[Window] = set()
        for call in calls:
            name = NAMES.get(call.path)
            if name is None:
                continue
            start = call.query.get("start")
            asked = (name, datetime.fromisoformat(start) if start else None, datetime.fromisoformat(call.query["end"]))
            window = next((one for one in self.cursors if _is_same(one, asked)), None)
            if window is None and any(_overlap(asked, one) for one in self.covered):
                found.append(call)
            elif window is not None and window not in begun:
                begun.add(window)
                if self.cursors[window] != call.query.get("nextToken"):
                    found.append(call)
        return found


def _is_same(one: Window, other: Window) -> bool:
    """Requests tell time to the second."""
    if one[0] != other[0] or (one[1] is None) != (other[1] is None):
        return False
    return all(a is None or b is None or abs(a - b) <= SECOND for a, b in zip(one[1:], other[1:], strict=True))


def _overlap(one: Window, other: Window) -> bool:
    name, start, end = one
    other_name, other_start, other_end = other
    if name != other_name:
        return False
    return (start is None or start + SECOND < other_end) and (other_start is None or other_start + SECOND < end)
