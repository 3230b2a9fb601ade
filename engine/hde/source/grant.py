"""Token requests: a code or a refresh token against a token. Sends once; stores nothing, prints nothing."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.redact import register_secret
from hde.source.outgoing import form
from hde.source.transport import new_client
from hde.spec.connector import Connector, OAuth2Code, TokenRequest
from hde.spec.template import Template, render_tree
from hde.tokens import Token

TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=10)
LARGEST = 1024 * 1024
SPENT = frozenset({"invalid_grant", "token_inactive", "expired_token"})
"""What providers answer where a refresh token or code is not valid any more."""

Settings = Mapping[str, str]


class Spent(Refused):
    """The refresh token or code is not valid (any more)."""


class NotSent(Unreachable):
    """No connection: the provider cannot have seen the request."""


def request_token(
    connector: Connector,
    settings: Settings,
    to: TokenRequest,
    values: Mapping[str, str],
    *,
    timeout: httpx.Timeout = TIMEOUT,
) -> Token:
    """The token for these form values; the client is added as the connector says.

    Raises Spent, NotSent, Unreachable (it may have been seen), Unreadable, Refused, and WrongUse for the client itself.
    """
    auth = signs_in(connector)
    scope = {"settings": settings}
    url = (to.url or auth.token.url or _missing_url(connector)).render(scope)
    extra = render_tree(to.params, scope)
    fields: dict[str, object] = {**(extra if isinstance(extra, dict) else {}), **values}
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    client_id = auth.client.id.render(scope)
    secret = auth.client.secret.render(scope) if auth.client.secret else None
    register_secret(secret)
    if auth.client.send == "basic":
        pair = f"{quote(client_id, safe='')}:{quote(secret or '', safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        fields |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
    status, body = _post(connector, url, headers, form(fields), timeout)
    return _token(body) if 200 <= status < 300 else _refuse(connector, status, body)


def signs_in(connector: Connector) -> OAuth2Code:
    if connector.auth is None:
        raise WrongUse(f"{connector.name} needs no sign-in")
    return connector.auth


def _missing_url(connector: Connector) -> Template:
    raise WrongUse(f"{connector.name}: auth.token.url is missing")


def _post(
    connector: Connector, url: str, headers: Mapping[str, str], content: bytes, timeout: httpx.Timeout
) -> tuple[int, bytes]:
    """Status and body. Redirects are not followed: the client's secret would travel along."""
    where = f"{connector.name}: the token request"
    try:
        with (
            new_client() as client,
            client.stream("POST", url, headers=dict(headers), content=content, timeout=timeout) as response,
        ):
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise Unreadable(f"{where} was answered with more than a megabyte")
            return response.status_code, body
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent(f"{where} found no connection ({type(error).__name__})") from None
    except httpx.UnsupportedProtocol:
        raise WrongUse(f"{connector.name}: auth.token.url is no http or https address") from None
    except httpx.RequestError as error:
        raise Unreachable(f"{where} got no answer ({type(error).__name__})") from None


def _token(body: bytes) -> Token:
    answer = _object(body)
    if answer is None:
        raise Unreadable("the token answer is not JSON")
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not _is_token(access):
        raise Unreadable("the token answer holds no access_token that could be sent")
    if refresh is not None and not _is_token(refresh):
        raise Unreadable("the token answer holds a refresh_token that could not be sent")
    kind = answer.get("token_type")
    if kind is not None and str(kind).lower() != "bearer":
        raise Unreadable("the token answer holds a token that is not a bearer token")
    register_secret(str(access))
    register_secret(None if refresh is None else str(refresh))
    rest = {name: value for name, value in answer.items() if name not in ("access_token", "refresh_token", "id_token")}
    return Token(
        access=str(access),
        refresh=None if refresh is None else str(refresh),
        expires_at=_expires_at(answer.get("expires_in")),
        answer=rest,
    )


def _is_token(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 20_000 and all("!" <= char <= "~" for char in value)


def _expires_at(value: object) -> float | None:
    """By our clock: the provider's may differ from it, the span does not."""
    if value is None:
        return None
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable("the token answer holds an expires_in that is no number of seconds")
    return time.time() + value


def _refuse(connector: Connector, status: int, body: bytes) -> Token:
    answer = _object(body) or {}
    code = answer.get("error")
    code = code if isinstance(code, str) and len(code) <= 60 and code.replace("_", "").isalnum() else ""
    where = f"{connector.name}: the token request"
    if code in SPENT:
        raise Spent(f"{where} is answered with {code}", status)
    if code == "invalid_client" or (status == 401 and not code):
        raise WrongUse(f"{where}: the client is not accepted ({code or status}); check {_client_settings(connector)}")
    if status == 429 or status >= 500:
        raise Unreachable(f"{where} is answered with {status}")
    raise Refused(f"{where} is answered with {status} {code}".rstrip(), status)


def _object(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _client_settings(connector: Connector) -> str:
    """The environment variables the client's id and secret come from."""
    client = signs_in(connector).client
    templates = [client.id, *([client.secret] if client.secret else [])]
    names = [name[1] for template in templates for name in template.names if name[0] == "settings" and len(name) > 1]
    known = [connector.settings[name].variable(connector.name) for name in names if name in connector.settings]
    return " and ".join(known) or "auth.client"
