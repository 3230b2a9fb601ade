"""A request as the author shows it, made ready to be sent: method, URL, headers, content. Opens no connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from hde.errors import Refused, WrongUse
from hde.redact import register_secret
from hde.source.address import below, origin, with_query
from hde.spec.connector import Connector, Http, Request
from hde.spec.template import Scope, Tree, render_tree, templates_in
from hde.spec.template_filters import as_text

_HEADER_TEXT = re.compile(r"[ -~\t]*")


@dataclass(frozen=True)
class Outgoing:
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


def rendered(http: Http, base_url: str, request: Request, scope: Scope, url: str | None = None) -> Outgoing:
    """The request in this scope. With `url` it goes there as it stands; headers and body are the request's.

    Refused where it would leave the origin of `base_url`, WrongUse where it cannot be made.
    """
    headers = _headers({**_map(http.headers, scope), **_map(request.headers, scope)})
    if url is None:
        url = below(base_url, request.path, scope)
        url = with_query(url, {**_map(http.params, scope), **_map(request.params, scope)})
    elif origin(url) != origin(base_url):
        raise Refused("a page on another origin is refused", status=0)
    content: bytes | None = None
    if request.json is not None:
        content = msgspec.json.encode(render_tree(request.json, scope))
        headers.setdefault("Content-Type", "application/json")
    elif request.form is not None:
        content = form(_map(request.form, scope))
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return Outgoing(request.method, url, headers, content)


def made_headers(http: Http, scope: Scope) -> dict[str, str]:
    """The headers that every request has."""
    return _headers(_map(http.headers, scope))


def form(values: Mapping[str, object]) -> bytes:
    return urlsplit(with_query("", values)).query.encode()


def _map(tree: Mapping[str, Tree], scope: Scope) -> dict[str, object]:
    rendered = render_tree(tree, scope)
    return dict(rendered) if isinstance(rendered, Mapping) else {}


def _headers(values: Mapping[str, object]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in values.items():
        if value is None:
            continue
        text = as_text(value)
        if not _HEADER_TEXT.fullmatch(text) or isinstance(value, Mapping | list):
            raise WrongUse(f"header {name}: a line break or another character that no header may hold")
        headers[name] = text
    return headers


def register_made_secrets(connector: Connector, settings: Mapping[str, str]) -> None:
    """What a request makes of a secret setting (its hash, its base64) is as good as the secret, and shown nowhere."""
    secrets = {("settings", name) for name, setting in connector.settings.items() if setting.secret}
    requests = [resource.request for resource in connector.resources.values()]
    requests += [one for export in connector.exports.values() for one in export.requests]
    trees = [*connector.http.headers.values(), *connector.http.params.values()]
    trees += [tree for request in requests for tree in (*request.headers.values(), *request.params.values())]
    for template in (one for tree in trees for one in templates_in(tree)):
        if secrets & template.names:
            with suppress(WrongUse):  # names more than settings: what it gives is not known yet
                register_secret(template.render({"settings": settings}))
