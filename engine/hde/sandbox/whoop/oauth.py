"""The provider's OAuth 2.0 server: consent, codes, rotating tokens and their revocation, with the errors of the server
product it appears to run (Ory Hydra). Tokens live in memory only. It knows nothing of health records."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from hde.sandbox.clock import Clock

CLIENT_ID = "hde-sandbox-client"
CLIENT_SECRET = "hde-sandbox-secret"

DATA_SCOPES = (
    "read:recovery",
    "read:cycles",
    "read:workout",
    "read:sleep",
    "read:profile",
    "read:body_measurement",
)
SCOPES = (*DATA_SCOPES, "offline")
CODE_SECONDS = 60

Form = Mapping[str, str]
Json = dict[str, object]


@dataclass
class _Grant:
    """What one consent gave: all tokens that descend from it live and die together."""

    scopes: tuple[str, ...]
    access: str = ""
    access_until: float = 0.0
    refresh: str = ""
    revoked: bool = False


@dataclass
class _Code:
    grant: _Grant
    redirect_uri: str
    until: float
    challenge: str
    method: str
    spent: bool = False


@dataclass
class OAuth:
    """Not locked: its caller serves one request at a time."""

    clock: Clock
    token_seconds: int = 3600
    refreshes: int = 0
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, _Grant] = field(default_factory=dict)
    _refresh: dict[str, _Grant] = field(default_factory=dict)

    def grant(self, form: Form) -> str:
        """The authorization code of a consent to the checked `form`."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            grant=_Grant(tuple(form.get("scope", "").split())),
            redirect_uri=form["redirect_uri"],
            until=self.clock.seconds() + CODE_SECONDS,
            challenge=form.get("code_challenge", ""),
            method=form.get("code_challenge_method", "plain"),
        )
        return code

    def token(self, form: Form) -> tuple[int, Json]:
        """The status and JSON body of the token endpoint's answer."""
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return 401, failure("invalid_client", "Client authentication failed: send client_id and client_secret.")
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(form)
            case "refresh_token":
                return self._rotate(form)
            case None:
                return 400, failure("invalid_request", "grant_type is missing.")
            case _:
                return 400, failure("unsupported_grant_type", "Use authorization_code or refresh_token.")

    def _redeem(self, form: Form) -> tuple[int, Json]:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.until <= self.clock.seconds():
            return 400, failure("invalid_grant", "The authorization code is unknown or has expired.")
        if code.spent:
            self._revoke(code.grant)
            return 400, failure("invalid_grant", "The authorization code has already been used.")
        if form.get("redirect_uri") != code.redirect_uri:
            return 400, failure("invalid_grant", "redirect_uri is not the one of the authorization request.")
        if not _proves(form.get("code_verifier", ""), code):
            return 400, failure("invalid_grant", "code_verifier does not match the code_challenge.")
        code.spent = True
        return 200, self.issue(code.grant)

    def _rotate(self, form: Form) -> tuple[int, Json]:
        token = form.get("refresh_token", "")
        grant = self._refresh.get(token)
        if grant is None or grant.revoked:
            return 400, failure("invalid_grant", "The refresh token is unknown or was revoked.")
        if unknown := set(form.get("scope", "").split()) - set(grant.scopes):
            return 400, failure("invalid_scope", f"Not granted: {', '.join(sorted(unknown))}.")
        if token != grant.refresh:
            self._revoke(grant)
            return 400, failure("invalid_grant", "The refresh token was already used; all its tokens are revoked.")
        self.refreshes += 1
        return 200, self.issue(grant)

    def issue(self, grant: _Grant) -> Json:
        """A new pair of tokens, which ends the grant's former pair. Shaped as the token endpoint's answer."""
        self._access.pop(grant.access, None)
        grant.access = secrets.token_urlsafe(32)
        grant.access_until = self.clock.seconds() + self.token_seconds
        self._access[grant.access] = grant
        answer: Json = {"access_token": grant.access, "expires_in": self.token_seconds}
        if "offline" in grant.scopes:
            grant.refresh = secrets.token_urlsafe(32)
            self._refresh[grant.refresh] = grant
            answer["refresh_token"] = grant.refresh
        return answer | {"scope": " ".join(grant.scopes), "token_type": "bearer"}

    def sign_in(self, scopes: tuple[str, ...]) -> Json:
        """Tokens for a consent that nobody had to click."""
        return self.issue(_Grant(scopes))

    def scopes(self, authorization: str) -> tuple[str, ...] | None:
        """The scopes of an `Authorization` header's token; None if it is missing, unknown, expired or revoked."""
        kind, _, token = authorization.partition(" ")
        grant = self._access.get(token.strip()) if kind.lower() == "bearer" else None
        if grant is None or grant.revoked or grant.access_until <= self.clock.seconds():
            return None
        return grant.scopes

    def end_access(self) -> None:
        """Every access token ends now; what refreshes them goes on."""
        for grant in self._access.values():
            grant.access_until = self.clock.seconds()

    def revoke_all(self) -> None:
        for grant in (*self._access.values(), *self._refresh.values(), *(code.grant for code in self._codes.values())):
            self._revoke(grant)
        self._codes.clear()

    def _revoke(self, grant: _Grant) -> None:
        grant.revoked = True
        self._access.pop(grant.access, None)


def _proves(verifier: str, code: _Code) -> bool:
    if not code.challenge:
        return True
    if code.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), code.challenge.encode())


def failure(error: str, description: str) -> Json:
    return {"error": error, "error_description": description}


def unsafe_request(form: Form) -> str | None:
    """Why the member must not be sent back to the `redirect_uri` at all, or None."""
    if form.get("client_id") != CLIENT_ID:
        return "The client_id is unknown."
    target = urlsplit(form.get("redirect_uri", ""))
    if not target.scheme or not target.netloc or target.fragment:
        return "The redirect_uri is missing or is not an absolute URL without a fragment."
    return None


def refused_request(form: Form) -> Json | None:
    """What is wrong with an authorization request, told to the client at its `redirect_uri`, or None."""
    if form.get("response_type") != "code":
        return failure("unsupported_response_type", "response_type must be code.")
    if len(form.get("state", "")) < 8:
        return failure("invalid_state", "The state is missing or has less than 8 characters.")
    scopes = form.get("scope", "").split()
    if unknown := set(scopes) - set(SCOPES):
        return failure("invalid_scope", f"Unknown: {', '.join(sorted(unknown))}.")
    if not scopes:
        return failure("invalid_scope", "No scope was asked for.")
    if form.get("code_challenge_method", "plain") not in ("plain", "S256"):
        return failure("invalid_request", "code_challenge_method must be S256 or plain.")
    return None


def redirect(form: Form, answer: Mapping[str, object]) -> str:
    """The `redirect_uri` with the answer and the request's state in its query."""
    uri = form["redirect_uri"]
    query = urlencode({**answer, **({"state": form["state"]} if "state" in form else {})})
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{query}"
