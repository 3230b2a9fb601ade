"""Issues at rest: one row per (record, path, rule), closed when the record reads well again. Never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from hde.issues import Issue

Cursor = psycopg.Cursor[Any]


def record(
    cursor: Cursor,
    account: int,
    origin: str,
    raw_table: str,
    found: Mapping[str, Iterable[Issue]],
    run: int,
) -> None:
    """Write what was `found` in a batch: record key -> issues. Records with none have their open issues closed.

    Belongs into the transaction of the batch.
    """
    where = (account, origin, raw_table)
    if _is_any_open(cursor, where):
        close(cursor, *where, found)
    for key, issues in found.items():
        for issue in issues:
            cursor.execute(
                "INSERT INTO meta.issues AS i (account, origin, raw_table, record, path, rule, level, json_type,"
                " length, run_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (account, origin, raw_table, record, path, rule) DO UPDATE SET level = EXCLUDED.level,"
                " json_type = EXCLUDED.json_type, length = EXCLUDED.length, run_id = EXCLUDED.run_id,"
                " first_seen = CASE WHEN i.closed_at < now() THEN now() ELSE i.first_seen END,"
                " last_seen = now(), closed_at = NULL",
                (*where, key, issue.path, issue.rule, issue.level, issue.json_type, issue.length, run),
            )


def open_of(
    cursor: Cursor, account: int, origin: str, raw_table: str, records: Iterable[str]
) -> dict[str, dict[tuple[str, str], str]]:
    """Of these records, what is open: record -> (path, rule) -> level."""
    if not _is_any_open(cursor, (account, origin, raw_table)):
        return {}
    cursor.execute(
        "SELECT record, path, rule, level FROM meta.issues WHERE account = %s AND origin = %s AND raw_table = %s"
        " AND closed_at IS NULL AND record = ANY(%s)",
        (account, origin, raw_table, list(records)),
    )
    found: dict[str, dict[tuple[str, str], str]] = {}
    for record, path, rule, level in cursor.fetchall():
        found.setdefault(record, {})[path, rule] = level
    return found


def is_open_for_a_day(cursor: Cursor, account: int, origin: str, raw_table: str, record: str, rule: str) -> bool:
    """Whether this was found a day ago or earlier, and whenever it was looked for since."""
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM meta.issues WHERE account = %s AND origin = %s AND raw_table = %s AND record = %s"
        " AND rule = %s AND closed_at IS NULL AND first_seen <= now() - interval '1 day')",
        (account, origin, raw_table, record, rule),
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def open_records(cursor: Cursor, account: int, origin: str, raw_table: str, beginning: str) -> list[str]:
    """The records with an open issue whose key, as text, begins like this."""
    cursor.execute(
        "SELECT DISTINCT record FROM meta.issues WHERE account = %s AND origin = %s AND raw_table = %s"
        " AND closed_at IS NULL AND starts_with(record, %s)",
        (account, origin, raw_table, beginning),
    )
    return [record for (record,) in cursor.fetchall()]


def close(cursor: Cursor, account: int, origin: str, raw_table: str, records: Iterable[str]) -> None:
    """Close every open issue of these records."""
    cursor.execute(
        "UPDATE meta.issues SET closed_at = now() WHERE account = %s AND origin = %s AND raw_table = %s"
        " AND closed_at IS NULL AND record = ANY(%s)",
        (account, origin, raw_table, list(records)),
    )


def _is_any_open(cursor: Cursor, where: tuple[int, str, str]) -> bool:
    """Mostly none is, and then nobody need send the keys of a batch."""
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM meta.issues WHERE account = %s AND origin = %s AND raw_table = %s"
        " AND closed_at IS NULL)",
        where,
    )
    row = cursor.fetchone()
    return bool(row and row[0])
