"""`hde test`: for those who write connectors and mappings."""

from __future__ import annotations

from pathlib import Path

import click

from hde.errors import WrongUse


@click.command()
@click.argument("connector", required=False)
@click.option("-k", "chosen", metavar="TEXT", default="", help="Only tests whose title or file holds this.")
@click.option("--contract", is_flag=True, help="Read a simulated source instead, made from the YAML and the fixtures.")
@click.option("--as", "like", metavar="FILE", help="With --contract: the source behaves as this version says.")
def test(connector: str | None, chosen: str, contract: bool, like: str | None) -> int:
    """Run the YAML tests beside the mappings of CONNECTOR (default: every connector).

    Records against mappings, and whole resources against recorded answers. Nothing asks the network or a database.

    --contract reads a source on this machine that behaves as the YAML says, with records made from the fixtures, into
    a database of its own: pages end, every record arrives once, other pages and windows give the same rows, a second
    run writes nothing.
    """
    from hde.places import connectors_in_reach

    if contract:
        if chosen:
            raise WrongUse("-k chooses among YAML tests; --contract has none of those")
        return _contracts([connector] if connector else connectors_in_reach(), like)
    if like:
        raise WrongUse("--as goes with --contract")
    from hde.spec.find import find_connector, shared_mappings
    from hde.steps.trying.mapping_tests import run_tests

    if connector and (other := shared_mappings(find_connector(connector))):
        raise WrongUse(f"{connector} has the mappings of {other}, where their tests are run: hde test {other}")
    passed = failed = 0
    own = [name for name in connectors_in_reach() if not shared_mappings(Path(name))]
    for name in [connector] if connector else own:
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


def _contracts(connectors: list[str], like: str | None) -> int:
    """One line per promise of a source, and one per resource that does not keep it."""
    from hde.cli.run import source_of
    from hde.contract.check import check_contract
    from hde.contract.scratch import scratch
    from hde.spec.load import find_connector, load_source, mappings_folder

    broken = skipped = 0
    with scratch() as (fresh, home):
        for name in connectors:
            file = find_connector(name)
            reference = load_source(Path(like), mappings_folder(file)) if like else None
            click.echo(f"{file.stem}:")
            kept: dict[str, int] = {}
            for verdict in check_contract(source_of(name), mappings_folder(file), fresh, home, like=reference):
                kept.setdefault(verdict.promise, 0)
                of = f" {verdict.of}" if verdict.of else ""
                if verdict.problem:
                    broken += 1
                    click.echo(f"  FAILED {verdict.promise}{of and f':{of}'}: {verdict.problem}")
                elif verdict.skipped:
                    skipped += 1
                    click.echo(f"  skipped{of}: {verdict.skipped}")
                else:
                    kept[verdict.promise] += 1
            for promise, times in kept.items():
                if times:
                    click.echo(f"  {promise}: {times} ok")
    rest = f" {skipped} skipped: tests of whole resources reach those (hde test)." if skipped else ""
    click.echo((f"{broken} broken." if broken else "The contract is kept.") + rest)
    return 1 if broken else 0
