"""The key of this home's recordings: with it the same person gets the same made-up values in each of them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hde.errors import WrongUse

NAME = "recording.key"


def recording_key(home: Path) -> bytes:
    """Made when first asked for. It stays in the home: who has it could tell a made-up identifier's real one."""
    file = home / NAME
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = file.read_bytes()
        if len(key) != 32:
            raise WrongUse(f"{file} is no key of recordings; remove it, and a new one is made") from None
        return key
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key := secrets.token_bytes(32))
    return key
