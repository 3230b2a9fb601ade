"""One role makes every table: whoever owns schema `meta`. Grants and default privileges hold for what that role makes,
and for nothing that another one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from hde.errors import WrongUse

Cursor = psycopg.Cursor[Any]


def act_as_owner(cursor: Cursor) -> None:
    """For the rest of the transaction, where our tables are another role's and this one may act as that one."""
    cursor.execute(
        "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'meta'"
        " AND pg_get_userbyid(nspowner) <> current_user AND pg_has_role(nspowner, 'MEMBER')"
    )
    if row := cursor.fetchone():
        cursor.execute(SQL("SET LOCAL ROLE {}").format(Identifier(row[0])))


@contextmanager
def needing_the_owner(what: str) -> Iterator[None]:
    """WrongUse where the role that is signed in may not do it."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise WrongUse(
            f"{what}, and this database role may not do that.\nRun `hde migrate` or this command once as the owner of"
            " the database, or as a member of hde_admin (docs/roles.md)"
        ) from None
