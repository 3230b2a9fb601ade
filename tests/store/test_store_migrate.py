"""From an empty database to the newest state, by one process at a time; and what is said of other states."""

from __future__ import annotations

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from store_made import ask

from hde.errors import DatabaseUnreachable, HdeError, WrongUse
from hde.places import bundled
from hde.store import migrate
from hde.store.database import Connection, Database
from hde.store.models import metadata


@pytest.fixture
def empty(database: Database) -> Database:
    with database.connection(autocommit=True) as connection:
        connection.execute("DROP SCHEMA meta CASCADE")
        connection.execute("DROP SCHEMA canonical CASCADE")
    return database


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(bundled("migrations")))
    return ScriptDirectory.from_config(config)


def test_the_engine_needs_the_newest_migration_there_is() -> None:
    assert scripts().get_heads() == [migrate.NEWEST]


def test_tables_made_by_the_migrations_are_those_the_models_describe(database: Database) -> None:
    with migrate.engine_for(database).connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name in ("meta", "canonical"),
            "version_table_schema": "meta",
            "compare_server_default": True,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert differences == []


def test_an_empty_database_is_migrated(empty: Database) -> None:
    assert migrate.revision(empty) is None
    migrate.ensure(empty)
    assert migrate.revision(empty) == migrate.NEWEST
    migrate.ensure(empty)
    assert migrate.upgrade(empty) == migrate.NEWEST


@pytest.mark.parametrize(
    ("at", "kind", "says"),
    [
        ("0001", WrongUse, "is at migration 0001.*Run: hde migrate"),
        ("9999", DatabaseUnreachable, "newer one.*Upgrade hde"),
    ],
)
def test_another_revision_ends_in_what_to_do(
    connection: Connection, database: Database, at: str, kind: type[HdeError], says: str
) -> None:
    connection.execute("UPDATE meta.alembic_version SET version_num = %s", (at,))
    connection.commit()
    with pytest.raises(kind, match=says):
        migrate.ensure(database)


def test_an_older_database_is_brought_up(empty: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(bundled("migrations")))
    with migrate.engine_for(empty).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    assert migrate.revision(empty) == "0001"
    assert migrate.upgrade(empty) == migrate.NEWEST
    with empty.connection() as upgraded:
        assert ask(upgraded, "SELECT count(*) FROM canonical.daily_summary") == [0]
        assert ask(upgraded, "SELECT count(bookmark) FROM meta.streams") == [0]


def test_several_migrate_at_once(empty: Database) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            migrate.ensure(empty)
        except HdeError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert migrate.revision(empty) == migrate.NEWEST


def test_a_migration_that_fails_leaves_nothing(empty: Database) -> None:
    with empty.connection(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA canonical")
        connection.execute("CREATE TABLE canonical.workouts (marked text)")
    with pytest.raises(HdeError, match="42P07"):
        migrate.upgrade(empty)
    assert migrate.revision(empty) is None
    with empty.connection() as connection:
        assert ask(connection, "SELECT tablename::text FROM pg_tables WHERE schemaname IN ('meta', 'canonical')") == [
            "workouts"
        ]
