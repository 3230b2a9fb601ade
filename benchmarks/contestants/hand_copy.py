"""What a good engineer writes in a day: httpx, orjson, COPY into a temporary table, INSERT .. ON CONFLICT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
from common import BATCH, CREATE, asked, newest

try:
    from orjson import dumps, loads
except ImportError:  # beside the engine, for a quick look: what it has is nearly as fast
    from msgspec.json import decode as loads
    from msgspec.json import encode as dumps  # type: ignore[assignment]

MERGE = """
    INSERT INTO records SELECT * FROM incoming
    ON CONFLICT (id) DO UPDATE SET "start" = EXCLUDED."start", "end" = EXCLUDED."end",
        updated_at = EXCLUDED.updated_at, timezone_offset = EXCLUDED.timezone_offset, payload = EXCLUDED.payload
"""


def pages(url: str, params: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    with httpx.Client(base_url=url) as client:
        while True:
            page = loads(client.get("/sleeps", params=params).raise_for_status().content)
            yield page["records"]
            if not page["next_token"]:
                return
            params = {"cursor": page["next_token"]}


def merge(connection: psycopg.Connection[Any], batch: list[dict[str, Any]]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE records) ON COMMIT DELETE ROWS")
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            for one in batch:
                columns = (one["id"], one["start"], one["end"], one["updated_at"], one["timezone_offset"])
                copy.write_row((*columns, dumps(one).decode()))
        cursor.execute(MERGE)


def main() -> None:
    options = asked()
    with psycopg.connect(options.database, autocommit=True) as connection:
        connection.execute(CREATE)
        batch: list[dict[str, Any]] = []
        for records in pages(options.url, newest(connection) if options.new else {}):
            batch += records
            if len(batch) >= BATCH:
                merge(connection, batch)
                batch = []
        merge(connection, batch)


if __name__ == "__main__":
    main()
