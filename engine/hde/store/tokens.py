"""Tokens in the database (`HDE_TOKEN_STORE=database`): sealed with a key that is kept outside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hde.errors import DatabaseAway, DatabaseUnreachable
from hde.store.database import Connection, Database, DatabaseError, lock_number
from hde.tokens.model import Resealed, Stored
from hde.tokens.seal import SecretKey


class DatabaseTokens:
    """A TokenStore in meta.tokens. Every call takes a connection of its own, so that any thread may call."""

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._database = database
        self._key = key

    @property
    def where(self) -> str:
        return "meta.tokens in the database"

    def accounts(self, connector: str) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT external_id FROM meta.tokens WHERE connector = %s ORDER BY 1", (connector,)
            )
            return [row[0] for row in rows.fetchall()]

    def read(self, connector: str, account: str) -> Stored | None:
        """The token, None where there is none; SignInNeeded where the key does not open it."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT sealed, generation, refreshing_since FROM meta.tokens"
                " WHERE connector = %s AND external_id = %s",
                (connector, account),
            ).fetchone()
        return Stored(self._key.open(row[0], connector, account), row[1], row[2]) if row else None

    def write(self, connector: str, account: str, stored: Stored) -> None:
        """As TokenStore says: in one transaction, on disk when it returns."""
        sealed = self._key.seal(stored.token, connector, account)
        try:
            with self._connection() as connection, connection.transaction():
                connection.execute("SET LOCAL synchronous_commit = on")
                connection.execute(
                    "INSERT INTO meta.tokens (connector, external_id, sealed, generation, refreshing_since)"
                    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (connector, external_id) DO UPDATE SET"
                    " sealed = EXCLUDED.sealed, generation = EXCLUDED.generation,"
                    " refreshing_since = EXCLUDED.refreshing_since",
                    (connector, account, sealed, stored.generation, stored.refreshing_since),
                )
        except DatabaseAway:
            raise
        except (DatabaseError, DatabaseUnreachable) as error:
            said = f"{self.where} cannot be written; what it holds is as it was: {error}"
            raise type(error)(said) from None

    def reseal(self) -> Resealed:
        """As TokenStore says: in one transaction."""
        with self._connection() as connection, connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            held = connection.execute(
                "SELECT connector, external_id, sealed FROM meta.tokens ORDER BY 1, 2 FOR UPDATE"
            ).fetchall()
            fresh, done = self._key.reseal(held)
            for (connector, account), sealed in fresh.items():
                connection.execute(
                    "UPDATE meta.tokens SET sealed = %s WHERE connector = %s AND external_id = %s",
                    (sealed, connector, account),
                )
        return done

    def remove(self, connector: str, account: str) -> None:
        with self._connection() as connection:
            connection.execute(
                "DELETE FROM meta.tokens WHERE connector = %s AND external_id = %s", (connector, account)
            )

    @contextmanager
    def locked(self, connector: str, account: str) -> Iterator[None]:
        """Held in a transaction of its own, so that it ends with the process that holds it."""
        with self._database.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", token_lock(connector, account))
            yield

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._database.connection(autocommit=True) as connection:
            yield connection


def token_lock(connector: str, account: str) -> tuple[int, int]:
    """The advisory lock of one token."""
    return lock_number("token"), lock_number(f"{connector}/{account}")
