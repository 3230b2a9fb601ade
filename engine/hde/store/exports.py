"""Exports under way: written before anybody waits for one, gone once all of it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True)
class Ordered:
    """An export that the source was asked for."""

    account: int
    name: str
    ordered_at: datetime
    request_hash: str
    kept: Mapping[str, object]
    bookmark: object
    """What it was asked to begin after; None: everything."""


def find(cursor: Cursor, account: int, name: str) -> Ordered | None:
    cursor.execute(
        "SELECT ordered_at, request_hash, kept, bookmark FROM meta.exports WHERE account = %s AND name = %s",
        (account, name),
    )
    row = cursor.fetchone()
    return Ordered(account, name, *row) if row else None


def keep(cursor: Cursor, ordered: Ordered) -> None:
    """In place of one of that name that was there."""
    cursor.execute(
        "INSERT INTO meta.exports (account, name, ordered_at, request_hash, kept, bookmark)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (account, name) DO UPDATE SET ordered_at = EXCLUDED.ordered_at,"
        " request_hash = EXCLUDED.request_hash, kept = EXCLUDED.kept, bookmark = EXCLUDED.bookmark",
        (
            ordered.account, ordered.name, ordered.ordered_at, ordered.request_hash, Jsonb(dict(ordered.kept)),
            None if ordered.bookmark is None else Jsonb(ordered.bookmark),
        ),
    )  # fmt: skip


def forget(cursor: Cursor, account: int, name: str) -> None:
    cursor.execute("DELETE FROM meta.exports WHERE account = %s AND name = %s", (account, name))


def read_so_far(cursor: Cursor, account: int, resources: Iterable[str]) -> dict[str, tuple[datetime | None, object]]:
    """Of resources that have read an export to its end: when the last one was ordered, and the bookmark it gave."""
    cursor.execute(
        "SELECT resource, snapshot_at, bookmark FROM meta.streams"
        " WHERE account = %s AND parent = '' AND resource = ANY(%s)",
        (account, list(resources)),
    )
    return {resource: (at, bookmark) for resource, at, bookmark in cursor.fetchall()}
