"""How requests are signed: the parts of a connector that name keys, passwords and tokens, never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hde.author.part import Map, Notes, Part, guessed, look

Kind = Literal["none", "key-header", "key-query", "basic", "oauth2_code", "oauth2_client", "session"]
KINDS: tuple[Kind, ...] = ("none", "key-header", "key-query", "basic", "oauth2_code", "oauth2_client", "session")
REDIRECT = "http://localhost:8765/callback"


@dataclass(frozen=True)
class SignIn:
    """What an author says about it; None: a usual value, marked to be looked at."""

    kind: Kind = "none"
    key_name: str | None = None
    """The header or parameter that holds the key."""
    prefix: str | None = None
    """What stands before the key in its header."""
    authorize_url: str | None = None
    token_url: str | None = None
    discovery: str | None = None
    """The document that names both, where the source has one."""
    scopes: tuple[str, ...] = ()


def signin_part(sign_in: SignIn, base_url: str) -> Part:
    """`settings`, `http` and `auth`, as far as signing needs them."""
    match sign_in.kind:
        case "none":
            return Part()
        case "key-header":
            return _key_header(sign_in)
        case "key-query":
            return _key("params", sign_in.key_name, "api_key", "{{ settings.key }}")
        case "basic":
            return _basic()
        case "oauth2_code":
            return _oauth2_code(sign_in, base_url)
        case "oauth2_client":
            return _oauth2_client(sign_in, base_url)
        case "session":
            return _session()


def _key_header(sign_in: SignIn) -> Part:
    name = sign_in.key_name or "Authorization"
    prefix = sign_in.prefix
    if prefix is None:
        prefix = "Bearer " if name.lower() == "authorization" else ""
    return _key("headers", sign_in.key_name, name, f"{prefix}{{{{ settings.key }}}}")


def _key(where: str, said: str | None, name: str, value: str) -> Part:
    notes: Notes = {} if said else {("http", where): look("is the key sent under this name?")}
    return Part({"settings": {"key": {"secret": True}}, "http": {where: {said or name: value}}}, notes)


def _basic() -> Part:
    settings: Map = {"username": {}, "password": {"secret": True}}
    auth: Map = {"kind": "basic", "username": "{{ settings.username }}", "password": "{{ settings.password }}"}
    return Part({"settings": settings, "auth": auth})


def _oauth2_code(sign_in: SignIn, base_url: str) -> Part:
    settings: Map = {"client_id": {}, "client_secret": {"secret": True}, "redirect_uri": {"default": REDIRECT}}
    notes: Notes = {("auth",): look("`account: {path: /me, id: id}` would say whose data this is")}
    authorize: Map = {"redirect_uri": "{{ settings.redirect_uri }}"}
    if sign_in.discovery is None:
        authorize = {"url": sign_in.authorize_url or f"{base_url}/oauth/authorize", **authorize}
    if sign_in.authorize_url is None and sign_in.discovery is None:
        notes["auth", "authorize", "url"] = guessed("the usual address")
    if sign_in.scopes:
        authorize["scopes"] = list(sign_in.scopes)
    else:
        notes["auth", "authorize"] = look("scopes: [...], as the source's documentation lists them")
    said: Map = {"kind": "oauth2_code", "client": dict(_CLIENT), "authorize": authorize}
    token = _token(sign_in, base_url)
    return Part({"settings": settings, "auth": said}, notes) + Part({"auth": token.said}, token.under("auth").notes)


def _oauth2_client(sign_in: SignIn, base_url: str) -> Part:
    settings: Map = {"client_id": {}, "client_secret": {"secret": True}}
    said: Map = {"kind": "oauth2_client", "client": dict(_CLIENT)}
    if sign_in.scopes:
        said["scopes"] = list(sign_in.scopes)
    token = _token(sign_in, base_url)
    return Part({"settings": settings, "auth": said}) + Part({"auth": token.said}, token.under("auth").notes)


_CLIENT: Map = {"id": "{{ settings.client_id }}", "secret": "{{ settings.client_secret }}"}


def _token(sign_in: SignIn, base_url: str) -> Part:
    """Where tokens come from: the document that says it, or the address."""
    if sign_in.discovery is not None:
        return Part({"discovery": sign_in.discovery})
    notes: Notes = {} if sign_in.token_url else {("token",): guessed("the usual address")}
    return Part({"token": {"url": sign_in.token_url or f"{base_url}/oauth/token"}}, notes)


def _session() -> Part:
    """A login, as most sources have it; every part of it is to be looked at."""
    settings: Map = {"username": {}, "password": {"secret": True}}
    body = {"username": "{{ settings.username }}", "password": "{{ settings.password }}"}
    said: Map = {
        "kind": "session",
        "login": {"method": "POST", "path": "/login", "json": body},
        "token": "token",
        "send": {"header": "Authorization", "prefix": "Bearer "},
    }
    notes: Notes = {
        ("auth", "login"): look("the request by which a person logs in"),
        ("auth", "token"): look("where its answer holds the token"),
        ("auth", "send"): look("how other requests carry it"),
    }
    return Part({"settings": settings, "auth": said}, notes)
