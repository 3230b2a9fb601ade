"""What a preview looks like: side by side where the terminal is wide, one below the other where it is not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from hde.canonical import TABLES
from hde.cli.progress import PLAIN_WIDTH
from hde.cli.values import counted
from hde.spec.freeze import column_name
from hde.steps.trying.preview import Preview
from hde.steps.trying.rehearsal import CanonicalRow, OfMapping
from hde.steps.trying.views import AnswerView, Leaf, RecordView, RequestView
from hde.store.ledger import Span

WIDE = 140
"""Columns from which record and canonical rows stand side by side."""
LONGEST_VALUE = 44
MOST_LINES = 14


def show(title: str, preview: Preview, fixture: str | None) -> None:
    """Print it. `fixture`: the name of the record that was looked at, where nothing was asked."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, markup=False, emoji=False, highlight=False)
    console.print(Rule(Text(title, "bold"), align="left", characters="─"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold cyan", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, value in _facts(preview, fixture):
        facts.add_row(label, value)
    console.print(facts)
    total = len(preview.page.rows) if preview.page else len(preview.records)
    for number, record in enumerate(preview.records, 1):
        name = f"fixture {fixture}" if fixture else f"record {number} of {total}"
        console.print()
        console.print(Rule(Text(f"{name} · key {record.key or 'none'}", "bold"), align="left", characters="─"))
        console.print(_record(record, wide=console.width >= WIDE))
    if fixture is None and preview.page and len(preview.records) < total:
        more = counted(total - len(preview.records), "more record")
        console.print(Text(f"{more} in this page; --limit shows them", "dim"))


def _facts(preview: Preview, fixture: str | None) -> Iterator[tuple[str, RenderableType]]:
    if preview.element is not None:
        yield "each", Text(_cut(preview.element.key, 200))
    if preview.windows:
        yield "windows", _windows(preview.windows)
    for request, answer in preview.calls:
        yield "request", _request(request, "not sent; settings are made up" if fixture else "")
        if answer is not None:
            yield "answer", _answer(answer, preview)
    if preview.error is not None:
        yield "error", Text(str(preview.error), "red")
    page = preview.page
    if page is None:
        return
    if page.outcome != "read":
        yield "read as", Text(page.outcome, "yellow")
    for issue in page.unkeyed:
        yield "issue", Text(f"a record without a key: {issue.path or 'record'}: {issue.rule}", "red")
    if preview.next is not None:
        yield "then", Group(Text("the next page", "dim"), _request(preview.next))
    else:
        yield "then", Text(f"paging stops: {page.stopped or 'the next page would be the same again'}")


def _windows(windows: Sequence[Span]) -> Text:
    youngest = windows[0]
    text = Text(f"{_day(youngest.start) or 'the beginning'} .. {_day(youngest.end)}")
    if len(windows) > 1:
        oldest = min((one.start for one in windows if one.start), default=None)
        before = "and one for all before it" if any(one.start is None for one in windows) else ""
        text.append(f"  the youngest of {len(windows)}, back to {_day(oldest)} {before}".rstrip(), "dim")
    return text


def _day(at: datetime | None) -> str:
    if at is None:
        return ""
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%Y-%m-%d %H:%M}Z"


def _request(request: RequestView, note: str = "") -> Group:
    lines = [Text.assemble((request.method, "bold"), f" {request.address}", (f"  {note}", "dim"))]
    for number, (name, value) in enumerate(request.params):
        lines.append(Text.assemble(("  &" if number else "  ?", "dim"), name, ("=", "dim"), value))
    lines += [Text(f"  {name}: {value}", "dim") for name, value in request.headers]
    lines += [Text(f"  {line}") for line in _beginning(request.body)]
    return Group(*lines)


def _answer(answer: AnswerView, preview: Preview) -> Group:
    page = preview.page
    number = len(page.rows) + len(page.unkeyed) if page and page.outcome == "read" else None
    count = "" if number is None else " · 1 record" if number == 1 else f" · {number} records"
    style = "green" if answer.status < 300 else "red"
    lines = [Text.assemble((str(answer.status), style), f" · {answer.kind} · {answer.size:,} bytes{count}")]
    lines += [Text(f"  {name}: {_cut(value, 100)}", "dim") for name, value in answer.headers]
    if preview.error is not None or answer.status >= 300:
        lines += [Text(f"  {line}") for line in _beginning(answer.body)]
    return Group(*lines)


def _beginning(body: str) -> list[str]:
    lines = [_cut(line, 200) for line in body.splitlines()]
    return [*lines[:MOST_LINES], f"... {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else lines


def _record(record: RecordView, *, wide: bool) -> RenderableType:
    left = _leaves(record)
    right = list(_mapped(record.mapped))
    if not wide:
        return Group(left, *right)
    both = Table.grid(padding=(0, 3), expand=True)
    both.add_column(ratio=5)
    both.add_column(ratio=4)
    both.add_row(left, Group(*right))
    return both


def _leaves(record: RecordView) -> Group:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("record", overflow="fold")
    table.add_column("value", overflow="fold")
    table.add_column("raw column", overflow="fold")
    above = ""
    for leaf in record.leaves:
        parent, _, name = ("", "", leaf.path) if leaf.path.startswith("$") else leaf.path.rpartition(".")
        if parent and parent != above:
            table.add_row(Text(parent, "dim"), "", "")
        above = parent
        path = f"  {name}" if parent else name
        table.add_row(path, _cut(_unquoted(leaf.value), LONGEST_VALUE), _column(leaf))
    known = {leaf.path for leaf in record.leaves if leaf.issue}
    others = [
        Text(f"✗ {issue.path or 'record'}: {issue.rule}", "red") for issue in record.issues if issue.path not in known
    ]
    return Group(table, *others)


def _column(leaf: Leaf) -> Text:
    """Its type, its name where it is not the path's, and what is stored where that looks different."""
    if leaf.column is None:
        return Text("payload only", "dim")
    text = Text("" if leaf.column.name == column_name(leaf.path) else f"{leaf.column.name} ")
    text.append(leaf.column.type, "cyan")
    if leaf.issue:
        text.append(f" ✗ {leaf.issue}", "red")
    elif leaf.stored is None:
        text.append(" null", "dim")
    elif leaf.stored not in (_unquoted(leaf.value), leaf.value[:1]):
        text.append(f" {_cut(leaf.stored, LONGEST_VALUE)}")
    return text


def _mapped(mapped: Sequence[OfMapping]) -> Iterator[RenderableType]:
    if not mapped:
        yield Text("no mapping reads this resource; its records stay raw", "dim")
    for one in mapped:
        if one.missing:
            names = ", ".join(f"{reference.from_} ({reference.key})" for reference in one.missing)
            yield Text(f"{one.mapping.name} waits for a record of {names} that is not at hand here", "yellow")
        elif not one.mapped.rows and not one.mapped.issues:
            yield Text(f"{one.mapping.name} makes no rows of it", "dim")
        for table in one.mapping.tables:
            rows = [row for row in one.mapped.rows if row.table == table]
            if rows:
                yield _rows(table, rows)
        for issue in one.mapped.issues:
            style = "red" if issue.level == "error" else "yellow"
            yield Text(f"✗ {one.mapping.name}: {issue.path}: {issue.rule}", style)


def _rows(table: str, rows: Sequence[CanonicalRow]) -> RenderableType:
    """What all rows have in common below each other, what tells them apart as a table."""
    columns = TABLES[table].columns
    same = [at for at in range(len(columns)) if all(row.values[at] == rows[0].values[at] for row in rows)]
    said = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    said.add_column(f"canonical.{table}", overflow="fold")
    said.add_column("value" if len(rows) == 1 else "in each row", overflow="fold")
    for at in same:
        if (value := rows[0].values[at]) is not None:
            said.add_row(columns[at].name, _with_unit(value, columns[at].unit))
    if len(rows) == 1:
        return said
    apart = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    differing = [at for at in range(len(columns)) if at not in same]
    for at in differing:
        apart.add_column(columns[at].name, overflow="fold")
    for row in rows:
        apart.add_row(*("" if row.values[at] is None else _plain(row.values[at]) for at in differing))
    return Group(said, apart)


def _with_unit(value: object, unit: str | None) -> Text:
    return Text.assemble(_cut(_plain(value), LONGEST_VALUE), (f" {unit}" if unit else "", "dim"))


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.10g}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return re.sub(
            r"(\.\d*?)0+Z$", lambda match: f"{match[1].rstrip('.')}Z", value.isoformat().replace("+00:00", "Z")
        )
    return str(value)


def _unquoted(text: str) -> str:
    if text[:1] != '"':
        return text
    try:
        return str(msgspec.json.decode(text))
    except msgspec.DecodeError:
        return text


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
