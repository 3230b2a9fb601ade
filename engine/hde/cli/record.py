"""`hde record`: real answers into fixtures and a test, with everybody in them made up."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hde.cli.preview import resource_of
from hde.cli.progress import PLAIN_WIDTH
from hde.cli.run import source_of, stop_sign
from hde.errors import WrongUse
from hde.places import make_home
from hde.steps.plan import instant
from hde.steps.recording.record import Recording, Wish, record, shown_paths
from hde.steps.recording.recording_files import files_of
from hde.steps.recording.recording_key import recording_key
from hde.steps.recording.told_test import settings_for_test, told_origin
from hde.steps.recording.written_files import write_files
from hde.steps.settings import settings_of
from hde.steps.trying.live_session import live_session


@click.command("record")
@click.argument("connector")
@click.argument("resource")
@click.option("--pages", type=click.IntRange(1, 20), default=2, show_default=True, help="Pages to read.")
@click.option("--name", default="recorded", show_default=True, help="What fixtures and test are called.")
@click.option("--since", metavar="DATE", help="Begin the window here (2025-09-01, or RFC 3339).")
@click.option("--until", metavar="DATE", help="End the window here.")
@click.option("--account", metavar="A", help="Which account, where there are several.")
@click.option("--keep", metavar="PATH", multiple=True, help="Keep the values at this path (a word of the source).")
@click.option("--scramble-numbers", is_flag=True, help="Change measurements as well, by up to 10 %.")
@click.option("--force", is_flag=True, help="Write over files of the same name.")
def record_command(
    connector: str,
    resource: str,
    pages: int,
    name: str,
    since: str | None,
    until: str | None,
    account: str | None,
    keep: tuple[str, ...],
    scramble_numbers: bool,
    force: bool,
) -> int:
    """Read RESOURCE and write fixtures and a test of it, made anonymous as well as rules can.

    Identifiers, names, addresses, texts and links are replaced, the same by the same; times are moved by whole weeks.
    Numbers that measure are kept unless --scramble-numbers. Look at what was written before you share it.
    """
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise WrongUse(f"--name {name!r}: a-z, 0-9, _ and - only; it becomes the name of files")
    source, home = source_of(connector), make_home()
    settings = settings_for_test(source.connector, settings_of(source.connector))
    wish = Wish(
        resource_of(source, resource),
        pages,
        datetime.now(UTC),
        recording_key(home),
        told_origin(source.connector, settings),
        instant(since, "--since") if since else None,
        instant(until, "--until") if until else None,
        keep,
        scramble_numbers,
    )
    with stop_sign(at_once=True) as stop:
        recording = record(source, wish, lambda watch: live_session(source, home, stop, account, watch))
    files = files_of(recording, source, wish.resource, settings, name)
    write_files(files, force=force)
    _tell(recording, files, connector)
    return 0


def _tell(recording: Recording, files: Mapping[Path, bytes], connector: str) -> None:
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, markup=False, emoji=False, highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in ("path", "what was done", "kept as they are"):
        table.add_column(title, overflow="fold")
    for path, how, kept in shown_paths(recording.pseudonyms):
        table.add_row(path or "(the answer)", ", ".join(how), ", ".join(kept[:6]) + (", ..." if len(kept) > 6 else ""))
    console.print(table)
    for file in files:
        console.print(f"wrote {file}", soft_wrap=True)
    if not recording.is_whole:
        console.print("No test was written: what is asked for comes from other records; write its exchanges by hand.")
    console.print(
        "Before you share them: read the column `kept as they are`, and open the files. Rules cannot know every name."
    )
    console.print(f"Next: hde test {connector}, hde validate {connector}", soft_wrap=True)
