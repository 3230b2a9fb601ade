"""A real PostgreSQL for every test that asks: one embedded server a test process, one fresh database a test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hde.store import embedded, migrate
from hde.store.database import Database, as_url


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Conninfo of a server that holds `template`, a migrated database."""
    home = Path(tempfile.mkdtemp(prefix="hde-tests-"))
    home.chmod(0o755)  # as root the server runs as somebody else, who must reach it
    try:
        with embedded.attached(home) as conninfo:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                connection.execute("CREATE DATABASE template")
            migrate.upgrade(Database(make_conninfo(conninfo, dbname="template")))
            yield conninfo
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_database(server: str, template: str, name: str) -> Iterator[Database]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
        yield Database(make_conninfo(server, dbname=name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture
def database(server: str) -> Iterator[Database]:
    """A migrated database of this test's own."""
    with fresh_database(server, "template", "for_a_test") as database:
        yield database


@pytest.fixture
def fresh(server: str) -> Callable[[], AbstractContextManager[Database]]:
    """Opens a migrated database that holds nothing, as often as it is called."""
    return lambda: fresh_database(server, "template", "for_a_reading")


@pytest.fixture
def database_url(database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """HDE_DATABASE_URL points to the test's database."""
    url = as_url(database.conninfo)
    monkeypatch.setenv("HDE_DATABASE_URL", url)
    return url


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the home, the tokens or the settings of whoever runs it."""
    for name in ("HDE_DATABASE_URL", "HDE_SECRET_KEY", "HDE_FORMER_SECRET_KEY", "HDE_TOKEN_STORE", "HDE_VERBOSE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
