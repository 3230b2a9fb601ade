"""Tokens in one file: sealed, 0600 from its first byte, replaced as a whole or not at all.

Knows nothing of providers; a file that cannot be read is never written over.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from hde.durable import sync_folder
from hde.errors import WrongUse
from hde.tokens.model import Stored
from hde.tokens.seal import SecretKey

LONGEST_WAIT = 180.0
"""Seconds; a refresh holds its lock for two requests at most."""
IN_USE = 3.0
"""Seconds; others hold the file open for the moment of a read."""

T = TypeVar("T")

Entries = dict[str, dict[str, dict[str, object]]]


class FileTokens:
    """A TokenStore in a JSON file: connector -> account -> generation, refreshing_since, sealed token."""

    def __init__(self, path: Path, key: SecretKey) -> None:
        self._path = path
        self._key = key

    @property
    def where(self) -> str:
        return str(self._path)

    def accounts(self, connector: str) -> list[str]:
        """Accounts with a token, sorted. WrongUse where the file is not one of ours."""
        return sorted(self._entries().get(connector, {}))

    def read(self, connector: str, account: str) -> Stored | None:
        """The token, None where there is none; SignInNeeded where the key does not open it."""
        entry = self._entries().get(connector, {}).get(account)
        if entry is None:
            return None
        match entry:
            case {"generation": int(generation), "sealed": str(sealed)}:
                since = entry.get("refreshing_since")
                marked = float(since) if isinstance(since, int | float) else None
                return Stored(self._key.open(sealed, connector, account), generation, marked)
        raise self._damaged()

    def write(self, connector: str, account: str, stored: Stored) -> None:
        entry: dict[str, object] = {
            "generation": stored.generation,
            "refreshing_since": stored.refreshing_since,
            "sealed": self._key.seal(stored.token, connector, account),
        }
        with self._changing() as entries:
            entries.setdefault(connector, {})[account] = entry

    def remove(self, connector: str, account: str) -> None:
        with self._changing() as entries:
            entries.get(connector, {}).pop(account, None)

    @contextmanager
    def locked(self, connector: str, account: str) -> Iterator[None]:
        """Held across threads and processes. Its file is not the store's: a rename would change that one's inode."""
        name = hashlib.sha256(json.dumps([connector, account]).encode()).hexdigest()[:12]
        with _lock(self._path.with_name(f"{self._path.name}.{name}.lock"), f"the {connector} token"):
            yield

    @contextmanager
    def _changing(self) -> Iterator[Entries]:
        with _lock(self._path.with_name(f"{self._path.name}.lock"), self.where):
            entries = self._entries()
            yield entries
            _replace(self._path, json.dumps(entries, indent=1, sort_keys=True).encode())

    def _entries(self) -> Entries:
        try:
            entries = json.loads(_when_free(self._path.read_bytes))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise WrongUse(f"{self._path} cannot be read ({error.strerror}); tokens are stored there") from None
        except ValueError:
            raise self._damaged() from None
        if not isinstance(entries, dict) or not all(_is_map_of_maps(accounts) for accounts in entries.values()):
            raise self._damaged()
        return entries

    def _damaged(self) -> WrongUse:
        return WrongUse(f"{self._path} is damaged and was left as it is: move it away, then run `hde auth` again")


def _is_map_of_maps(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


@contextmanager
def _lock(path: Path, what: str) -> Iterator[None]:
    lock = FileLock(path, mode=0o600, timeout=LONGEST_WAIT)
    try:
        _private_folder(path.parent)
        lock.acquire()
    except Timeout:
        raise WrongUse(
            f"another hde has held {what} for {LONGEST_WAIT:.0f} s ({path}): stop it, then try again"
        ) from None
    except OSError as error:
        raise WrongUse(f"{path} cannot be made ({error.strerror}): tokens are stored beside it") from None
    try:
        yield
    finally:
        lock.release()


def _private_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Durable when it returns: the file's bytes, and the folder's entry that points to them."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _when_free(lambda: os.replace(fresh, path))
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise WrongUse(f"{path} cannot be written ({error.strerror}): tokens are stored there") from None
    sync_folder(path.parent)


def _when_free(act: Callable[[], T]) -> T:
    """Windows neither replaces a file that somebody reads, nor opens one that is being replaced."""
    until = time.monotonic() + IN_USE
    while True:
        try:
            return act()
        except PermissionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
