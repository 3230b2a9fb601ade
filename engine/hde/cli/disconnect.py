"""`hde disconnect`: withdraw a grant and delete its token; what was fetched stays."""

from __future__ import annotations

import click

from hde.cli.confirm import confirm
from hde.cli.run import source_of, stop_sign
from hde.places import make_home
from hde.steps import accounts
from hde.steps import disconnect as ends
from hde.steps.accounts import Way
from hde.steps.origins import check_origins
from hde.steps.settings import settings_of
from hde.store import migrate
from hde.store.database import open_database

_SAID = {
    "revoked": "the source has withdrawn the grant and the token is deleted",
    "not accepted": "the source does not accept the token any more; it is deleted",
    "not told": "the token is deleted; the source was not told, so withdraw the consent there yourself",
}


@click.command()
@click.argument("connector")
@click.option("--account", metavar="A", help="Which account, where there are several.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--forget-token", is_flag=True, help="Delete the token without telling the source.")
def disconnect(connector: str, account: str | None, yes: bool, forget_token: bool) -> int:
    """End the connection to CONNECTOR: the grant is withdrawn where the source takes that, the token deleted.

    Records stay. If the source cannot be told, the token is kept, so that it can be tried again.
    """
    source = source_of(connector)
    title = source.connector.title or source.connector.name
    home = make_home()
    with stop_sign(at_once=True) as stop, open_database(home) as database:
        migrate.ensure(database)
        settings = {} if forget_token else settings_of(source.connector)
        way = Way(source.connector, settings, accounts.token_store(home, database), stop)
        ending = ends.connection(database, way, account)
        if not yes:
            confirm(f"Disconnect {title}, account {ending.external_id}? Its records stay.")
        if not forget_token:
            here = way.at(accounts.places_of(database, source.connector).get(ending.external_id))
            with database.connection() as connection:
                check_origins(connection, here, source.connector_file, ending.external_id)
        told = ends.disconnect(database, way, ending, tell=not forget_token)
    click.echo(f"{title}: account {ending.external_id} is disconnected: {_SAID[told]}. Its records stay.")
    return 0
