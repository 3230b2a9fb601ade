"""The key of a home in the OS keyring, beside a note in the home that says so.

A run without the keyring (cron) must not make a second key, which would then win: the note keeps it from that.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hde.durable import replace_file
from hde.errors import WrongUse

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend as _Ring

SERVICE = "hde"
T = TypeVar("T")


def noted_at(home: Path) -> Path:
    return home / "secret.key.at"


def is_noted(home: Path) -> bool:
    return noted_at(home).is_file()


def note(home: Path) -> None:
    if not is_noted(home):
        _note(home, "keyring\n")


def read(home: Path) -> list[str]:
    """The keys of this home, the newest first; none where no keyring works or it holds none."""
    name = str(home.resolve())
    names = [name]
    if is_noted(home) and "former" in noted_at(home).read_text(encoding="utf-8"):
        names = [_fresh(name), name, _former(name)]
    found = _asked(lambda ring: [ring.get_password(SERVICE, one) for one in names])
    return [text for text in found or [] if text]


def make(home: Path) -> str | None:
    """The first one; None where no keyring works."""
    _asked(lambda ring: ring.set_password(SERVICE, str(home.resolve()), _new()))
    found = read(home)
    if found:
        note(home)
    return found[0] if found else None


def begin(home: Path) -> None:
    name = str(home.resolve())
    _note(home, "keyring, with a former key or a new one beside it\n")  # else nobody looks for them
    if _must(lambda ring: ring.get_password(SERVICE, _fresh(name))) is None:
        _must(lambda ring: ring.set_password(SERVICE, _fresh(name), _new()))


def finish(home: Path) -> None:
    name = str(home.resolve())
    former = _must(lambda ring: ring.get_password(SERVICE, name))
    fresh = _must(lambda ring: ring.get_password(SERVICE, _fresh(name)))
    assert fresh is not None
    if former is not None and former != fresh:  # equal: killed before the last step
        _must(lambda ring: ring.set_password(SERVICE, _former(name), former))
        _must(lambda ring: ring.set_password(SERVICE, name, fresh))
    _must(lambda ring: ring.delete_password(SERVICE, _fresh(name)))


def _fresh(name: str) -> str:
    return f"{name} (new)"


def _former(name: str) -> str:
    return f"{name} (former)"


def _new() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _note(home: Path, text: str) -> None:
    path = noted_at(home)
    try:
        replace_file(path, text.encode(), path.with_name(f"{path.name}.part"))
    except OSError as error:
        raise WrongUse(f"{path} cannot be written ({error.strerror}): it says where the key of tokens is") from None


def _asked(ask: Callable[[_Ring], T]) -> T | None:
    """What the keyring says; None where none works."""
    import keyring  # slow to load, and a home with a key in a file never asks it
    from keyring.errors import KeyringError

    try:
        return ask(keyring.get_keyring()) if keyring.get_keyring().priority >= 1 else None
    except (KeyringError, OSError, RuntimeError):
        return None


def _must(ask: Callable[[_Ring], T]) -> T:
    import keyring
    from keyring.errors import KeyringError

    try:
        return ask(keyring.get_keyring())
    except (KeyringError, OSError, RuntimeError) as error:
        raise WrongUse(f"the keyring did not do what it was asked for ({type(error).__name__}); try again") from None
