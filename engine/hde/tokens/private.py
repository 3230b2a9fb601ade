"""Whose a file is, and who else may read it: what holds keys and tokens is its owner's alone, or is not used."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hde.errors import WrongUse


def must_be_private(path: Path, why: str) -> None:
    """WrongUse for a file of somebody else's, or one that others may read. Windows keeps that elsewhere."""
    if sys.platform == "win32":
        return
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise WrongUse(
            f"{path} belongs to another user (uid {found.st_uid}) and was left as it is: {why}\n"
            f"run hde as that user, or make it yours: chown {os.geteuid()} {path}"
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise WrongUse(f"{path} is open to others (mode {mode:04o}): {why}\nclose it: chmod 600 {path}")


@contextmanager
def locked(path: Path, what: str, kept: str, seconds: float) -> Iterator[None]:
    """Held across processes; WrongUse where another holds it for too long, or the file cannot be made.

    `what` is held, `kept` is what lies beside the lock: both are for the messages.
    """
    lock = FileLock(path, mode=0o600, timeout=seconds)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise WrongUse(f"another hde has held {what} for {seconds:.0f} s ({path}): stop it, then try again") from None
    except OSError as error:
        raise WrongUse(f"{path} cannot be made ({error.strerror}): {kept} beside it") from None
    try:
        yield
    finally:
        lock.release()
