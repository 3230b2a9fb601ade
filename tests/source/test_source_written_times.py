"""Raw columns of times that are written otherwise than RFC 3339."""

from __future__ import annotations

import pytest

from hde.rows import RawRow
from hde.source.reader import RowReader
from hde.spec.connector import ColumnType, RawColumn, Request, Resource
from hde.spec.template import compile_template


def read(kind: ColumnType, time: str, value: str) -> str | tuple[str, ...] | None:
    """The column's text, or the rules its value breaks."""
    columns = (RawColumn("id", "int", "id"), RawColumn("at", kind, "at", time))
    reader = RowReader(Resource("things", Request(compile_template("/")), ("id",), columns), {})
    row = reader.read(f'{{"id": 1, "at": {value}}}'.encode())
    assert isinstance(row, RawRow)
    return tuple(issue.rule for issue in row.issues) or row.values[1]


@pytest.mark.parametrize(
    ("kind", "time", "value", "expected"),
    [
        ("timestamptz", "epoch", "1767225600", "2026-01-01 00:00:00+00"),
        ("timestamptz", "epoch", '"1767225600"', "2026-01-01 00:00:00+00"),
        ("timestamptz", "epoch", "1767225600.25", "2026-01-01 00:00:00.25+00"),
        ("timestamptz", "epoch", "-1", "1969-12-31 23:59:59+00"),
        ("timestamptz", "epoch_ms", "1767225600123", "2026-01-01 00:00:00.123+00"),
        ("timestamptz", "epoch", "null", None),
        ("timestamptz", "epoch", "true", ("timestamptz: type",)),
        ("timestamptz", "epoch", '"soon"', ("timestamptz: form",)),
        ("timestamptz", "epoch", "1e40", ("timestamptz: range",)),
        ("timestamptz", "%Y-%m-%dT%H:%M:%S", '"2026-01-01T08:00:00"', "2026-01-01 08:00:00+00"),
        ("timestamptz", "%d.%m.%Y %H:%M%z", '"01.01.2026 08:00+0100"', "2026-01-01 07:00:00+00"),
        ("timestamptz", "%Y-%m-%d %H:%M", '"2026-02-30 08:00"', ("timestamptz: form",)),
        ("timestamptz", "%Y-%m-%d %H:%M", "7", ("timestamptz: type",)),
        ("date", "%Y%m%d", '"20260131"', "2026-01-31"),
        ("date", "%Y%m%d", '"2026-01-31"', ("date: form",)),
    ],
)
def test_a_time_is_read_as_the_column_says(
    kind: ColumnType, time: str, value: str, expected: str | tuple[str, ...] | None
) -> None:
    assert read(kind, time, value) == expected
