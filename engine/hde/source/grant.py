"""Token requests: a code, a refresh token or the client itself against a token. Stores nothing, prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import httpx
import msgspec

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.source.address import with_query
from hde.source.client import credentials
from hde.source.endpoints import Settings, encrypted, endpoint
from hde.source.exchange import TIMEOUT, NotSent, exchange
from hde.source.outgoing import Outgoing, form
from hde.source.records import Body
from hde.source.rules import matches, source_message
from hde.source.token_answer import as_object, found, oauth_token
from hde.source.transport import Reply
from hde.spec.connector import Connector
from hde.spec.sign_in import OAuth2Client, OAuth2Code, TokenError, TokenRequest
from hde.spec.template import render_tree
from hde.tokens import Token

__all__ = ["Ask", "NotSent", "Settings", "Spent", "judge", "request_token", "send", "token_ask"]

SPENT = frozenset({"invalid_grant", "token_inactive", "expired_token"})
"""What providers answer where a refresh token or code is not valid any more."""

OAuth2 = OAuth2Code | OAuth2Client


class Spent(Refused):
    """The refresh token or code is not valid (any more)."""


@dataclass(frozen=True)
class Ask:
    """A request for a token, ready to be sent, and how its answer is read."""

    where: str
    outgoing: Outgoing = field(repr=False)
    read: Callable[[Reply], Token]


def send(ask: Ask, *, timeout: httpx.Timeout = TIMEOUT) -> Token:
    """The token. Raises Spent, NotSent, Unreachable (it may have been seen), Unreadable, Refused, and WrongUse where
    the client or the login is not accepted."""
    return ask.read(exchange(ask.outgoing, ask.where, timeout=timeout))


def request_token(
    connector: Connector, settings: Settings, auth: OAuth2, to: TokenRequest, values: Mapping[str, str]
) -> Token:
    return send(token_ask(connector, settings, auth, to, values))


def token_ask(
    connector: Connector, settings: Settings, auth: OAuth2, to: TokenRequest, values: Mapping[str, str]
) -> Ask:
    """The request for a token with these values and the client in it. What `to` leaves out is as in `auth.token`."""
    scope = {"settings": settings}
    url = to.url.render(scope) if to.url else endpoint(connector, settings, auth, "token_endpoint")
    encrypted(connector, url, to.url, "auth.token.url")
    extra = render_tree(to.params or auth.token.params, scope)
    own, headers = credentials(connector, auth.client, settings, url)
    fields = {**(extra if isinstance(extra, dict) else {}), **values, **own}
    outgoing = _outgoing(to.method or auth.token.method, to.send or auth.token.send, url, fields, headers)
    where = f"{connector.name}: the token request"
    return Ask(where, outgoing, partial(_read, connector, auth, where, to.errors or auth.token.errors))


def judge(where: str, reply: Reply, errors: tuple[TokenError, ...]) -> None:
    """Raise what the connector's own rules make of an answer: Unreachable, Spent or Refused."""
    body = Body(reply.body)
    rule = next((rule for rule in errors if matches(rule, reply, body)), None)
    if rule is None:
        return
    words = source_message(reply, rule)
    message = f"{where} is answered with {reply.status}{f': {words}' if words else ''}"
    match rule.do:
        case "retry":
            raise Unreachable(message)
        case "sign_in":
            raise Spent(message, reply.status)
        case "fail":
            raise Refused(message, reply.status)


def _outgoing(
    method: str | None, kind: str | None, url: str, fields: Mapping[str, object], headers: Mapping[str, str]
) -> Outgoing:
    accept = {"Accept": "application/json", **headers}
    if method == "GET":
        return Outgoing("GET", with_query(url, fields), accept)
    if kind == "json":
        return Outgoing("POST", url, {**accept, "Content-Type": "application/json"}, msgspec.json.encode(fields))
    return Outgoing("POST", url, {**accept, "Content-Type": "application/x-www-form-urlencoded"}, form(fields))


def _read(connector: Connector, auth: OAuth2, where: str, errors: tuple[TokenError, ...], reply: Reply) -> Token:
    try:
        judge(where, reply, errors)
        answer = as_object(reply.body)
        if not 200 <= reply.status < 300:
            raise _refusal(connector, auth, where, reply.status, answer)
        if answer is None:
            raise Unreadable("the token answer is not JSON")
        inner = answer if auth.answer is None else found(answer, auth.answer)
        if isinstance(answer.get("error"), str) and not (isinstance(inner, dict) and inner.get("access_token")):
            raise _refusal(connector, auth, where, reply.status, answer)  # some say so with status 200
        if not isinstance(inner, dict):
            raise Unreadable(f"the token answer holds no object at {auth.answer!r}")
        return oauth_token(inner, auth.expires, reply)
    except Spent as error:
        if isinstance(auth, OAuth2Client):
            raise _not_accepted(connector, auth, str(error)) from None
        raise
    except Unreadable as error:
        raise Unreadable(f"{connector.name}: {error}") from None


def _refusal(
    connector: Connector, auth: OAuth2, where: str, status: int, answer: Mapping[str, object] | None
) -> Exception:
    code = (answer or {}).get("error")
    code = code if isinstance(code, str) and len(code) <= 60 and code.replace("_", "").isalnum() else ""
    if code in SPENT:
        return Spent(f"{where} is answered with {code}", status)
    if code in ("invalid_client", "unauthorized_client") or (status == 401 and not code):
        return _not_accepted(connector, auth, f"{where}: the client is not accepted ({code or status})")
    if status == 429 or status >= 500:
        return Unreachable(f"{where} is answered with {status}")
    return Refused(f"{where} is answered with {status} {code}".rstrip(), status)


def _not_accepted(connector: Connector, auth: OAuth2, what: str) -> WrongUse:
    client = auth.client
    names = connector.variables(client.id, client.secret, client.key, client.kid)
    return WrongUse(f"{what}; check {names or 'auth.client'}")
