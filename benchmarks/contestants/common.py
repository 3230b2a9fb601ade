"""What the hand-made loaders have in common: what they are asked, and the table they write."""

from __future__ import annotations

import argparse

TABLE = "records"
CREATE = """
    CREATE TABLE IF NOT EXISTS records (
        id text PRIMARY KEY, "start" timestamptz, "end" timestamptz, updated_at timestamptz, timezone_offset text,
        payload jsonb NOT NULL
    )
"""
BATCH = 10_000
"""Records merged at once."""


def asked() -> argparse.Namespace:
    """`url` of the page server, `database` as a libpq URL, `new`: ask only for what is newer than what is stored."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("--new", action="store_true")
    return parser.parse_args()
