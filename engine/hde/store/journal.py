"""Accounts and runs: whose data it is, and which command brought it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hde.errors import WrongUse
from hde.store.database import Connection

Place = tuple[str, Mapping[str, str]]
"""A place of a vendor's directory: its name, and the settings that lead to it."""


@dataclass(frozen=True)
class Account:
    """A row of meta.connections: `id` is the account everywhere else, `external_id` the provider's own."""

    id: int
    connector: str
    external_id: str
    kept: Mapping[str, object]

    @property
    def values(self) -> dict[str, object]:
        """What connectors and mappings see as `account`."""
        return {"id": self.external_id, **self.kept}

    @property
    def title(self) -> str:
        return f"{self.connector}/{self.external_id}"


def accounts(connection: Connection, connector: str) -> list[Account]:
    rows = connection.execute(
        "SELECT id, connector, external_id, kept FROM meta.connections WHERE connector = %s ORDER BY id", (connector,)
    )
    return [Account(*row) for row in rows.fetchall()]


def named_account(connection: Connection, wanted: str) -> Account:
    """The account a person names by the provider's id, or by CONNECTOR/ID where two sources use the same one."""
    rows = connection.execute(
        "SELECT id, connector, external_id, kept FROM meta.connections ORDER BY connector, external_id"
    ).fetchall()
    known = [Account(*row) for row in rows]
    found = [one for one in known if wanted in (one.external_id, one.title)]
    if len(found) == 1:
        return found[0]
    if found:
        raise WrongUse(f"{wanted} is an account of several sources: say {' or '.join(one.title for one in found)}")
    there = f"There are: {', '.join(one.title for one in known)}" if known else "Nothing is connected yet."
    raise WrongUse(f"There is no account {wanted}. {there}")


def connect_account(
    connection: Connection,
    connector: str,
    external_id: str,
    kept: Mapping[str, object],
    tenant: Place | None = None,
) -> Account:
    """The account's row, made at its first sign-in. Another person at the same source becomes another row.

    Without a `tenant` the one it has stays.
    """
    place = None if tenant is None else Jsonb({"name": tenant[0], "settings": dict(tenant[1])})
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO meta.connections AS c (connector, external_id, kept, tenant) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (connector, external_id) DO UPDATE SET kept = EXCLUDED.kept, status = 'connected',"
            " tenant = COALESCE(EXCLUDED.tenant, c.tenant) RETURNING id",
            (connector, external_id, Jsonb(dict(kept)), place),
        ).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO canonical.person_accounts (account, person) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (row[0], row[0]),
        )
    return Account(row[0], connector, external_id, kept)


def tenants(connection: Connection, connector: str) -> dict[str, Place]:
    """At which place each account of a connector is, by the provider's id; those that are at none are left out."""
    rows = connection.execute(
        "SELECT external_id, tenant FROM meta.connections WHERE connector = %s AND tenant IS NOT NULL", (connector,)
    ).fetchall()
    return {account: (said["name"], said["settings"]) for account, said in rows}


def origins(connection: Connection, connector: str, external_id: str | None) -> set[str] | None:
    """Where somebody has agreed that requests go, of this account or of any; None where nobody was asked yet."""
    rows = connection.execute(
        "SELECT origins FROM meta.connections WHERE connector = %s AND external_id = COALESCE(%s, external_id)",
        (connector, external_id),
    ).fetchall()
    known = [set(found) for (found,) in rows if found is not None]
    return set().union(*known) if known else None


def keep_origins(connection: Connection, connector: str, external_id: str, agreed: Sequence[str]) -> None:
    """Committed at once, unless the caller has a transaction open."""
    with connection.transaction():
        connection.execute(
            "UPDATE meta.connections SET origins = %s WHERE connector = %s AND external_id = %s"
            " AND origins IS DISTINCT FROM %s",
            (list(agreed), connector, external_id, list(agreed)),
        )


def set_status(connection: Connection, account: int, status: str) -> None:
    """Committed at once, unless the caller has a transaction open."""
    with connection.transaction():
        connection.execute("UPDATE meta.connections SET status = %s WHERE id = %s", (status, account))


def begin_run(connection: Connection, command: str, account: Account) -> int:
    """Its number. WrongUse where the account is there no longer.

    Whoever begins has the account for itself: runs of it that never ended were killed, or lost their database.
    """
    connection.execute(
        "UPDATE meta.runs SET finished_at = now(), outcome = 'failed' WHERE account = %s AND outcome IS NULL",
        (account.id,),
    )
    row = connection.execute(
        "INSERT INTO meta.runs (command, connector, account) SELECT %s, connector, id FROM meta.connections"
        " WHERE id = %s RETURNING id",
        (command, account.id),
    ).fetchone()
    connection.commit()
    if row is None:
        raise WrongUse(f"{account.title} was forgotten meanwhile; to read it anew: hde auth {account.connector}")
    return int(row[0])


def end_run(connection: Connection, run: int, outcome: str, report: object) -> None:
    connection.execute(
        "UPDATE meta.runs SET finished_at = now(), outcome = %s, report = %s WHERE id = %s",
        (outcome, Jsonb(report), run),
    )
    connection.commit()
