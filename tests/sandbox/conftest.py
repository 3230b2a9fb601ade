"""A simulated provider on a loopback port with a fixed date, and a client that is signed in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hde.sandbox import whoop

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
PLENTY = {"requests_per_minute": 100_000, "requests_per_day": 100_000, "token_seconds": 10**8}

COLLECTIONS = {
    "cycle": "/developer/v2/cycle",
    "recovery": "/developer/v2/recovery",
    "sleep": "/developer/v2/activity/sleep",
    "workout": "/developer/v2/activity/workout",
}

Json = dict[str, Any]


@pytest.fixture
def start() -> Iterator[Callable[..., whoop.Sandbox]]:
    """Starts sandboxes that end with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(whoop.serve(**{"days": 60, "now": NOW, **settings}))


class Api:
    """A signed-in client of one sandbox."""

    def __init__(self, sandbox: whoop.Sandbox, client: httpx.Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self.sign_in()

    def sign_in(self, scopes: tuple[str, ...] = whoop.SCOPES) -> None:
        token = self.sandbox.sign_in(scopes)["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.client.get(path, params=params)

    def pages(self, name: str, **params: Any) -> Iterator[Json]:
        while True:
            page = self.get(COLLECTIONS[name], **params).raise_for_status().json()
            yield page
            if not page.get("next_token"):
                return
            params["nextToken"] = page["next_token"]

    def all(self, name: str, **params: Any) -> list[Json]:
        return [record for page in self.pages(name, **{"limit": 25, **params}) for record in page["records"]]


@pytest.fixture
def connect() -> Iterator[Callable[[whoop.Sandbox], Api]]:
    with ExitStack() as stack:
        yield lambda sandbox: Api(sandbox, stack.enter_context(httpx.Client(base_url=sandbox.base_url)))


@pytest.fixture
def own(start: Callable[..., whoop.Sandbox], connect: Callable[[whoop.Sandbox], Api]) -> Api:
    """A sandbox whose clock, records and counters the test may change."""
    return connect(start(**PLENTY))


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """One sandbox for all tests that only read."""
    with whoop.serve(days=60, now=NOW, **PLENTY) as sandbox, httpx.Client(base_url=sandbox.base_url) as client:
        yield Api(sandbox, client)
