"""dlt's declarative REST source into Postgres, merged by key: as it comes, or with every knob turned (`--tuned`)."""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from common import asked

TUNED = {
    "NORMALIZE__WORKERS": "2",
    "DATA_WRITER__FILE_MAX_ITEMS": "25000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}


def credentials(url: str) -> str:
    """The libpq URL as dlt wants it: the socket's folder as host, the password written out."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    with open(query["passfile"]) as file:
        password = file.read().strip().rpartition(":")[2]
    host = quote(query["host"], safe="")
    return f"postgresql://{parts.username}:{quote(password, safe='')}@{host}:{query['port']}{parts.path}"


def newest(url: str) -> str:
    """The latest start that is stored: what the state of an incremental source holds."""
    import psycopg2

    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute('SELECT max("start") FROM bench.sleeps')
        latest = cursor.fetchone()[0]
    return str(latest.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def main() -> None:
    tuned = "--tuned" in sys.argv
    if tuned:
        sys.argv.remove("--tuned")
        os.environ.update(TUNED)
    options = asked()

    import dlt
    from dlt.sources.rest_api import rest_api_source

    endpoint: dict[str, Any] = {
        "path": "sleeps",
        "data_selector": "records",
        "paginator": {"type": "cursor", "cursor_path": "next_token", "cursor_param": "cursor"},
    }
    if options.new:
        latest = newest(options.database)
        endpoint["params"] = {"start": {"type": "incremental", "cursor_path": "start", "initial_value": latest}}
    merge = {"disposition": "merge", "strategy": "upsert"} if tuned else "merge"
    sleeps: dict[str, Any] = {"name": "sleeps", "endpoint": endpoint}
    source = rest_api_source(
        {
            "client": {"base_url": options.url},
            "resource_defaults": {"primary_key": "id", "write_disposition": merge},
            "resources": [sleeps],
        },
        max_table_nesting=0 if tuned else None,
    )
    destination = dlt.destinations.postgres(credentials=credentials(options.database))
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench")
    print(pipeline.run(source, loader_file_format="csv" if tuned else None))


if __name__ == "__main__":
    main()
