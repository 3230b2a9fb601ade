"""What fits a column, what does not, and where columns are found."""

from __future__ import annotations

import pytest
from source_made import resource

from hde.rows import RawRow
from hde.source.reader import RowReader


def read(type_, text, *, key=False):
    what = resource(columns={"id": "text", "v": type_}, key=("id", "v") if key else ("id",))
    return RowReader(what, {}).read(b'{"id": "1", "v": ' + text.encode() + b"}")


FITS = [
    ("text", '"a"', "a"), ("text", '""', ""), ("text", '"\\u00e9\\ud83d\\ude00"', "é😀"),
    ("int", "5", "5"), ("int", "-2147483648", "-2147483648"), ("int", "10.0", "10"), ("int", "1e2", "100"),
    ("bigint", "9223372036854775807", "9223372036854775807"), ("bigint", '"42"', "42"), ("bigint", "-3.0", "-3"),
    ("bigint", '"-9223372036854775808"', "-9223372036854775808"),
    ("float", "1.5", "1.5"), ("float", "3", "3.0"), ("float", "1e-400", "0.0"), ("float", "1e5", "100000.0"),
    ("float", "0.1000000000000000055511151231257827", "0.1"),
    ("numeric", "1.10", "1.10"), ("numeric", "123456789012345678901234567890.5", "123456789012345678901234567890.5"),
    ("numeric", '"1.50"', "1.50"), ("numeric", "7", "7"), ("numeric", "1e400", "1e400"),
    ("boolean", "true", "t"), ("boolean", "false", "f"),
    ("date", '"2024-02-29"', "2024-02-29"),
    ("timestamptz", '"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z"),
    ("timestamptz", '"2026-01-01T00:00:00.123456Z"', "2026-01-01T00:00:00.123456Z"),
    ("timestamptz", '"2026-01-01T02:00:00+02:00"', "2026-01-01 00:00:00+00"),
    ("timestamptz", '"2026-01-01t00:00:00.1234567z"', "2026-01-01 00:00:00.123456+00"),
    ("timestamptz", '"9999-12-31T23:59:59Z"', "9999-12-31T23:59:59Z"),
    ("timestamptz", '"0001-01-01T00:00:00Z"', "0001-01-01T00:00:00Z"),
    ("uuid", '"ECFC6A15-4661-442f-a9a4-f160dd7afae8"', "ecfc6a15-4661-442f-a9a4-f160dd7afae8"),
    ("uuid", '"ecfc6a154661442fa9a4f160dd7afae8"', "ecfc6a15-4661-442f-a9a4-f160dd7afae8"),
    ("jsonb", '{"a": [1.10, "x"]}', '{"a":[1.10,"x"]}'), ("jsonb", '"x"', '"x"'), ("jsonb", "false", "false"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "value"), FITS)
def test_what_fits_a_column(type_, text, value):
    row = read(type_, text)
    assert isinstance(row, RawRow)
    assert (row.values, row.issues) == (("1", value), ())
    assert type(row.values[1]) is str


MISFITS = [
    ("text", "5", "type", "number"), ("text", "1.5", "type", "number"), ("text", "true", "type", "boolean"),
    ("text", "[]", "type", "array"),
    ("int", "2147483648", "range", "number"), ("int", "1.5", "form", "number"), ("int", '"5"', "type", "string"),
    ("int", "true", "type", "boolean"), ("int", "1.00000000000000000001", "form", "number"),
    ("bigint", "9223372036854775808", "range", "number"), ("bigint", '"1_000"', "form", "string"),
    ("bigint", '" 12"', "form", "string"), ("bigint", '"0x1F"', "form", "string"),
    ("bigint", '"007"', "form", "string"),
    ("bigint", '"٣"', "form", "string"), ("bigint", '""', "form", "string"), ("bigint", "1e30", "range", "number"),
    ("bigint", '"9999999999999999999"', "range", "string"),
    ("float", '"1.5"', "type", "string"), ("float", "1e400", "range", "number out of range"),
    ("float", "true", "type", "boolean"), ("float", "9" * 400, "range", "number"),
    ("numeric", '"NaN"', "form", "string"), ("numeric", '"1,5"', "form", "string"), ("numeric", "{}", "type", "object"),
    ("boolean", "1", "type", "number"), ("boolean", '"yes"', "type", "string"),
    ("date", '"2023-02-29"', "form", "string"), ("date", '"2026-1-1"', "form", "string"),
    ("date", '"01/02/2026"', "form", "string"), ("date", '"2026-01-01T00:00:00Z"', "form", "string"),
    ("timestamptz", '"now"', "form", "string"), ("timestamptz", '"infinity"', "form", "string"),
    ("timestamptz", '"2026-01-01T00:00:00"', "form", "string"), ("timestamptz", "1767225600", "type", "number"),
    ("timestamptz", '"2026-W01-1T00:00:00Z"', "form", "string"), ("timestamptz", '"2026-01-01"', "form", "string"),
    ("timestamptz", '"2026-02-30T00:00:00Z"', "form", "string"), ("timestamptz", '""', "form", "string"),
    ("timestamptz", '"10000-01-01T00:00:00Z"', "form", "string"),
    ("timestamptz", '"2026-01-01T00:00:00+16:00"', "form", "string"),
    ("timestamptz", '"2026-01-01T00:00:00,5Z"', "form", "string"),
    ("timestamptz", '"0001-01-01T00:00:00+10:00"', "form", "string"),
    ("uuid", '"{ecfc6a15-4661-442f-a9a4-f160dd7afae8}"', "form", "string"), ("uuid", '"x"', "form", "string"),
    ("uuid", '"ecfc6a15 4661 442f a9a4 f160dd7afae8"', "form", "string"), ("uuid", "5", "type", "number"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "rule", "json_type"), MISFITS)
def test_what_does_not_fit_is_an_issue_and_null(type_, text, rule, json_type):
    row = read(type_, text)
    assert isinstance(row, RawRow)
    assert row.values == ("1", None)
    [issue] = row.issues
    assert (issue.path, issue.rule, issue.json_type) == ("v", f"{type_}: {rule}", json_type)
    assert row.payload == b'{"id": "1", "v": ' + text.encode() + b"}"


@pytest.mark.parametrize(("type_", "text", "value"), [
    ("timestamptz", '"2026-01-01T00:00:00.500Z"', "2026-01-01 00:00:00.5+00"),
    ("timestamptz", '"2026-01-01T01:00:00.000+01:00"', "2026-01-01 00:00:00+00"),
    ("float", "10", "10"), ("float", "1.5", "1.5"),
])  # fmt: skip
def test_keys_are_written_as_postgres_prints_them(type_, text, value):
    row = read(type_, text, key=True)
    assert isinstance(row, RawRow)
    assert row.key == ("1", value)


@pytest.mark.parametrize("text", ["null", '"x"', '"' + "9" * 3000 + '"'])
def test_a_record_without_a_readable_key_cannot_be_stored(text):
    assert [issue.path for issue in read("bigint" if text != '"x"' else "uuid", text, key=True)] == ["v"]


def test_a_key_beyond_an_index_entry_cannot_be_stored():
    [issue] = read("text", '"' + "x" * 3000 + '"', key=True)
    assert (issue.rule, issue.length) == ("key too long", 3000)


def test_columns_are_found_where_they_are_said_to_be():
    columns = {
        "id": "bigint",
        "a.b": "text",
        "a.c.d": "int",
        "x-y.z": "text",
        "l[0].v": "numeric",
        "$account.id": "text",
    }
    reader = RowReader(resource(columns=columns), {"account": {"id": "me"}})
    row = reader.read(b'{"id": 1, "a": {"b": "b", "c": {"d": 4}}, "x-y": {"z": "z"}, "l": [{"v": 1.10}]}')
    assert isinstance(row, RawRow)
    assert row.values == ("1", "b", "4", "z", "1.10", "me")
    row = reader.read(b'{"id": 2, "a": {"c": "no object"}, "x-y": null}')
    assert isinstance(row, RawRow)
    assert (row.values, row.issues) == (("2", None, None, None, None, "me"), ())


def test_an_expression_that_fails_is_an_issue():
    row = RowReader(resource(columns={"id": "bigint", "abs(v)": "float"}), {}).read(b'{"id": 1, "v": "x"}')
    assert isinstance(row, RawRow)
    assert [(issue.path, issue.rule) for issue in row.issues] == [("abs(v)", "expression fails")]


def test_issues_hold_no_value():
    row = read("uuid", '"patient Mary"')
    assert "Mary" not in repr(row.issues)
