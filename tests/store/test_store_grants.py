"""Database roles: each connects and does what it may, and is refused what it may not; tables made later included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from store_made import THINGS, ask, store, table

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.rows import RawTable
from hde.store import canonical, forget, grants, journal, migrate, query, raw_tables
from hde.store.canonical import Lineage
from hde.store.database import Connection, Database, transaction
from hde.store.owner import act_as_owner

GROUPS = {"ingest": grants.INGEST, "analyst": grants.ANALYST, "admin": grants.ADMIN, "reader": None, "another": None}
"""Who signs in, and the group they are in; the last two are in none."""
Login = Callable[[str], Database]


@pytest.fixture
def roles(server: str) -> Iterator[None]:
    """Roles belong to the whole server: they are made for the test, and gone with it."""
    with psycopg.connect(server, autocommit=True) as connection:
        for name in GROUPS:
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'of-a-test'".encode())
        yield
        ours = (grants.ADMIN, grants.ANALYST, grants.INGEST, grants.OWNER)
        for name in (*ours, *GROUPS):  # who granted is gone after what was granted
            connection.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(name)))


@pytest.fixture
def database(roles: None, database: Database) -> Database:
    """Made after the roles, so that it is gone before them."""
    return database


@pytest.fixture
def login(database: Database) -> Login:
    """The database as somebody signs in to it, after `hde db grant`."""
    with database.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        raw_tables.prepare(connection, THINGS, [], lambda account, payload: ())
        grants.grant_roles(cursor)
        for name, group in GROUPS.items():
            if group:
                cursor.execute(SQL("GRANT {} TO {}").format(Identifier(group), Identifier(name)))
    return lambda name: Database(make_conninfo(database.conninfo, user=name, password="of-a-test"))


NOBODY_MAY = (
    "CREATE ROLE mine SUPERUSER",
    "ALTER SYSTEM SET archive_command = 'true'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT rolpassword FROM pg_authid",
    "CREATE DATABASE mine",
    "SET session_replication_role = replica",
)
NO_DDL = (
    "CREATE TABLE canonical.mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE SCHEMA mine_raw",
    "DROP TABLE canonical.workouts",
    "TRUNCATE canonical.workouts",
    "ALTER TABLE canonical.workouts ADD COLUMN mine int",
    "CREATE INDEX ON canonical.workouts (energy)",
    "ALTER TABLE canonical.workouts DISABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE VIEW canonical.daily_summary AS SELECT 1 AS person",
    "UPDATE meta.alembic_version SET version_num = '0000'",
    f"SET ROLE {grants.OWNER}",
    f"GRANT {grants.OWNER} TO CURRENT_USER",
)
FORBIDDEN = {
    "ingest": (*NOBODY_MAY, *NO_DDL),
    "analyst": (
        *NOBODY_MAY, *NO_DDL,
        "SELECT * FROM made_raw.things",
        "SELECT * FROM made_raw.things_history",
        "SELECT nextval('made_raw._seq')",
        "SELECT * FROM meta.tokens",
        "SELECT * FROM meta.connections",
        "DELETE FROM canonical.workouts",
        "UPDATE canonical.workouts SET energy = 0",
        "INSERT INTO canonical.person_accounts VALUES (1, 1)",
        f"SET ROLE {grants.INGEST}",
    ),
    "admin": NOBODY_MAY,
    "reader": ("SELECT * FROM canonical.workouts", "SELECT * FROM canonical.daily_summary"),
}  # fmt: skip


def refused(database: Database, sql: str) -> bool:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        try:
            connection.execute(sql.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def test_what_a_role_may_not_do_is_refused(login: Login) -> None:
    done = [(who, sql) for who, forbidden in FORBIDDEN.items() for sql in forbidden if not refused(login(who), sql)]
    assert done == []


def test_ingest_stores_and_makes_no_tables(login: Login) -> None:
    with login("ingest").connection() as connection:
        account = journal.connect_account(connection, "made", "me", {}).id
        connection.commit()
        raw_tables.prepare(connection, THINGS, [], lambda account, payload: ())  # there is nothing to make
        store(connection, THINGS, account, {"id": "a", "v": 1})
        store(connection, THINGS, account, {"id": "a", "v": 2})
        assert ask(connection, "SELECT count(*) FROM made_raw.things_history") == [1]
        migrate.ensure(login("ingest"))
        wider = table("things", id="text", v="bigint", w="bigint")
        for lacking in (wider, table("others", id="text")):
            with pytest.raises(WrongUse, match=r"(?s)made_raw\.\w+ has to be made or widened.*hde_admin"):
                raw_tables.prepare(connection, lacking, [], lambda account, payload: ())
            connection.rollback()


def test_what_an_admin_makes_later_is_the_owners_and_everybody_has_their_part(login: Login) -> None:
    later = RawTable("later_raw", "things", (("id", "text"),), ("id",))
    with login("admin").connection() as connection:
        raw_tables.prepare(connection, later, [], lambda account, payload: ())
        with connection.transaction(), connection.cursor() as cursor:  # as a migration does
            act_as_owner(cursor)
            cursor.execute("CREATE TABLE canonical.later_results (account int, v int)")
            cursor.execute("CREATE TABLE meta.more (a int)")
    with login("ingest").connection() as connection:
        account = journal.connect_account(connection, "later", "me", {}).id
        connection.commit()
        store(connection, later, account, {"id": "a"})
        connection.execute("INSERT INTO canonical.later_results VALUES (1, 1)")
        connection.execute("INSERT INTO meta.more VALUES (1)")
        connection.commit()
        owners = "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace::regnamespace::text"
        assert ask(connection, f"{owners} IN ('meta', 'canonical', 'made_raw', 'later_raw')") == [grants.OWNER]
    with login("analyst").connection() as connection:
        assert ask(connection, "SELECT v FROM canonical.later_results") == [1]
    assert refused(login("analyst"), "SELECT * FROM later_raw.things")
    assert refused(login("analyst"), "SELECT * FROM meta.more")


def test_granting_again_changes_nothing(login: Login, database: Database) -> None:
    def privileges(connection: Connection) -> list[object]:
        return ask(connection, "SELECT relname, relacl::text, relowner FROM pg_class ORDER BY oid") + ask(
            connection, "SELECT defaclobjtype, defaclacl::text FROM pg_default_acl ORDER BY oid"
        )

    with database.connection() as connection:
        before = privileges(connection)
        with connection.transaction(), connection.cursor() as cursor:
            grants.grant_roles(cursor)
        assert privileges(connection) == before


def test_the_owner_of_a_database_who_may_make_roles_is_enough(roles: None, server: str) -> None:
    """No superuser: as in a database that somebody rents."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("ALTER ROLE another CREATEROLE")
        connection.execute("CREATE DATABASE rented OWNER another")
    try:
        rented = make_conninfo(server, dbname="rented")
        owner, reader = (Database(make_conninfo(rented, user=u, password="of-a-test")) for u in ("another", "reader"))
        migrate.upgrade(owner)
        with owner.connection() as connection:
            for _ in range(2):
                with connection.transaction(), connection.cursor() as cursor:
                    grants.grant_roles(cursor)
            raw_tables.prepare(connection, THINGS, [], lambda account, payload: ())
            account = journal.connect_account(connection, "made", "me", {}).id
            connection.commit()
            store(connection, THINGS, account, {"id": "a", "v": 1})
            with connection.transaction(), connection.cursor() as cursor:
                grants.grant_rows(cursor, account, "reader")
            whose = "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = 'made_raw.things'::regclass"
            assert ask(connection, whose) == [grants.OWNER]
        write_workouts(owner, account, "w")
        with reader.connection() as connection:
            assert ask(connection, SEEN) == [account, account]
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE rented WITH (FORCE)")


def test_who_may_not_grant_is_told_what_it_takes(login: Login) -> None:
    with login("analyst").connection() as connection, connection.cursor() as cursor:
        with pytest.raises(WrongUse, match="takes a superuser, or the owner"):
            grants.grant_roles(cursor)
        connection.rollback()


def write_workouts(database: Database, account: int, *records: str, energy: float = 100.0) -> canonical.Written:
    """As a mapping does: these workouts of the account, one row each."""
    names = [column.name for column in TABLES["workouts"].columns]
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    values = {"start_time": at, "local_date": at.date(), "energy": energy}
    rows = {record: {"": tuple(values.get(name) for name in names)} for record in records}
    lineage = Lineage(account, "made/things", "v1", "made", "made_raw.things", 1, at)
    with database.connection() as connection, transaction(connection) as cursor:
        return canonical.write(cursor, "workouts", lineage, rows)


@pytest.fixture
def accounts(login: Login, database: Database) -> tuple[int, int]:
    """Two accounts with a workout each; the first one's rows are granted to `reader`."""
    with database.connection() as connection:
        one, other = (journal.connect_account(connection, "made", name, {}).id for name in ("one", "other"))
        connection.commit()
        for account in (one, other):
            write_workouts(database, account, "w")
        with connection.transaction(), connection.cursor() as cursor:
            grants.grant_rows(cursor, one, "reader")
    return one, other


SEEN = "SELECT account FROM canonical.workouts UNION ALL SELECT person FROM canonical.daily_summary ORDER BY 1"
EVASIONS = (
    "SET row_security = off",
    "SET ROLE NONE",
    "SELECT set_config('hde.account', '{other}', false)",
    "SELECT set_config('role', 'none', false)",
    "SET search_path = canonical, public",
    "CREATE TEMP VIEW mine AS SELECT * FROM canonical.workouts",
)


def test_a_role_reads_the_rows_of_its_account_whatever_it_sets(login: Login, accounts: tuple[int, int]) -> None:
    one, other = accounts
    for evasion in ("SELECT 1", *EVASIONS):
        with psycopg.connect(login("reader").conninfo, autocommit=True) as connection:
            connection.execute(evasion.format(other=other).encode())
            try:
                assert ask(connection, SEEN) == [one, one], evasion
            except psycopg.errors.InsufficientPrivilege:
                assert "row_security" in evasion  # it is refused then, not shown more
    for sql in (*NOBODY_MAY, *NO_DDL, "DELETE FROM canonical.workouts", f"SET ROLE {grants.ANALYST}"):
        assert refused(login("reader"), sql), sql


def test_a_view_that_would_show_all_rows_is_not_granted(
    login: Login, database: Database, accounts: tuple[int, int]
) -> None:
    with database.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.execute("CREATE VIEW canonical.careless AS SELECT * FROM canonical.workouts")
        grants.grant_rows(cursor, accounts[0], "reader")
    assert refused(login("reader"), "SELECT * FROM canonical.careless")


def test_everybody_else_goes_on_as_before(login: Login, database: Database, accounts: tuple[int, int]) -> None:
    one, other = accounts
    for who in ("analyst", "admin", "ingest"):
        with login(who).connection() as connection:
            assert ask(connection, SEEN) == [one, one, other, other], who
    embedded = Database(database.conninfo, is_ours=True)  # where `hde query` reads as a role of its own
    assert query.answer(embedded, "SELECT count(*) FROM canonical.workouts") == (["count"], [(2,)])
    ingest = login("ingest")
    assert write_workouts(ingest, other, "x", "y").new == 2
    assert write_workouts(ingest, other, "x", "z", energy=90.0).new == 1
    with database.connection() as connection:
        stored = "SELECT raw_source_id, energy FROM canonical.workouts WHERE account = %s ORDER BY 1"
        found = ask(connection, stored, other)
    assert found == [("w", 100.0), ("x", 90.0), ("y", 100.0), ("z", 90.0)]


def test_rows_are_granted_one_account_at_a_time_and_taken_back(
    login: Login, database: Database, accounts: tuple[int, int]
) -> None:
    one, other = accounts

    def seen(who: str) -> list[object]:
        with login(who).connection() as connection:
            return ask(connection, SEEN)

    with database.connection() as connection, connection.cursor() as cursor:
        with connection.transaction():
            grants.grant_rows(cursor, other, "reader")
            grants.grant_rows(cursor, other, "another")
        assert (seen("reader"), seen("another")) == ([one, one, other, other], [other, other])
        with connection.transaction():
            grants.revoke_rows(cursor, other, "reader")
        assert (seen("reader"), seen("another")) == ([one, one], [other, other])
        with connection.transaction():
            (gone,) = (account for account in journal.accounts(connection, "made") if account.id == other)
            forget.forget(cursor, gone)
        assert ask(connection, "SELECT count(*) FROM pg_policies WHERE policyname = %s", f"hde_rows_of_{other}") == [0]
    assert seen("another") == []


@pytest.mark.parametrize(
    ("role", "says"),
    [("analyst", "member of hde_analyst"), ("admin", "member of hde_"), ("hde", "superuser"),
     ("nobody_at_all", "CREATE ROLE")],
)  # fmt: skip
def test_rows_are_not_granted_to_who_sees_all_anyway(
    database: Database, accounts: tuple[int, int], role: str, says: str
) -> None:
    with database.connection() as connection, connection.cursor() as cursor:
        with pytest.raises(WrongUse, match=says):
            grants.grant_rows(cursor, accounts[0], role)
        connection.rollback()
