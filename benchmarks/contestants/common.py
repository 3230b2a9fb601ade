"""What the hand-made loaders have in common: what they are asked, and the table they write."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # dlt has another driver
    import psycopg

TABLE = "records"
CREATE = """
    CREATE TABLE IF NOT EXISTS records (
        id text PRIMARY KEY, "start" timestamptz, "end" timestamptz, updated_at timestamptz, timezone_offset text,
        payload jsonb NOT NULL
    )
"""
BATCH = 10_000
"""Records merged at once."""


def newest(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The parameters that ask for what is not older than the newest record that is stored."""
    row = connection.execute('SELECT max("start") FROM records').fetchone()
    return {"start": row[0].strftime("%Y-%m-%dT%H:%M:%SZ")} if row and row[0] else {}


def asked() -> argparse.Namespace:
    """`url` of the page server, `database` as a libpq URL, `new`: ask only for what is newer than what is stored."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("--new", action="store_true")
    return parser.parse_args()
