"""What a person sees of a run: a line that moves (plain lines where there is no terminal), then a table."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hde.steps.report import Report

EVERY_SECONDS = 5.0
PLAIN_WIDTH = 110


@contextmanager
def shown(report: Report, *, quiet: bool) -> Iterator[None]:
    """Show the report's progress on standard error while the block runs."""
    console = Console(stderr=True)
    if quiet:
        yield
    elif console.is_terminal:
        with _bar(console, report):
            yield
    else:
        report.changed = _Plain(report)
        yield


@contextmanager
def _bar(console: Console, report: Report) -> Iterator[None]:
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # only a terminal has it

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress, _logs_above():
        task: TaskID = progress.add_task("reading", total=None, said="")

        def update() -> None:
            done, planned = _windows(report)
            progress.update(task, total=planned or None, completed=done, said=_said(report))

        report.changed = update
        yield


@contextmanager
def _logs_above() -> Iterator[None]:
    """While a line moves, standard error is rich's, which writes above it; log handlers hold the one before."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
    former = [one.setStream(sys.stderr) for one in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, former, strict=True):
            handler.setStream(stream or sys.__stderr__)


class _Plain:
    """A line now and then, for logs."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            done, planned = _windows(self._report)
            click.echo(f"{done}/{planned} windows, {_said(self._report)}", err=True)


def _windows(report: Report) -> tuple[int, int]:
    resources = list(report.resources.values())  # the mapping thread may add one meanwhile
    return sum(r.windows_done for r in resources), sum(r.windows for r in resources)


def _said(report: Report) -> str:
    resources = list(report.resources.values())
    records = sum(r.records for r in resources)
    pages = sum(r.pages for r in resources)
    rows = sum(r.canonical.new + r.canonical.changed + r.canonical.unchanged for r in resources)
    mapped = f", {rows:,} mapped" if rows else ""
    if report.waiting:
        return f"{records:,} records, {report.waiting}"
    return f"{records:,} records, {pages:,} pages, {records / max(report.seconds, 0.001):,.0f}/s{mapped}"


def closing_table(title: str, report: Report, *, remapped: str | None = None) -> None:
    """The table at the end, then notes, then what failed and what to do. `remapped`: in words, what was counted."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, markup=False, emoji=False, highlight=False)
    narrow = console.width < PLAIN_WIDTH
    console.print(_remap_table(f"{title}: {remapped}", report) if remapped else _table(title, report, narrow=narrow))
    for note in _together(report.notes):
        console.print(Text.assemble(("note", "yellow"), f" {note}"), soft_wrap=True)
    for resource in report.resources.values():
        if resource.skipped:
            said = f" {resource.skipped}: not for this account"
            console.print(Text.assemble((resource.name, "yellow"), said), soft_wrap=True)
        if resource.preparing:
            console.print(Text.assemble(("owed", "yellow"), f" {resource.name}: {resource.preparing}"), soft_wrap=True)
        for failure in resource.failures:
            console.print(Text.assemble(("owed", "red"), f" {resource.name}: {failure}"), soft_wrap=True)
    if report.has_issues:
        console.print("Some records could not be read in full: `hde status` says where.")
    if report.stopped:
        console.print("Stopped. What was fetched is stored; the next run goes on from here.")
    elif report.is_owing and not report.is_only_preparing:
        console.print("Run it again: exactly what is owed will be fetched.")


def _together(notes: Iterable[str]) -> list[str]:
    """What is said of several resources in the same words is said once: `sleeps, cycles: ...`."""
    names: dict[str, list[str]] = {}
    for note in notes:
        name, colon, text = note.partition(": ")
        names.setdefault(f"{colon}{text}" if colon else note, []).append(name if colon else "")
    return [f"{', '.join(filter(None, of))}{text}" for text, of in names.items()]


def _table(title: str, report: Report, *, narrow: bool) -> Table:
    table = _empty(title, narrow=narrow)
    resources = report.resources.values()
    columns = {
        "requests": [r.requests for r in resources],
        "new": [r.counts.new for r in resources],
        "changed": [r.counts.changed for r in resources],
        "unchanged": [r.counts.unchanged for r in resources],
        "gone": [r.counts.vanished for r in resources],
        "canonical rows": [r.canonical.new + r.canonical.changed + r.canonical.removed for r in resources],
        "issues": [r.issues for r in resources],
    }
    if not any(columns["gone"]):
        del columns["gone"]  # rare, and a terminal is narrow
    for name in (*columns, "seconds"):
        table.add_column(name, justify="right")
    for resource, *numbers in zip(resources, *columns.values(), strict=True):
        table.add_row(resource.name, *(_number(number) for number in numbers), f"{resource.seconds:.1f}")
    if len(resources) > 1:
        table.add_section()
        totals = (_number(sum(column)) for column in columns.values())
        table.add_row("", *totals, f"{report.seconds:.1f}", style="bold")
    return table


def _empty(title: str, *, narrow: bool = False) -> Table:
    padding = (0, 0) if narrow else (0, 1)
    table = Table(
        box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False, padding=padding
    )
    table.add_column("resource", no_wrap=True)
    return table


def _remap_table(title: str, report: Report) -> Table:
    table = _empty(title)
    for name in ("added", "removed", "changed", "unchanged"):
        table.add_column(name, justify="right")
    by_column = any(r.canonical.columns for r in report.resources.values())
    if by_column:
        table.add_column("values that change, by column")
    for r in report.resources.values():
        written = r.canonical
        columns = ", ".join(f"{name} {count:,}" for name, count in sorted(written.columns.items()))
        numbers = (written.new, written.removed, written.changed, written.unchanged)
        table.add_row(r.name, *(_number(value) for value in numbers), *([columns] if by_column else []))
    return table


def _number(value: int) -> str:
    return f"{value:,}" if value else "·"
