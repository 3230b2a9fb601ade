"""What is asked where a token has ended, or where nobody has to be asked for the first one: by kind of sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hde.errors import WrongUse
from hde.source.endpoints import Settings
from hde.source.grant import Ask, send, token_ask
from hde.source.login import login_ask
from hde.spec.connector import Connector
from hde.spec.sign_in import OAuth2Client, OAuth2Code, SessionLogin, asked_scopes
from hde.tokens import Token


def renewal(connector: Connector, settings: Settings, held: Token | None) -> Ask:
    """The request that brings a token in place of `held`, or without one the first. Sends nothing but for discovery."""
    if connector.auth is None or connector.auth.kind not in RENEWALS:
        raise WrongUse(f"{connector.name} needs no sign-in")
    return RENEWALS[connector.auth.kind](connector, settings, connector.auth, held)


def unattended_token(connector: Connector, settings: Settings) -> Token:
    """The first token of a sign-in that needs no person."""
    return send(renewal(connector, settings, None))


def _with_refresh_token(connector: Connector, settings: Settings, auth: OAuth2Code, held: Token | None) -> Ask:
    assert held is not None
    assert held.refresh is not None
    values = {"grant_type": "refresh_token", "refresh_token": held.refresh}
    return token_ask(connector, settings, auth, auth.refresh, values)


def _with_client(connector: Connector, settings: Settings, auth: OAuth2Client, held: Token | None) -> Ask:
    values = {"grant_type": "client_credentials"}
    if scopes := asked_scopes(auth.scopes, auth.scope_separator, {"settings": settings}):
        values["scope"] = scopes
    return token_ask(connector, settings, auth, auth.token, values)


def _with_login(connector: Connector, settings: Settings, auth: SessionLogin, held: Token | None) -> Ask:
    return login_ask(connector, settings, auth)


RENEWALS: Mapping[str, Callable[[Connector, Settings, Any, Token | None], Ask]] = {
    "oauth2_code": _with_refresh_token,
    "oauth2_client": _with_client,
    "session": _with_login,
}
