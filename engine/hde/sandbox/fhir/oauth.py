"""A hospital's authorization server as SMART App Launch 2.2 has it: standalone launch with PKCE, codes, refresh tokens
that rotate, and client credentials for back ends. Tokens live in memory only. It knows nothing of records."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from hde.sandbox.clock import Clock
from hde.sandbox.fhir.clients import KEY_ID, PUBLIC_ID, Clients
from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.scopes import granted

CODE_SECONDS = 60
BACKEND_SECONDS = 300
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")

Form = Mapping[str, str]
Json = dict[str, object]


@dataclass
class Grant:
    """What one consent gave: all tokens that descend from it live and die together."""

    client: str
    scopes: tuple[str, ...]
    offline: bool
    patient: str | None
    access: str = ""
    access_until: float = 0.0
    refresh: str = ""
    revoked: bool = False


@dataclass
class _Code:
    grant: Grant
    redirect_uri: str
    until: float
    challenge: str
    spent: bool = False


@dataclass
class OAuth:
    """Not locked: its caller serves one request at a time. `patient` is the id of whoever signs in."""

    clock: Clock
    manners: Manners
    clients: Clients
    patient: str
    base: str = ""
    """The one `aud` there is."""
    token_seconds: int = 3600
    refreshes: int = 0
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, Grant] = field(default_factory=dict)
    _refresh: dict[str, Grant] = field(default_factory=dict)

    def unsafe(self, form: Form) -> str | None:
        """Why the person must not be sent back to the `redirect_uri` at all, or None."""
        if not self.clients.known(form.get("client_id", "")):
            return "The client_id is unknown."
        target = urlsplit(form.get("redirect_uri", ""))
        if not target.scheme or not target.netloc or target.fragment:
            return "The redirect_uri is missing or is not an absolute URL without a fragment."
        return None

    def refused(self, form: Form) -> Json | None:
        """What is wrong with an authorization request, told to the client at its `redirect_uri`, or None."""
        if form.get("response_type") != "code":
            return failure("unsupported_response_type", "response_type must be code.")
        if len(form.get("state", "")) < 21:  # 122 bits, as SMART asks for, take 21 characters at least
            return failure("invalid_request", "The state is missing or too short to be unguessable.")
        if form.get("aud") != self.base:
            return failure("invalid_request", "aud is not the base of this FHIR server.")
        if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
            return failure("invalid_request", "A code_challenge by S256 is needed.")
        if not self.granted(form):
            return failure("invalid_scope", "Nothing that was asked for can be granted.")
        return None

    def granted(self, form: Form) -> tuple[str, ...]:
        return granted(form.get("scope", "").split(), self.manners, "patient")

    def consent(self, form: Form) -> str:
        """The authorization code of a consent to the checked `form`."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            grant=self._new(form["client_id"], self.granted(form), self.patient),
            redirect_uri=form["redirect_uri"],
            until=self.clock.seconds() + CODE_SECONDS,
            challenge=form["code_challenge"],
        )
        return code

    def _new(self, client: str, scopes: tuple[str, ...], patient: str | None) -> Grant:
        offline = "offline_access" in scopes and (client != PUBLIC_ID or self.manners.refreshes_public)
        named = scopes if self.manners.names_offline else tuple(word for word in scopes if word != "offline_access")
        return Grant(client, named, offline, patient if "launch/patient" in scopes else None)

    def token(self, form: Form, authorization: str) -> tuple[int, Json]:
        """The status and JSON body of the token endpoint's answer."""
        client = self.clients.authenticated(form, authorization)
        if client is None:
            return 401, failure("invalid_client", "Client authentication failed.")
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(client, form)
            case "refresh_token":
                return self._rotate(client, form)
            case "client_credentials" if client == KEY_ID:
                return self._backend(form)
            case None:
                return 400, failure("invalid_request", "grant_type is missing.")
            case _:
                return 400, failure("unsupported_grant_type", "Not for this client.")

    def _redeem(self, client: str, form: Form) -> tuple[int, Json]:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.until <= self.clock.seconds() or code.grant.client != client:
            return 400, failure("invalid_grant", "The authorization code is unknown or has expired.")
        if code.spent:
            self._revoke(code.grant)
            return 400, failure("invalid_grant", "The authorization code has already been used.")
        if form.get("redirect_uri") != code.redirect_uri:
            return 400, failure("invalid_grant", "redirect_uri is not the one of the authorization request.")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=")
        if not hmac.compare_digest(proof, code.challenge.encode()):
            return 400, failure("invalid_grant", "code_verifier does not match the code_challenge.")
        code.spent = True
        return 200, self.issue(code.grant)

    def _rotate(self, client: str, form: Form) -> tuple[int, Json]:
        token = form.get("refresh_token", "")
        grant = self._refresh.get(token)
        if grant is None or grant.revoked or grant.client != client:
            return 400, failure("invalid_grant", "The refresh token is unknown or was revoked.")
        if set(form.get("scope", "").split()) - set(grant.scopes) - {"offline_access"}:
            return 400, failure("invalid_scope", "More than was granted.")
        if token != grant.refresh:
            self._revoke(grant)
            return 400, failure("invalid_grant", "The refresh token was already used; all its tokens are revoked.")
        self.refreshes += 1
        return 200, self.issue(grant)

    def _backend(self, form: Form) -> tuple[int, Json]:
        scopes = granted(form.get("scope", "").split(), self.manners, "system")
        if not any(scope.startswith("system/") for scope in scopes):
            return 400, failure("invalid_scope", "Nothing that was asked for can be granted.")
        return 200, self.issue(Grant(KEY_ID, scopes, offline=False, patient=None), BACKEND_SECONDS)

    def issue(self, grant: Grant, seconds: int | None = None) -> Json:
        """A new pair of tokens, which ends the grant's former pair. Shaped as the token endpoint's answer."""
        seconds = self.token_seconds if seconds is None else seconds
        self._access.pop(grant.access, None)
        grant.access = secrets.token_urlsafe(32)
        grant.access_until = self.clock.seconds() + seconds
        self._access[grant.access] = grant
        answer: Json = {"access_token": grant.access, "token_type": "Bearer", "expires_in": seconds}
        answer["scope"] = " ".join(grant.scopes)
        if grant.patient is not None:
            answer |= {"patient": grant.patient, "need_patient_banner": True}
        if grant.offline:
            grant.refresh = secrets.token_urlsafe(32)
            self._refresh[grant.refresh] = grant
            answer["refresh_token"] = grant.refresh
        return answer

    def sign_in(self, scopes: tuple[str, ...], client: str) -> Json:
        """Tokens for a consent that nobody had to click."""
        return self.issue(self._new(client, granted(scopes, self.manners, "patient"), self.patient))

    def bearer(self, authorization: str) -> Grant | None:
        """Whose token an `Authorization` header carries; None if it is missing, unknown, expired or revoked."""
        kind, _, token = authorization.partition(" ")
        grant = self._access.get(token.strip()) if kind.lower() == "bearer" else None
        if grant is None or grant.revoked or grant.access_until <= self.clock.seconds():
            return None
        return grant

    def end_access(self) -> None:
        """Every access token ends now; what refreshes them goes on."""
        for grant in self._access.values():
            grant.access_until = self.clock.seconds()

    def _revoke(self, grant: Grant) -> None:
        grant.revoked = True
        self._access.pop(grant.access, None)


def failure(error: str, description: str) -> Json:
    return {"error": error, "error_description": description}


def redirect(form: Form, answer: Mapping[str, object]) -> str:
    """The `redirect_uri` with the answer and the request's state in its query."""
    uri = form["redirect_uri"]
    query = urlencode({**answer, **({"state": form["state"]} if "state" in form else {})})
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{query}"
