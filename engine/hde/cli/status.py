"""`hde status`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hde.cli.progress import PLAIN_WIDTH
from hde.places import make_home
from hde.store import embedded, migrate
from hde.store.database import open_database
from hde.store.status import Status
from hde.store.status import status as read_status


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def status(as_json: bool) -> int:
    """Connections, last runs, what is read and owed, open issues, rows per table."""
    with open_database(make_home()) as database:
        migrate.ensure(database)
        where = f"embedded, in {embedded.data_folder(make_home())}" if database.is_ours else "that of HDE_DATABASE_URL"
        with database.connection(autocommit=True) as connection:
            found = read_status(connection)
    if as_json:
        click.echo(json.dumps(vars(found), default=str))
        return 0
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, markup=False, emoji=False, highlight=False)
    if not found.connections:
        console.print("Nothing is connected yet. Try `hde demo`, or sign in: `hde auth CONNECTOR`.")
        return 0
    for table in _tables(found):
        console.print(table)
    console.print(f"Database: {where}")
    return 0


def _tables(found: Status) -> list[Table]:
    several = len(found.connections) > 1
    tables = [
        _connections(found),
        _table(
            "Read and owed",
            ("resource", "complete up to", "owed before that", "half read", "error"),
            [_stream(row, several) for row in found.streams],
        ),
    ]
    if found.exports:
        under_way = [_export(row, several) for row in found.exports]
        tables.append(_table("Under way", ("export", "ordered", "of"), under_way))
    if found.issues:
        columns = ("where", "path", "rule", "level", "records")
        tables.append(_table("Open issues", columns, [_issue(row, several) for row in found.issues]))
    tables.append(_table("Rows", ("table", "rows"), found.tables))
    return tables


def _connections(found: Status) -> Table:
    """With the place of a directory where one is at one."""
    columns = ("connector", "account", "status", "last run", "outcome", "at")
    shown = columns if any(row[-1] for row in found.connections) else columns[:-1]
    return _table("Connections", shown, [row[: len(shown)] for row in found.connections])


def _stream(row: tuple[Any, ...], several: bool) -> tuple[Any, ...]:
    connector, account, resource, upper, owed, snapshot, is_open, error = row
    name = f"{connector} {account} {resource}" if several else resource
    error = error and error.removeprefix(f"{connector}: ").removeprefix(f"{resource}: ")
    return (name, upper or snapshot or "nothing yet", _owed(owed), is_open or None, error)


def _issue(row: tuple[Any, ...], several: bool) -> tuple[Any, ...]:
    connector, account, origin, table, *rest = row
    return (f"{connector} {account} {origin} {table}" if several else f"{origin} {table}", *rest)


def _export(row: tuple[Any, ...], several: bool) -> tuple[Any, ...]:
    connector, account, name, ordered, of_changes = row
    return (f"{connector} {account} {name}" if several else name, ordered, "changes" if of_changes else "everything")


def _owed(spans: list[Any]) -> str:
    """The first span in words, and how many more there are."""
    if not spans:
        return ""
    first = spans[0]
    until = f"{first.upper:%Y-%m-%d}"
    shown = f"{first.lower:%Y-%m-%d} to {until}" if first.lower else f"all before {until}"
    return shown if len(spans) == 1 else f"{shown}, {len(spans) - 1} more"


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(
            column, overflow="fold", justify="right" if column in ("half read", "records", "rows") else "left"
        )
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    return table


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)
