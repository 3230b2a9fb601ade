"""A session at the real source for whoever only looks: signed in, within the shared limits, and storing nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from hde.source.budget import Budget, Unlimited
from hde.source.session import Session
from hde.source.transport import Reply
from hde.spec.load import Source
from hde.steps import accounts
from hde.steps.accounts import Way
from hde.steps.origins import check_origins
from hde.steps.settings import settings_of
from hde.steps.trying.rehearsal import Watch
from hde.store import embedded, migrate
from hde.store.database import open_database
from hde.store.journal import Place
from hde.tokens.file import FileTokens
from hde.tokens.keys import find_key


@contextmanager
def live_session(
    source: Source, home: Path, stop: threading.Event, account: str | None, watch: Watch
) -> Iterator[Session]:
    """Signed in as the account, which has been asked for. `watch` sees what goes out from then on, and what comes back.

    No database is made for it: where there is none yet, nobody shares limits and tokens lie in a file.
    """
    connector, settings = source.connector, settings_of(source.connector)
    if os.environ.get("HDE_DATABASE_URL") or embedded.data_folder(home).exists():
        with open_database(home) as database:
            migrate.ensure(database)
            way = Way(connector, settings, accounts.token_store(home, database), stop)
            places = accounts.places_of(database, connector)
            chosen = accounts.choose_account(way, account, places)
            with database.connection() as connection:
                check_origins(connection, way.at(places.get(chosen)), source.connector_file, chosen)
            with (
                accounts.shared_budget(database, way) as budget,
                _identified(way, budget, account, watch, places) as session,
            ):
                yield session
        return
    way = Way(connector, settings, lambda: FileTokens(home / ".token_store.json", find_key(home)), stop)
    with _identified(way, Unlimited(), account, watch, {}) as session:
        yield session


@contextmanager
def _identified(
    way: Way, budget: Budget, account: str | None, watch: Watch, places: Mapping[str, Place]
) -> Iterator[Session]:
    chosen = accounts.choose_account(way, account, places)
    way = way.at(places.get(chosen))
    auth = way.auth(chosen)
    known = threading.Event()

    def tell(request: httpx.Request, reply: Reply) -> None:
        if known.is_set():
            watch(request, reply)

    with Session(way.connector, way.settings, auth=auth, budget=budget, stop=way.stop, watch=tell) as session:
        session.identify()
        known.set()
        yield session
