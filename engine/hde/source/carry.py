"""The credentials of a sign-in, put into a request: in a header, a query parameter or a cookie."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import httpx

from hde.redact import register_secret
from hde.source.address import with_param, without_param
from hde.spec.connector import Connector
from hde.spec.sign_in import BEARER, Basic, Send, SessionLogin


def basic(auth: Basic, settings: Mapping[str, str]) -> httpx.Auth:
    """A name and a password with every request."""
    username, password = (one.render({"settings": settings}) for one in (auth.username, auth.password))
    register_secret(password)
    register_secret(base64.b64encode(f"{username}:{password}".encode()).decode())
    return httpx.BasicAuth(username, password)


def send_of(connector: Connector) -> Send:
    """Where this connector's requests carry their token."""
    return connector.auth.send if isinstance(connector.auth, SessionLogin) else BEARER


def carry(request: httpx.Request, token: str, send: Send) -> None:
    """Put the token where it belongs, in place of one that was there before: a request may be sent again."""
    text = send.prefix + token
    if send.header is not None:
        request.headers[send.header] = text
    elif send.param is not None:
        request.url = httpx.URL(with_param(str(request.url), send.param, text))
    elif send.cookie is not None:
        others = [one.strip() for one in request.headers.get("Cookie", "").split(";")]
        kept = [one for one in others if one and one.partition("=")[0] != send.cookie]
        request.headers["Cookie"] = "; ".join([*kept, f"{send.cookie}={text}"])


def without_token(url: str, connector: Connector) -> str:
    """An address that a source gave back, without the token that it may repeat in it: it is put in again when asked."""
    param = send_of(connector).param
    return url if param is None else without_param(url, param)
