"""Who may ask a simulated hospital for tokens: a public client, one with a secret, one with a key of its own."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PUBLIC_ID = "hde-sandbox-public"
CLIENT_ID = "hde-sandbox-client"
CLIENT_SECRET = "hde-sandbox-secret"
KEY_ID = "hde-sandbox-backend"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = 300


@dataclass
class Clients:
    """The three that are registered. `keys` are public keys in PEM that the third may sign with."""

    token_url: str = ""
    keys: list[bytes] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)

    def known(self, client_id: str) -> bool:
        return client_id in (PUBLIC_ID, CLIENT_ID, KEY_ID)

    def authenticated(self, form: Mapping[str, str], authorization: str) -> str | None:
        """The client that a token request proves to be from; None if it proves nothing."""
        if form.get("client_assertion_type") == ASSERTION:
            return KEY_ID if self._signed(form.get("client_assertion", "")) else None
        name, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if name == PUBLIC_ID and not secret:
            return PUBLIC_ID
        return CLIENT_ID if name == CLIENT_ID and hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()) else None

    def _signed(self, assertion: str) -> bool:
        try:
            head, claims, signature = assertion.split(".")
            header, said = json.loads(_bytes(head)), json.loads(_bytes(claims))
            message, proof = f"{head}.{claims}".encode(), _bytes(signature)
            if not any(_verifies(key, header["alg"], message, proof) for key in self.keys):
                return False
            identifier, lasts = str(said["jti"]), float(said["exp"]) - time.time()
            right = (said["iss"], said["sub"], said["aud"]) == (KEY_ID, KEY_ID, self.token_url)
        except (ValueError, KeyError, TypeError, binascii.Error):
            return False
        if not right or not 0 < lasts <= LONGEST_ASSERTION + 5 or identifier in self._used:
            return False
        self._used.add(identifier)
        return True


def _verifies(pem: bytes, algorithm: str, message: bytes, proof: bytes) -> bool:
    key = load_pem_public_key(pem)
    try:
        if algorithm == "RS384" and isinstance(key, rsa.RSAPublicKey):
            key.verify(proof, message, padding.PKCS1v15(), hashes.SHA384())
        elif algorithm == "ES384" and isinstance(key, ec.EllipticCurvePublicKey) and len(proof) == 96:
            numbers = int.from_bytes(proof[:48], "big"), int.from_bytes(proof[48:], "big")
            key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(hashes.SHA384()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _basic(authorization: str) -> tuple[str, str] | None:
    kind, _, told = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(told, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
