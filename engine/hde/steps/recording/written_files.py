"""Files that are written all or none, and never over what somebody else wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hde.errors import WrongUse


def write_files(files: Mapping[Path, bytes], *, force: bool) -> None:
    """WrongUse names what is in the way, before anything is written."""
    there = [file for file in files if file.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise WrongUse(f"{there[0]}{more} would be written over: choose another --name, or --force")
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
