"""A client that makes itself known to its provider: by id and secret, or by an assertion its key signs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote

from hde.redact import register_secret
from hde.spec.connector import Connector
from hde.spec.sign_in import Client


def credentials(
    connector: Connector, client: Client, settings: Mapping[str, str], url: str
) -> tuple[dict[str, object], dict[str, str]]:
    """Form fields and headers of a request to `url`. An assertion is good for one request: ask anew for each."""
    scope = {"settings": settings}
    if client.key is not None:
        from hde.source import assertion  # a sign-in without a key need not load what signs

        signed = assertion.assertion(connector, client, settings, url)
        return {"client_assertion_type": assertion.KIND, "client_assertion": signed}, {}
    client_id = client.id.render(scope)
    secret = client.secret.render(scope) if client.secret else None
    register_secret(secret)
    if client.send == "basic":
        pair = base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret or '', safe='')}".encode()).decode()
        register_secret(pair)
        return {}, {"Authorization": f"Basic {pair}"}
    return {"client_id": client_id, **({"client_secret": secret} if secret else {})}, {}
