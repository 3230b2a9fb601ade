"""Answers over HTTP that are not one JSON document: read by their format, refused where they are something else."""

from __future__ import annotations

import io
import zipfile
from itertools import count

import pytest
from source_made import Reply, resource

from hde.errors import Refused, Unreadable
from hde.source.pages import read_pages
from hde.spec.connector import Cursor, ErrorRule, Format, PageNumber, Where

CSV, XML, NDJSON = Format("csv"), Format("xml"), Format("ndjson")
TEXT = {"Content-Type": "text/csv; charset=utf-8"}


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return packed.getvalue()


def pages(session, **parts):
    numbers = count()
    return list(read_pages(session, resource(**parts), None, arrived=lambda: next(numbers)))


def values(found):
    return [row.values for page in found for row in page.read()[0]]


@pytest.mark.parametrize(
    ("format", "records", "body"),
    [
        (CSV, None, b"\xef\xbb\xbfid,name\r\n1,a\r\n2,\r\n"),
        (Format("csv", delimiter=";", skip=1), None, b"export\nid;name\n1;a\n2;\n"),
        (NDJSON, None, b'{"id": 1, "name": "a"}\n\n{"id": 2, "name": null}\n'),
        (XML, "e", b"<r><e id='1'><name>a</name></e><e id='2'><name/></e></r>"),
        (XML, "es.e[]", b"<r><es><e id='1'><name>a</name></e><e id='2'><name/></e></es></r>"),
        (Format("csv", zip="*.csv"), None, zipped(a_csv="id,name\n1,a\n", b_csv="id,name\n2,\n", c_txt="no")),
        (Format("xml", zip="**/e.xml"), "e", zipped(x__e_xml="<r><e id='1' name='a'/><e id='2'/></r>")),
        (Format("json", zip="*.json"), "r", zipped(x_json='{"r": [{"id": 1, "name": "a"}, {"id": 2}]}')),
    ],
)  # fmt: skip
def test_an_answer_is_read_by_its_format(source, open_session, format, records, body):
    source.in_turn(Reply(body, headers=TEXT))
    parts = {"format": format, "records": records, "columns": {"id": "bigint", "name": "text"}}
    assert values(pages(open_session(), **parts)) == [("1", "a"), ("2", None)]


@pytest.mark.parametrize(
    ("format", "reply", "message"),
    [
        (CSV, Reply(b"<!DOCTYPE html><html>", headers={"Content-Type": "text/html"}),
         "the answer is not CSV but text/html, beginning with <!DOCTYPE>"),
        (CSV, Reply(b"<html><body>", headers=TEXT), "the answer is not CSV but text/csv, beginning with <html>"),
        (CSV, Reply({"error": "no"}), "the answer is not CSV but application/json, beginning with {"),
        (XML, Reply({"error": "no"}), "the answer is not XML but application/json, beginning with {"),
        (XML, Reply(b"<html>", headers={"Content-Type": "text/html"}),
         "the answer is not XML but text/html, beginning with <html>"),
        (NDJSON, Reply(b"<html>", headers={"Content-Type": "text/html"}),
         "the answer is not NDJSON but text/html, beginning with <html>"),
        (Format("csv", zip="*"), Reply(b"id\n1\n", headers=TEXT), "the answer is not a ZIP but text/csv"),
        (Format("csv", zip="*.csv"), Reply(zipped(a_txt="id\n1\n")),
         "none of the 1 files in the ZIP matches '*.csv'"),
        (Format("csv", zip="*"), Reply(b"PK\3\4 and no more"), "the ZIP is damaged (BadZipFile)"),
        (Format("csv", zip="**"), Reply(zipped(______a_csv="id\n1\n").replace(b"///a", b"../a")),
         "the ZIP holds a name that leads out of it; nothing of it is read"),
        (CSV, Reply(b"id\n1\n2", headers=TEXT), None),
        (Format("csv", header=("id", "b")), Reply(b"1,2\n3", headers=TEXT), "line 2: cut off (1 cells of 2)"),
    ],
)  # fmt: skip
def test_something_else_is_no_data(source, open_session, format, reply, message):
    source.in_turn(reply)
    if message is None:
        assert values(pages(open_session(), format=format)) == [("1",), ("2",)]
        return
    with pytest.raises(Unreadable) as caught:
        pages(open_session(), format=format)
    assert str(caught.value).endswith(message)


def test_a_header_in_angle_brackets_is_csv(source, open_session):
    source.in_turn(Reply(b"<id>,<b>\n1,2\n", headers=TEXT))
    [row] = [row for page in pages(open_session(), format=CSV, columns={'"<id>"': "int"}, key=()) for row in page.rows]
    assert row.read().values == ("1",)


def test_bad_records_stop_only_themselves(source, open_session):
    source.in_turn(Reply(b"id,b\n1,2,3\n2,3\nx,4\n", headers=TEXT))
    [page] = pages(open_session(), format=CSV)
    assert [row.values for row in page.read()[0]] == [("2",)]
    assert [(issue.path, issue.rule) for issue in page.unkeyed] == [
        ("", "more cells than the header"),
        ("id", "bigint: form"),
    ]


def test_a_zip_that_unpacks_to_far_too_much_is_left(source, open_session, monkeypatch):
    monkeypatch.setattr("hde.source.unpacking.HARMLESS", 10_000)
    source.in_turn(Reply(zipped(a_csv="id\n" + "1" * 1_000_000)))
    with pytest.raises(Unreadable, match="unpacks to more than 200 times its size"):
        pages(open_session(), format=Format("csv", zip="*.csv"))


def test_pages_of_xml_are_followed_by_a_path_below_the_root(source, open_session):
    source.in_turn(
        Reply(b"<r><next>2</next><e id='1'/></r>"),
        Reply(b"<r><next/><e id='2'/></r>"),
    )
    found = pages(
        open_session(),
        format=XML,
        records="e",
        params={"page": "{{ page.cursor }}"},
        pagination=Cursor(Where("next")),
    )
    assert values(found) == [("1",), ("2",)]
    assert [seen["page"] for seen in source.seen] == [None, "2"]


def test_pages_of_csv_end_with_the_one_that_has_no_rows(source, open_session):
    source.answer = lambda seen: Reply(b"id\n" + (f"{seen['p']}\n".encode() if int(seen["p"]) < 3 else b""))
    found = pages(open_session(), format=CSV, params={"p": "{{ page.number }}"}, pagination=PageNumber())
    assert values(found) == [("1",), ("2",)]


def test_error_rules_read_xml_and_the_json_of_a_source_of_csv(source, open_session):
    rule = ErrorRule("fail", body="code == '7' || code == `7`", message="text")
    for format, body in ((XML, b"<e><code>7</code><text>quota</text></e>"), (CSV, b'{"code": 7, "text": "quota"}')):
        source.in_turn(Reply(body))
        with pytest.raises(Refused, match="answers 200: quota"):
            pages(open_session(), format=format, errors=(rule,))


TYPED = [
    ("int", "42", "42"),
    ("int", " 42 ", "42"),
    ("int", "+5", "5"),
    ("int", "007", "7"),
    ("int", "-0", "0"),
    ("int", "4.0", "4"),
    ("int", "4.5", None),
    ("int", "99999999999", None),
    ("int", "1_000", None),
    ("int", "0x10", None),
    ("int", "-", None),
    ("bigint", "9007199254740993", "9007199254740993"),
    ("float", "1,5", None),
    ("float", "1.50", "1.5"),
    ("float", ".5", "0.5"),
    ("float", "1e3", "1000.0"),
    ("float", "NaN", None),
    ("float", "inf", None),
    ("float", "٣", None),
    ("numeric", "1.10", "1.10"),
    ("numeric", "123456789012345678901234567890.10", "123456789012345678901234567890.10"),
    ("boolean", "TRUE", "t"),
    ("boolean", "0", "f"),
    ("boolean", "yes", None),
    ("date", "2026-01-31", "2026-01-31"),
    ("date", "31.01.2026", None),
    ("timestamptz", "2026-01-31T22:00:00Z", "2026-01-31T22:00:00Z"),
    ("timestamptz", "now", None),
    ("uuid", "0D0E6C1A-0000-4000-8000-000000000001", "0d0e6c1a-0000-4000-8000-000000000001"),
    ("text", " 42 ", " 42 "),
    ("jsonb", "[1.10]", "[1.10]"),
    ("jsonb", "low", '"low"'),
]


@pytest.mark.parametrize(("type_", "cell", "value"), TYPED)
def test_text_that_is_wholly_of_a_type_is_read_as_it(source, open_session, type_, cell, value):
    source.in_turn(Reply(f'id;v\n1;"{cell}"\n'.encode(), headers=TEXT))
    [page] = pages(open_session(), format=Format("csv", delimiter=";"), columns={"id": "bigint", "v": type_})
    assert [row.values for row in page.read()[0]] == [("1", value)]
    assert [issue.path for row in page.read()[0] for issue in row.issues] == ([] if value is not None else ["v"])


def test_json_keeps_to_its_own_types(source, open_session):
    source.in_turn(Reply([{"id": 1, "v": "4.5"}]))
    [page] = pages(open_session(), columns={"id": "bigint", "v": "float"})
    assert [row.values for row in page.read()[0]] == [("1", None)]
