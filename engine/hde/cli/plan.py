"""`hde plan`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from rich.text import Text

from hde.canonical import METRICS, TABLES
from hde.cli.run import source_of, tune_interpreter
from hde.cli.values import console, counted, plain, shown, with_unit
from hde.errors import WrongUse
from hde.places import connectors_in_reach, make_home
from hde.spec.load import Source
from hde.steps.explain.what_if import EDITED, GONE, NEW, SAME, Found, MappingChange, TableChange, Value, WhatIf, what_if
from hde.store import migrate
from hde.store.database import open_database

_VERSIONS = {
    NEW: ("new", "green"), EDITED: ("edited since it was mapped", "yellow"),
    SAME: ("as it was mapped", "dim"), GONE: ("gone from the YAML", "red"),
}  # fmt: skip


@click.command()
@click.argument("connector", required=False)
@click.option("--samples", default=3, type=click.IntRange(0, 1000), show_default=True, help="How many values to show.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where something would change.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def plan(connector: str | None, samples: int, exit_code: bool, as_json: bool) -> int:
    """Show what the mappings as they are now would change in the canonical rows that are there.

    Every stored record of CONNECTOR (default: every connector) is mapped and compared: rows added, removed and
    changed, values by column, issues that would open or close, records that would wait. Nothing is written, nothing
    is fetched, and a run beside it is not held up; what it stores meanwhile is not counted. `hde remap` does it.
    """
    tune_interpreter()
    found: list[tuple[Source, WhatIf]] = []
    with open_database(make_home()) as database:
        migrate.ensure(database)
        for name in [connector] if connector else connectors_in_reach():
            source = source_of(name)
            with database.connection() as connection:
                one = what_if(connection, source, samples=samples)
            if not one.accounts and connector:
                raise WrongUse(f"{source.connector.name} has no records yet. Run: hde run {connector}")
            if one.accounts:
                found.append((source, one))
    if as_json:
        click.echo(json.dumps([_as_data(one) for _, one in found]))
    else:
        _show(found)
    return 1 if exit_code and any(one.is_any for _, one in found) else 0


def _show(found: list[tuple[Source, WhatIf]]) -> None:
    out = console()
    if not found:
        out.print("Nothing is stored yet, so there is nothing that could change.")
    for source, one in found:
        for line in _lines(source, one):
            out.print(line, soft_wrap=True)


def _lines(source: Source, one: WhatIf) -> Iterator[Text]:
    connector = source.connector
    yield Text(f"{connector.title or connector.name}: what the mappings would change", "bold")
    for table, outlook in one.raw.items():
        for columns, what in ((outlook.added, "would be added and filled"), (outlook.refilled, "would be filled anew")):
            if columns:
                yield Text(f"\n{connector.schema}.{table}: {', '.join(columns)} {what} from the stored payloads")
    quiet = [change for change in one.mappings if not change.is_any and not _says_something(change)]
    for change in one.mappings:
        if change not in quiet:
            yield Text("")
            yield from _mapping_lines(change, several=one.accounts > 1)
    yield Text("")
    if quiet:
        names = ", ".join(dict.fromkeys(change.mapping.split("/")[-1] for change in quiet))
        yield Text(f"Nothing would change: {names}.", "dim")
    if one.is_any:
        yield Text(f"To do it: hde remap {connector.name} (the next hde run does it as well).")


def _says_something(change: MappingChange) -> bool:
    return bool(change.note or change.due or (change.waiting.count and change.version != SAME))


def _mapping_lines(change: MappingChange, *, several: bool) -> Iterator[Text]:
    words, style = _VERSIONS[change.version]
    records = f", {counted(change.records, 'record')}" if change.version != GONE else ""
    account = f"  account {change.account}" if several else ""
    yield Text.assemble((change.mapping, "bold"), "  ", (words, style), records, (account, "dim"))
    if change.note:
        yield Text.assemble(("  note", "yellow"), f"  {change.note}")
    if change.due:
        arrived = counted(change.due, "record is", "records are")
        yield Text(
            f"  {arrived} not mapped yet; the next run maps them, and what they bring is counted here too", "dim"
        )
    for table in change.tables.values():
        if table.is_any:
            yield from _table_lines(table)
    for kind, found in (("opens", change.opened), ("closes", change.closed)):
        for (path, rule, level), records_found in found.items():
            said = counted(records_found.count, "record")
            yield Text.assemble(
                ("  issue ", "red" if kind == "opens" and level == "error" else "yellow"),
                f"{kind}: {path} {rule} ({level}), {said}: {_some(records_found)}",
            )
    if change.waiting.count:
        waiting = counted(change.waiting.count, "record waits", "records wait")
        yield Text(f"  {waiting} for another record: {_some(change.waiting)}")


def _table_lines(table: TableChange) -> Iterator[Text]:
    written = table.written
    parts = [
        (written.new, "added", "green"), (written.removed, "removed", "red"), (written.changed, "changed", "yellow"),
    ]  # fmt: skip
    said = [Text(f"{count:,} {word}", style) for count, word, style in parts if count]
    rest = [Text(f"{written.unchanged:,} unchanged", "dim")] if written.unchanged else []
    yield Text.assemble(f"  canonical.{table.table}  ", Text(", ").join([*said, *rest]))
    for word, keys in (("added", table.added), ("removed", table.removed)):
        if keys.samples:
            yield Text(f"    {word}: {_some(keys)}", "dim")
    for column, found in table.columns.items():
        unit = next((one.unit for one in TABLES[table.table].columns if one.name == column), None)
        yield Text.assemble(f"    {column}", (f"  {counted(found.count, 'value')}", "dim"))
        for value in found.samples:
            yield _value_line(value, unit, column)


def _value_line(value: object, unit: str | None, column: str) -> Text:
    assert isinstance(value, Value)
    metric = METRICS.get(value.part) if column == "value" else None
    unit = metric.unit if metric else unit
    of = f"{value.record} {value.part}".strip()
    return Text.assemble(
        "      ", (shown(value.was), "red"), " -> ", (with_unit(value.now, unit), "green"), (f"   {of}", "dim")
    )  # fmt: skip


def _some(found: Found) -> str:
    texts = [" ".join(part for part in one if part) if isinstance(one, tuple) else str(one) for one in found.samples]
    more = ", …" if found.count > len(found.samples) and texts else ""
    return ", ".join(texts) + more


def _as_data(one: WhatIf) -> dict[str, object]:
    return {
        "connector": one.connector,
        "changes": one.is_any,
        "raw": {
            name: {"added": list(outlook.added), "refilled": list(outlook.refilled)}
            for name, outlook in one.raw.items()
        },
        "mappings": [_mapping_data(change) for change in one.mappings],
    }


def _mapping_data(change: MappingChange) -> dict[str, object]:
    return {
        "mapping": change.mapping, "account": change.account, "version": change.version, "note": change.note,
        "records": change.records, "due": change.due,
        "waiting": {"records": change.waiting.count, "samples": change.waiting.samples},
        "tables": {name: _table_data(table) for name, table in change.tables.items()},
        "issues": {
            kind: [
                {"path": path, "rule": rule, "level": level, "records": records.count, "samples": records.samples}
                for (path, rule, level), records in found.items()
            ]
            for kind, found in (("open", change.opened), ("close", change.closed))
        },
    }  # fmt: skip


def _table_data(table: TableChange) -> dict[str, object]:
    written = table.written
    return {
        "added": written.new, "removed": written.removed, "changed": written.changed, "unchanged": written.unchanged,
        "samples": {"added": table.added.samples, "removed": table.removed.samples},
        "columns": {
            column: {
                "values": found.count,
                "samples": [
                    {"record": one.record, "part": one.part, "was": plain(one.was), "now": plain(one.now)}
                    for one in found.samples
                    if isinstance(one, Value)
                ],
            }
            for column, found in table.columns.items()
        },
    }  # fmt: skip
