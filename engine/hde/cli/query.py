"""`hde query`."""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import click
import msgspec

from hde.cli.progress import PLAIN_WIDTH
from hde.places import make_home

NEVER_FOLDED = 10_000  # columns, where no terminal sets a width


@click.command()
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are written.",
)
def query(sql: str, form: str) -> int:
    """Run one SQL query, read-only. Values are shown as PostgreSQL writes them."""
    from hde.store.database import open_database
    from hde.store.query import answer, as_csv

    with open_database(make_home()) as database:
        if form == "csv":
            as_csv(database, sql, sys.stdout)
            return 0
        columns, rows = answer(database, sql)
    if form == "json":
        click.echo(as_json(columns, rows))
    else:
        show(columns, rows)
        click.echo(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}", err=True)
    return 0


def as_json(columns: list[str], rows: list[tuple[object, ...]]) -> str:
    """A list of objects; exact numbers, RFC 3339 times."""
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    objects = (
        dict(zip(columns, (_shown(value) if isinstance(value, bytes) else value for value in row), strict=True))
        for row in rows
    )
    return "[" + ",\n ".join(encoder.encode(one).decode() for one in objects) + "]"


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def show(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    """Rows as a table; numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else NEVER_FOLDED, markup=False, emoji=False)
    narrow = console.width < PLAIN_WIDTH  # where a number is worth more than a margin
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0) if narrow else (0, 1))
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in rows)
        table.add_column(column, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    console.print(table)
