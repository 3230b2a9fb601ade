"""Whose a file is, and who else may read it: what holds keys and tokens is its owner's alone, or is not used."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

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
