"""From the checked YAML of `auth` to its dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hde.spec.formats import span
from hde.spec.freeze_request import Map, freeze_errand, freeze_request, statuses, template, trees
from hde.spec.request import Errand
from hde.spec.sign_in import (
    Auth,
    Authorize,
    Basic,
    Client,
    Expires,
    Login,
    OAuth2Client,
    OAuth2Code,
    Revocation,
    Send,
    SessionLogin,
    Tenants,
    TokenError,
    TokenPlace,
    TokenRequest,
)
from hde.spec.template import compile_template


def freeze_auth(said: Map) -> Auth:
    return KINDS[said["kind"]](said)


def freeze_tenants(said: Map) -> Tenants:
    return Tenants(compile_template(said["url"]), said["name"], dict(said["settings"]), said.get("records"))


def _basic(said: Map) -> Basic:
    return Basic(compile_template(said["username"]), compile_template(said["password"]))


def _oauth2_code(said: Map) -> OAuth2Code:
    authorize = said["authorize"]
    return OAuth2Code(
        client=_client(said["client"]),
        authorize=Authorize(
            redirect_uri=compile_template(authorize["redirect_uri"]),
            url=template(authorize.get("url")),
            scopes=tuple(compile_template(one) for one in authorize.get("scopes", ())),
            scope_separator=authorize.get("scope_separator", Authorize.scope_separator),
            pkce=authorize.get("pkce", Authorize.pkce),
            params=trees(authorize.get("params")),
        ),
        token=_token_request(said.get("token", {})),
        refresh=_token_request(said.get("refresh", {})),
        answer=said.get("answer"),
        expires=_expires(said.get("expires", {})),
        discovery=template(said.get("discovery")),
        origins=tuple(compile_template(one) for one in said.get("origins", ())),
        after_consent=freeze_errand(said["after_consent"]) if "after_consent" in said else None,
        revoke=_revoke(said["revoke"]) if "revoke" in said else None,
    )


def _oauth2_client(said: Map) -> OAuth2Client:
    return OAuth2Client(
        client=_client(said["client"]),
        token=_token_request(said.get("token", {})),
        scopes=tuple(compile_template(one) for one in said.get("scopes", ())),
        scope_separator=said.get("scope_separator", OAuth2Client.scope_separator),
        answer=said.get("answer"),
        expires=_expires(said.get("expires", {})),
        discovery=template(said.get("discovery")),
        origins=tuple(compile_template(one) for one in said.get("origins", ())),
        revoke=_revoke(said["revoke"]) if "revoke" in said else None,
    )


def _session(said: Map) -> SessionLogin:
    login, token, send = said["login"], said["token"], said["send"]
    return SessionLogin(
        login=Login(freeze_request(login), _token_errors(login)),
        token=TokenPlace(body=token) if isinstance(token, str) else TokenPlace(**token),
        send=Send(**send),
        expires=_expires(said["expires"]) if "expires" in said else None,
        revoke=freeze_errand(said["revoke"]) if "revoke" in said else None,
    )


KINDS: Mapping[str, Callable[[Map], Auth]] = {
    "basic": _basic,
    "oauth2_code": _oauth2_code,
    "oauth2_client": _oauth2_client,
    "session": _session,
}


def _client(said: Map) -> Client:
    return Client(
        id=compile_template(said["id"]),
        secret=template(said.get("secret")),
        send=said.get("send", Client.send),
        key=template(said.get("key")),
        alg=said.get("alg"),
        kid=template(said.get("kid")),
        audience=template(said.get("audience")),
    )


def _token_request(said: Map) -> TokenRequest:
    return TokenRequest(
        template(said.get("url")), trees(said.get("params")), said.get("send"), said.get("method"), _token_errors(said)
    )


def _token_errors(said: Map) -> tuple[TokenError, ...]:
    return tuple(
        TokenError(rule["do"], statuses(rule.get("status", ())), rule.get("body"), rule.get("message"))
        for rule in said.get("errors", ())
    )


def _expires(said: str | Map) -> Expires:
    if isinstance(said, str):
        return Expires(after=span(said))
    return Expires(said.get("path", Expires.path), said.get("is", "seconds"))


def _revoke(said: Map) -> Errand | Revocation:
    return (
        Revocation(compile_template(said["url"]), trees(said.get("params"))) if "url" in said else freeze_errand(said)
    )
