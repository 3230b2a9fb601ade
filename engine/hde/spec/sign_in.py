"""How a connector signs in, frozen.

Field names are the keys of `schemas/connector.schema.json`; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from hde.spec.request import Errand, Request
from hde.spec.template import Scope, Template, Tree


@dataclass(frozen=True)
class Tenants:
    """The places that run a vendor's software, as its directory lists them."""

    url: Template
    name: str
    """A JMESPath on a record: what people call the place."""
    settings: Mapping[str, str]
    """Settings that a place has of its own: name -> JMESPath on its record."""
    records: str | None = None
    """A JMESPath to the list; None: the answer itself."""


@dataclass(frozen=True)
class TokenError:
    """What to make of an answer that brings no token. `sign_in`: the grant or the credentials are not accepted."""

    do: Literal["retry", "sign_in", "fail"]
    status: tuple[int, ...] = ()
    body: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Expires:
    """When a token ends: what its answer says at `path`, or always `after` a span."""

    path: str = "expires_in"
    is_: Literal["seconds", "epoch", "timestamp"] = "seconds"
    after: timedelta | None = None


@dataclass(frozen=True)
class Client:
    """The application. `key` signs an assertion in place of the secret."""

    id: Template
    secret: Template | None = None
    send: Literal["body", "basic", "discovered"] = "body"
    key: Template | None = None
    alg: Literal["RS384", "ES384"] | None = None
    kid: Template | None = None
    audience: Template | None = None
    """None: the token URL."""

    def signs(self, scope: Scope) -> bool:
        """Whether it makes itself known by a key: one that a setting leaves empty is none."""
        return self.key is not None and bool(self.key.render(scope))


def asked_scopes(scopes: tuple[Template, ...], separator: str, scope: Scope) -> str:
    """What to ask for, as it is sent; empty where nothing is."""
    return separator.join(text for one in scopes if (text := one.render(scope).strip()))


@dataclass(frozen=True)
class Authorize:
    redirect_uri: Template
    url: Template | None = None
    """None: as the discovery document says."""
    scopes: tuple[Template, ...] = ()
    scope_separator: str = " "
    pkce: bool = True
    params: Mapping[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenRequest:
    """A request that is answered with a token. What a refresh leaves out is as in the token request."""

    url: Template | None = None
    params: Mapping[str, Tree] = field(default_factory=dict)
    send: Literal["form", "json"] | None = None
    method: Literal["POST", "GET"] | None = None
    errors: tuple[TokenError, ...] = ()


@dataclass(frozen=True)
class Revocation:
    """The request of RFC 7009: the engine adds the token and the client."""

    url: Template
    params: Mapping[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True)
class Basic:
    username: Template
    password: Template
    kind: Literal["basic"] = "basic"


@dataclass(frozen=True)
class OAuth2Code:
    client: Client
    authorize: Authorize
    token: TokenRequest = field(default_factory=TokenRequest)
    refresh: TokenRequest = field(default_factory=TokenRequest)
    answer: str | None = None
    """A JMESPath on the token answer to the object that holds the token; None: the answer itself."""
    expires: Expires = field(default_factory=Expires)
    discovery: Template | None = None
    origins: tuple[Template, ...] = ()
    after_consent: Errand | None = None
    revoke: Errand | Revocation | None = None
    kind: Literal["oauth2_code"] = "oauth2_code"


@dataclass(frozen=True)
class OAuth2Client:
    client: Client
    token: TokenRequest = field(default_factory=TokenRequest)
    scopes: tuple[Template, ...] = ()
    scope_separator: str = " "
    answer: str | None = None
    expires: Expires = field(default_factory=Expires)
    discovery: Template | None = None
    origins: tuple[Template, ...] = ()
    revoke: Errand | Revocation | None = None
    kind: Literal["oauth2_client"] = "oauth2_client"


@dataclass(frozen=True)
class Login:
    """The request that begins a session."""

    request: Request
    errors: tuple[TokenError, ...] = ()


@dataclass(frozen=True)
class TokenPlace:
    """Where the answer to a login holds the token: a JMESPath on its body, a header, or a cookie it sets."""

    body: str | None = None
    header: str | None = None
    cookie: str | None = None


@dataclass(frozen=True)
class Send:
    """Where a request carries the token: one of `header`, `param`, `cookie`."""

    header: str | None = None
    param: str | None = None
    cookie: str | None = None
    prefix: str = ""


BEARER = Send(header="Authorization", prefix="Bearer ")


@dataclass(frozen=True)
class SessionLogin:
    login: Login
    token: TokenPlace
    send: Send
    expires: Expires | None = None
    """None: not known; a refused token is the end of the session."""
    revoke: Errand | None = None
    kind: Literal["session"] = "session"


TokenAuth = OAuth2Code | OAuth2Client | SessionLogin
"""Sign-ins that bring a token, which is stored and renewed."""
Auth = Basic | TokenAuth
