"""`hde import`: what other tools have written, as files of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hde.errors import WrongUse


@click.group("import")
def import_() -> None:
    """Bring what another tool wrote into the grammar of mappings."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "table", help="The canonical table its columns go to. Without it: columns of a raw table.")
@click.option("--for", "resource", metavar="SOURCE/RESOURCE", help="Write mappings/SOURCE/RESOURCE.yaml; else show it.")
@click.option("--as", "names", metavar="NAME=COLUMN", multiple=True, help="A column of the view is that column there.")
@click.option("--unit", "units", metavar="COLUMN=UNIT", multiple=True, help="The source's unit of a column.")
@click.option("--force", is_flag=True, help="Overwrite a mapping that is there.")
def viewdefinition(
    file: Path,
    table: str | None,
    *,
    resource: str | None,
    names: tuple[str, ...],
    units: tuple[str, ...],
    force: bool,
) -> int:
    """Turn the SQL-on-FHIR ViewDefinition in FILE into a mapping.

    Columns go by their names; --as says where one has another name. What JMESPath cannot say is refused, all of it at
    once, and nothing is written. docs/viewdefinitions.md says what can be said.
    """
    from hde.author.viewdefinition.view import Unreadable, read_file

    try:
        view = read_file(file)
        if table is None:
            if resource or names or units:
                raise WrongUse("--for, --as and --unit go with --to TABLE")
            return _raw(view)
        return _mapping(view, table, resource, _pairs("--as", names), _pairs("--unit", units), force)
    except Unreadable as error:
        raise WrongUse("\n".join(f"{file}: {one}" for one in error.complaints)) from None


def _mapping(
    view: Any, table: str, target: str | None, names: dict[str, str], units: dict[str, str], force: bool
) -> int:
    from hde.author.files import MAPPING, write
    from hde.author.schemas import copy_schemas, schema_line, schemas_folder
    from hde.author.viewdefinition.to_table import Wishes, to_table
    from hde.author.yaml_text import yaml_text

    source, resource = _target(target, view.resource)
    if target is not None:
        _is_read(source, resource)
    drafted = to_table(view, table, source, resource, Wishes(names, units))
    path = f"mappings/{source}/{resource}.yaml"
    text = yaml_text(drafted.said, {}, MAPPING)
    if target is None:
        click.echo(text, nl=False)
    else:
        write({path: schema_line(schemas_folder(Path()), path, "mapping") + text}, Path(), force=force)
        copy_schemas(Path())
        click.echo(f"wrote {path}")
    _tell(drafted.notes)
    if drafted.left_out:
        said = ", ".join(drafted.left_out)
        click.echo(f"left out, no column of {table}: {said} (--as NAME=COLUMN gives one a place)", err=True)
    return _problems(source, path) if target is not None else 0


def _is_read(source: str, resource: str) -> None:
    """WrongUse where a connector stands in this folder that reads the mappings of another one."""
    from hde.spec.find import shared_mappings

    connector = Path("connectors") / f"{source}.yaml"
    if other := shared_mappings(connector):
        raise WrongUse(
            f"--for {source}/{resource}: {connector} reads mappings/{other}, not mappings/{source}:"
            f" --for {other}/{resource}"
        )


def _problems(source: str, path: str) -> int:
    """What is wrong with the new file, where there is a connector that it belongs to."""
    from hde.check.source import check_paths
    from hde.spec.problem import counted

    connector = Path("connectors") / f"{source}.yaml"
    if not connector.is_file():
        click.echo(f"note: there is no {connector} yet", err=True)
        return 0
    problems = [problem for problem in check_paths([connector]) if str(problem.file).endswith(path)]
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"hde validate {source}: {counted(problems) or 'all good'} in it")
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _raw(view: Any) -> int:
    from hde.author.viewdefinition.to_table import raw_columns
    from hde.author.yaml_text import yaml_text

    columns, notes = raw_columns(view)
    click.echo(yaml_text({"columns": columns}), nl=False)
    _tell(["they stand below a resource of a connector; --to TABLE makes a mapping instead", *notes])
    return 0


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _target(said: str | None, fhir: str) -> tuple[str, str]:
    from hde.author.names import name_of
    from hde.spec.problem import snake

    if said is None:
        return "source", name_of(f"{snake(fhir)}s", "records")
    source, slash, resource = said.partition("/")
    if not slash or name_of(source, "") != source.replace("-", "_") or name_of(resource, "") != resource:
        raise WrongUse(f"--for {said}: SOURCE/RESOURCE was expected, as fhir/observations")
    return source, resource


def _pairs(option: str, said: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for one in said:
        name, sign, value = one.partition("=")
        if not (sign and name and value):
            raise WrongUse(f"{option} {one}: NAME=VALUE was expected")
        pairs[name] = value
    return pairs
