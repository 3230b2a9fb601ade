"""`hde db dump` and `hde db restore`: everything in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from hde.cli.confirm import confirm
from hde.places import make_home
from hde.store import migrate
from hde.store.database import open_database


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def dump(file: Path) -> int:
    """Write everything that hde stores into FILE, a new one: a backup, or for another machine.

    Tokens kept in the database stay sealed in it; the records are readable. A run may go on meanwhile.
    """
    from hde.store.dump import dump as write

    with open_database(make_home()) as database:
        migrate.ensure(database)
        size = write(database, file)
    click.echo(f"{file}: {size / 1e6:,.1f} MB. Records are readable in it.")
    return 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Instead of what the database holds; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, replace: bool, yes: bool) -> int:
    """Bring back what `hde db dump` wrote into FILE: all of it or nothing, into a database without hde's tables.

    Roles are not in it: run `hde db grant` again where others use the database.
    """
    from hde.store.dump import restore as read

    with open_database(make_home()) as database:
        if replace and not yes:
            confirm("Replace everything that hde stores in this database, without a way back?")
        at = read(database, file, replace=replace)
        migrate.upgrade(database)
    click.echo(
        f"Restored from {file}" + ("." if at == migrate.NEWEST else f", and migrated: {at} -> {migrate.NEWEST}.")
    )
    return 0
