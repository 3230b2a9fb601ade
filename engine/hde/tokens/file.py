"""Tokens in one file: sealed, 0600 from its first byte, replaced as a whole or not at all.

Knows nothing of providers; a file that cannot be read is never written over.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from hde.durable import fill, replace_file
from hde.errors import SignInNeeded, WrongUse
from hde.tokens.model import Resealed, Stored
from hde.tokens.private import locked, must_be_private
from hde.tokens.seal import AnotherKey, SecretKey

LONGEST_WAIT = 180.0
"""Seconds; a refresh holds its lock for two requests at most."""
IN_USE = 3.0
"""Seconds; others hold the file open for the moment of a read."""
ROOM = 64 * 1024
"""Bytes kept for what an answer may be longer than the token before it."""

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
        """As TokenStore says. With a mark, room on disk is kept for the answer; without one, that room is used."""
        entry: dict[str, object] = {
            "generation": stored.generation,
            "refreshing_since": stored.refreshing_since,
            "sealed": self._key.seal(stored.token, connector, account),
        }
        room, is_mark = self._beside(connector, account, "room"), stored.refreshing_since is not None
        try:
            with self._changing(None if is_mark else room) as entries:
                entries.setdefault(connector, {})[account] = entry
                if is_mark:
                    self._make(room, len(json.dumps(entries)) + ROOM)
        except WrongUse:
            if is_mark:
                room.unlink(missing_ok=True)
            raise

    def remove(self, connector: str, account: str) -> None:
        with self._changing() as entries:
            entries.get(connector, {}).pop(account, None)

    def reseal(self) -> Resealed:
        """As TokenStore says: one file takes the place of the other."""
        with self._changing(write=False) as entries:
            held = [
                (connector, account, str(entry.get("sealed", "")))
                for connector, accounts in entries.items()
                for account, entry in accounts.items()
            ]
            fresh, done = self._key.reseal(held)
            for (connector, account), sealed in fresh.items():
                entries[connector][account]["sealed"] = sealed
            if fresh:
                self._put(entries, None)
        return done

    @contextmanager
    def locked(self, connector: str, account: str) -> Iterator[None]:
        """Held across threads and processes. Its file is not the store's: a rename would change that one's inode."""
        with _lock(self._beside(connector, account, "lock"), f"the {connector} token"):
            self._take_over(connector, account)
            yield

    def _beside(self, connector: str, account: str, kind: str) -> Path:
        name = hashlib.sha256(json.dumps([connector, account]).encode()).hexdigest()[:12]
        return self._path.with_name(f"{self._path.name}.{name}.{kind}")

    def _take_over(self, connector: str, account: str) -> None:
        """An answer that a killed process wrote into its room, and could not put in place any more."""
        room = self._beside(connector, account, "room")
        try:
            entry = json.loads(room.read_bytes())[connector][account]
            generation = int(entry["generation"])
            with suppress(AnotherKey):
                self._key.open(entry["sealed"], connector, account)
        except FileNotFoundError:
            return
        except (ValueError, TypeError, RecursionError, LookupError, AttributeError, OSError, SignInNeeded):
            generation = 0  # blanks, or half an answer
        with self._changing(write=False) as entries:
            there = entries.get(connector, {}).get(account, {}).get("generation")
            if generation and generation > (there if isinstance(there, int) else 0):
                entries.setdefault(connector, {})[account] = entry
                self._put(entries, None)
        with suppress(OSError):
            room.unlink()

    def _make(self, room: Path, size: int) -> None:
        """Blanks, which JSON may end with: an answer written over them can be read before they are cut off."""
        try:
            fill(room, b" " * size)
        except OSError as error:
            raise self._not_written(error) from None

    @contextmanager
    def _changing(self, room: Path | None = None, *, write: bool = True) -> Iterator[Entries]:
        with _lock(self._path.with_name(f"{self._path.name}.lock"), self.where):
            entries = self._entries()
            yield entries
            if write:
                self._put(entries, room)

    def _put(self, entries: Entries, room: Path | None) -> None:
        through = room if room and room.exists() else self._path.with_name(f"{self._path.name}.new")
        data = json.dumps(entries, indent=1, sort_keys=True).encode()
        try:
            replace_file(self._path, data, through, rename=_rename)
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> WrongUse:
        return WrongUse(
            f"{self._path} cannot be written ({error.strerror}): tokens are stored there; what it holds is as it was"
        )

    def _entries(self) -> Entries:
        try:
            entries = json.loads(_when_free(self._path.read_bytes))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise WrongUse(f"{self._path} cannot be read ({error.strerror}); tokens are stored there") from None
        except (ValueError, RecursionError):
            raise self._damaged() from None
        if not isinstance(entries, dict) or not all(_is_map_of_maps(accounts) for accounts in entries.values()):
            raise self._damaged()
        must_be_private(self._path, "tokens are stored there")
        return entries

    def _damaged(self) -> WrongUse:
        return WrongUse(
            f"{self._path} is damaged, or not a token file of hde, and was left as it is:"
            " move it away, then run `hde auth` again"
        )


def _is_map_of_maps(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


def _lock(path: Path, what: str) -> AbstractContextManager[None]:
    return locked(path, what, "tokens are stored", LONGEST_WAIT)


def _rename(fresh: Path, path: Path) -> None:
    _when_free(lambda: os.replace(fresh, path))


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
