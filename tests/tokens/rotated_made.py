"""Rotating the key of a home in a process that kills itself at the n-th instant at which it could be half done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import keyring
import psycopg
from keyring.backend import KeyringBackend

from hde.steps.rotate_key import rotate_key
from hde.store.database import Database

CODE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from rotated_made import nursery
nursery()
"""


class KeyringInFile(KeyringBackend):
    """A keyring that outlives the process."""

    priority = 5  # type: ignore[assignment]  # what keyring's own backends do

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def held(self) -> dict[str, str]:
        return dict(json.loads(self._path.read_text())) if self._path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps(self.held() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        held = self.held()
        del held[f"{service}/{username}"]
        self._path.write_text(json.dumps(held))


class Rotations:
    """Forks of one process that has loaded everything: loading is what takes the time."""

    def __init__(self) -> None:
        paths = [str(Path(__file__).parent), *(path for path in sys.path if path.endswith("engine"))]
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", CODE, json.dumps(paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def is_killed(self, home: Path, conninfo: str, ring: Path | None, said: Mapping[str, str], instant: int) -> bool:
        """Whether there was such an instant; else the rotation is done."""
        to, out = self._nursery.stdin, self._nursery.stdout
        assert to is not None
        assert out is not None
        to.write(json.dumps([str(home), conninfo, str(ring or ""), dict(said), instant]) + "\n")
        to.flush()
        code = json.loads(out.readline())
        assert code in (0, -signal.SIGKILL)
        return bool(code)

    def close(self) -> None:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()


def nursery() -> None:
    for line in sys.stdin:
        pid = os.fork() or _rotate(*json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


def _rotate(home: str, conninfo: str, ring: str, said: dict[str, str], instant: int) -> int:
    try:
        os.environ.update(said)
        if ring:
            keyring.set_keyring(KeyringInFile(Path(ring)))
        _die_at(instant)
        rotate_key(Database(conninfo), Path(home))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork must not come back into the loop
        traceback.print_exc()
        os._exit(1)


def _die_at(instant: int) -> None:
    come_by = count(1)

    def at() -> None:
        if next(come_by) == instant:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(really: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any, **named: Any) -> Any:
            at()
            result = really(*given, **named)
            at()
            return result

        return done

    for owner, names in (
        (os, ("fdopen", "fsync", "replace", "unlink")),
        (psycopg.Transaction, ("__exit__",)),
        (KeyringInFile, ("set_password", "delete_password")),
    ):
        for name in names:
            setattr(owner, name, around(getattr(owner, name)))
