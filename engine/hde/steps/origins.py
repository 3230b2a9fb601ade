"""Where a connector sends requests, and where it did when somebody last signed in: another place asks again."""

from __future__ import annotations

from urllib.parse import urlsplit

from hde.check.names import LOOPBACK
from hde.check.reach import origins
from hde.errors import SignInNeeded
from hde.spec.yaml_file import YamlFile
from hde.steps.accounts import Way
from hde.store import journal
from hde.store.database import Connection, Database


def check_origins(connection: Connection, way: Way, file: YamlFile, account: str) -> None:
    """Before the first request of a run. SignInNeeded where one would go to an origin nobody has agreed to."""
    name = way.connector.name
    new = new_origins(connection, way, file, account)
    connection.commit()
    if new:
        raise SignInNeeded(
            f"{way.connector.file} sends requests to {', '.join(new)} now, and did not when you signed in.\n"
            f"If that is right, {'sign in there' if way.connector.has_tokens else 'agree to it'}: hde auth {name}"
        )


def new_origins(connection: Connection, way: Way, file: YamlFile, account: str) -> list[str]:
    """Origins that nobody has agreed to; none where nobody was asked yet."""
    known = journal.origins(connection, way.connector.name, account if way.connector.has_tokens else None)
    return [] if known is None else [one for one in _elsewhere(way, file) if one not in known]


def agree_to_origins(database: Database, way: Way, file: YamlFile, account: str) -> None:
    """What the connector says now is what a person has agreed to by signing in."""
    with database.connection(autocommit=True) as connection:
        keep_origins(connection, way, file, account)


def keep_origins(connection: Connection, way: Way, file: YamlFile, account: str) -> None:
    journal.keep_origins(connection, way.connector.name, account, _elsewhere(way, file))


def _elsewhere(way: Way, file: YamlFile) -> list[str]:
    """Every origin but this machine, which is nobody else."""
    found = origins(way.connector, file, way.settings)
    return [one for one in found if (host := urlsplit(one).hostname) and host not in LOOPBACK]
