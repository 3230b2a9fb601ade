"""Whose data a run reads: the token that is there, the account it belongs to, and the session signed in as it."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import httpx

from hde.errors import Refused, SignInNeeded, WrongUse
from hde.source.budget import Budget, Unlimited
from hde.source.carry import basic
from hde.source.elements import constant_elements
from hde.source.files import folder_of
from hde.source.pages import Bounds, read_pages
from hde.source.session import Session
from hde.spec.connector import Connector, Resource
from hde.spec.elements import parents_of
from hde.spec.sign_in import Basic, OAuth2Client, OAuth2Code
from hde.steps.settings import patience
from hde.store import journal
from hde.store.budgets import Limit, SharedBudget
from hde.store.database import Connection, Database
from hde.store.journal import Account, Place
from hde.tokens import TokenStore

NO_SIGN_IN = "default"
TOKEN_FILE = ".token_store.json"
MOST_LEFT_OUT = 3
"""Resources that a source may leave out before an answer to one of them is waited for no longer."""


@dataclass(frozen=True)
class Way:
    """A connector ready to be used: its settings, its tokens, and the stop sign."""

    connector: Connector
    settings: Mapping[str, str]
    open_tokens: Callable[[], TokenStore]
    stop: threading.Event

    @cached_property
    def tokens(self) -> TokenStore:
        """Opened when first needed: without a sign-in there is no key to be made."""
        return self.open_tokens()

    def at(self, place: Place | None) -> Way:
        """The way to a place of a directory: what that says goes over the settings."""
        return self if place is None else replace(self, settings={**self.settings, **place[1]})

    def auth(self, account: str) -> httpx.Auth | None:
        match self.connector.auth:
            case None:
                return None
            case Basic() as said:
                return basic(said, self.settings)
        from hde.source.oauth import StoredSignIn  # loaded where there is a token

        return StoredSignIn(self.connector, self.settings, self.tokens, account)

    def session(self, auth: httpx.Auth | None, budget: Budget, account: Mapping[str, object] | None = None) -> Session:
        return Session(
            self.connector, self.settings,
            auth=auth, budget=budget, stop=self.stop, account=account, patience=patience(),
        )  # fmt: skip


def token_store(home: Path, database: Database) -> Callable[[], TokenStore]:
    """Opens `.token_store.json` in the home, or the database with HDE_TOKEN_STORE=database."""
    kind = os.environ.get("HDE_TOKEN_STORE", "file")
    if kind not in ("file", "database"):
        raise WrongUse(f"HDE_TOKEN_STORE is {kind!r}; it can be file or database")

    def opened() -> TokenStore:
        from hde.tokens.keys import find_key  # without a sign-in nothing is loaded that encrypts

        if kind == "database":
            from hde.store.tokens import DatabaseTokens

            return DatabaseTokens(database, find_key(home))
        from hde.tokens.file import FileTokens

        return FileTokens(home / TOKEN_FILE, find_key(home))

    return opened


@contextmanager
def shared_budget(database: Database, way: Way, account: str = "") -> Iterator[Budget]:
    """The connector's rate limits, counted together with everyone who uses the same app, or the same `account`."""
    connector = way.connector
    scope = {"settings": way.settings}
    limits = [
        Limit(
            _whole(limit.requests.value(scope), "rate_limits"),
            max(1, round(limit.per.total_seconds())),
            limit.aligned,
            account if limit.of == "account" else "",
        )
        for limit in connector.http.rate_limits
    ]
    if not limits:
        yield Unlimited()
        return
    app = _app(way)
    with database.connection(autocommit=True) as connection:
        yield SharedBudget(connection, f"{connector.name}/{hashlib.sha256(app.encode()).hexdigest()[:12]}", limits)


def _app(way: Way) -> str:
    """As whom the source counts our requests."""
    scope = {"settings": way.settings}
    match way.connector.auth:
        case OAuth2Code(client=client) | OAuth2Client(client=client):
            return client.id.render(scope)
        case Basic(username=username):
            return username.render(scope)
    return ""


def choose_account(way: Way, wanted: str | None, places: Mapping[str, Place] = MappingProxyType({})) -> str:
    """The provider's id of the account to read: the only one there is a token for, or the wanted one.

    `places` says at which place of a directory an account is.
    """
    connector = way.connector
    wanted = wanted or _said_account(way)
    if not connector.has_tokens:
        return wanted or NO_SIGN_IN
    known = way.tokens.accounts(connector.name)
    wanted = meant(known, wanted, places)
    if wanted and wanted not in known:
        there = f" There are: {named(known, places)}." if known else ""
        raise SignInNeeded(f"No sign-in for {connector.name} account {wanted}.{there} Run: hde auth {connector.name}")
    if not known:
        raise SignInNeeded(f"Not signed in at {connector.title or connector.name} yet. Run: hde auth {connector.name}")
    if not wanted and len(known) > 1:
        raise WrongUse(f"{connector.name} has {len(known)} accounts: {named(known, places)}. Choose one with --account")
    return wanted or known[0]


def meant(known: Sequence[str], wanted: str | None, places: Mapping[str, Place]) -> str | None:
    """The account a person names by the provider's id, or by the place where it is the only one."""
    if wanted is None or wanted in known:
        return wanted
    there = [one for one in known if one in places and places[one][0].casefold() == wanted.casefold()]
    return there[0] if len(there) == 1 else wanted


def places_of(database: Database, connector: Connector) -> Mapping[str, Place]:
    """At which place of the connector's directory each account is; without a directory they are at none."""
    if connector.tenants is None:
        return {}
    with database.connection(autocommit=True) as connection:
        return journal.tenants(connection, connector.name)


def named(accounts: Sequence[str], places: Mapping[str, Place]) -> str:
    """Accounts as a person tells them apart."""
    return ", ".join(f"{one} ({places[one][0]})" if one in places else one for one in accounts)


def _said_account(way: Way) -> str | None:
    """The account that a setting alone decides: with another value there, it is another one."""
    said = way.connector.account
    if said is None or said.value is None or said.id is not None:
        return None
    return said.value.render({"settings": way.settings}) or None


def known_account(connection: Connection, way: Way, external_id: str, budget: Budget) -> Account:
    """The account's row; at its first run the source is asked whose data it gives."""
    connector = way.connector.name
    for account in journal.accounts(connection, connector):
        if account.external_id == external_id and set(account.kept) == _keeps(way.connector):
            return account
    connection.commit()  # nothing is held open while the source is asked
    with way.session(way.auth(external_id), budget) as session:
        said = session.identify()
    if not way.connector.has_tokens:
        # Without an `account` in the connector only the person can say whose data this is.
        external_id = str(said["id"]) if way.connector.account else external_id
    elif str(said["id"]) != external_id:
        raise SignInNeeded(f"The token stored for account {external_id} belongs to another. Run: hde auth {connector}")
    return journal.connect_account(connection, connector, external_id, _kept(said))


def check_settings(database: Database, way: Way) -> str:
    """For a connector without tokens: one call with its keys and passwords. Raises what the source says to them."""
    connector = way.connector
    with shared_budget(database, way) as budget, way.session(way.auth(NO_SIGN_IN), budget) as session:
        external_id = str(session.identify()["id"])
        if connector.files is not None:
            folder_of(connector.files.folder.render(session.scope({})))
        ask_something(session)
    return external_id


def ask_something(session: Session) -> bool:
    """Where finding out whose account it is asks the source nothing, one page of a resource does.

    Whether anything was asked: False where a resource needs others first, or is a file or an export. Raises what the
    source says to it, and Refused where it leaves out whatever it was asked for.
    """
    connector = session.connector
    if connector.account is not None and connector.account.request is not None:
        return True
    asked: list[str] = []
    for resource in connector.resources.values():
        if parents_of(resource.for_each) is None and resource.files is None and resource.export is None:
            asked.append(resource.name)
            if _ask_once(session, resource):
                return True
            if len(asked) == MOST_LEFT_OUT:
                break
    if asked:
        raise Refused(f"{connector.name}: the source gives none of {', '.join(asked)} to this account", status=0)
    return False


def _ask_once(session: Session, resource: Resource) -> bool:
    """One page of a resource, of the last day and its first element; False where it is left out."""
    now = datetime.now(UTC)
    bounds = Bounds(now - timedelta(days=1), now) if resource.window else None
    elements = constant_elements(resource.for_each) if resource.for_each else []
    scope = {"each": elements[0].value} if elements else {}
    return next(read_pages(session, resource, bounds, scope=scope, arrived=lambda: 0)).outcome != "skip"


def readable(way: Way, external_id: str) -> bool:
    """A token sealed with a lost key must not stand in the way of a new sign-in."""
    try:
        way.tokens.read(way.connector.name, external_id)
    except SignInNeeded:
        return False
    return True


def _keeps(connector: Connector) -> set[str]:
    return set(connector.account.keep) if connector.account else set()


def _kept(said: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in said.items() if name != "id"}


def _whole(value: object, what: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number < 1:
        raise WrongUse(f"{what}: {value!r} is not a number of requests")
    return number
