"""A sign-in and the account that comes of it: the token is kept under whose it is, and where that is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hde.errors import Refused, SignInNeeded, Unreadable, WrongUse
from hde.source.carry import send_of
from hde.source.errand import run_errand
from hde.source.session import Session
from hde.spec.sign_in import OAuth2Client, OAuth2Code
from hde.spec.yaml_file import YamlFile
from hde.steps.accounts import Way, ask_something, choose_account, meant, places_of, readable, shared_budget
from hde.steps.origins import new_origins
from hde.store import journal
from hde.store.database import Database
from hde.store.journal import Account, Place
from hde.tokens import Stored, Token


def sign_in_account(
    database: Database,
    way: Way,
    *,
    browser: Callable[[str], None] | None,
    say: Callable[[str], None],
    ask: Callable[[str], str] | None,
    place: Place | None = None,
) -> Account:
    """Sign in, ask the source whose account it is, and only then keep the token, under that account.

    `browser`, `say` and `ask` are for a sign-in that needs a person; `place` is where `way` leads to. WrongUse where
    the account is known at another one.
    """
    from hde.source.oauth import SignedIn

    token = _new_token(way, browser, say, ask)
    with shared_budget(database, way) as budget:
        with way.session(SignedIn(token, send_of(way.connector)), budget) as session:
            said = _identified(session)
        external_id = str(said["id"])
        _refuse_another(database, way, external_id, place)
        with way.tokens.locked(way.connector.name, external_id):
            former = way.tokens.read(way.connector.name, external_id) if readable(way, external_id) else None
            generation = former.generation + 1 if former else 1
            way.tokens.write(way.connector.name, external_id, Stored(token, generation))
    with database.connection(autocommit=True) as connection:
        kept = {name: value for name, value in said.items() if name != "id"}
        return journal.connect_account(connection, way.connector.name, external_id, kept, place)


def _refuse_another(database: Database, way: Way, external_id: str, place: Place | None) -> None:
    """Two hospitals may know two people by one id, and their records must not mix."""
    name = way.connector.name
    known = places_of(database, way.connector).get(external_id)
    with database.connection(autocommit=True) as connection:
        if external_id not in [one.external_id for one in journal.accounts(connection, name)]:
            return
    if (known and known[1]) != (place and place[1]):
        here, there = (one[0] if one else "the address in the settings" for one in (known, place))
        raise WrongUse(
            f"Account {external_id} of {name} is at {here}, and {there} gives the same id: the records of two people "
            f"must not mix.\nIf it is one person who moved, begin anew: hde forget --account {external_id}"
        )


def _new_token(
    way: Way, browser: Callable[[str], None] | None, say: Callable[[str], None], ask: Callable[[str], str] | None
) -> Token:
    from hde.source.renewal import unattended_token

    if isinstance(way.connector.auth, OAuth2Code | OAuth2Client):
        from hde.source.endpoints import refuse_open_lines

        refuse_open_lines(way.connector, way.settings, way.connector.auth)
    match way.connector.auth:
        case OAuth2Code() as auth:
            from hde.source.signin import sign_in

            return sign_in(way.connector, way.settings, auth, browser=browser, say=say, ask=ask)
    return unattended_token(way.connector, way.settings)


def _identified(session: Session) -> Mapping[str, object]:
    """Whose token it is, and what the source wants to be told after consent. The errand may name the account where that
    comes with the token; where it is asked for, the source may want the errand first."""
    connector = session.connector
    errand = connector.auth.after_consent if isinstance(connector.auth, OAuth2Code) else None
    asks = connector.account is not None and connector.account.request is not None
    if errand and asks:
        run_errand(session, errand)
    said = session.identify()
    if errand and not asks:
        run_errand(session, errand)
    return said


@dataclass(frozen=True)
class Found:
    """An account with a stored sign-in. Where requests would go to `new_origins`, it was not tried there."""

    account: str
    new_origins: tuple[str, ...] = ()
    was_asked: bool = False
    """Whether the source has answered a request of it; where there is nothing to ask, nobody knows."""


def stored_sign_in(
    database: Database, way: Way, file: YamlFile, wanted: str | None, places: Mapping[str, Place]
) -> Found | None:
    """The account whose token works right now, found by asking the source; None where a sign-in is needed.

    What was given at one origin is sent to no other: those are named, and nothing is asked. Refused or Unreadable
    where the source neither takes the token nor says that it has ended.
    """
    try:
        external_id = choose_account(way, wanted, places)
        way = way.at(places.get(external_id))
        with database.connection(autocommit=True) as connection:
            if new := new_origins(connection, way, file, external_id):
                return Found(external_id, tuple(new))
        with shared_budget(database, way) as budget, way.session(way.auth(external_id), budget) as session:
            session.identify()
            return Found(external_id, was_asked=ask_something(session))
    except SignInNeeded:
        return None
    except Refused as error:
        if error.status == 401:
            return None
        raise Refused(_not_known(way, error), error.status) from None
    except Unreadable as error:
        raise Unreadable(_not_known(way, error)) from None


def _not_known(way: Way, error: Exception) -> str:
    return f"{error}\nSo it is not known whether the stored sign-in works. Anew: hde auth {way.connector.name} --force"


def known_place(way: Way, wanted: str | None, places: Mapping[str, Place]) -> Place | None:
    """Where an account is signed in to again: the wanted one, or the only one there is."""
    known = way.tokens.accounts(way.connector.name)
    several = known or list(places)  # after the last sign-in has ended, where it was
    account = meant(several, wanted, places) or (several[0] if len(several) == 1 else None)
    return places.get(account) if account else None
