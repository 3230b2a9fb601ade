"""A process that refreshes a token and kills itself at a named step of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from oauth_made import KEY, Provider, ask
from source_made import Reply, Source

from hde.store.database import Database
from hde.store.tokens import DatabaseTokens
from hde.tokens import Stored, TokenStore
from hde.tokens.file import FileTokens

GONE = 0
LARGEST = "no file larger than "
"""In place of a step: bytes at which a disk is full, for a process without privileges."""
CODE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from refreshing_made import nursery
nursery()
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended: as Popen.returncode says, and what it said."""

    code: int
    said: str


class Processes:
    """Processes that ask the source once, over the store at a place, and die at a step where one is named.

    They are forks of one that has loaded everything: loading is what takes the time.
    """

    def __init__(self) -> None:
        paths = [str(Path(__file__).parent), *(path for path in sys.path if path.endswith("engine"))]
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", CODE, json.dumps(paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._pids: list[int] = []

    def run(self, source: Source, store: TokenStore, place: str, step: str = "", *, many: int = 1) -> list[Ended]:
        """All of them at once, to their ends."""
        kind = "database" if isinstance(store, DatabaseTokens) else "file"
        to, out = self._nursery.stdin, self._nursery.stdout
        assert to is not None
        assert out is not None
        self._pids = []
        to.write(json.dumps([many, source.url, kind, place, step]) + "\n")
        to.flush()
        self._pids = json.loads(out.readline())
        ended = [Ended(*one) for one in json.loads(out.readline())]
        self._pids = [GONE]
        return ended

    def kill(self) -> None:
        """The one that is running; safe to call once it has shown that it runs."""
        while not self._pids:
            time.sleep(0.005)
        if (pid := self._pids[0]) != GONE:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()


def nursery() -> None:
    for line in sys.stdin:
        many, *job = json.loads(line)
        born = [_fork(*job) for _ in range(many)]
        _say([pid for pid, _ in born])
        ended = []
        for pid, said in born:
            with open(said, encoding="utf-8") as text:
                words = text.read()  # until the process is gone
            ended.append((os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), words))
        _say(ended)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _fork(url: str, kind: str, place: str, step: str) -> tuple[int, int]:
    """The process, and where what it says can be read."""
    read_end, write_end = os.pipe()
    if pid := os.fork():
        os.close(write_end)
        return pid, read_end
    os.dup2(write_end, 1)
    os.dup2(write_end, 2)
    os.close(write_end)
    try:
        refresh(url, kind, place, step)
        sys.stdout.flush()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork must not come back into the loop
        traceback.print_exc()
        os._exit(1)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refresh(url: str, kind: str, place: str, step: str) -> None:
    """The process itself."""

    class At:
        pass

    at: Any = At()
    at.url = url
    if step.startswith(LARGEST):
        import resource  # POSIX only

        most = int(step.removeprefix(LARGEST))
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # Python ignores the signal: writing fails
        step = ""
    store: TokenStore = DatabaseTokens(Database(place), KEY) if kind == "database" else FileTokens(Path(place), KEY)
    sys.stdout.write(ask(at, Dying(store, step) if step else store, threading.Event()).decode())


class Dying:
    """A store that lives until the step. Steps within a write are named after what is written: room for an answer, the
    mark, or the answer.
    """

    def __init__(self, store: TokenStore, step: str) -> None:
        self._store = store
        self._step = step
        self._writing = ""
        for owner, name, before, after in (
            (os, "fsync", "is written, not on disk", None),
            (os, "replace", "is on disk, not in place", "is in place"),
            (psycopg.Transaction, "__exit__", "is not committed", None),
        ):
            setattr(owner, name, self._stepped(getattr(owner, name), before, after))
        commit = psycopg.Transaction.__exit__

        def committing(transaction: psycopg.Transaction, *error: Any) -> Any:
            if self._step == f"{self._writing} is being committed":
                transaction.connection.pgconn.send_query(b"COMMIT")
                die()
            return commit(transaction, *error)

        psycopg.Transaction.__exit__ = committing  # type: ignore[method-assign]
        self._open, self._file = os.open, ""
        os.open = self._opening  # type: ignore[assignment]
        os.fdopen = self._halving(os.fdopen)  # type: ignore[assignment]  # one of its signatures is enough

    @property
    def where(self) -> str:
        return self._store.where

    def accounts(self, connector: str) -> list[str]:
        return self._store.accounts(connector)

    def read(self, connector: str, account: str) -> Stored | None:
        return self._store.read(connector, account)

    def remove(self, connector: str, account: str) -> None:
        self._store.remove(connector, account)

    @contextmanager
    def locked(self, connector: str, account: str) -> Iterator[None]:
        self._at("before the lock")
        with self._store.locked(connector, account):
            self._at("with the lock")
            yield
            self._at("before the lock is let go")
        self._at("after the lock is let go")

    def write(self, connector: str, account: str, stored: Stored) -> None:
        self._writing = "the mark" if stored.refreshing_since else "the answer"
        self._at(f"before {self._writing}")
        self._store.write(connector, account, stored)
        self._at(f"after {self._writing}")
        self._writing = ""

    def _at(self, step: str) -> None:
        if step == self._step:
            die()

    def _opening(self, path: Any, *given: Any, **named: Any) -> int:
        self._file = str(path)
        return self._open(path, *given, **named)

    @property
    def _what(self) -> str:
        is_room = self._writing == "the mark" and self._file.endswith(".room")
        return "the room" if is_room else self._writing

    def _stepped(self, really: Callable[..., Any], before: str | None, after: str | None) -> Callable[..., Any]:
        def stepped(*given: Any, **named: Any) -> Any:
            if before:
                self._at(f"{self._what} {before}")
            result = really(*given, **named)
            if after:
                self._at(f"{self._what} {after}")
            return result

        return stepped

    def _halving(self, really: Callable[..., Any]) -> Callable[..., Any]:
        """Files of which half is written."""

        def opened(descriptor: int, mode: str, *given: Any, **named: Any) -> Any:
            self._at(f"{self._what} has a file with nothing in it")
            if self._step != f"{self._what} is half written":
                return really(descriptor, mode, *given, **named)

            def half(data: bytes) -> None:
                os.write(descriptor, data[: len(data) // 2])
                die()

            return _Half(half)

        return opened


class _Half:
    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write

    def __enter__(self) -> _Half:
        return self

    def __exit__(self, *error: object) -> None: ...


def kill_at_provider(provider: Provider, step: str, processes: Processes) -> None:
    """For steps that only the provider sees: the first request arrives, or its answer is about to go out."""

    def killed() -> Reply | None:
        if len(provider.refreshes) > 1:
            return None
        processes.kill()
        return Reply(hang_up=True)

    if step == "the request has arrived":
        provider.before = killed
    elif step == "the answer is on its way":
        provider.answered = killed
