"""Sealing: a token encrypted with a key, and opened again. Where keys come from is told in `keys`.

A sealed token is bound to its connector and account: moved to another row, it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hde.errors import SignInNeeded
from hde.redact import register_secret
from hde.tokens.model import Resealed, Token

VARIABLE, FORMER = "HDE_SECRET_KEY", "HDE_FORMER_SECRET_KEY"
_VERSION = "v1"
KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "s": (f"a former {VARIABLE}", "that one"),
        "k": ("the key in a keyring", "what `keyring get hde HOME` prints where it is, HOME being hde's home there"),
        "f": ("the key of a secret.key", "what stands in that file"),
        "": ("another one", "that one"),
    }
)
"""Where a key came from: a letter beside a sealed token, in words, and what to set where it is asked for."""


class AnotherKey(SignInNeeded):
    """Sealed with a key that is not at hand."""


@dataclass(frozen=True)
class SecretKey:
    """32 bytes and where they came from. Cannot be printed."""

    raw: bytes = field(repr=False)
    origin: str = "memory"
    kind: str = ""
    """One of KINDS."""
    others: Callable[[], Iterable[SecretKey]] = field(default=tuple, repr=False, compare=False)
    """Keys that may have sealed what this one did not; looked for when they are needed."""

    @property
    def id(self) -> str:
        """Tells keys apart without telling anything about them."""
        return hashlib.sha256(b"hde key id" + self.raw).hexdigest()[:12]

    def seal(self, token: Token, connector: str, account: str) -> str:
        """The token as text that only this key, for this connector and account, opens."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self.raw).encrypt(nonce, _as_json(token), _bound_to(connector, account))
        return f"{_VERSION}.{self.id}-{self.kind}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def has_sealed(self, sealed: str) -> bool:
        return _parts(sealed)[:2] == (_VERSION, self.id)

    def open(self, sealed: str, connector: str, account: str) -> Token:
        """The token again. SignInNeeded where no key at hand opens it or the text was changed; nothing is destroyed."""
        version, key_id, kind, text = _parts(sealed)
        if version != _VERSION and version[:1] == "v" and version[1:].isdigit():
            raise SignInNeeded(f"the stored {connector} token was written by a newer hde: use that one")
        key = next((one for one in chain([self], self.others()) if one.id == key_id), None)
        if version == _VERSION and key is None:
            raise AnotherKey(self._another(connector, key_id, kind))
        try:
            data = base64.urlsafe_b64decode(text)
            plain = AESGCM((key or self).raw).decrypt(data[:12], data[12:], _bound_to(connector, account))
            return _from_json(plain)
        except (InvalidTag, binascii.Error, ValueError, KeyError, TypeError):
            raise SignInNeeded(
                f"the stored {connector} token cannot be decrypted: it was changed, or copied from another account; "
                f"run `hde auth {connector}` to sign in again"
            ) from None

    def reseal(self, held: Iterable[tuple[str, str, str]]) -> tuple[dict[tuple[str, str], str], Resealed]:
        """Of sealed tokens by connector and account those that other keys have sealed, sealed anew."""
        fresh: dict[tuple[str, str], str] = {}
        left: list[tuple[str, str, str]] = []
        already = 0
        for connector, account, sealed in held:
            try:
                token = self.open(sealed, connector, account)
            except SignInNeeded as error:
                left.append((connector, account, str(error)))
                continue
            if self.has_sealed(sealed):
                already += 1
            else:
                fresh[connector, account] = self.seal(token, connector, account)
        return fresh, Resealed(len(fresh), already, tuple(left))

    def _another(self, connector: str, key_id: str, kind: str) -> str:
        words, what = KINDS.get(kind, KINDS[""])
        return (
            f"the {connector} token was encrypted with another key than the one from {self.origin} ({self.id}): "
            f"with {words} ({key_id})\n"
            f"set {FORMER} to {what}, or run `hde auth {connector}` to sign in again"
        )


def _parts(sealed: str) -> tuple[str, str, str, str]:
    """Version, id and kind of the key, and the sealed text."""
    version, _, rest = sealed.partition(".")
    named, _, text = rest.partition(".")
    key_id, _, kind = named.partition("-")
    return version, key_id, kind, text


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
