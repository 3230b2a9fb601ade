"""`hde auth`: sign in, or say that there is no need to."""

from __future__ import annotations

import webbrowser

import click

from hde.cli.run import source_of, stop_sign
from hde.places import make_home
from hde.steps import accounts
from hde.steps.accounts import Way
from hde.steps.settings import settings_of
from hde.store import migrate
from hde.store.database import open_database


@click.command()
@click.argument("connector")
@click.option("--force", is_flag=True, help="Sign in anew even if the stored token works.")
@click.option("--no-browser", is_flag=True, help="Print the address, and take the pasted address it leads to.")
@click.option("--account", metavar="A", help="Which account to check, where there are several.")
def auth(connector: str, force: bool, no_browser: bool, account: str | None) -> int:
    """Sign in at CONNECTOR. A working sign-in is left alone unless --force.

    Where there is nothing to sign in to, keys and passwords are checked with one call.
    """
    source = source_of(connector)
    settings = settings_of(source.connector)
    title = source.connector.title or source.connector.name
    home = make_home()
    with stop_sign(at_once=True) as stop, open_database(home) as database:
        migrate.ensure(database)
        way = Way(source.connector, settings, accounts.token_store(home, database), stop)
        if not source.connector.has_tokens:
            click.echo(f"{title}: the settings work, account {accounts.check_settings(database, way)}.")
            return 0
        working = None if force else accounts.working_account(database, way, account)
        if working is not None:
            click.echo(f"{title}: account {working} works. Nothing to do; --force signs in anew.")
            return 0
        signed_in = accounts.sign_in_account(
            database,
            way,
            browser=None if no_browser else _open_browser,
            say=lambda text: click.echo(text, err=True),
            ask=lambda text: str(click.prompt(text, err=True)),
        )
    click.echo(f"{title}: signed in as account {signed_in.external_id}. Tokens: {way.tokens.where} (encrypted).")
    click.echo(f"Next: hde run {connector}")
    return 0


def _open_browser(url: str) -> None:
    webbrowser.open(url)
