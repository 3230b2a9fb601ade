"""A simulated provider with a member who is signed in, and a folder with connector and mappings to change."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.append(str(Path(__file__).parents[1] / "steps"))  # what tests of a run are made with

from loopback_made import Source
from run_made import REPOSITORY, keep_token

from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID

PLENTY = {"requests_per_minute": 100_000, "requests_per_day": 100_000}
BEHIND = timedelta(days=3)
"""The simulated date is so far in the past, so that it can be advanced and stays within what a run asks for."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., whoop.Sandbox]]:
    """Starts a sandbox that ends with the test, points the connector to it, and signs in."""
    with ExitStack() as stack:

        def start(**settings: Any) -> whoop.Sandbox:
            given = {"days": 40, "now": datetime.now(UTC) - BEHIND, **PLENTY, **settings}
            sandbox = stack.enter_context(whoop.serve(**given))
            for name, value in sandbox.environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("WHOOP_REQUESTS_PER_MINUTE", str(given["requests_per_minute"]))
            keep_token(sandbox.sign_in(), account=str(USER_ID))
            return sandbox

        yield start


@pytest.fixture
def sandbox(serve: Callable[..., whoop.Sandbox]) -> whoop.Sandbox:
    """A member of forty days, three days ago."""
    return serve()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a copy of the connector and its mappings."""
    (tmp_path / "connectors").mkdir()
    shutil.copy(REPOSITORY / "connectors" / "whoop.yaml", tmp_path / "connectors")
    shutil.copytree(REPOSITORY / "mappings" / "whoop", tmp_path / "mappings" / "whoop")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A source on loopback, with `made` pointed to it; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    source = Source()
    monkeypatch.setenv("MADE_URL", source.url)
    yield source
    source.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def agreeing(monkeypatch: pytest.MonkeyPatch, free_port: int) -> str:
    """A person who agrees in their browser at once; where it is led back to."""

    def open_(url: str) -> bool:
        options = {"follow_redirects": True, "timeout": 10.0}
        threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    back = f"http://localhost:{free_port}/callback"
    monkeypatch.setenv("MADE_REDIRECT", back)
    return back
