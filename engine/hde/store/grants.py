"""Who may do what in a database that several people use: roles, and rows of single accounts for single roles.

Rows are kept apart by the role that asks. No setting of a session has a say in it: whoever may ask may change those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from hde.errors import WrongUse
from hde.store.database import lock_number

Cursor = psycopg.Cursor[Any]
OWNER, INGEST, ANALYST, ADMIN = "hde_owner", "hde_ingest", "hde_analyst", "hde_admin"
SEES_ALL = "pg_read_all_data"
"""Who was given all data by name has it, `hde query` on the embedded database among them."""


def grant_roles(cursor: Cursor) -> None:
    """Make the four roles, give all tables to the first, and to the others what they need, for later tables too.

    Belongs into a transaction. May be done again at any time.
    """
    with _needing_much():
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (lock_number("grant"),))
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        _make_roles(cursor)
        schemas = _schemas(cursor)
        for schema in schemas:
            _hand_over(cursor, schema)
        for statement in _grants(_database(cursor), schemas):
            cursor.execute(statement)


def grant_rows(cursor: Cursor, account: int, role: str) -> None:
    """Let a role read the canonical rows of one account, beside those it may read already. After `grant_roles`.

    From then on canonical tables are kept apart by row; other roles than ours see no row that was not granted.
    """
    _refuse_who_sees_all(cursor, role)
    with _needing_much():
        cursor.execute(SQL("GRANT USAGE ON SCHEMA canonical TO {}").format(Identifier(role)))
        for table in _tables(cursor):
            _keep_apart(cursor, table)
            _set_policy(cursor, table, account, [*_readers(cursor, table, account), role])
            cursor.execute(SQL("GRANT SELECT ON {} TO {}").format(table, Identifier(role)))
        for view in _honest_views(cursor):
            cursor.execute(SQL("GRANT SELECT ON {} TO {}").format(view, Identifier(role)))


def revoke_rows(cursor: Cursor, account: int, role: str) -> None:
    """Take one account's rows from a role."""
    with _needing_much():
        for table in _tables(cursor):
            left = [one for one in _readers(cursor, table, account) if one != role]
            _set_policy(cursor, table, account, left)


def forget_rows(cursor: Cursor, account: int) -> None:
    """The account is gone, and who might read its rows with it; where only another role may say so it stays said, and
    means nothing: no account gets that number again.
    """
    cursor.execute("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'canonical'")
    row = cursor.fetchone()
    if row and row[0]:
        for table in _tables(cursor):
            if _readers(cursor, table, account):
                _set_policy(cursor, table, account, [])


@contextmanager
def _needing_much() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise WrongUse(
            "this database role may not do that: it takes a superuser, or the owner of the database and of its tables"
            f" with CREATEROLE. PostgreSQL: {error.diag.message_primary}"
        ) from None


def _make_roles(cursor: Cursor) -> None:
    for role in (OWNER, INGEST, ANALYST, ADMIN):
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        if cursor.fetchone() is None:
            cursor.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(role)))
    cursor.execute("SELECT pg_has_role(%s::name, 'USAGE')", (OWNER,))
    row = cursor.fetchone()
    if not (row and row[0]):  # who makes a role does not yet act as it
        cursor.execute(SQL("GRANT {} TO CURRENT_USER").format(Identifier(OWNER)))
    cursor.execute(
        "SELECT every(pg_has_role(%s::name, one, 'USAGE')) FROM unnest(%s::name[]) one",
        (ADMIN, [OWNER, INGEST, ANALYST]),
    )
    row = cursor.fetchone()
    if not (row and row[0]):
        below = SQL(", ").join(Identifier(role) for role in (OWNER, INGEST, ANALYST))
        cursor.execute(SQL("GRANT {} TO {}").format(below, Identifier(ADMIN)))


def _database(cursor: Cursor) -> str:
    cursor.execute("SELECT current_database()::text")
    row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def _schemas(cursor: Cursor) -> list[str]:
    """meta, canonical, and those of raw tables, told by the sequence that only ours have."""
    cursor.execute(
        "SELECT nspname::text FROM pg_namespace n WHERE nspname IN ('meta', 'canonical') OR (nspname LIKE '%\\_raw'"
        " AND EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid AND relkind = 'S' AND relname = '_seq'))"
        " ORDER BY 1"
    )
    return [row[0] for row in cursor.fetchall()]


def _hand_over(cursor: Cursor, schema: str) -> None:
    """What is not the owner's yet; a sequence that belongs to a column goes with its table."""
    to = SQL(" OWNER TO {}").format(Identifier(OWNER))
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s AND pg_get_userbyid(nspowner) <> %s", (schema, OWNER))
    if cursor.fetchone():
        cursor.execute(SQL("ALTER SCHEMA {}").format(Identifier(schema)) + to)
    cursor.execute(
        "SELECT relname::text FROM pg_class c WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm',"
        " 'S') AND pg_get_userbyid(relowner) <> %s AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid"
        " AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND c.relkind = 'S') ORDER BY 1",
        (Identifier(schema).as_string(cursor), OWNER),
    )
    for (name,) in cursor.fetchall():
        cursor.execute(SQL("ALTER TABLE {}").format(Identifier(schema, name)) + to)


def _grants(database: str, schemas: Sequence[str]) -> Iterator[Composed]:
    owner, ingest, analyst = Identifier(OWNER), Identifier(INGEST), Identifier(ANALYST)
    write, read = SQL("SELECT, INSERT, UPDATE, DELETE ON"), SQL("SELECT ON")
    yield SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO {}").format(Identifier(database), owner)
    yield SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(Identifier(database), ingest)
    for schema in schemas:
        where = Identifier(schema)
        yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(where, ingest)
        yield SQL("GRANT {} ALL TABLES IN SCHEMA {} TO {}").format(write, where, ingest)
        yield SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}").format(where, ingest)
    yield SQL("REVOKE INSERT, UPDATE, DELETE ON meta.alembic_version FROM {}").format(ingest)
    yield SQL("GRANT USAGE ON SCHEMA canonical TO {}").format(analyst)
    yield SQL("GRANT {} ALL TABLES IN SCHEMA canonical TO {}").format(read, analyst)
    later = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} ").format(owner)
    yield later + SQL("GRANT USAGE ON SCHEMAS TO {}").format(ingest)
    yield later + SQL("GRANT {} TABLES TO {}").format(write, ingest)
    yield later + SQL("GRANT USAGE, SELECT ON SEQUENCES TO {}").format(ingest)
    yield later + SQL("IN SCHEMA canonical GRANT {} TABLES TO {}").format(read, analyst)


def _refuse_who_sees_all(cursor: Cursor, role: str) -> None:
    cursor.execute(
        "SELECT rolsuper OR rolbypassrls, ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = ANY(%s)"
        " AND pg_has_role(o.oid, r.oid, 'MEMBER')) FROM pg_roles o WHERE rolname = %s",
        ([OWNER, INGEST, ANALYST, SEES_ALL], role),
    )
    row = cursor.fetchone()
    if row is None:
        raise WrongUse(f"there is no database role {role}. Make it: CREATE ROLE {role} LOGIN PASSWORD '...'")
    if row[0]:
        raise WrongUse(f"{role} is a superuser or has BYPASSRLS: nothing keeps rows from it. Name another role")
    if row[1]:
        raise WrongUse(f"{role} is a member of {row[1][0]}, which sees every account. Name another role")


def _tables(cursor: Cursor) -> list[Identifier]:
    cursor.execute(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account'"
        " WHERE c.relnamespace = 'canonical'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"
    )
    return [Identifier("canonical", row[0]) for row in cursor.fetchall()]


def _honest_views(cursor: Cursor) -> list[Identifier]:
    """Views that read with the rights of whoever asks; any other shows all rows."""
    cursor.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'canonical'::regnamespace AND relkind = 'v'"
        " AND EXISTS (SELECT 1 FROM pg_options_to_table(reloptions) WHERE option_name = 'security_invoker'"
        " AND option_value::boolean) ORDER BY 1"
    )
    return [Identifier("canonical", row[0]) for row in cursor.fetchall()]


def _keep_apart(cursor: Cursor, table: Identifier) -> None:
    cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", (table.as_string(cursor),))
    row = cursor.fetchone()
    if row and row[0]:
        return
    everybody = SQL("CREATE POLICY hde_all_rows ON {} FOR SELECT TO {}, {} USING (true)")
    cursor.execute(everybody.format(table, Identifier(ANALYST), Identifier(SEES_ALL)))
    writing = SQL("CREATE POLICY hde_writing ON {} TO {} USING (true) WITH CHECK (true)")
    cursor.execute(writing.format(table, Identifier(INGEST)))
    cursor.execute(SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))


def _policy(account: int) -> str:
    return f"hde_rows_of_{account}"


def _readers(cursor: Cursor, table: Identifier, account: int) -> list[str]:
    """The roles that may read the account's rows."""
    cursor.execute(
        "SELECT r.rolname::text FROM pg_policy p JOIN pg_roles r ON r.oid = ANY(p.polroles)"
        " WHERE p.polrelid = %s::regclass AND p.polname = %s ORDER BY 1",
        (table.as_string(cursor), _policy(account)),
    )
    return [row[0] for row in cursor.fetchall()]


def _set_policy(cursor: Cursor, table: Identifier, account: int, readers: Sequence[str]) -> None:
    policy = Identifier(_policy(account))
    cursor.execute(SQL("DROP POLICY IF EXISTS {} ON {}").format(policy, table))
    if readers:
        roles = SQL(", ").join(Identifier(role) for role in dict.fromkeys(readers))
        cursor.execute(
            SQL("CREATE POLICY {} ON {} FOR SELECT TO {} USING (account = {})").format(
                policy, table, roles, Literal(account)
            )
        )
