"""`hde validate`: what is wrong with YAML files, for a person, a program, GitHub, or again and again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hde.errors import WrongUse

if TYPE_CHECKING:
    from hde.spec.problem import Problem

FORMATS = ("text", "json", "github")
LOOK_AGAIN = 0.5
"""Seconds between two looks at the files."""


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="github: as annotations of a workflow."
)
@click.option("--resolved", is_flag=True, help="Print the connector with `like` merged in.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
def validate(paths: tuple[str, ...], form: str, resolved: bool, watch: bool) -> int:
    """Check YAML files and their fixtures: grammar, names, units, templates, paths, types. Default: all there are.

    A PATH is a connector's name, a file or a folder. Every problem is a line `file:line:column: path: message`;
    those that are no errors say `warning:`. Exit code 1 where there is an error. With -v it ends with the origins that
    each connector sends requests to, the secrets it uses, and the expressions that are too large to be compiled.
    """
    named = [_named(path) for path in paths]
    if watch:
        return _watch(named, form)
    if resolved:
        return _resolved(named)
    return _check(named, form)


def _check(named: Sequence[Path], form: str) -> int:
    from hde.check.source import check_paths
    from hde.spec.problem import counted

    problems = check_paths(named)
    if form == "json":
        click.echo(json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(_annotation(problem) if form == "github" else str(problem))
        click.echo(counted(problems) or "All good.", err=True)
    if form == "text" and os.environ.get("HDE_VERBOSE"):
        for line in _more(named):
            click.echo(line)
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _more(named: Sequence[Path]) -> Iterator[str]:
    from hde.check.folders import pairs
    from hde.check.reach import reach_lines
    from hde.check.uncompiled import uncompiled_lines

    for pair in pairs(named)[0]:
        yield from reach_lines(pair.connector)
        yield from uncompiled_lines(pair)


def _annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions."""
    where = ",".join(
        f"{name}={_escaped(str(value), ':,')}"
        for name, value in (("file", problem.file), ("line", problem.line), ("col", problem.column))
    )
    message = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"::{problem.level} {where}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _resolved(named: Sequence[Path]) -> int:
    """The connector as YAML, if its file has no error."""
    from hde.author.files import CONNECTOR
    from hde.author.yaml_text import yaml_text
    from hde.check.folders import pairs
    from hde.spec.load import load_source, resolved
    from hde.spec.problem import Problems

    found, problems = pairs(named)
    if problems:
        raise Problems(problems)
    if len(found) != 1:
        raise WrongUse(f"--resolved prints one connector, and this names {len(found)}: hde validate NAME --resolved")
    load_source(
        found[0].connector, found[0].connector.parent / ".none"
    )  # the connector alone; Problems where it has some
    click.echo(yaml_text(resolved(found[0].connector), {}, CONNECTOR), nl=False)
    return 0


def _watch(named: Sequence[Path], form: str) -> int:
    """Check, and again after every change. Ctrl-C is how it ends, and no failure."""
    try:
        while True:
            before = _stamps(named)
            click.clear()
            _check(named, form)
            while _stamps(named) == before:
                time.sleep(LOOK_AGAIN)
    except KeyboardInterrupt:
        return 0


def _stamps(named: Sequence[Path]) -> dict[str, tuple[int, int]]:
    """Every file that is checked, with when it was last written and its size."""
    from hde.check.folders import CONNECTORS, MAPPINGS, pairs

    found, _ = pairs(named)
    files = [file for pair in found for file in (pair.connector, *_below(pair.mappings))]
    if not named:
        files += [file for name in (CONNECTORS, MAPPINGS) for file in _below(Path(name))]
    return dict(_stamped(files))


def _below(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.suffix in (".yaml", ".yml", ".json"))


def _stamped(files: Iterable[Path]) -> Iterator[tuple[str, tuple[int, int]]]:
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue  # gone between two looks
        yield str(file), (status.st_mtime_ns, status.st_size)


def _named(path: str) -> Path:
    """What a person named, as `hde run` would understand it where it is no file or folder here."""
    from hde.spec.find import find_connector
    from hde.spec.formats import CONNECTOR_NAME

    return find_connector(path) if CONNECTOR_NAME.match(path) and not Path(path).exists() else Path(path)
