"""What the reader lets through, Postgres takes as it stands: one refusal would lose a whole batch."""

from __future__ import annotations

import psycopg
import pytest
from source_made import resource
from test_source_columns import FITS
from test_source_records import UNSTORABLE

from hde.rows import RawRow
from hde.source.reader import RowReader

SQL = {"int": "integer", "float": "double precision"}
EDGES = [
    b"1e131071", b"1e131072", b"1e-16383", b"1e-16384", b"9" * 131072, b"9" * 131073, b"0." + b"1" * 16383,
    b"0." + b"1" * 16384, b"12.5e131070", b"12.5e131071", b"0e999999", b"0.0e-99999", b"1e400", b"1e400000",
    rb'"\u0000"', rb'"\\u0000"', rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d\ude00"', b'"\xff"', b'"\xed\xa0\x80"',
    b"[" * 150 + b"]" * 150, b'"\\u0001"', b"-0", b"-0.0", b"1E+5",
]  # fmt: skip


def test_values_are_taken_and_mean_the_same(server):
    with psycopg.connect(server) as connection:
        for type_, text, _ in FITS:
            row = RowReader(resource(columns={"id": "text", "v": type_}), {}).read(
                b'{"id": "1", "v": ' + text.encode() + b"}"
            )
            assert isinstance(row, RawRow)
            sql = SQL.get(type_, type_)
            connection.execute(f"SELECT %s::text::{sql}", [row.values[1]])


@pytest.mark.parametrize("type_", ["timestamptz", "float", "bigint", "uuid", "date", "text", "boolean"])
def test_keys_are_what_postgres_prints(server, type_):
    with psycopg.connect(server, options="-c TimeZone=UTC -c DateStyle=ISO") as connection:
        for text in [text for kind, text, _ in FITS if kind == type_]:
            row = RowReader(resource(columns={"v": type_}, key=("v",)), {}).read(b'{"v": ' + text.encode() + b"}")
            assert isinstance(row, RawRow)
            # As a value of any type is sent to a client: a cast to text spells booleans out.
            printed = connection.execute(f"SELECT format('%%s', %s::text::{SQL.get(type_, type_)})", row.key).fetchone()
            assert printed == row.key


@pytest.mark.parametrize(
    "columns", [{"id": "bigint"}, {"id": "bigint", "v": "jsonb"}, {"id": "bigint", "[0]": "jsonb"}]
)
def test_payloads_are_taken_by_jsonb(server, columns):
    with psycopg.connect(server, autocommit=True) as connection:
        for text in [*EDGES, *(text for text, _, _ in UNSTORABLE)]:
            row = RowReader(resource(columns=columns), {}).read(b'{"id": 1, "v": ' + text + b"}")
            assert isinstance(row, RawRow)
            connection.execute("SELECT %s::text::jsonb", [row.payload.decode()])
            if (row.values[-1] or "1") != "1":
                connection.execute("SELECT %s::text::jsonb", [row.values[-1]])
