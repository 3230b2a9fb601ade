"""`hde validate` and `hde test`: for those who write connectors and mappings."""

from __future__ import annotations

from pathlib import Path

import click

from hde.errors import WrongUse


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def validate(paths: tuple[Path, ...]) -> int:
    """Check YAML files: grammar, cross-references, units, templates, paths. Default: all connectors and mappings.

    Every problem is a line `file:line:column: path: message`. Exit code 1 where there is an error.
    """
    from hde.check import check_paths

    problems = check_paths(paths)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(problem.level == "error" for problem in problems)
    if errors:
        click.echo(f"{errors} problem{'s' if errors > 1 else ''} found", err=True)
        return 1
    click.echo("All good." if not problems else "No errors.", err=True)
    return 0


@click.command()
@click.argument("connector", required=False)
def test(connector: str | None) -> int:
    """Run the YAML tests beside the mappings of CONNECTOR (default: every connector)."""
    from hde.places import connectors_in_reach
    from hde.spec.load import find_connector
    from hde.work.mapping_tests import run_tests

    passed = failed = 0
    for name in [connector] if connector else connectors_in_reach():
        for outcome in run_tests(find_connector(name)):
            if outcome.differences:
                failed += 1
                click.echo(f"FAILED {outcome.where}: {outcome.title}")
                for line in outcome.differences:
                    click.echo(f"       {line}")
            else:
                passed += 1
    if not passed and not failed:
        raise WrongUse("There are no mapping tests: mappings/SOURCE/tests/RESOURCE.yaml is where they belong")
    click.echo(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
