"""`hde validate` and `hde test`: for those who write connectors and mappings."""

from __future__ import annotations

from pathlib import Path

import click

from hde.errors import WrongUse


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
def validate(paths: tuple[str, ...]) -> int:
    """Check YAML files and their fixtures: grammar, names, units, templates, paths, types. Default: all there are.

    A PATH is a connector's name, a file or a folder. Every problem is a line `file:line:column: path: message`;
    those that are no errors say `warning:`. Exit code 1 where there is an error.
    """
    from hde.check import check_paths
    from hde.spec.problem import counted

    problems = check_paths([_named(path) for path in paths])
    for problem in problems:
        click.echo(str(problem))
    click.echo(counted(problems) or "All good.", err=True)
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _named(path: str) -> Path:
    """What a person named, as `hde run` would understand it where it is no file or folder here."""
    from hde.spec.find import find_connector
    from hde.spec.formats import NAME

    return find_connector(path) if NAME.match(path) and not Path(path).exists() else Path(path)


@click.command()
@click.argument("connector", required=False)
@click.option("-k", "chosen", metavar="TEXT", default="", help="Only tests whose title or file holds this.")
def test(connector: str | None, chosen: str) -> int:
    """Run the YAML tests beside the mappings of CONNECTOR (default: every connector).

    Records against mappings, and whole resources against recorded answers. Nothing asks the network or a database.
    """
    from hde.places import connectors_in_reach
    from hde.spec.load import find_connector
    from hde.steps.mapping_tests import run_tests

    passed = failed = 0
    for name in [connector] if connector else connectors_in_reach():
        for outcome in run_tests(find_connector(name), chosen):
            if outcome.differences:
                failed += 1
                click.echo(f"FAILED {outcome.where}: {outcome.title}")
                for line in outcome.differences:
                    click.echo(f"       {line}")
            else:
                passed += 1
    if not passed and not failed:
        if chosen:
            raise WrongUse(f"No test has {chosen!r} in its title or file")
        raise WrongUse("There are no tests: mappings/SOURCE/tests/RESOURCE.yaml is where they belong")
    click.echo(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
