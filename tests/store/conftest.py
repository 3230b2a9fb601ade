"""A connection to a migrated database with one account, and homes for embedded servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_made import copied, folder_of_homes, used_home

from hde.store import journal
from hde.store.database import Connection, Database


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connection() as connection:
        yield connection


@pytest.fixture
def account(connection: Connection) -> int:
    made = journal.connect_account(connection, "made", "someone", {})
    connection.commit()
    return made.id


@pytest.fixture
def home() -> Iterator[Path]:
    with folder_of_homes() as folder:
        yield folder / "h"


@pytest.fixture(scope="session")
def used() -> Iterator[Path]:
    with folder_of_homes() as folder:
        yield used_home(folder / "h")


@pytest.fixture
def made(home: Path, used: Path) -> Path:
    """A home with a database that has been used and stopped."""
    return copied(used, home)
