"""Accounts and runs: whose data it is, which command brought it, and that only one command at a time does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hde.errors import WrongUse
from hde.store.database import Connection, Database, lock_number

PATIENCE = 2.0  # seconds


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


def accounts(connection: Connection, connector: str) -> list[Account]:
    rows = connection.execute(
        "SELECT id, connector, external_id, kept FROM meta.connections WHERE connector = %s ORDER BY id", (connector,)
    )
    return [Account(*row) for row in rows.fetchall()]


def connect_account(connection: Connection, connector: str, external_id: str, kept: Mapping[str, object]) -> Account:
    """The account's row, made at its first sign-in. Another person at the same source becomes another row."""
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO meta.connections AS c (connector, external_id, kept) VALUES (%s, %s, %s)"
            " ON CONFLICT (connector, external_id) DO UPDATE SET kept = EXCLUDED.kept, status = 'connected'"
            " RETURNING id",
            (connector, external_id, Jsonb(dict(kept))),
        ).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO canonical.person_accounts (account, person) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (row[0], row[0]),
        )
    return Account(row[0], connector, external_id, kept)


def set_status(connection: Connection, account: int, status: str) -> None:
    """Committed at once, unless the caller has a transaction open."""
    with connection.transaction():
        connection.execute("UPDATE meta.connections SET status = %s WHERE id = %s", (status, account))


@contextmanager
def only_run(database: Database, account: Account) -> Iterator[None]:
    """Held for the whole run: a second one of the same account says so and ends. Goes with the connection."""
    with database.connection(autocommit=True) as connection:
        if not _locked_within(connection, (lock_number("run"), account.id), PATIENCE):
            raise WrongUse(
                f"{account.connector} {account.external_id} is being read by another hde right now;"
                " `hde status` shows it. Try again when it is done."
            )
        yield


def _locked_within(connection: Connection, numbers: tuple[int, int], seconds: float) -> bool:
    """Postgres takes a moment to notice that a killed process is gone."""
    until = time.monotonic() + seconds
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", numbers).fetchone()
        if row and row[0]:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)


def begin_run(connection: Connection, command: str, account: Account) -> int:
    row = connection.execute(
        "INSERT INTO meta.runs (command, connector, account) VALUES (%s, %s, %s) RETURNING id",
        (command, account.connector, account.id),
    ).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])


def end_run(connection: Connection, run: int, outcome: str, report: object) -> None:
    connection.execute(
        "UPDATE meta.runs SET finished_at = now(), outcome = %s, report = %s WHERE id = %s",
        (outcome, Jsonb(report), run),
    )
    connection.commit()
