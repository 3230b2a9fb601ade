"""`hde export` and `hde forget`: taking everything with you, and deleting everything of an account."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from hde.cli.confirm import confirm
from hde.cli.values import counted
from hde.errors import HdeError
from hde.places import make_home
from hde.store import journal, migrate
from hde.store.database import Database, open_database
from hde.store.journal import Account

_NAMED = "The account, as `hde status` shows it; CONNECTOR/A where two sources share an id."


@click.command()
@click.option("--to", required=True, metavar="DIR", type=click.Path(path_type=Path), help="A new or empty folder.")
@click.option("--account", metavar="A", help=f"Only one account. {_NAMED}")
@click.option("--gzip", "packed", is_flag=True, help="Compress the files.")
def export(to: Path, account: str | None, packed: bool) -> int:
    """Write everything that is stored into DIR: one NDJSON file per table, and manifest.json.

    Records, former versions, canonical rows, and what was read and when; of all accounts, or of one. No tokens.
    """
    from hde.steps.export import export as write

    with open_database(make_home()) as database:
        migrate.ensure(database)
        whose = _named(database, account) if account else None
        written = write(database, to, whose, packed=packed, told=_at_work)
        _at_work("")
    size = f"{written.bytes / 1e6:,.1f} MB"
    click.echo(f"{to}: {counted(written.tables, 'table')}, {counted(written.rows, 'row')}, {size}. They are readable.")
    return 0


@click.command()
@click.option("--account", required=True, metavar="A", help=_NAMED)
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(account: str, yes: bool) -> int:
    """Delete everything of an account: records, history, canonical rows, token, ledger, issues, queues.

    All of it or nothing. The source is not told: `hde disconnect` does that, before. Backups and exports stay.
    """
    from hde.steps.forget import forget as delete

    home = make_home()
    with open_database(home) as database:
        migrate.ensure(database)
        whose = _named(database, account)
        if not yes:
            confirm(f"Delete everything of {whose.title}, without a way back?")
        gone = delete(database, home, whose)
        click.echo(f"{whose.title} is forgotten: {_told(gone)}.")
        click.echo(_swept(database, gone))
    return 0


def _at_work(on: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{on}", nl=False, err=True)


def _named(database: Database, account: str) -> Account:
    with database.connection(autocommit=True) as connection:
        return journal.named_account(connection, account)


def _told(gone: Mapping[str, int]) -> str:
    raw = sum(n for table, n in gone.items() if "_raw." in table and not table.endswith("_history"))
    former = sum(n for table, n in gone.items() if "_raw." in table and table.endswith("_history"))
    mapped = sum(n for table, n in gone.items() if table.startswith("canonical."))
    tokens = gone.get("meta.tokens", 0)
    ledger = sum(n for table, n in gone.items() if table.startswith("meta.")) - tokens
    return (
        f"{counted(raw, 'record')}, {counted(former, 'former version')}, {counted(mapped, 'canonical row')},"
        f" {counted(tokens, 'token')}, {counted(ledger, 'row')} of ledger, issues and queues"
    )


def _swept(database: Database, gone: Mapping[str, int]) -> str:
    from hde.store.forget import vacuum

    try:
        vacuum(database, gone)
    except HdeError as error:
        return f"Deleted rows still lie in the database's files: run VACUUM FULL there ({error})."
    if database.is_ours:
        return (
            "The tables' files were written anew without them. The write-ahead log holds traces until PostgreSQL reuses"
            " it; backups and exports are yours to delete."
        )
    return (
        "Their space in the database's files will be written over (VACUUM FULL does so at once); backups, replicas,"
        " WAL archives and exports are yours to delete."
    )
