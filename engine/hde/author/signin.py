"""How requests are signed: the parts of a connector that name keys, passwords and tokens, never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hde.author.part import Map, Notes, Part, guessed, look

Kind = Literal["none", "key-header", "key-query", "oauth2_code"]
KINDS: tuple[Kind, ...] = ("none", "key-header", "key-query", "oauth2_code")
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
        case "oauth2_code":
            return _oauth2_code(sign_in, base_url)


def _key_header(sign_in: SignIn) -> Part:
    name = sign_in.key_name or "Authorization"
    prefix = sign_in.prefix
    if prefix is None:
        prefix = "Bearer " if name.lower() == "authorization" else ""
    return _key("headers", sign_in.key_name, name, f"{prefix}{{{{ settings.key }}}}")


def _key(where: str, said: str | None, name: str, value: str) -> Part:
    notes: Notes = {} if said else {("http", where): look("is the key sent under this name?")}
    return Part({"settings": {"key": {"secret": True}}, "http": {where: {said or name: value}}}, notes)


def _oauth2_code(sign_in: SignIn, base_url: str) -> Part:
    settings: Map = {"client_id": {}, "client_secret": {"secret": True}, "redirect_uri": {"default": REDIRECT}}
    authorize: Map = {
        "url": sign_in.authorize_url or f"{base_url}/oauth/authorize",
        "redirect_uri": "{{ settings.redirect_uri }}",
    }
    notes: Notes = {("auth",): look("`account: {path: /me, id: id}` would say whose data this is")}
    if sign_in.scopes:
        authorize["scopes"] = list(sign_in.scopes)
    else:
        notes["auth", "authorize"] = look("scopes: [...], as the source's documentation lists them")
    if sign_in.authorize_url is None:
        notes["auth", "authorize", "url"] = guessed("the usual address")
    if sign_in.token_url is None:
        notes["auth", "token"] = guessed("the usual address")
    said: Map = {
        "kind": "oauth2_code",
        "client": {"id": "{{ settings.client_id }}", "secret": "{{ settings.client_secret }}"},
        "authorize": authorize,
        "token": {"url": sign_in.token_url or f"{base_url}/oauth/token"},
    }
    return Part({"settings": settings, "auth": said}, notes)
