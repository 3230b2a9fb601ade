"""`hde auth`: sign in, or say that there is no need to; `hde auth rotate-key`: another key for what was signed in."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from typing import Any

import click

from hde.cli.run import source_of, stop_sign
from hde.errors import WrongUse
from hde.places import make_home
from hde.spec.load import Source
from hde.steps import accounts
from hde.steps.accounts import Way
from hde.steps.origins import agree_to_origins, new_origins
from hde.steps.settings import settings_of
from hde.steps.signing_in import Found, known_place, sign_in_account, stored_sign_in
from hde.steps.tenants import find_tenant
from hde.store import migrate
from hde.store.database import Database, open_database
from hde.store.journal import Account, Place


class _AuthOrKey(click.Command):
    """`hde auth CONNECTOR`, or the one word after `auth` that is no connector: their names have no dash."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["rotate-key"]:
            return rotate_key.make_context(f"{info_name} rotate-key", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_AuthOrKey)
@click.argument("connector")
@click.option("--force", is_flag=True, help="Sign in anew even if the stored token works.")
@click.option("--no-browser", is_flag=True, help="Print the address, and take the pasted address it leads to.")
@click.option("--account", metavar="A", help="Which account to check, where there are several.")
@click.option("--tenant", metavar="WORDS", help="Where: a place of the connector's directory, by words of its name.")
def auth(connector: str, force: bool, no_browser: bool, account: str | None, tenant: str | None) -> int:
    """Sign in at CONNECTOR. A working sign-in is left alone unless --force.

    Where there is nothing to sign in to, keys and passwords are checked with one call.

    What was signed in to at one server is not sent to another: there it is signed in to anew.

    An account that was signed in to with --tenant stays at that place: only its first sign-in needs to say it.

    `hde auth rotate-key` encrypts all stored tokens with another key.
    """
    source = source_of(connector)
    settings = settings_of(source.connector)
    title = source.connector.title or source.connector.name
    home = make_home()
    with stop_sign(at_once=True) as stop, open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, settings, accounts.token_store(home, database), stop)
        place = find_tenant(way, home, tenant) if tenant is not None else None  # says why there is none to choose
        if not source.connector.has_tokens:
            _check_settings(database, way, source, title)
            return 0
        places = accounts.places_of(database, source.connector)
        if place:
            places, account = _at(place, places, account)
        anew = force or (place and not account)
        found = None if anew else stored_sign_in(database, way, source.connector_file, account, places)
        if found and not found.new_origins:
            agree_to_origins(database, way.at(places.get(found.account)), source.connector_file, found.account)
            click.echo(f"{title}: {_standing(found, places)}; --force signs in anew.")
            return 0
        if found:
            click.echo(_elsewhere(found), err=True)
        here = place or known_place(way, account, places)
        signed_in = _sign_in(database, way.at(here), here, title, no_browser)
        if _new_origins(database, way.at(here), source, signed_in.external_id):
            click.echo(_same_id(signed_in), err=True)
        agree_to_origins(database, way.at(here), source.connector_file, signed_in.external_id)
    click.echo(f"{title}: signed in as account {signed_in.external_id}. Tokens: {way.tokens.where} (encrypted).")
    several = f" --account {signed_in.external_id}" if len(way.tokens.accounts(signed_in.connector)) > 1 else ""
    click.echo(f"Next: hde run {connector}{several}")
    return 0


def _check_settings(database: Database, way: Way, source: Source, title: str) -> None:
    """Keys and passwords are the person's own settings: to have written another address there is to agree to it."""
    checked = accounts.check_settings(database, way)
    new = _new_origins(database, way, source, checked)
    agree_to_origins(database, way, source.connector_file, checked)
    agreed = f" Requests go to {', '.join(new)} now: agreed." if new else ""
    click.echo(f"{title}: the settings work, account {checked}.{agreed}")


def _new_origins(database: Database, way: Way, source: Source, account: str) -> list[str]:
    with database.connection(autocommit=True) as connection:
        return new_origins(connection, way, source.connector_file, account)


def _same_id(account: Account) -> str:
    return (
        f"Account {account.external_id} was at another server before, and goes on with this one. If it is not the same "
        f"person, their records would mix: hde forget --account {account.title}, then sign in again."
    )


def _standing(found: Found, places: Mapping[str, Place]) -> str:
    where = f" at {places[found.account][0]}" if found.account in places else ""
    if found.was_asked:
        return f"account {found.account}{where} works. Nothing to do"
    return f"account {found.account}{where} is signed in to. There was nothing to ask it for; the next run shows"


def _elsewhere(found: Found) -> str:
    return (
        f"Requests go to {', '.join(found.new_origins)} now: the sign-in of account {found.account} is not sent there. "
        "Sign in anew; another server is another account, or a connector of its own (docs/medical-records.md)."
    )


def _at(place: Place, places: Mapping[str, Place], account: str | None) -> tuple[dict[str, Place], str | None]:
    """The accounts that are signed in to at a place, and which one is meant. A place is its address: names change."""
    there = {one: known for one, known in places.items() if known[1] == place[1]}
    if account is None and len(there) > 1:
        raise WrongUse(f"{place[0]} knows {len(there)} accounts of yours: --account says which: {', '.join(there)}")
    return there, account or next(iter(there), None)


def _sign_in(database: Database, way: Way, here: Place | None, title: str, no_browser: bool) -> Account:
    if here:
        click.echo(f"{title} at {here[0]} ({', '.join(here[1].values())})", err=True)
    return sign_in_account(
        database,
        way,
        browser=None if no_browser else _open_browser,
        say=lambda text: click.echo(text, err=True),
        ask=lambda text: str(click.prompt(text, err=True)),
        place=here,
    )


@click.command("rotate-key")
def rotate_key() -> int:
    """Encrypt every stored token, in the file and in the database, with another key.

    A key in the system's keyring or in secret.key is made anew; the former one is kept beside it until the next time,
    for copies of the store that are older. With HDE_SECRET_KEY put the new key there, and the former one into
    HDE_FORMER_SECRET_KEY. Interrupted, it leaves every token readable; run it again.
    """
    from hde.steps import rotate_key as steps

    home = make_home()
    with open_database(home) as database:
        migrate.ensure(database)
        done = steps.rotate_key(database, home)
    for connector, account, why in done.tokens.left:
        click.echo(f"{connector}, account {account}: left as it was: {why}", err=True)
    changed, already = done.tokens.changed, done.tokens.already
    click.echo(f"{_tokens(changed)} encrypted with the new key, from {done.kept}; {already} were before.")
    if done.kept == "HDE_SECRET_KEY" and not done.tokens.left:
        click.echo("HDE_FORMER_SECRET_KEY is needed no longer than commands run that were started with it.")
    return 1 if done.tokens.left else 0


def _tokens(count: int) -> str:
    return "1 token is" if count == 1 else f"{count} tokens are"


def _open_browser(url: str) -> None:
    webbrowser.open(url)
