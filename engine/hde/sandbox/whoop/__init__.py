"""A simulated WHOOP on a loopback port, written from the provider's API documents for the demo and for tests. It shares
no code with the engine, and no real account or record is behind it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from hde.sandbox.clock import Clock, RateLimit
from hde.sandbox.exchange import Call
from hde.sandbox.faults import Faults
from hde.sandbox.server import HOST, Server
from hde.sandbox.whoop.member import Life
from hde.sandbox.whoop.oauth import CLIENT_ID, CLIENT_SECRET, SCOPES, OAuth
from hde.sandbox.whoop.world import World

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "SCOPES", "Call", "Sandbox", "serve"]


class Sandbox:
    """A running simulation: where it listens, what it was asked, and the handle to its clock."""

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def __init__(self, base_url: str, world: World) -> None:
        self.base_url = base_url
        self._world = world

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point a connector here."""
        return {
            "WHOOP_BASE_URL": self.base_url,
            "WHOOP_CLIENT_ID": self.client_id,
            "WHOOP_CLIENT_SECRET": self.client_secret,
        }

    @property
    def now(self) -> datetime:
        """The simulated date, in UTC. It moves with `advance` only."""
        return self._world.clock.date()

    @property
    def requests(self) -> Counter[str]:
        """Requests so far by path without query; OAuth's count too."""
        return self._world.requests

    @property
    def log(self) -> list[Call]:
        """Every request so far, in order: (time, path, method, query, status)."""
        return self._world.log

    @property
    def refreshes(self) -> int:
        """Refresh tokens exchanged successfully."""
        return self._world.oauth.refreshes

    @property
    def total(self) -> dict[str, int]:
        """Records the API would list now, by collection: cycle, recovery, sleep, workout."""
        return {name: len(entries) for name, entries in self._world.snapshot.collections.items()}

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Lets simulated time pass, for records, tokens and limits alike; returns the new date.

        Pending scores arrive, the open cycle grows or closes, new nights and workouts appear, and some scores of the
        last days are revised. Raises ValueError for a step backwards.
        """
        return self._world.advance(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def delete(self, name: str, record_id: str) -> None:
        """Deletes a 'sleep' (its recovery goes with it) or a 'workout'. Raises KeyError if there is none."""
        self._world.delete(name, record_id)

    def fail(self, *statuses: int) -> None:
        """Answers the next API requests with these statuses, one each."""
        self._world.faults.extend(statuses)

    def sign_in(self, scopes: Iterable[str] = SCOPES) -> dict[str, object]:
        """A token endpoint's answer without a browser, as if the member had just allowed `scopes`."""
        return self._world.oauth.sign_in(tuple(scopes))


@contextmanager
def serve(
    *,
    port: int = 0,
    days: int = 730,
    seed: int = 1,
    now: datetime | None = None,
    requests_per_minute: int = 100,
    requests_per_day: int = 10_000,
    token_seconds: int = 3600,
    auto_consent: bool = False,
    faults: Faults | None = None,
) -> Iterator[Sandbox]:
    """A member with `days` of history up to `now` (aware; by default the current time), served until the block ends.

    Fewer than 30 days leave out some of the oddities (trips, unscorable nights). `auto_consent` skips the consent
    page; `faults` stand between the port and the simulation. Raises OSError if the port is taken and ValueError for a
    `now` without zone or `days` below 1.
    """
    now = datetime.now(UTC) if now is None else now
    if now.tzinfo is None or days < 1:
        raise ValueError("a sandbox needs a `now` with a time zone and at least one day")
    clock = Clock(now)
    world = World(
        clock=clock,
        life=Life(seed, days, clock.now),
        oauth=OAuth(clock, token_seconds),
        limit=RateLimit(clock, requests_per_minute, requests_per_day),
        auto_consent=auto_consent,
    )
    front = Faults() if faults is None else faults
    server = Server(port, lambda request: front.serve(request, world.serve, world.end_access))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield Sandbox(f"http://{HOST}:{server.server_port}", world)
    finally:
        server.stop()
        thread.join()
