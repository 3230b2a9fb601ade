"""Bringing `meta` and `canonical` to the state this engine needs. Alembic is only loaded when there is work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hde.errors import DatabaseUnreachable, WrongUse
from hde.places import bundled
from hde.store.database import Database, lock_number, values_hidden
from hde.store.owner import needing_the_owner

if TYPE_CHECKING:
    from sqlalchemy import Engine

NEWEST = "0008"
"""The revision this engine works with; a test holds it against `migrations/`."""


def revision(database: Database) -> str | None:
    """The revision the database is at; None: it is empty."""
    with database.connection(autocommit=True) as connection:
        row = connection.execute("SELECT to_regclass('meta.alembic_version') IS NOT NULL").fetchone()
        if not (row and row[0]):
            return None
        row = connection.execute("SELECT version_num FROM meta.alembic_version").fetchone()
        return row[0] if row else None


def ensure(database: Database) -> None:
    """An empty database is migrated; an older or newer one ends in a message that says what to do."""
    at = revision(database)
    if at is None:
        upgrade(database)
    elif at != NEWEST:
        known = any((bundled("migrations") / "versions").glob(f"{at}_*.py"))
        if known:
            raise WrongUse(f"The database is at migration {at}, this hde needs {NEWEST}. Run: hde migrate")
        raise DatabaseUnreachable(
            f"The database is at migration {at}, which this hde does not know: it was written by a newer one."
            " Upgrade hde, or point HDE_DATABASE_URL or HDE_HOME elsewhere."
        )


def upgrade(database: Database) -> str:
    """Run what is missing, one process at a time. Returns the revision reached."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    with database.connection(autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s, 0)", (lock_number("migrate"),))
        if (at := revision(database)) != NEWEST:
            to_do = f"the tables have to be {'migrated' if at else 'made'} in database {guard.info.dbname}"
            config = Config()
            config.set_main_option("script_location", str(bundled("migrations")).replace("%", "%%"))
            try:
                with engine_for(database).begin() as connection:
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
            except DBAPIError as error:
                with values_hidden(), needing_the_owner(to_do):
                    raise error.orig or error from None
    return NEWEST


def engine_for(database: Database) -> Engine:
    from sqlalchemy import create_engine, pool

    return create_engine(
        "postgresql+psycopg://", creator=lambda: database.connect(autocommit=False), poolclass=pool.NullPool
    )
