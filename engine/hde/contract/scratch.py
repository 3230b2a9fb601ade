"""Databases that are gone afterwards: a server of its own in a temporary folder, never the person's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from hde.contract.check import Fresh
from hde.store import embedded, migrate
from hde.store.database import Database

_TEMPLATE = "contract_template"


@contextmanager
def scratch() -> Iterator[tuple[Fresh, Path]]:
    """What opens an empty database, and a folder to be at home in."""
    with tempfile.TemporaryDirectory(prefix="hde-contract-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            with embedded.attached(home) as server:
                _execute(server, f"CREATE DATABASE {_TEMPLATE}")
                migrate.upgrade(Database(make_conninfo(server, dbname=_TEMPLATE)))
                numbers = count(1)

                @contextmanager
                def fresh() -> Iterator[Database]:
                    name = f"contract_{next(numbers)}"
                    _execute(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
                    yield Database(make_conninfo(server, dbname=name))
                    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")

                yield fresh, home
        finally:
            embedded.discard(home)


def _execute(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())
