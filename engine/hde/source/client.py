"""A client that makes itself known to its provider: by id and secret, or by an assertion its key signs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote

from hde.redact import register_secret
from hde.source.endpoints import supported
from hde.spec.connector import Connector
from hde.spec.sign_in import Client, OAuth2Client, OAuth2Code


def credentials(
    connector: Connector, client: Client, settings: Mapping[str, str], url: str
) -> tuple[dict[str, object], dict[str, str]]:
    """Form fields and headers of a request to `url`. An assertion is good for one request: ask anew for each."""
    scope = {"settings": settings}
    if client.signs(scope):
        from hde.source import assertion  # a sign-in without a key need not load what signs

        signed = assertion.assertion(connector, client, settings, url)
        return {"client_assertion_type": assertion.KIND, "client_assertion": signed}, {}
    client_id = client.id.render(scope)
    secret = client.secret.render(scope) if client.secret else None
    register_secret(secret)
    if secret and _sends_basic(connector, client, settings):
        pair = base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
        register_secret(pair)
        return {}, {"Authorization": f"Basic {pair}"}
    return {"client_id": client_id, **({"client_secret": secret} if secret else {})}, {}


def _sends_basic(connector: Connector, client: Client, settings: Mapping[str, str]) -> bool:
    """Whether id and secret go as HTTP Basic. A document that says nothing means so (RFC 8414, SMART App Launch)."""
    auth = connector.auth
    if client.send != "discovered" or not isinstance(auth, OAuth2Code | OAuth2Client):
        return client.send == "basic"
    methods = supported(connector, settings, auth, "token_endpoint_auth_methods_supported")
    return "client_secret_basic" in methods or "client_secret_post" not in methods
