"""`hde person`: which accounts are one person. Somebody says so; names and dates are shown, and decide nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from hde.cli.confirm import confirm
from hde.errors import WrongUse
from hde.places import make_home
from hde.store import journal, migrate, people
from hde.store.database import Connection, open_database
from hde.store.people import Belongs


@click.group()
def person() -> None:
    """Say which accounts are one person; the views canonical.daily_summary and labs_latest go by it."""


@person.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def list_(as_json: bool) -> int:
    """Show who belongs together, and what the sources call them."""
    with _connection() as connection:
        found = people.people(connection)
    if as_json:
        click.echo(json.dumps([[_plain(one) for one in together] for together in found]))
        return 0
    if not found:
        click.echo("Nothing is connected yet. Sign in: `hde auth CONNECTOR`")
    for together in found:
        click.echo(f"person {together[0].person}")
        for one in together:
            click.echo(f"  {_line(one)}")
    return 0


@person.command()
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT ACCOUNT...")
@click.option("--yes", is_flag=True, help="Do not ask.")
def link(accounts: tuple[str, ...], yes: bool) -> int:
    """Say that ACCOUNTs are one person, and whoever they are one person with already.

    An account is called as `hde status` shows it; CONNECTOR/A where two sources share an id.
    Nothing is copied and nothing is lost: `hde person unlink` takes it back.
    """
    with _connection() as connection:
        wanted = [journal.named_account(connection, account).id for account in accounts]
        known = {one.account.id: together for together in people.people(connection) for one in together}
        together = _once([one for account in wanted for one in known[account]])
        if len(set(wanted)) < 2:
            raise WrongUse("One person is made of two accounts or more: hde person link ACCOUNT ACCOUNT")
        if len({one.person for one in together}) == 1:
            click.echo("They are one person already.")
            return 0
        for one in together:
            click.echo(f"  {_line(one)}", err=True)
        for doubt in people.differences(together):
            click.echo(f"warning: {doubt}", err=True)
        if not yes:
            confirm("Are these one person?")
        number = people.link(connection, wanted)
    click.echo(f"{', '.join(one.account.title for one in together)} are person {number}.")
    return 0


@person.command()
@click.argument("account")
def unlink(account: str) -> int:
    """Make ACCOUNT a person of its own again."""
    with _connection() as connection:
        whose = journal.named_account(connection, account)
        (together,) = (all_ for all_ in people.people(connection) if any(one.account.id == whose.id for one in all_))
        if len(together) == 1:
            click.echo(f"{whose.title} is a person of its own already.")
            return 0
        people.unlink(connection, whose.id)
    click.echo(f"{whose.title} is a person of its own again.")
    return 0


@contextmanager
def _connection() -> Iterator[Connection]:
    with open_database(make_home()) as database:
        migrate.ensure(database)
        with database.connection(autocommit=True) as connection:
            yield connection


def _once(found: Sequence[Belongs]) -> list[Belongs]:
    return list({one.account.id: one for one in found}.values())


def _line(one: Belongs) -> str:
    said = ", ".join([*one.names, *(f"born {day}" for day in one.birth_dates), *one.sexes])
    return f"{one.account.title}: {said or 'the source says nothing about who it is'}"


def _plain(one: Belongs) -> dict[str, object]:
    return {
        "person": one.person,
        "account": one.account.title,
        "linked_at": one.linked_at and one.linked_at.isoformat(),
        "names": one.names,
        "birth_dates": [str(day) for day in one.birth_dates],
        "sexes": one.sexes,
    }
