"""`hde why --issues`: what is wrong in records, each with where to go on."""

from __future__ import annotations

import json

import click
from rich.text import Text

from hde.cli.values import console, counted
from hde.steps.without_key import MARK, place_of
from hde.store import why as stored
from hde.store.database import Connection


def list_issues(connection: Connection, as_json: bool) -> int:
    """Prints them; the exit code."""
    rows = stored.open_issues(connection, MARK)
    if as_json:
        names = ("connector", "origin", "raw_table", "path", "rule", "level", "records", "record")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        return 0
    out = console()
    for connector, origin, raw_table, path, rule, level, count, record in rows:
        style = "red" if level == "error" else "yellow"
        place = place_of(record)
        # How many records were not stored is not kept: there is one issue of all that a file or window holds.
        records = counted(count, "record") if place is None else "not stored"
        out.print(Text.assemble((f"{level:<8}", style), f"{path or 'the record'}: {rule}  ({origin}, {records})"))
        table = f"{connector.replace('-', '_')}_raw.{raw_table}"
        go_on = f"hde why {table} '{record}'" if place is None else f"records for {table}{place}"
        out.print(Text(f"        {go_on}", "dim"), soft_wrap=True)
    if not rows:
        out.print("No open issues.")
    return 0
