"""Where the key that seals tokens comes from, and how another takes its place. It never lies in the store it protects.

HDE_SECRET_KEY, else the OS keyring, else `secret.key` in the home (docs/decisions/0011). While a new key of the home is
being brought in both are at hand, and the former one stays until the next.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from hde.durable import replace_file
from hde.errors import WrongUse
from hde.redact import register_secret
from hde.tokens import keyring
from hde.tokens.keyring import SERVICE
from hde.tokens.private import locked, must_be_private
from hde.tokens.seal import FORMER, VARIABLE, SecretKey

LONGEST_WAIT = 60.0
_log = logging.getLogger(__name__)


def find_key(home: Path, environment: Mapping[str, str] | None = None, *, use_keyring: bool = True) -> SecretKey:
    """The key of this home; one is made, once, where there is none. It opens what a former one has sealed.

    WrongUse where HDE_SECRET_KEY is too short, the key file is not one, or the keyring that holds the key is away.
    """
    said = os.environ if environment is None else environment
    if given := said.get(VARIABLE):
        others = partial(_others, home, said, use_keyring)
        return _known(SecretKey(_from_setting(VARIABLE, given), VARIABLE, "s", others))
    with _turn(home, "secret.key.lock"):
        newest, *_ = _of_home(home, use_keyring) or [_made(home, use_keyring)]
    return SecretKey(newest.raw, newest.origin, newest.kind, partial(_others, home, said, use_keyring))


@contextmanager
def new_key(home: Path, *, use_keyring: bool = True) -> Iterator[SecretKey]:
    """The key that is to seal everything from now on; on leaving without an error it is the only one that does.

    Killed anywhere, the former keys and the new one are at hand, and the next call goes on with that new one.
    """
    with _turn(home, "secret.key.rotation.lock"):
        key = find_key(home, use_keyring=use_keyring)
        if key.origin == VARIABLE:
            yield key
            return
        in_keyring = key.kind == "k"
        with _turn(home, "secret.key.lock"):
            (keyring.begin if in_keyring else _begin)(home)
        yield find_key(home, use_keyring=use_keyring)
        with _turn(home, "secret.key.lock"):
            (keyring.finish if in_keyring else _finish)(home)


def _others(home: Path, environment: Mapping[str, str], use_keyring: bool) -> Iterator[SecretKey]:
    """Whatever else may have sealed a token; nothing is made, and a keyring that is away is passed over."""
    if given := environment.get(FORMER):
        yield _known(SecretKey(_from_setting(FORMER, given), FORMER, "s"))
    if home.is_dir():
        try:
            with _turn(home, "secret.key.lock"):
                found = _of_home(home, use_keyring)
        except WrongUse:
            found = []
        yield from found


def _of_home(home: Path, use_keyring: bool) -> list[SecretKey]:
    """The newest first; none where none was made."""
    path = home / "secret.key"
    if path.exists():
        files = [one for one in (_fresh(path), path, _former(path)) if one.exists()]
        return [_known(SecretKey(_from_file(one), str(path), "f")) for one in files]
    found = keyring.read(home) if use_keyring else []
    if found:
        keyring.note(home)
    elif keyring.is_noted(home):
        raise WrongUse(
            f"the key of {home} is in the system's keyring, which is away or locked for this run\n"
            f"set {VARIABLE} to what `keyring get {SERVICE} {home.resolve()}` prints on the desktop; "
            f"if it is lost, remove {keyring.noted_at(home)} and sign in again"
        )
    return [_known(SecretKey(_decoded(text), "the keyring", "k")) for text in found]


def _made(home: Path, use_keyring: bool) -> SecretKey:
    if use_keyring and (text := keyring.make(home)):
        return _known(SecretKey(_decoded(text), "the keyring", "k"))
    path = home / "secret.key"
    _write(path, _encoded(secrets.token_bytes(32)))
    _log.warning(
        "no keyring on this machine: the key that encrypts tokens lies in %s; set %s to keep it elsewhere",
        path,
        VARIABLE,
    )
    return _known(SecretKey(_from_file(path), str(path), "f"))


def _begin(home: Path) -> None:
    path = home / "secret.key"
    if not _fresh(path).exists():
        _write(_fresh(path), _encoded(secrets.token_bytes(32)))


def _finish(home: Path) -> None:
    path = home / "secret.key"
    former, fresh = path.read_bytes(), _fresh(path).read_bytes()
    if former != fresh:  # equal: killed before the last step
        _write(_former(path), former)
        _write(path, fresh)
    _fresh(path).unlink()


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _former(path: Path) -> Path:
    return path.with_name(f"{path.name}.former")


def _from_setting(name: str, text: str) -> bytes:
    register_secret(text)
    try:
        return _decoded(text.strip())
    except WrongUse:
        pass
    if len(text) < 16:
        raise WrongUse(f"{name} is too short: 16 characters at least, or 32 random bytes in base64")
    return hashlib.scrypt(text.encode(), salt=b"hde secret key", n=2**14, r=8, p=1, dklen=32)


def _from_file(path: Path) -> bytes:
    try:
        raw = _decoded(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise WrongUse(f"{path} cannot be read ({error.strerror}): it holds the key that encrypts tokens") from None
    except (WrongUse, UnicodeDecodeError):
        raise WrongUse(f"{path} does not hold a key: put the right file back, or set {VARIABLE}") from None
    must_be_private(path, "it holds the key that encrypts tokens")
    return raw


def _decoded(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) in (43, 44) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise WrongUse("not a key of 32 bytes in base64")
    return raw


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw)


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data, path.with_name(f"{path.name}.part"))
    except OSError as error:
        raise WrongUse(
            f"{path} cannot be written ({error.strerror}): the key that encrypts tokens lies there"
        ) from None


def _turn(home: Path, name: str) -> AbstractContextManager[None]:
    return locked(home / name, "the key that encrypts tokens", "keys are kept", LONGEST_WAIT)


def _known(key: SecretKey) -> SecretKey:
    register_secret(_encoded(key.raw).decode())
    return key
