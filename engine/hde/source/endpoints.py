"""Where a provider's OAuth endpoints are: as the connector says, else as its discovery document does.

An address out of the document is trusted on the document's own origin and on the declared ones only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.redact import clean
from hde.source.address import is_loopback, origin, shown
from hde.source.exchange import NotSent, exchange
from hde.source.outgoing import Outgoing
from hde.source.token_answer import as_object
from hde.spec.connector import Connector
from hde.spec.sign_in import OAuth2Client, OAuth2Code, Revocation
from hde.spec.template import Template

Settings = Mapping[str, str]
Endpoint = Literal["authorization_endpoint", "token_endpoint", "revocation_endpoint"]

_KEYS: Mapping[Endpoint, str] = {
    "authorization_endpoint": "auth.authorize.url",
    "token_endpoint": "auth.token.url",
    "revocation_endpoint": "auth.revoke",
}
_documents: dict[str, Mapping[str, object]] = {}
"""By address, for as long as the process lives."""


def endpoint(connector: Connector, settings: Settings, auth: OAuth2Code | OAuth2Client, name: Endpoint) -> str:
    """The address. WrongUse where neither the connector nor the document has it."""
    written = _written(auth, name)
    if written is not None:
        return encrypted(connector, written.render({"settings": settings}), written, _KEYS[name])
    found = discovered(connector, settings, auth, name)
    if found is None:
        where = "the discovery document" if auth.discovery else "the connector"
        raise WrongUse(f"{connector.name}: {where} names no {name}: write {_KEYS[name]}")
    return encrypted(connector, found, auth.discovery, "auth.discovery")


def encrypted(connector: Connector, url: str, template: Template | None, key: str) -> str:
    """The address; WrongUse where whoever is on the way to it would read what is sent there."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        said = connector.variables(template) or key
        raise WrongUse(f"{connector.name}: {said} leads to {shown(url)}, which is not encrypted: nobody signs in there")
    return url


def refuse_open_lines(connector: Connector, settings: Settings, auth: OAuth2Code | OAuth2Client) -> None:
    """WrongUse where a token would be got, or used, over plain http. What a document says is yet to come."""
    written = [
        (connector.http.base_url, "http.base_url"), (auth.discovery, "auth.discovery"),
        (_written(auth, "authorization_endpoint"), "auth.authorize.url"), (auth.token.url, "auth.token.url"),
    ]  # fmt: skip
    for template, key in written:
        if template is not None:
            encrypted(connector, template.render({"settings": settings}), template, key)


def discovered(connector: Connector, settings: Settings, auth: OAuth2Code | OAuth2Client, name: Endpoint) -> str | None:
    """The address as the discovery document has it; None where there is no document, or it has none."""
    if auth.discovery is None:
        return None
    scope = {"settings": settings}
    url = auth.discovery.render(scope)
    where = f"{connector.name}: the discovery document"
    found = _document(connector, url, auth.discovery).get(name)
    if found is None:
        return None
    if not isinstance(found, str):
        raise Unreadable(f"{where}: its {name} is no address")
    trusted = [origin(url), *(origin(said) for one in auth.origins if (said := one.render(scope)))]
    try:
        leads_to = origin(found)
    except WrongUse as error:
        raise Unreadable(f"{where}: its {name} is {error}") from None
    if leads_to not in trusted:
        raise Refused(
            f"{where}: its {name} leads to another origin, {shown(found)}, which is refused; "
            "if that is the source's own, list it in auth.origins",
            status=0,
        )
    return found


def supported(connector: Connector, settings: Settings, auth: OAuth2Code | OAuth2Client, name: str) -> list[object]:
    """A list of what the provider supports, as the discovery document says it; empty where it does not."""
    if auth.discovery is None:
        return []
    found = _document(connector, auth.discovery.render({"settings": settings}), auth.discovery)
    said = found.get(name)
    return said if isinstance(said, list) else []


def _written(auth: OAuth2Code | OAuth2Client, name: Endpoint) -> Template | None:
    match name:
        case "authorization_endpoint":
            return auth.authorize.url if isinstance(auth, OAuth2Code) else None
        case "token_endpoint":
            return auth.token.url
        case "revocation_endpoint":
            return auth.revoke.url if isinstance(auth.revoke, Revocation) else None


def _document(connector: Connector, url: str, template: Template) -> Mapping[str, object]:
    if url in _documents:
        return _documents[url]
    origin(url)
    check = connector.variables(template) or "auth.discovery"
    where = f"{connector.name}: the discovery document at {clean(url)[:300]}"
    try:
        reply = exchange(Outgoing("GET", url, {"Accept": "application/json"}), where)
    except NotSent as error:
        raise NotSent(f"{error}: check {check}") from None
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(f"{where} is away (answers {reply.status})")
    if reply.status != 200:
        raise Refused(f"{where} is answered with {reply.status}: check {check}", reply.status)
    document = as_object(reply.body)
    if document is None:
        raise Unreadable(f"{where} is no JSON object: check {check}")
    return _documents.setdefault(url, document)
