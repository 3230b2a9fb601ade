"""`hde db grant` and `hde db revoke`: who may do what in a database that several people use."""

from __future__ import annotations

import click

from hde.errors import WrongUse
from hde.places import make_home
from hde.store import grants, journal, migrate
from hde.store.database import open_database

_DONE = """\
hde_analyst reads canonical, hde_ingest reads and writes everything and makes no tables, hde_admin does both and
migrates; tables that are made later are included. Give one to whoever signs in: GRANT hde_analyst TO somebody"""


@click.command()
@click.option("--rows-of", "account", metavar="A", help="Only the rows of this account (or CONNECTOR/A) ...")
@click.option("--to", "role", metavar="ROLE", help="... for this database role.")
def grant(account: str | None, role: str | None) -> int:
    """Make the roles hde_ingest, hde_analyst and hde_admin. May be done again at any time.

    With --rows-of and --to, one more role reads the canonical rows of single accounts and of no others.
    """
    if (account is None) != (role is None):
        raise WrongUse("--rows-of and --to go together: whose rows, and for which database role")
    with open_database(make_home()) as database:
        migrate.ensure(database)
        with database.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            grants.grant_roles(cursor)
            whose = journal.named_account(connection, account) if account else None
            if whose and role:
                grants.grant_rows(cursor, whose.id, role)
    if whose is None:
        click.echo(_DONE)
    else:
        click.echo(f"{role} reads the canonical rows of {whose.title}, and of other accounts what was granted before.")
    return 0


@click.command()
@click.option("--rows-of", "account", metavar="A", required=True, help="The rows of this account (or CONNECTOR/A) ...")
@click.option("--from", "role", metavar="ROLE", required=True, help="... are taken from this database role.")
def revoke(account: str, role: str) -> int:
    """Take back what `hde db grant --rows-of` gave."""
    with open_database(make_home()) as database:
        migrate.ensure(database)
        with database.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            whose = journal.named_account(connection, account)
            grants.revoke_rows(cursor, whose.id, role)
    click.echo(f"{role} reads no rows of {whose.title} any more.")
    return 0
