"""The plain loop: httpx, and SQLAlchemy's upsert of a page at a time, committed page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import psycopg
from common import asked, newest
from sqlalchemy import Column, DateTime, MetaData, Table, Text, create_engine
from sqlalchemy.dialects.postgresql import JSONB, insert

RECORDS = Table(
    "records",
    MetaData(),
    Column("id", Text, primary_key=True),
    *(Column(name, DateTime(timezone=True)) for name in ("start", "end", "updated_at")),
    Column("timezone_offset", Text),
    Column("payload", JSONB, nullable=False),
)
INSERT = insert(RECORDS)
UPSERT = INSERT.on_conflict_do_update(
    index_elements=["id"],
    set_={name: INSERT.excluded[name] for name in ("start", "end", "updated_at", "timezone_offset", "payload")},
)


def row(record: dict[str, Any]) -> dict[str, object]:
    times = {name: datetime.fromisoformat(record[name]) for name in ("start", "end", "updated_at")}
    return {"id": record["id"], **times, "timezone_offset": record["timezone_offset"], "payload": record}


def main() -> None:
    options = asked()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(options.database))
    RECORDS.metadata.create_all(engine)
    with engine.connect() as connection, httpx.Client(base_url=options.url) as client:
        params: dict[str, str] | None = newest(connection.connection.driver_connection) if options.new else {}
        while params is not None:
            page = client.get("/sleeps", params=params).raise_for_status().json()
            if page["records"]:
                connection.execute(UPSERT, [row(record) for record in page["records"]])
                connection.commit()
            params = {"cursor": page["next_token"]} if page["next_token"] else None


if __name__ == "__main__":
    main()
