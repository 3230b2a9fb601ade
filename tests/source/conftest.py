"""Sources on loopback, and sessions on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from oauth_made import KEY, Provider
from source_made import QUICK, Source, connector

from hde.source.session import Budget, Patience, Session, Unlimited
from hde.tokens.file import FileTokens


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.close()


@pytest.fixture
def other_source() -> Iterator[Source]:
    source = Source()
    yield source
    source.close()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def open_session(source: Source, stop: threading.Event) -> Iterator[Callable[..., Session]]:
    """A session on the source; keyword arguments as of `connector`."""
    opened: list[Session] = []

    def open_(
        *,
        auth: httpx.Auth | None = None,
        budget: Budget | None = None,
        settings: dict[str, str] | None = None,
        patience: Patience = QUICK,
        base: str = "/api",
        **parts: Any,
    ) -> Session:
        made = connector(source.url + base, **parts)
        session = Session(made, settings or {}, auth=auth, budget=budget or Unlimited(), stop=stop, patience=patience)
        opened.append(session)
        return session

    yield open_
    for session in opened:
        session.close()


@pytest.fixture
def provider(source: Source) -> Provider:
    return Provider(source)


@pytest.fixture
def store(tmp_path: Path) -> FileTokens:
    return FileTokens(tmp_path / "tokens.json", KEY)


@pytest.fixture(scope="session")
def processes() -> Iterator[Any]:
    from refreshing_made import Processes  # POSIX only

    processes = Processes()
    yield processes
    processes.close()
