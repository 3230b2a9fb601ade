"""Alembic's way in: on the connection the engine hands over, else on HDE_DATABASE_URL or the embedded database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from hde.places import make_home
from hde.store.database import open_database
from hde.store.migrate import engine_for
from hde.store.models import metadata
from hde.store.owner import act_as_owner

SCHEMAS = {"meta", "canonical"}


def ours(name: str | None, type_: str, parent_names: object) -> bool:
    return name in SCHEMAS if type_ == "schema" else True


def run(connection: Connection) -> None:
    act_as_owner(connection.connection.cursor())
    for schema in sorted(SCHEMAS):
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        include_name=ours,
        version_table_schema="meta",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_database(make_home()) as database, engine_for(database).connect() as connection, connection.begin():
        run(connection)
