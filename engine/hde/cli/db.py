"""`hde migrate` and `hde db`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hde.cli.dump import dump, restore
from hde.cli.grant import grant, revoke
from hde.errors import WrongUse
from hde.places import make_home


@click.command()
def migrate() -> int:
    """Bring the schemas meta and canonical to the state this version needs."""
    from hde.store.database import open_database
    from hde.store.migrate import NEWEST, revision, upgrade

    with open_database(make_home()) as database:
        before = revision(database)
        upgrade(database)
    click.echo(f"Migrated: {before or 'empty'} -> {NEWEST}" if before != NEWEST else f"Up to date ({NEWEST}).")
    return 0


@click.group()
def db() -> None:
    """The database: the embedded one, or with HDE_DATABASE_URL yours."""


db.add_command(dump)
db.add_command(restore)
db.add_command(grant)
db.add_command(revoke)


@db.command()
def url() -> int:
    """Print how to reach the database. No password stands in it: libpq reads that from a file."""
    from hde.store import embedded
    from hde.store.database import as_url

    if os.environ.get("HDE_DATABASE_URL"):
        raise WrongUse("HDE_DATABASE_URL names the database; it may hold a password, so it is not printed")
    click.echo(as_url(embedded.conninfo(make_home())))
    return 0


@db.command()
def start() -> int:
    """Keep the embedded database running, for psql, Grafana, notebooks."""
    from hde.store import embedded
    from hde.store.database import as_url

    _only_embedded()
    address = as_url(embedded.start(make_home()))
    click.echo(f'Running until `hde db stop`. Connect with:\n  psql "{address}"')
    return 0


@db.command()
@click.option("--force", is_flag=True, help="Even if others are connected; they lose their connections.")
def stop(force: bool) -> int:
    """Stop the embedded database."""
    from hde.store import embedded

    _only_embedded()
    click.echo("Stopped." if embedded.stop(make_home(), force=force) else "It was not running.")
    return 0


@db.command()
@click.option(
    "--from-binaries",
    "binaries",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where pg_ctl of the version lies that made the data; else HDE_OLD_BINARIES, or where it is usual.",
)
def upgrade(binaries: Path | None) -> int:
    """Bring an embedded database that another version of PostgreSQL made to the one this hde runs.

    It is dumped by its own version and restored beside; the old one stays, to be removed by you.
    """
    from hde.store.upgrade import upgrade as bring

    _only_embedded()
    kept = bring(make_home(), binaries)
    click.echo(
        f"Upgraded. The old database is kept in {kept}: remove it when all is well."
        if kept
        else "Nothing to do: the database is of the version that this hde runs."
    )
    return 0


def _only_embedded() -> None:
    if os.environ.get("HDE_DATABASE_URL"):
        raise WrongUse("HDE_DATABASE_URL names another database; starting and stopping it is not ours")
