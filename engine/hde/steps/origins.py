"""Where a connector sends requests, and where it did when somebody last signed in: another place asks again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from hde.errors import SignInNeeded
from hde.spec.connector import Connector
from hde.spec.template import Template, TemplateError
from hde.steps.accounts import Way
from hde.store import journal
from hde.store.database import Connection, Database

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_origins(connection: Connection, way: Way, account: str) -> None:
    """Before the first request of a run. SignInNeeded where one would go to an origin nobody has agreed to."""
    name = way.connector.name
    known = journal.origins(connection, name, account if way.connector.has_tokens else None)
    connection.commit()
    if known is not None and (new := [one for one in origins_of(way.connector, way.settings) if one not in known]):
        raise SignInNeeded(
            f"{way.connector.file} sends requests to {', '.join(new)} now, and did not when you signed in.\n"
            f"If that is right, agree to it: hde auth {name}"
        )


def agree_to_origins(database: Database, way: Way, account: str) -> None:
    """What the connector says now is what a person has agreed to by signing in."""
    with database.connection(autocommit=True) as connection:
        keep_origins(connection, way, account)


def keep_origins(connection: Connection, way: Way, account: str) -> None:
    journal.keep_origins(connection, way.connector.name, account, origins_of(way.connector, way.settings))


def origins_of(connector: Connector, settings: Mapping[str, str]) -> list[str]:
    """Scheme, host and port of every address in `http` and `auth`; this machine itself is nobody else."""
    secret = {name for name, setting in connector.settings.items() if setting.secret}
    scope = {"settings": {name: "secret" if name in secret else value for name, value in settings.items()}}
    found: dict[str, None] = {}
    for template in _templates((connector.http.base_url, connector.auth)):
        try:
            parts = urlsplit(template.render(scope))
            host = parts.hostname
        except (TemplateError, ValueError):
            continue
        if parts.scheme in ("https", "http") and host and host not in _LOOPBACK:
            found[f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")] = None
    return list(found)


def _templates(said: object) -> Iterator[Template]:
    if isinstance(said, Template):
        yield said
    elif dataclasses.is_dataclass(said):
        for field in dataclasses.fields(said):
            yield from _templates(getattr(said, field.name))
    elif isinstance(said, Mapping):
        for one in said.values():
            yield from _templates(one)
    elif isinstance(said, tuple | list):
        for one in said:
            yield from _templates(one)
