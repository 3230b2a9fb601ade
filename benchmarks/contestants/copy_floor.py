"""The floor: texts that are in memory already, by COPY into the table they stay in. Fetching them is not counted."""

from __future__ import annotations

import json
import time

import httpx
import msgspec
import psycopg
from common import asked


class Page(msgspec.Struct):
    records: list[msgspec.Raw]
    next_token: str | None


class Key(msgspec.Struct):
    id: str


def main() -> None:
    options = asked()
    rows: list[tuple[str, str]] = []
    with httpx.Client(base_url=options.url) as client:
        params: dict[str, str] | None = {}
        while params is not None:
            page = msgspec.json.decode(client.get("/sleeps", params=params).raise_for_status().content, type=Page)
            rows += [(msgspec.json.decode(raw, type=Key).id, bytes(raw).decode()) for raw in page.records]
            params = {"cursor": page.next_token} if page.next_token else None
    with psycopg.connect(options.database) as connection:
        connection.execute("CREATE TABLE records (id text PRIMARY KEY, payload jsonb NOT NULL)")
        connection.commit()
        began, cpu = time.monotonic(), time.process_time()
        with connection.cursor().copy("COPY records FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
