"""`hde preview`: one page of a resource on its way from the request to canonical rows, side by side. Stores nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hde.cli.preview_view import show
from hde.cli.run import source_of, stop_sign
from hde.errors import WrongUse
from hde.places import make_home
from hde.spec.connector import Resource
from hde.spec.load import Source
from hde.spec.problem import did_you_mean
from hde.steps.plan import instant
from hde.steps.trying import preview as step
from hde.steps.trying.fixture_files import content_of, known_fixtures
from hde.steps.trying.live_session import live_session


@click.command()
@click.argument("connector")
@click.argument("resource")
@click.option("--fixture", metavar="F", help="Look at this fixture instead; nothing asks the network.")
@click.option("--limit", type=click.IntRange(1, 100), default=3, show_default=True, help="Records to show.")
@click.option("--since", metavar="DATE", help="Begin the window here (2025-09-01, or RFC 3339).")
@click.option("--until", metavar="DATE", help="End the window here.")
@click.option("--each", metavar="VALUE", help="Which element of its for_each; else the first.")
@click.option("--account", metavar="A", help="Which account, where there are several.")
def preview(
    connector: str,
    resource: str,
    fixture: str | None,
    limit: int,
    since: str | None,
    until: str | None,
    each: str | None,
    account: str | None,
) -> int:
    """Ask for one page of RESOURCE and show it on its way: request, answer, raw rows, canonical rows.

    Nothing is stored. What is shown are a person's own values; secrets are not.
    """
    source = source_of(connector)
    wanted = step.Wanted(
        resource_of(source, resource),
        limit,
        datetime.now(UTC),
        instant(since, "--since") if since else None,
        instant(until, "--until") if until else None,
        each,
    )
    title = f"{source.connector.title or source.connector.name} · {resource}"
    if fixture is not None:
        content = content_of(source, resource, fixture)
        show(title, step.of_fixture(source, wanted, content, known_fixtures(source)), fixture)
        return 0
    with stop_sign(at_once=True) as stop:
        found = step.live(source, wanted, lambda watch: live_session(source, make_home(), stop, account, watch))
    show(title, found, None)
    return 1 if found.error else 0


def resource_of(source: Source, name: str) -> Resource:
    """The resource of this name, else WrongUse with what there is."""
    resources = source.connector.resources
    if name not in resources:
        hint = did_you_mean(name, resources) or f" There are: {', '.join(resources)}"
        raise WrongUse(f"{source.connector.name} has no resource {name!r}.{hint}")
    return resources[name]
