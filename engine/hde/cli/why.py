"""`hde why`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from hde.canonical import TABLES
from hde.cli.run import source_of
from hde.cli.values import console, counted, plain, shown, with_unit
from hde.cli.why_issues import list_issues
from hde.errors import WrongUse
from hde.places import connectors_in_reach, make_home
from hde.spec.find import find_connector
from hde.spec.load import Source
from hde.spec.problem import did_you_mean
from hde.steps.explain.why import Answer, Issue, NoRow, Question, RowWhy, Sources, raw_why, table_of
from hde.steps.explain.why import why as ask
from hde.steps.explain.why_column import ColumnWhy
from hde.steps.explain.why_record import RecordWhy
from hde.store import journal, migrate
from hde.store import why as stored
from hde.store.database import Connection, open_database

_NARROWING = ("account", "mapping", "part")
_LINEAGE = ("raw_source_id", "external_id", "mapping", "part")


@click.command()
@click.argument("table", required=False)
@click.argument("key", required=False)
@click.option("--part", metavar="P", help="Which row, where a record has several (the metric, or the item).")
@click.option("--mapping", metavar="M", help="Which mapping, where several have this key (SOURCE/RESOURCE).")
@click.option("--account", metavar="A", help="Which account, where several have this key.")
@click.option("--column", metavar="C", multiple=True, help="Only this column, and its expression as written.")
@click.option("--issues", is_flag=True, help="List what is wrong in records, with a record to ask about.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def why(
    table: str | None,
    key: str | None,
    part: str | None,
    mapping: str | None,
    account: str | None,
    column: tuple[str, ...],
    issues: bool,
    as_json: bool,
) -> int:
    """Show where the values of one row come from: record, path, unit, lookup, mapping, run and request.

    TABLE is a canonical table (sleep_sessions) and KEY its raw_source_id, or a raw table (whoop_raw.sleeps) and its
    key. Where there is no such row, what keeps it from being made is said. Values of records are shown.
    """
    if not issues and (table is None or key is None):
        raise WrongUse("hde why TABLE KEY, e.g. hde why sleep_sessions 4f1c... (raw_source_id), or hde why --issues")
    with open_database(make_home()) as database:
        migrate.ensure(database)
        with database.connection(autocommit=True) as connection:
            if issues:
                return list_issues(connection, as_json)
            assert table is not None
            assert key is not None
            canonical, sources = table_of(table), cache(_source)
            question = Question(canonical or table, key, part, mapping, account)
            if canonical is None:
                return _raw(connection, question, sources, as_json)
            _known_columns(canonical, column)
            answer = ask(connection, question, sources, [Path(one).stem for one in connectors_in_reach()])
    if as_json:
        click.echo(json.dumps(_plain(answer), ensure_ascii=False))
    else:
        out = console()
        for line in _answer_lines(answer, question, column, out):
            out.print(line, soft_wrap=True)
    return 0 if answer.rows else 1


def _source(connector: str) -> Source | None:
    try:
        find_connector(connector)
    except WrongUse:
        return None
    return source_of(connector)


def _known_columns(table: str, columns: tuple[str, ...]) -> None:
    known = [column.name for column in TABLES[table].columns]
    for name in columns:
        if name not in known:
            raise WrongUse(f"{table} has no column {name!r}.{did_you_mean(name, known)} There are: {', '.join(known)}")


def _answer_lines(answer: Answer, question: Question, columns: tuple[str, ...], out: Console) -> Iterator[Text]:
    if answer.row is not None:
        yield from _row_lines(answer.row, columns, out.width)
    elif answer.rows:
        yield from _several_lines(answer, question)
    else:
        yield from _missing_lines(answer, question)


def _row_lines(row: RowWhy, columns: tuple[str, ...], width: int) -> Iterator[Text]:
    stored_row = row.stored
    part = f", part {stored_row['part']}" if stored_row["part"] else ""
    yield Text.assemble((f"canonical.{row.table}", "bold"), f"  {stored_row['raw_source_id']}{part}")
    yield Text(f"of {stored_row['source_system']}, account {stored_row['external_id']}", "dim")
    for note in row.notes:
        yield Text.assemble(("note  ", "yellow"), note)
    yield Text("")
    wanted = [one for one in row.columns if not columns or one.name in columns]
    indent = min(24, max((len(one.name) for one in wanted), default=0) + 2)
    for one in wanted:
        if one.is_mapped:
            yield from _column_lines(one, indent, width, written=bool(columns))
    if not row.columns:
        for name in (column.name for column in TABLES[row.table].columns):
            yield Text(f"{name:<{indent}}{shown(stored_row[name])}")
    unmapped = [one.name for one in wanted if not one.is_mapped]
    if unmapped:
        yield Text(f"not mapped: {', '.join(unmapped)}", "dim")
    yield from _issue_lines(row.issues)
    yield Text("")
    yield from _lineage_lines(row)


def _column_lines(one: ColumnWhy, indent: int, width: int, *, written: bool) -> Iterator[Text]:
    head = Text.assemble((f"{one.name:<{indent}}", "bold"), (with_unit(one.value, one.unit), "green"))
    if "now" in one.changed:
        head.append(f"   now {with_unit(one.changed['now'], one.unit)}", "red")
    yield head
    said = [f"{path} = {shown(value) if value is not None else 'not there'}" for path, value in one.reads]
    pad = " " * indent
    line = pad
    for piece in [*said, *one.steps]:
        joint = "" if line == pad else ", "
        if line != pad and len(line) + len(joint) + len(piece) > width:
            yield Text(line + ",", "dim")
            line, joint = pad, ""
        line += joint + piece
    if one.where:
        place = _short(one.where)
        if len(line) + 2 + len(place) > width:
            yield Text(line, "dim")
            line = pad + place
        else:
            line += "  " + place
    if line != pad:
        yield Text(line, "dim")
    if written and one.written:
        yield Text(f"{pad}{one.written}", "cyan")


def _lineage_lines(row: RowWhy) -> Iterator[Text]:
    if row.record is not None:
        yield from _record_lines(row.record, "record")
    for name, other in row.counterparts.items():
        if other is None:
            yield Text.assemble((f"with {name:<9}", "bold"), "not there")
        else:
            yield Text.assemble(
                (f"with {name:<9}", "bold"), f"{other.table} {other.version.key}",
                (f"  fetched {shown(other.version.fetched_at)}", "dim"),
            )  # fmt: skip
    at, run = row.stored["mapped_at"], row.mapped_run
    by = f"run {run.id} ({run.command})" if run else f"run {row.stored['run_id']}, no longer on file"
    version = row.stored["mapping_hash"]
    yield Text.assemble(("mapped        ", "bold"), f"{shown(at)} by {row.stored['mapping']}, version {version}, {by}")


def _record_lines(record: RecordWhy, word: str) -> Iterator[Text]:
    version = record.version
    gone = f", vanished {shown(version.ended_at)}" if version.vanished else ""
    yield Text.assemble((f"{word:<14}", "bold"), f"{record.table} {version.key}{gone}")
    observed = f", observed {shown(version.observed_at)}" if version.observed_at else ""
    repaired = ", stored with characters replaced (_received holds the text as it came)" if version.was_repaired else ""
    yield Text(f"{'':<14}version {version.seq}, fetched {shown(version.fetched_at)}{observed}{repaired}")
    run = record.run
    if run is None:
        yield Text.assemble(("run           ", "bold"), f"{version.run}, no longer on file (kept for 90 days)")
    else:
        outcome = run.outcome or "running, or killed"
        yield Text.assemble(
            ("run           ", "bold"), f"{run.id} hde {run.command}, {shown(run.started_at)}, {outcome}"
        )
    if len(record.windows) == 1:
        window = record.windows[0]
        span = (
            f"{shown(window.start) if window.start else 'the beginning'} to {shown(window.end)}" if window.end else ""
        )
        pages = counted(window.pages, "page")
        yield Text.assemble(("window        ", "bold"), f"{span or 'read whole'}, {pages}, {window.state}")
    elif record.windows:
        yield Text.assemble(("window        ", "bold"), f"one of {len(record.windows)} of that run")
    if record.element is not None:
        yield Text.assemble(("each          ", "bold"), shown(record.element.value))
    if record.file:
        yield Text.assemble(("file          ", "bold"), record.file)
    if record.request:
        yield Text.assemble(("request       ", "bold"), record.request)
    for change in record.changes:
        paths = ", ".join(f"{path} {shown(was, longest=24)} -> {shown(now, longest=24)}" for path, (was, now) in
                          list(change.paths.items())[:4])  # fmt: skip
        more = f", and {len(change.paths) - 4} more" if len(change.paths) > 4 else ""
        at = shown(change.version.fetched_at)
        yield Text.assemble(("changed       ", "bold"), f"{at}: {paths or 'nothing that counts'}{more}")


def _issue_lines(issues: list[Issue]) -> Iterator[Text]:
    for one in issues:
        value = f" = {shown(one.values[0])}" if one.values else ""
        style = "red" if one.level == "error" else "yellow"
        yield Text.assemble((f"{one.level:<8}", style), f"{one.path or 'the record'}{value}: {one.rule} ({one.origin})")


def _several_lines(answer: Answer, question: Question) -> Iterator[Text]:
    rows = answer.rows
    differ = [name for name in _NARROWING if len({row[_column(name)] for row in rows}) > 1]
    most = f" (the first {len(rows)})" if len(rows) >= stored.MOST else ""
    yield Text(f"{len(rows)} rows of canonical.{question.table} have this key{most}. Say which:", "bold")
    named = [one for one in ("metric", "value", "unit", "start_time") if one in rows[0]]
    for row in rows:
        options = " ".join(f"--{name} {row[_column(name)]}" for name in differ)
        values = "  ".join(shown(row[name]) for name in named)
        yield Text.assemble((options, "cyan"), (f"   {values}", "dim"))


def _column(option: str) -> str:
    return "external_id" if option == "account" else option


def _missing_lines(answer: Answer, question: Question) -> Iterator[Text]:
    yield Text(f"canonical.{question.table} has no row of {question.key}.", "bold")
    if not answer.missing:
        yield Text("No mapping into it has ever seen a record with this key.")
    for one in answer.missing:
        yield from _no_row_lines(one)
    if answer.similar:
        yield Text(f"Keys that begin so: {', '.join(answer.similar)}")


def _no_row_lines(one: NoRow) -> Iterator[Text]:
    yield Text("")
    yield Text.assemble((one.mapping, "bold"), (f"  account {one.account}", "dim"), f"  {one.reason}")
    for path, value in one.asked:
        yield Text(f"when    {path} = {shown(value) if value is not None else 'not there'}")
    yield from _issue_lines(one.issues)
    if one.record:
        yield from _record_lines(one.record, "record")


def _raw(connection: Connection, question: Question, sources: Sources, as_json: bool) -> int:
    schema, _, resource = question.table.rpartition(".")
    searched: list[str] = []
    found: list[tuple[RecordWhy, list[Issue]]] = []
    for path in connectors_in_reach():  # several have resources of one name
        source = sources(Path(path).stem)
        if source is None or schema not in ("", source.connector.schema) or resource not in source.connector.resources:
            continue
        if not searched or journal.accounts(connection, source.connector.name):
            searched.append(f"{source.connector.schema}.{resource}")
        found += raw_why(connection, question, source, resource)
    if searched and as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
    elif searched:
        out = console()
        for record, issues in found:
            for line in (*_record_lines(record, "record"), *_issue_lines(issues)):
                out.print(line, soft_wrap=True)
            for name, value in record.version.payload.items():
                out.print(Text(f"  {name}: {shown(value)}", "dim"), soft_wrap=True)
        if not found:
            out.print(f"{', '.join(searched)} never held a record {question.key}.")
    if searched:
        return 0 if found else 1
    known = [*TABLES, *(f"{Path(path).stem}_raw.RESOURCE".replace("-", "_") for path in connectors_in_reach())]
    raise WrongUse(
        f"There is no table {question.table}.{did_you_mean(question.table, TABLES)} Known: {', '.join(known)}"
    )


def _short(where: str) -> str:
    """Relative to the current folder where it is below it, else the last three parts."""
    path = Path(where)
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return "/".join(path.parts[-3:]) if path.is_absolute() else where


def _plain(value: object) -> object:
    """Dataclasses as objects, instants as RFC 3339, bytes as hex."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return plain(value) if isinstance(value, datetime | date) else value
