"""From bytes to rows: what fits, what does not, and what must not stop its neighbours."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_made import connector, resource

from hde.errors import Unreadable
from hde.rows import RawRow, UnreadRow
from hde.source import scan
from hde.source.exact import decode_exactly, exact_text
from hde.source.reader import RowReader, raw_table
from hde.source.records import Body, split
from hde.spec.connector import RawColumn


@pytest.mark.parametrize(
    ("body", "path", "texts"),
    [
        (b' [ {"a" : 1} , {"b":2}] ', None, [b'{"a" : 1}', b'{"b":2}']),
        (b'{"a": 1}\n', None, [b'{"a": 1}']),
        (b'{"x": {"y": [1.10, {"a":1e2}]}}', "x.y", [b"1.10", b'{"a":1e2}']),
        (b'{"x": {"a": 1}}', "x", [b'{"a": 1}']),
        (b'{"r": []}', "r", []),
        (b'{"e": [{"r": {"v": 1.10}}, {"r": {"v": 123456789012345678901234567890}}]}', "e[].r",
         [b'{"v":1.10}', b'{"v":123456789012345678901234567890}']),
        (b'{"e": [{"s": 1.5, "k": 1}, {"s": 2.50, "k": 2}]}', "e[?s > `2`]", [b'{"s":2.50,"k":2}']),
        (b"{}", "e[] || `[]`", []),
        (b'{"r": [{"a": "\\ud800"}, {"b": 1}]}', "r", [b'{"a": "\\ud800"}', b'{"b": 1}']),
        (b'{"r": [{"a": NaN}, {"b": "]}\\""}], "n": {}}', "r", [b'{"a": NaN}', b'{"b": "]}\\""}']),
        (b'{"r": [], "r": [{"a": "\\ud800"}]}', "r", [b'{"a": "\\ud800"}']),
    ],
)  # fmt: skip
def test_records_are_cut_out_as_received(body, path, texts):
    assert split(body, path) == texts


NO_LIST = "an absent list is not an empty one (write r || `[]` where it is)"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"data": {"items": [], "next": "x"}}',
         f"records: 'r' leads to nothing in the answer; {NO_LIST}. There is a list at data.items"),
        (b'{"a": [1], "b": [2], "r": null}',
         f"records: 'r' leads to nothing in the answer; {NO_LIST}. There is a list at a and at b"),
        (b'{"person-17": [1], "17": [1]}', f"records: 'r' leads to nothing in the answer; {NO_LIST}"),
        (b"[1]", "records: 'r' leads to nothing: the answer itself is a list; leave `records` out"),
        (b'{"r": 5}', f"records: 'r' leads to neither a list nor an object in the answer; {NO_LIST}"),
    ],
)  # fmt: skip
def test_records_that_lead_to_nothing_say_where_lists_are_and_never_what_is_in_them(body, said):
    with pytest.raises(Unreadable) as raised:
        split(body, "r")
    assert str(raised.value) == said


@pytest.mark.parametrize("text", [b"[", b"[1,", b'["a]', b"[1}", b"[1] 2", b"[,1]", b"", b"{1:2}", b'{"a" 1}', b"1"])
def test_the_scanner_refuses_what_is_cut_off(text):
    with pytest.raises(scan.Unbalanced):
        scan.members(text) if text[:1] == b"{" else scan.elements(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES), st.dictionaries(st.text(), VALUES))
def test_the_scanner_cuts_as_a_parser_would(items, members):
    for ascii_ in (True, False):
        texts = scan.elements(json.dumps(items, ensure_ascii=ascii_).encode("utf-8", "surrogatepass"))
        assert [json.loads(text) for text in texts] == items
    found = scan.members(json.dumps(members, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    assert {name: json.loads(text) for name, text in found.items()} == members


@given(VALUES)
def test_exact_text_changes_nothing(value):
    text = json.dumps(value)
    assert json.loads(exact_text(decode_exactly(text.encode()))) == value


@pytest.mark.parametrize(
    "text", ["1.10", "1e2", "-0.0", "123456789012345678901234567890", "1e400", "0.1000000000000000055"]
)
def test_numbers_keep_their_digits(text):
    assert exact_text(decode_exactly(text.encode())) == text


def test_exact_numbers_count_in_expressions():
    body = Body(b'{"a": [{"v": 1.5}, {"v": 2.25}]}')
    assert body.value("sum(a[].v)") == 3.75
    assert body.value("max_by(a, &v).v") == 2.25


@pytest.mark.parametrize("path", ["join('', a)", "sum(a)", "abs(b)"])
def test_an_expression_that_fails_on_an_answer_is_unreadable(path):
    with pytest.raises(Unreadable, match="cannot be read"):
        Body(b'{"a": {}, "b": "x"}').value(path)


@pytest.mark.parametrize(
    ("owner", "is_refused"),
    [
        (b"10129", False),
        (b'"10129"', False),
        (b'"Member/10129"', False),
        (b'"https://api.example.com/Member/10129"', False),
        (b"null", False),
        (b"10128", True),
        (b'"Member/110129"', True),
        (b'"Member/10129/x"', True),
        (b'""', True),
    ],
)
@pytest.mark.parametrize("key", ["id", "owner"])
@pytest.mark.parametrize("as_deep", [False, True])
def test_a_record_that_names_another_account_is_refused(
    owner: bytes, is_refused: bool, key: str, as_deep: bool
) -> None:
    if owner == b"null" and key == "owner":
        return
    path, type_ = "of.owner" if as_deep else "owner", "text" if owner[:1] == b'"' else "bigint"
    names = RawColumn("owner", type_, path, names="account")  # type: ignore[arg-type]
    of = replace(resource(key=(key,)), columns=(RawColumn("id", "bigint", "id"), names))
    reader = RowReader(of, {"account": {"id": "10129"}})
    record = b'{"id": 1, "of": {"owner": ' + owner + b'}, "owner": ' + owner + b"}"
    for row in (reader.read(record), reader.identify(record)):
        for found in (row, row.read(), row.trusted()) if not isinstance(row, list) else (row,):
            if is_refused and not isinstance(found, UnreadRow):
                (issue,) = found
                assert issue.rule == "names another account"
                assert "1012" not in repr(issue)
            elif not is_refused:
                assert not isinstance(found, list)


UNSTORABLE = [
    (rb'"a\u0000b"', '"a\ufffdb"', "NUL character"),
    (rb'"a\ud800b"', '"a\ufffdb"', "lone surrogate"),
    (rb'"\udc00\ud83d\ude00"', '"\ufffd\\ud83d\\ude00"', "lone surrogate"),
    (b'"\xff"', '"\ufffd"', "invalid UTF-8"),
    (b"1e400000", '"1e400000"', "number out of range"),
    (b"1e-20000", '"1e-20000"', "number out of range"),
    (b"NaN", '"NaN"', "number out of range"),
    (b"-Infinity", '"-Infinity"', "number out of range"),
]


@pytest.mark.parametrize("columns", [{"id": "bigint"}, {"id": "bigint", "join('', ['a'])": "text"}])
@pytest.mark.parametrize(("text", "stored", "rule"), UNSTORABLE)
def test_what_jsonb_cannot_hold_is_replaced_and_kept_as_received(text, stored, rule, columns):
    received = b'{"id": 1, "deep": [{"v": ' + text + b"}]}"
    row = RowReader(resource(columns=columns), {}).read(received)
    assert isinstance(row, RawRow)
    assert row.payload.decode() == '{"id": 1, "deep": [{"v": ' + stored + "}]}"
    assert (row.received, [issue.rule for issue in row.issues]) == (received, [rule])
    assert row.hash == sha256(received).digest()[:16]


@pytest.mark.parametrize(
    "text", [rb'"\\u0000"', rb'"\\ud800"', b"1e400", b"9" * 500, rb'"\ud83d\ude00"', b"1e-300", b"[]"]
)
def test_what_jsonb_can_hold_stays_as_received(text):
    received = b'{"id": 1, "v": ' + text + b"}"
    row = RowReader(resource(), {}).read(received)
    assert isinstance(row, RawRow)
    assert (row.payload, row.received, row.issues) == (received, None, ())


def test_a_number_of_too_many_digits_is_stored_as_text():
    received = b'{"id": 1, "v": 0.' + b"1" * 17_000 + b"}"
    row = RowReader(resource(), {}).read(received)
    assert isinstance(row, RawRow)
    assert row.payload == b'{"id": 1, "v": "0.' + b"1" * 17_000 + b'"}'


def test_keys_that_had_to_be_changed_are_no_keys():
    problems = RowReader(resource(columns={"id": "text"}), {}).read(rb'{"id": "a\u0000"}')
    assert [issue.rule for issue in problems] == ["key holds what cannot be stored"]


@pytest.mark.parametrize(("depth", "is_row"), [(150, True), (190, True), (210, False), (5000, False)])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_records_are_read_down_to_a_depth(depth, is_row, pair):
    text = b'{"id": 1, "v": ' + pair[0] * depth + b"1" + pair[1] * depth + b"}"
    found = RowReader(resource(columns={"id": "bigint", "v": "jsonb"}), {}).read(text)
    assert isinstance(found, RawRow) is is_row
    assert split(b"[" + text + b"]", None) == [text]


def test_brackets_inside_text_are_no_depth():
    assert isinstance(RowReader(resource(), {}).read(b'{"id": 1, "v": "' + b"[" * 3000 + b'"}'), RawRow)


@pytest.mark.parametrize("text", [b'{"id": 01}', b'{"id": 1,}', b'{"id": "\x01"}', b'{"id": "\\x"}', b"{'id': 1}", b""])
def test_a_record_that_is_no_json_cannot_be_stored(text):
    assert [issue.rule for issue in RowReader(resource(), {}).read(text)] == ["not JSON"]


def test_no_key_is_one_row_per_account():
    row = RowReader(resource(key=()), {}).read(b'{"id": 1}')
    assert isinstance(row, RawRow)
    assert row.key == ()


@given(VALUES)
def test_nothing_a_record_holds_raises(value):
    columns = {"id": "bigint", "a": "timestamptz", "a.b": "numeric", "[0]": "jsonb", "b": "uuid", "c": "date"}
    for columns_ in (columns, {"id": "text"}):
        reader = RowReader(resource(columns=columns_), {})
        for document in (value, {"id": value}, {"id": 1, "a": value, "b": value, "c": value}):
            found = reader.read(json.dumps(document).encode())
            assert isinstance(found, RawRow | list)
            if isinstance(found, RawRow):
                msgspec.json.decode(found.payload)
                assert None not in found.key


@given(st.one_of(VALUES, st.floats(allow_nan=True), st.sampled_from([1e300, 5.0, "a\0", "\ud800", "é", "\\", 10**30])))
def test_a_record_that_is_identified_first_reads_as_if_it_were_read_at_once(value):
    columns = {"id": "text", "a": "bigint", "a.b": "float", "b": "timestamptz"}
    for key in (("id",), ("a",), ("a.b",), ("id", "b"), ()):
        reader = RowReader(resource(columns=columns, key=tuple(name.replace(".", "_") for name in key)), {})
        for document in ({"id": value}, {"id": "1", "a": value, "b": value}, {"a": {"b": value}, "id": value}, value):
            text = json.dumps(document).encode()
            found, read = reader.identify(text), reader.read(text)
            if isinstance(found, list):
                assert found == read
            else:
                assert found.read() == read
                assert isinstance(read, list) or (found.key, found.hash) == (read.key, read.hash)
                if isinstance(read, RawRow) and read.received is None:
                    assert found.trusted() == read


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("bigint", "5.0", "5"),
        ("bigint", "5.00000000000000000001", None),
        ("int", "1e2", "100"),
        ("float", "1.10", "1.10"),
        ("float", "1e-400", "0.0"),
        ("float", "1e309", None),
        ("numeric", "1.10", "1.10"),
        ("numeric", "0.1000000000000000000001", "0.1000000000000000000001"),
        ("jsonb", "[1.10]", "[1.10]"),
    ],
)
def test_numbers_are_read_as_exactly_as_their_column_shows_them(type_, text, value):
    row = RowReader(resource(columns={"id": "text", "v": type_}), {}).read(b'{"id": "1", "v": ' + text.encode() + b"}")
    assert row.values == ("1", value)
    assert bool(row.issues) is (value is None)


def test_a_raw_table_is_what_the_resource_declares():
    what = resource(columns={"id": "bigint", "a.b": "text"}, volatile=("meta.lastUpdated",), observe=True)
    table = raw_table(connector("http://h", name="my-source"), what)
    assert (table.schema, table.name, table.columns) == ("my_source_raw", "things", (("id", "bigint"), ("a_b", "text")))
    assert (table.key, table.observe, table.volatile) == (("id",), True, (("meta", "lastUpdated"),))
