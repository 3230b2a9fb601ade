"""What the database knows about itself, for `hde status`: connections, runs, coverage, issues, row counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Identifier

from hde.canonical import TABLES
from hde.store.database import Connection

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Status:
    """Each field is a list of rows, as its query names them."""

    connections: Rows
    """connector, account, status, last run, its outcome, at which place of a directory"""
    streams: Rows
    """connector, account, resource, complete up to, spans owed before that, snapshot at, windows open, error

    An error is one of a window that no later one has made good.
    """
    issues: Rows
    """connector, account, origin, path, rule, level, records"""
    tables: Rows
    """table, rows"""
    exports: Rows
    """connector, account, name, ordered at, whether of changes only; of those that are not stored to their end"""


def status(connection: Connection) -> Status:
    return Status(
        connection.execute(_CONNECTIONS).fetchall(),
        connection.execute(_STREAMS).fetchall(),
        connection.execute(_ISSUES).fetchall(),
        _counts(connection),
        connection.execute(_EXPORTS).fetchall(),
    )


_CONNECTIONS = """
SELECT c.connector, c.external_id, c.status, r.started_at, COALESCE(r.outcome, 'running, or killed'),
    c.tenant ->> 'name'
FROM meta.connections c LEFT JOIN LATERAL (
    SELECT started_at, outcome FROM meta.runs WHERE account = c.id ORDER BY id DESC LIMIT 1
) r ON true ORDER BY c.connector, c.id
"""
_STREAMS = """
WITH s AS (  -- what all elements of a fan-out have in common
    SELECT account, resource, range_intersect_agg(covered) AS covered, min(begins_at) AS begins_at,
        min(snapshot_at) AS snapshot_at
    FROM meta.streams GROUP BY account, resource
)
SELECT c.connector, c.external_id, resource, upper(s.covered), ARRAY(
        SELECT gap FROM unnest(
            -- a range somebody asked for may lie wholly before history begins: then nothing is owed
            CASE WHEN s.begins_at >= upper(s.covered) THEN '{}'
                ELSE tstzmultirange(tstzrange(s.begins_at, upper(s.covered))) - s.covered END
        ) AS gap WHERE NOT isempty(s.covered) ORDER BY gap
    ), s.snapshot_at, COALESCE(w.open, 0), COALESCE(failed.error, owed.error)
FROM s
    FULL JOIN (
        SELECT account, resource, count(*) FILTER (WHERE state = 'open') AS open
        FROM meta.windows GROUP BY account, resource
    ) AS w USING (account, resource)
    JOIN meta.connections c ON c.id = account
    LEFT JOIN LATERAL (
        SELECT f.error FROM meta.windows f
        WHERE f.account = c.id AND f.resource = COALESCE(s.resource, w.resource) AND f.state = 'failed'
            AND NOT COALESCE((
                SELECT range_agg(tstzrange(later.start_at, later.end_at)) @> tstzrange(f.start_at, f.end_at)
                FROM meta.windows later
                WHERE later.account = f.account AND later.resource = f.resource AND later.parent = f.parent
                    AND later.state = 'done' AND later.id > f.id
            ), false)
        ORDER BY f.id DESC LIMIT 1
    ) AS failed ON true
    LEFT JOIN LATERAL (
        SELECT count(*) || ' records owe a request: ' || max(o.error) AS error FROM meta.owed_records o
        WHERE o.account = c.id AND o.queue IN ('for_each:' || resource, 'when_stored:' || resource) HAVING count(*) > 0
    ) AS owed ON true
ORDER BY c.connector, c.id, resource
"""
_ISSUES = """
SELECT c.connector, c.external_id, i.origin, i.raw_table, i.path, i.rule, i.level, count(*)
FROM meta.issues i JOIN meta.connections c ON c.id = i.account
WHERE i.closed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY i.level, count(*) DESC
"""

_EXPORTS = """
SELECT c.connector, c.external_id, e.name, e.ordered_at, e.bookmark IS NOT NULL
FROM meta.exports e JOIN meta.connections c ON c.id = e.account ORDER BY c.connector, c.id, e.name
"""


def _counts(connection: Connection) -> Rows:
    raw = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN (SELECT replace(connector, '-', '_') || '_raw' FROM meta.connections)"
        " AND c.relname NOT LIKE '%\\_history' ORDER BY 1, 2"
    ).fetchall()
    found: Rows = []
    for schema, table in [*raw, *(("canonical", table) for table in TABLES)]:
        row = connection.execute(SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))).fetchone()
        found.append((f"{schema}.{table}", row[0] if row else 0))
    return found
