"""The key tokens are encrypted with, and the sealing itself. The key never lies in the store it protects.

A sealed token is bound to its connector and account: moved to another row, it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock

from hde.errors import SignInNeeded, WrongUse
from hde.redact import register_secret
from hde.tokens.model import Token

VARIABLE = "HDE_SECRET_KEY"
SERVICE = "hde"
_VERSION = "v1"
_log = logging.getLogger(__name__)


class AnotherKey(SignInNeeded):
    """Sealed with a key that is not at hand."""


@dataclass(frozen=True)
class SecretKey:
    """32 bytes and where they came from. Cannot be printed."""

    raw: bytes = field(repr=False)
    origin: str = "memory"

    @property
    def id(self) -> str:
        """Tells keys apart without telling anything about them."""
        return hashlib.sha256(b"hde key id" + self.raw).hexdigest()[:12]

    def seal(self, token: Token, connector: str, account: str) -> str:
        """The token as text that only this key, for this connector and account, opens."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self.raw).encrypt(nonce, _as_json(token), _bound_to(connector, account))
        return f"{_VERSION}.{self.id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, connector: str, account: str) -> Token:
        """The token again. SignInNeeded where the key is another one or the text was changed; nothing is destroyed."""
        version, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        if version == _VERSION and key_id != self.id:
            raise AnotherKey(
                f"the {connector} token was encrypted with another key than the one from {self.origin}: "
                f"set {VARIABLE} to the key it was written with, or run `hde auth {connector}` to sign in again"
            )
        try:
            data = base64.urlsafe_b64decode(text)
            plain = AESGCM(self.raw).decrypt(data[:12], data[12:], _bound_to(connector, account))
            return _from_json(plain)
        except (InvalidTag, binascii.Error, ValueError, KeyError, TypeError):
            raise SignInNeeded(
                f"the stored {connector} token cannot be decrypted: it was changed, or copied from another account; "
                f"run `hde auth {connector}` to sign in again"
            ) from None


def find_key(home: Path, environment: Mapping[str, str] | None = None, *, use_keyring: bool = True) -> SecretKey:
    """The key for this home: HDE_SECRET_KEY, else the OS keyring, else `home/secret.key` (made once, with a warning).

    WrongUse where HDE_SECRET_KEY is too short, the key file is not one, or the keyring that holds the key is away.
    """
    given = (os.environ if environment is None else environment).get(VARIABLE)
    if given:
        return _remembered(SecretKey(_from_setting(given), VARIABLE))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(home / "secret.key.lock", mode=0o600, timeout=60):
        return _remembered(_of_home(home, use_keyring))


def _of_home(home: Path, use_keyring: bool) -> SecretKey:
    path = home / "secret.key"
    if path.exists():
        return SecretKey(_from_file(path), str(path))
    note = home / "secret.key.at"  # a run without the keyring (cron) must not make a second key, which would then win
    is_in_keyring = note.is_file()
    if use_keyring and (text := _from_keyring(str(home.resolve()), make=not is_in_keyring)):
        if not is_in_keyring:
            _write_private(note, b"keyring\n")
        return SecretKey(_decoded(text), "the keyring")
    if is_in_keyring:
        raise WrongUse(
            f"the key of {home} is in the system's keyring, which is away or locked for this run\n"
            f"set {VARIABLE} to what `keyring get {SERVICE} {home.resolve()}` prints on the desktop; "
            f"if it is lost, remove {note} and sign in again"
        )
    raw = secrets.token_bytes(32)
    _write_private(path, base64.urlsafe_b64encode(raw))
    _log.warning(
        "no keyring on this machine: the key that encrypts tokens lies in %s; set %s to keep it elsewhere",
        path,
        VARIABLE,
    )
    return SecretKey(raw, str(path))


def _from_setting(text: str) -> bytes:
    try:
        return _decoded(text.strip())
    except WrongUse:
        pass
    if len(text) < 16:
        raise WrongUse(f"{VARIABLE} is too short: 16 characters at least, or 32 random bytes in base64")
    return hashlib.scrypt(text.encode(), salt=b"hde secret key", n=2**14, r=8, p=1, dklen=32)


def _from_file(path: Path) -> bytes:
    try:
        return _decoded(path.read_text(encoding="ascii").strip())
    except (WrongUse, UnicodeDecodeError):
        raise WrongUse(f"{path} does not hold a key: put the right file back, or set {VARIABLE}") from None


def _from_keyring(name: str, *, make: bool) -> str | None:
    """The key of this home in the OS keyring, where there is none perhaps made; None where no keyring works."""
    import keyring  # slow to load, and a home with a key in a file never asks it
    from keyring.errors import KeyringError

    try:
        if keyring.get_keyring().priority < 1:
            return None
        found = keyring.get_password(SERVICE, name)
        if found is None and make:
            keyring.set_password(SERVICE, name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
            found = keyring.get_password(SERVICE, name)
    except (KeyringError, OSError, RuntimeError):
        return None
    return found


def _decoded(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) in (43, 44) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise WrongUse("not a key of 32 bytes in base64")
    return raw


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remembered(key: SecretKey) -> SecretKey:
    register_secret(base64.urlsafe_b64encode(key.raw).decode())
    return key


def _bound_to(connector: str, account: str) -> bytes:
    return json.dumps([connector, account]).encode()


def _as_json(token: Token) -> bytes:
    return json.dumps({**vars(token), "answer": dict(token.answer)}).encode()


def _from_json(plain: bytes) -> Token:
    held = json.loads(plain)
    token = Token(held["access"], held["refresh"], held["expires_at"], held["answer"], held.get("issued_at"))
    register_secret(token.access)
    register_secret(token.refresh)
    return token
