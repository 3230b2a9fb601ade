"""What survives a power cut: bytes once they are on disk, and a rename once the folder it happened in is as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, data: bytes, through: Path, *, rename: Callable[[Path, Path], None] = os.replace) -> None:
    """`path` holds `data`, on disk, when this returns; else what it held before. 0600 from its first byte.

    `through` is written first and then renamed. Where it is there already its room on disk is used, and it stays if
    this fails.
    """
    was_there = through.exists()
    try:
        fill(through, data)
        rename(through, path)
    except OSError:
        if not was_there:
            with suppress(OSError):
                through.unlink()
        raise
    sync_folder(path.parent)


def fill(path: Path, data: bytes) -> None:
    """Write over what the file holds and cut it there, so that blocks it has are used again."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if sys.platform != "win32":
            os.fchmod(descriptor, 0o600)
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the folder's entries are on disk. Windows has no such call, and keeps renames in its journal."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
