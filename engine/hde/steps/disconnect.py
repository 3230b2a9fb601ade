"""The end of a connection: the provider told where it can be, the token deleted, the records kept."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from hde.errors import HdeError, SignInNeeded, SourceError, WrongUse
from hde.source.errand import run_errand
from hde.source.revoke import revocation, revoke_token
from hde.spec.request import Errand
from hde.steps.accounts import Way, meant, named, places_of, readable, shared_budget
from hde.store import journal
from hde.store.database import Database
from hde.store.journal import Account
from hde.store.only_run import only_run

Told = Literal["revoked", "not accepted", "not told"]


@dataclass(frozen=True)
class Connection:
    """What there is to end. `account` is None where no run or sign-in ever got as far as the database."""

    external_id: str
    account: Account | None


def connection(database: Database, way: Way, wanted: str | None) -> Connection:
    """The one with a token, or the wanted one. WrongUse where there is none, or too many to choose from."""
    name = way.connector.name
    if not way.connector.has_tokens:
        raise WrongUse(f"{name} has no sign-in to end: its keys and passwords are settings, take them out of .env")
    known = way.tokens.accounts(name)
    if not known:
        raise WrongUse(f"{name} is not signed in: there is no token to delete")
    places = places_of(database, way.connector)
    wanted, shown = meant(known, wanted, places), named(known, places)
    if wanted is None and len(known) > 1:
        raise WrongUse(f"{name} has {len(known)} accounts: {shown}. Choose one with --account")
    if wanted is not None and wanted not in known:
        raise WrongUse(f"{name} has no sign-in for account {wanted}. There are: {shown}")
    external_id = wanted or known[0]
    with database.connection(autocommit=True) as opened:
        found = (one for one in journal.accounts(opened, name) if one.external_id == external_id)
        return Connection(external_id, next(found, None))


def disconnect(database: Database, way: Way, ending: Connection, *, tell: bool) -> Told:
    """Withdraw the grant, then delete the token. Where the source cannot be told, all stays and SourceError says so."""
    with ExitStack() as stack:
        if ending.account is not None:
            stack.enter_context(only_run(database, ending.account, "disconnect"))
        here = way.at(places_of(database, way.connector).get(ending.external_id))
        told: Told = _told(database, here, ending) if tell else "not told"
        with way.tokens.locked(way.connector.name, ending.external_id):
            way.tokens.remove(way.connector.name, ending.external_id)
        if ending.account is not None:
            with database.connection(autocommit=True) as opened:
                journal.set_status(opened, ending.account.id, "disconnected")
    return told


def _told(database: Database, way: Way, ending: Connection) -> Told:
    title = way.connector.title or way.connector.name
    try:
        how = revocation(way.connector, way.settings)
        if how is None:
            return "not told"
        return _withdrawn(database, way, ending, how)
    except HdeError as error:
        raise SourceError(
            f"{error}\nThe token was kept, so that this can be tried again. To delete it anyway: "
            f"hde disconnect {way.connector.name} --account {ending.external_id} --forget-token, "
            f"and withdraw the consent at {title} yourself."
        ) from None


def _withdrawn(database: Database, way: Way, ending: Connection, how: Errand | str) -> Told:
    if not readable(way, ending.external_id):
        way.tokens.read(way.connector.name, ending.external_id)  # says why
    if isinstance(how, str):
        stored = way.tokens.read(way.connector.name, ending.external_id)
        assert stored is not None
        revoke_token(way.connector, way.settings, how, stored.token)
        return "revoked"
    values = ending.account.values if ending.account else {"id": ending.external_id}
    try:
        with (
            shared_budget(database, way) as budget,
            way.session(way.auth(ending.external_id), budget, values) as session,
        ):
            run_errand(session, how)
    except SignInNeeded:
        return "not accepted"
    return "revoked"
