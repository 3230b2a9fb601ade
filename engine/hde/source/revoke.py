"""The end of a grant, as the provider is told of it. Deletes nothing here."""

from __future__ import annotations

from hde.errors import Refused, Unreachable
from hde.source.client import credentials
from hde.source.endpoints import Settings, discovered, endpoint
from hde.source.exchange import exchange
from hde.source.outgoing import Outgoing, form
from hde.spec.connector import Connector
from hde.spec.request import Errand
from hde.spec.sign_in import OAuth2Client, OAuth2Code, Revocation, SessionLogin
from hde.spec.template import render_tree
from hde.tokens import Token


def revocation(connector: Connector, settings: Settings) -> Errand | str | None:
    """How this connector's provider is told: by an errand, at the address of RFC 7009, or not at all."""
    match connector.auth:
        case OAuth2Code() | OAuth2Client() as auth if isinstance(auth.revoke, Revocation):
            return endpoint(connector, settings, auth, "revocation_endpoint")
        case OAuth2Code() | OAuth2Client() as auth if auth.revoke is None:
            return discovered(connector, settings, auth, "revocation_endpoint")
        case OAuth2Code(revoke=Errand() as errand) | OAuth2Client(revoke=Errand() as errand):
            return errand
        case SessionLogin(revoke=errand):
            return errand
    return None


def revoke_token(connector: Connector, settings: Settings, url: str, token: Token) -> None:
    """RFC 7009: a token that the provider does not know counts as revoked, and it answers so."""
    auth = connector.auth
    assert isinstance(auth, OAuth2Code | OAuth2Client)
    extra = render_tree(auth.revoke.params, {"settings": settings}) if isinstance(auth.revoke, Revocation) else {}
    own, headers = credentials(connector, auth.client, settings, url)
    hint = "access_token" if token.refresh is None else "refresh_token"
    fields = {
        **(extra if isinstance(extra, dict) else {}),
        "token": token.refresh or token.access,
        "token_type_hint": hint,
        **own,
    }
    headers |= {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    where = f"{connector.name}: the revocation"
    reply = exchange(Outgoing("POST", url, headers, form(fields)), where)
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(f"{where} is answered with {reply.status}")
    if not 200 <= reply.status < 300:
        raise Refused(f"{where} is answered with {reply.status}", reply.status)
