"""A loader tuned to the end: pycurl in a thread of its own, records as slices of the answer, rows of COPY written out
by hand and sorted by key, and only what differs from what is stored is merged, found by index probes."""

from __future__ import annotations

import threading
from io import BytesIO
from queue import Queue
from typing import Any
from urllib.parse import urlencode

import msgspec
import psycopg
import pycurl
from common import BATCH, CREATE, asked, newest

PLAN = "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
MERGE = """
    INSERT INTO records SELECT * FROM incoming AS i
    WHERE NOT EXISTS (SELECT FROM records AS r WHERE r.id = i.id AND r.payload = i.payload)
    ON CONFLICT (id) DO UPDATE SET "start" = EXCLUDED."start", "end" = EXCLUDED."end",
        updated_at = EXCLUDED.updated_at, timezone_offset = EXCLUDED.timezone_offset, payload = EXCLUDED.payload
"""
ESCAPED = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"))


class Page(msgspec.Struct):
    records: list[msgspec.Raw]
    next_token: str | None


class Columns(msgspec.Struct):
    id: str
    start: str
    end: str
    updated_at: str
    timezone_offset: str


Row = tuple[Columns, msgspec.Raw]
Pages = Queue[list[Row] | BaseException | None]


def fetch(url: str, params: dict[str, str], pages: Pages) -> None:
    """Puts every page's rows on the queue, None at the end."""
    decode_page, decode_columns = msgspec.json.Decoder(Page).decode, msgspec.json.Decoder(Columns).decode
    curl = pycurl.Curl()
    curl.setopt(pycurl.FAILONERROR, True)
    try:
        while True:
            body = BytesIO()
            curl.setopt(pycurl.URL, f"{url}/sleeps?{urlencode(params)}")
            curl.setopt(pycurl.WRITEDATA, body)
            curl.perform()
            page = decode_page(body.getvalue())
            pages.put([(decode_columns(raw), raw) for raw in page.records])
            if not page.next_token:
                return pages.put(None)
            params = {"cursor": page.next_token}
    except BaseException as error:
        pages.put(error)
        raise


def line(row: Row) -> bytes:
    columns, raw = row
    payload = bytes(raw)
    for character, escape in ESCAPED:
        if character in payload:
            payload = payload.replace(character, escape)
    head = f"{columns.id}\t{columns.start}\t{columns.end}\t{columns.updated_at}\t{columns.timezone_offset}\t"
    return head.encode() + payload


def merge(connection: psycopg.Connection[Any], batch: list[Row]) -> None:
    batch.sort(key=lambda row: row[0].id)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE records) ON COMMIT DELETE ROWS")
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            copy.write(b"".join(line(row) + b"\n" for row in batch))
        cursor.execute(PLAN)
        cursor.execute(MERGE)


def main() -> None:
    options = asked()
    with psycopg.connect(options.database, autocommit=True) as connection:
        connection.execute(CREATE)
        params = newest(connection) if options.new else {}
        pages: Pages = Queue(maxsize=10)
        threading.Thread(target=fetch, args=(options.url, params, pages), daemon=True).start()
        batch: list[Row] = []
        while (page := pages.get()) is not None:
            if isinstance(page, BaseException):
                raise page
            batch += page
            if len(batch) >= BATCH:
                merge(connection, batch)
                batch = []
        merge(connection, batch)


if __name__ == "__main__":
    main()
