"""A simulated hospital on a loopback port: a FHIR R4 server with SMART sign-in, written from the published standards
and from what is known of such servers. It shares no code with the engine, and its patient is invented."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from hde.sandbox.clock import Clock
from hde.sandbox.exchange import Call
from hde.sandbox.faults import Faults
from hde.sandbox.fhir.api import answer
from hde.sandbox.fhir.bulk import Bulk
from hde.sandbox.fhir.bundles import Bundles
from hde.sandbox.fhir.chart import Chart, Resource
from hde.sandbox.fhir.clients import CLIENT_ID, CLIENT_SECRET, KEY_ID, PUBLIC_ID, Clients
from hde.sandbox.fhir.manners import MANNERS, Manners
from hde.sandbox.fhir.oauth import OAuth
from hde.sandbox.fhir.world import World
from hde.sandbox.server import HOST, Server

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "KEY_ID", "MANNERS", "PUBLIC_ID", "Manners", "Sandbox", "serve"]

SCOPES = ("launch/patient", "offline_access", "patient/*.rs", "patient/*.read")


class Sandbox:
    """A running simulation: where it listens, what it was asked, and the handle to its clock and its chart."""

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def __init__(self, base_url: str, world: World) -> None:
        self.base_url = base_url
        self._world = world

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point a connector here."""
        if not self._world.manners.signs_in:
            return {"FHIR_OPEN_BASE_URL": self.base_url, "FHIR_OPEN_PATIENT": self.patient}
        return {
            "FHIR_BASE_URL": self.base_url,
            "FHIR_CLIENT_ID": self.client_id,
            "FHIR_CLIENT_SECRET": self.client_secret,
        }

    @property
    def now(self) -> datetime:
        """The simulated date, in UTC. It moves with `advance` only."""
        return self._world.clock.date()

    @property
    def requests(self) -> Counter[str]:
        """Requests so far by path without query; the sign-in's count too."""
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
    def exports(self) -> list[str]:
        """The exports that were asked for and not yet deleted."""
        return list(self._world.bulk.exports)

    @property
    def patient(self) -> str:
        """The id of the only patient."""
        return self._world.chart.patient

    def resources(self, kind: str) -> list[Resource]:
        """What the server has now, newest first, whoever may read it."""
        return list(self._world.resources.get(kind, {}).values())

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Lets simulated time pass; returns the new date.

        New visits and results appear, preliminary results become final, some are corrected or withdrawn. Raises
        ValueError for a step backwards.
        """
        return self._world.advance(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def change(self, kind: str, key: str, **fields: object) -> None:
        """Changes elements of a resource; None removes one. Raises KeyError if there is no such resource."""
        self._world.change(kind, key, fields)

    def delete(self, kind: str, key: str) -> None:
        """Deletes a resource. Raises KeyError if there is none."""
        self._world.delete(kind, key)

    def end_access(self) -> None:
        """Ends the access tokens that are out."""
        self._world.end_access()

    def end_sessions(self, status: int = 410) -> None:
        """Ends the searches whose next pages somebody could still ask for; `status` is what those say then."""
        self._world.end_sessions(status)

    def sign_in(self, scopes: Iterable[str] = SCOPES, client: str = CLIENT_ID) -> dict[str, object]:
        """A token endpoint's answer without a browser, as if the patient had just allowed `scopes`."""
        return self._world.oauth.sign_in(tuple(scopes), client)


@contextmanager
def serve(
    *,
    port: int = 0,
    days: int = 1460,
    seed: int = 1,
    now: datetime | None = None,
    manners: str | Manners = "plain",
    token_seconds: int = 3600,
    auto_consent: bool = False,
    export_polls: int = 2,
    export_wait: int = 1,
    public_keys: Iterable[bytes] = (),
    faults: Faults | None = None,
) -> Iterator[Sandbox]:
    """A patient with `days` of history up to `now` (aware; by default the current time), served until the block ends.

    `manners` is a hospital's name in MANNERS, or manners of one's own. `public_keys` in PEM are those the back end
    KEY_ID may sign with. `auto_consent` skips the consent page; `faults` stand between the port and the simulation.
    Raises OSError if the port is taken and ValueError for a `now` without zone, `days` below 1 or unknown manners.
    """
    now = datetime.now(UTC) if now is None else now
    if now.tzinfo is None or days < 1:
        raise ValueError("a sandbox needs a `now` with a time zone and at least one day")
    if isinstance(manners, str):
        if manners not in MANNERS:
            raise ValueError(f"there are these manners: {', '.join(MANNERS)}")
        manners = MANNERS[manners]
    world = _world(
        Clock(now), Chart(seed, _midnight(now - timedelta(days=days)), manners), Clients(keys=list(public_keys))
    )
    world.oauth.token_seconds, world.auto_consent = token_seconds, auto_consent
    world.bulk.polls, world.bulk.wait = export_polls, export_wait
    front = Faults() if faults is None else faults
    server = Server(port, partial(front.serve, pass_on=world.serve, end_access=world.end_access))
    base = world.open(f"http://{HOST}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield Sandbox(base, world)
    finally:
        server.stop()
        thread.join()


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _world(clock: Clock, chart: Chart, clients: Clients) -> World:
    manners = chart.manners
    return World(
        clock=clock,
        manners=manners,
        chart=chart,
        oauth=OAuth(clock, manners, clients, chart.patient),
        bundles=Bundles(manners),
        bulk=Bulk(clock),
        api=answer,
    )
