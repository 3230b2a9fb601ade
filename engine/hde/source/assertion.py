"""The assertion with which a client signs itself in by its key (RFC 7523). The key is read here and sent nowhere."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from hde.errors import WrongUse
from hde.redact import register_secret
from hde.spec.connector import Connector
from hde.spec.sign_in import Client

LASTS = 240
"""Seconds; five minutes are the most, and clocks differ."""
KIND: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_PEM = re.compile(r"-----BEGIN ([A-Z ]{1,40})-----(.+?)-----END \1-----", re.DOTALL)
_LARGEST_FILE = 100_000
_WHAT: Final[Mapping[str, str]] = {"RS384": "an RSA key of 2048 bits or more", "ES384": "an EC key on the curve P-384"}


def assertion(connector: Connector, client: Client, settings: Mapping[str, str], audience: str) -> str:
    """A signed JWT: issuer and subject are the client, its id is used once. WrongUse for a key that cannot sign."""
    scope = {"settings": settings}
    assert client.key is not None
    name = connector.variables(client.key)
    where = f"{connector.name}: auth.client.key{f' ({name})' if name else ''}"
    key = _Reader(where, (client.alg,) if client.alg else tuple(_WHAT)).key(client.key.render(scope))
    alg = "RS384" if isinstance(key, RSAKey) else "ES384"
    kid = (client.kid.render(scope) if client.kid else "") or key.kid
    client_id = client.id.render(scope)
    header = {"alg": alg, **({"kid": kid} if kid else {})}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": client.audience.render(scope) if client.audience else audience,
        "exp": int(time.time()) + LASTS,
        "jti": secrets.token_urlsafe(24),
    }
    signed = jwt.encode(header, claims, key, algorithms=[alg])
    register_secret(signed)
    return signed


def _imported(alg: str, material: str | dict[str, Any]) -> RSAKey | ECKey | None:
    kind: type[RSAKey | ECKey] = RSAKey if alg == "RS384" else ECKey
    try:
        return kind.import_key(material)
    except (JoseError, ValueError, TypeError):
        return None


class _Reader:
    """Makes a key of a text. What is wrong with the text is said without showing any of it."""

    def __init__(self, where: str, algorithms: tuple[str, ...]) -> None:
        self._where = where
        self._algorithms = algorithms
        self._takes = " or ".join(_WHAT[one] for one in algorithms)
        self._names = " or ".join(algorithms)

    def key(self, text: str) -> RSAKey | ECKey:
        register_secret(text)
        material = self._material(text.strip())
        key = next((key for alg in self._algorithms if (key := _imported(alg, material))), None)
        if key is None:
            self._fail(f"is no key that {self._names} signs with, which takes {self._takes}")
        if not key.is_private:
            self._fail("is a public key; the private one signs")
        is_fitting = key.raw_value.key_size >= 2048 if isinstance(key, RSAKey) else key.curve_name == "P-384"
        if not is_fitting:
            self._fail(f"is too weak or of another curve; {self._names} takes {self._takes}")
        return key

    def _material(self, text: str) -> str | dict[str, Any]:
        if text.startswith("{"):
            return self._jwk(text)
        if "-----BEGIN" in text:
            return self._pem(text)
        held = self._file(text)
        return self._jwk(held) if held.startswith("{") else self._pem(held)

    def _jwk(self, text: str) -> dict[str, Any]:
        try:
            jwk = json.loads(text)
        except ValueError:
            jwk = None
        if not isinstance(jwk, dict):
            self._fail("begins as a JWK and is no JSON")
        if "keys" in jwk:
            self._fail("is a set of keys; take one of them out of `keys`")
        return jwk

    def _pem(self, text: str) -> str:
        """A PEM whose lines may have been lost on the way through an environment: `\\n` or spaces in their place."""
        match = _PEM.search(text.replace("\\n", "\n"))
        if match is None:
            self._fail("is no whole PEM: it goes from -----BEGIN to -----END, in quotes where it has several lines")
        label, body = match[1], match[2]
        if "ENCRYPTED" in label or "ENCRYPTED" in body:
            self._fail("is locked with a passphrase; `openssl pkey -in KEY -out NEW` writes one that is not")
        lines = "\n".join(wrap("".join(body.split()), 64))
        return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"

    def _file(self, text: str) -> str:
        try:
            path = Path(text).expanduser()
            held = path.read_bytes()[:_LARGEST_FILE].decode() if path.is_file() else ""
        except (OSError, ValueError, RuntimeError):
            held = ""
        if not held.strip():
            self._fail("is neither a PEM (-----BEGIN ...) nor a JWK ({...}) nor the path of a file with one")
        return held.strip()

    def _fail(self, what: str) -> NoReturn:
        raise WrongUse(f"{self._where} {what}") from None
