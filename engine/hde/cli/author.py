"""`hde test`: for those who write connectors and mappings."""

from __future__ import annotations

import click

from hde.errors import WrongUse


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
