"""Records out of NDJSON, CSV, XML and JSON of any size: every quirk, and what must not stop its neighbours."""

from __future__ import annotations

import io
import json

import msgspec
import pytest

from hde.errors import Unreadable
from hde.issues import Issue
from hde.source.formats import shape as shapes
from hde.source.formats import streamed
from hde.source.formats.shape import plain_path
from hde.spec.connector import Format

CSV, XML, NDJSON = Format("csv"), Format("xml"), Format("ndjson")


def read(text: str | bytes, format: Format, path: str | None = None) -> list[object]:
    """Records decoded, issues as their rule, and the message where the stream ends in damage."""
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    plain = plain_path(path)
    assert plain is not None
    found: list[object] = []
    try:
        for record in streamed(stream, format, plain):
            found.append(record.rule if isinstance(record, Issue) else msgspec.json.decode(record))
    except Unreadable as error:
        found.append(f"! {error}")
    return found


ENCODING = "say which `encoding` it is (latin-1, windows-1252, utf-16)"
AB = [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("text", "format", "records"),
    [
        pytest.param("a,b\n1,2\n", CSV, AB, id="plain"),
        pytest.param("a,b\n1,2", CSV, AB, id="no end of the last line"),
        pytest.param("a,b\r\n1,2\r\n", CSV, AB, id="CRLF"),
        pytest.param("a,b\r1,2\r", CSV, AB, id="CR"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", CSV, AB, id="byte order mark"),
        pytest.param("a;b\n1;2\n", Format("csv", delimiter=";"), AB, id="semicolon"),
        pytest.param("a\tb\n1\t2\n", Format("csv", delimiter="\t"), AB, id="tab"),
        pytest.param('a,b\n"1\r\n2","x ""y"""\n', CSV, [{"a": "1\r\n2", "b": 'x "y"'}], id="quoted lines and quotes"),
        pytest.param("a,b\ngrün,2\n".encode("latin-1"), Format("csv", encoding="latin-1"),
                     [{"a": "grün", "b": "2"}], id="latin-1"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), Format("csv", encoding="utf-16"), AB, id="utf-16"),
        pytest.param("a,b\n1,2\ngrün,3\n".encode("latin-1"), CSV,
                     [*AB, "! line 3: bytes that are no utf-8; " + ENCODING],
                     id="another encoding"),
        pytest.param("a,b\n,2\n", CSV, [{"a": None, "b": "2"}], id="an empty cell is null"),
        pytest.param("a,b\n\n1,2\n,\n", CSV, AB, id="blank lines and rows"),
        pytest.param("Report,,\nfor,me\na,b\n1,2\n", Format("csv", skip=2), AB, id="lines above the header"),
        pytest.param("1,2\n", Format("csv", header=("a", "b")), AB, id="header from the connector"),
        pytest.param("x,y\n1,2\n", Format("csv", skip=1, header=("a", "b")), AB, id="header replaced"),
        pytest.param("a,,b,,\n1,2,3,,\n", CSV, [{"a": "1", "column_2": "2", "b": "3"}], id="columns without a name"),
        pytest.param("a,b,a\n1,2,3\n", CSV, [{"a": "1", "b": "2", "a_2": "3"}], id="a name that comes again"),
        pytest.param("a,a,a_2\n1,2,3\n", CSV,
                     ["! line 1: names come twice in the header; name the columns with `header`"],
                     id="names that cannot be told apart"),
        pytest.param("a,b\n1,2,3\n1,2\n", CSV, ["more cells than the header", *AB], id="too many cells"),
        pytest.param("a,b\n1,2,,\n", CSV, AB, id="empty cells too many"),
        pytest.param("a,b\n1\n1,2\n", CSV, [{"a": "1", "b": None}, *AB], id="too few cells"),
        pytest.param("a,b\n1,2\n1", CSV, [*AB, "! line 3: cut off (1 cells of 2)"], id="cut off in a row"),
        pytest.param('a,b\n1,2\n1,"2\n3', CSV, [*AB, "! line 3: cut off (a quote that is not closed)"],
                     id="cut off in quotes"),
        pytest.param('a,b\n"1"x,2\n1,2\n', CSV, ["quotes that CSV does not allow", *AB], id="a stray quote"),
        pytest.param("a,b\n1\0,2\n", CSV, [{"a": "1\0", "b": "2"}], id="NUL"),
        pytest.param("", CSV, ["! empty, where a header line was expected"], id="empty"),
        pytest.param("\na,b\n", CSV,
                     ["! line 1: blank, where the header was expected (`skip` passes over lines above it)"],
                     id="blank"),
        pytest.param("", Format("csv", header=("a",)), [], id="empty, and the header is known"),
        pytest.param("a,b\n", CSV, [], id="no rows"),
        pytest.param("THE_A,x,B\n1,3,2\n", Format("csv", names={"a": ("the a",), "b": ()}),
                     [{"a": "1", "x": "3", "b": "2"}], id="names as the connector calls them"),
        pytest.param("a,The A\n1,2\n", Format("csv", names={"a": ("the a",)}),
                     ["! line 1: a and The A are both a (format.names)"], id="two columns of one name"),
        pytest.param("1\n", Format("csv", header=("x",), names={"a": ("X",)}), [{"a": "1"}], id="names of our own"),
    ],
)  # fmt: skip
def test_csv(text, format, records):
    assert read(text, format) == records


@pytest.mark.parametrize(
    ("text", "records"),
    [
        pytest.param('{"a": 1.10}\n{"a": 2}\n', [b'{"a": 1.10}', b'{"a": 2}'], id="as received"),
        pytest.param('\n {"a": 1} \r\n\n', [b'{"a": 1}'], id="blank lines"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}\n', [b'{"a": 1}'], id="byte order mark"),
        pytest.param('{"a": 1}', [b'{"a": 1}'], id="no end of the last line"),
        pytest.param('{"a": \n{"b": 1}\n', [b'{"a":', b'{"b": 1}'], id="a bad line stops only itself"),
        pytest.param('{"a": 1}\n{"b": ', [b'{"a": 1}', "! line 2: cut off"], id="cut off"),
        pytest.param("", [], id="empty"),
    ],
)
def test_ndjson(text, records):
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    found: list[object] = []
    try:
        found += streamed(stream, NDJSON, shapes.Path())
    except Unreadable as error:
        found.append(f"! {error}")
    assert found == records


KINDS = "[@, entry[].r][] | [?t == 'a']"


@pytest.mark.parametrize(
    ("text", "path", "records"),
    [
        pytest.param('{"v": 1.10}\n{"v": 2}\n', None, [b'{"v": 1.10}', b'{"v": 2}'], id="lines"),
        pytest.param('{\n "v": 1.10\n}', None, [b'{\n "v": 1.10\n}'], id="one document"),
        pytest.param('[{"v": 1}, {"v": 2.50}] {"v": 3}', None, [b'{"v":1}', b'{"v":2.50}', b'{"v": 3}'], id="lists"),
        pytest.param('{"t": "a"}{"t": "b"}{"entry": [{"r": {"t": "a", "v": 1.10}}, {"r": {"t": "b"}}]}', KINDS,
                     [b'{"t":"a"}', b'{"t":"a","v":1.10}'], id="one kind of many"),
        pytest.param('{"x": {"v": 1}} {"x": []}', "x", [b'{"v":1}'], id="a plain path"),
        pytest.param('{"y": 1} {"x": [{"v": 1}]}', "x || `[]`", [b'{"v":1}'], id="where nothing is none"),
        pytest.param('{"x": {"v": 1}} {"y": 1}', "x",
                     [b'{"v":1}', "! the value at character 17: records: 'x' leads to nothing in the answer; an absent "
                      "list is not an empty one (write x || `[]` where it is)"], id="nothing"),
        pytest.param('{"v": 1} 7', None,
                     [b'{"v": 1}', "! the value at character 10: the answer holds neither a list nor an object, where "
                      "a record or a list of records was expected"], id="a number"),
        pytest.param('{"v": 1} {"v": }', None, [b'{"v": 1}', "not JSON"], id="a bad value stops only itself"),
        pytest.param('{"v": 1}\n{"v": ', None, [b'{"v": 1}', "! character 15: cut off"], id="cut off"),
        pytest.param("", None, [], id="empty"),
    ],
)  # fmt: skip
def test_json_values_one_after_the_other(text, path, records):
    stream, found = io.BytesIO(text.encode()), list[object]()
    format = Format("json_seq")
    try:
        for record in streamed(stream, format, shapes.path_of(format, path)):
            found.append(record.rule if isinstance(record, Issue) else record)
    except Unreadable as error:
        found.append(f"! {error}")
    assert found == records


NOTHING = "leads to nothing in the answer; an absent list is not an empty one (write {0} || `[]` where it is)"


@pytest.mark.parametrize(
    ("text", "path", "records"),
    [
        pytest.param('<r><e id="1"><v>2</v></e><e id="2"/></r>', "e", [{"id": "1", "v": "2"}, {"id": "2"}],
                     id="attributes and children"),
        pytest.param('<r><e n="1" v=""/><x><e n="9"/></x><f/></r>', "e", [{"n": "1", "v": None}], id="other elements"),
        pytest.param("<r><x><e>1</e></x><x><e>2</e></x></r>", "x.e", [{"_text": "1"}, {"_text": "2"}],
                     id="below repeated parents"),
        pytest.param("<r><e><v>1</v><v/><v>3</v></e></r>", "e", [{"v": ["1", None, "3"]}], id="repeated children"),
        pytest.param('<r><e v="1"><v>2</v></e></r>', "e", [{"v": ["1", "2"]}], id="an attribute named as a child"),
        pytest.param("<r><e>\n a <b>c</b> d\n</e></r>", "e", [{"_text": "a  d", "b": "c"}], id="mixed"),
        pytest.param('<r><e u="kg">70</e></r>', "e", [{"u": "kg", "_text": "70"}], id="text beside attributes"),
        pytest.param('<h:r xmlns:h="urn:h"><h:e xmlns="urn:x" h:id="1"><v>2</v></h:e></h:r>', "e",
                     [{"id": "1", "v": "2"}], id="namespaces"),
        pytest.param("<r><e><![CDATA[a < b & c]]></e></r>", "e", [{"_text": "a < b & c"}], id="CDATA"),
        pytest.param("<r><e>a &lt; b &#228;</e></r>", "e", [{"_text": "a < b ä"}], id="references"),
        pytest.param("<r><!-- no --><?no no?><e/></r>", "e", [{}], id="comments and instructions"),
        pytest.param('<?xml version="1.0" encoding="windows-1252"?><r><e>\xe4</e></r>'.encode("cp1252"), "e",
                     [{"_text": "ä"}], id="another encoding"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><r><e>ä</e></r>'.encode("utf-16"), "e",
                     [{"_text": "ä"}], id="utf-16"),
        pytest.param("<r><id>1</id></r>", None, [{"id": "1"}], id="the root is the record"),
        pytest.param("<r/>", None, [{}], id="an empty root"),
        pytest.param("<r/>", "e || `[]`", [], id="an absent list that may be"),
        pytest.param("<r><f/></r>", "e", ["! records: 'e' " + NOTHING.format("e")], id="an absent list"),
        pytest.param("<!DOCTYPE r [<!ELEMENT r ANY> <!ATTLIST e v CDATA #IMPLIED>]><r><e v='1'/></r>", "e",
                     [{"v": "1"}], id="a DTD"),
        pytest.param('<!DOCTYPE r [<!ENTITY a "b">]><r><e>&a;</e></r>', "e",
                     ["! entities of its own (<!ENTITY>), which are refused: a few bytes of them can become gigabytes"],
                     id="an entity"),
        pytest.param('<!DOCTYPE r [<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;]><r><e/></r>', "e",
                     ["! entities of its own (<!ENTITY>), which are refused: a few bytes of them can become gigabytes"],
                     id="an external entity"),
        pytest.param('<!DOCTYPE r SYSTEM "http://localhost:9/x.dtd"><r><e>&a;</e></r>', "e",
                     ["! entities of its own (<!ENTITY>), which are refused: a few bytes of them can become gigabytes"],
                     id="an entity of a DTD elsewhere"),
        pytest.param("<r><e>&nbsp;</e></r>", "e",
                     ["! line 1, column 7: undefined entity"], id="an unknown entity"),
        pytest.param("<r><e>1</e><e>2</e><e>", "e", [{"_text": "1"}, {"_text": "2"}, "! line 1: cut off"],
                     id="cut off"),
        pytest.param("<r><e>1</e>\n<e>2</f></r>", "e", [{"_text": "1"}, "! line 2, column 7: mismatched tag"],
                     id="crossed tags"),
        pytest.param("", "e", ["! line 1: cut off"], id="empty"),
        pytest.param("<!DOCTYPE html><html/>", "e", ["! HTML, where XML was expected"], id="HTML"),
        pytest.param(f"<r><e>{'<a>' * 300}{'</a>' * 300}</e><e>1</e></r>", "e",
                     ["nested deeper than 200 levels", {"_text": "1"}], id="too deep"),
    ],
)  # fmt: skip
def test_xml(text, path, records):
    assert read(text, XML, path) == records


@pytest.mark.parametrize(
    ("text", "path", "records"),
    [
        pytest.param('[{"a": 1.10}, {"a": 1e2}]', None, ['{"a": 1.10}', '{"a": 1e2}'], id="as received"),
        pytest.param('{"a": 1}', None, ['{"a": 1}'], id="one object"),
        pytest.param('{"x": [1, {"r": 3}], "y": {"r": [{"a": "]\\""}, {}], "z": 1}}', "y.r",
                     ['{"a": "]\\""}', "{}"], id="at a path"),
        pytest.param('{"r": {"a": 1}, "b": 2}', "r", ['{"a": 1}'], id="one object at a path"),
        pytest.param('{"r": [12345678901234567890123456789, 1.50 ]}', "r",
                     ["12345678901234567890123456789", "1.50"], id="digits"),
        pytest.param('\ufeff [ ] ', None, [], id="empty list"),
        pytest.param('[{"a": NaN}, {"a" 1}, {"b": 1}]', None, ['{"a": NaN}', '{"a" 1}', '{"b": 1}'], id="a bad record"),
        pytest.param('{"a": [[1', "r", ["! character 9: cut off"], id="cut off on the way"),
        pytest.param('[{"a": 1}, {"a": ', None, ['{"a": 1}', "! character 17: cut off"], id="cut off"),
        pytest.param('{"r": [{"a": 1}], "b": [1', "r", ['{"a": 1}', "! character 25: cut off"], id="cut off behind"),
        pytest.param('[{"a": 1}] {}', None, ['{"a": 1}', "! character 12: something behind the end of the JSON"],
                     id="something behind"),
        pytest.param('[{"a": 1} {}]', None, ['{"a": 1}', "! character 11: neither a comma nor the end of the list"],
                     id="a comma missing"),
        pytest.param("", None, ["! empty, where JSON was expected"], id="empty"),
        pytest.param('{"r": null}', "r", ["! records: 'r' " + NOTHING.format("r")], id="null"),
        pytest.param('{"s": 1}', "r", ["! records: 'r' " + NOTHING.format("r")], id="absent"),
        pytest.param('{"s": 1}', "r || `[]`", [], id="absent, which may be"),
        pytest.param('{"r": [] }', "r || `[]`", [], id="empty, which may be absent"),
        pytest.param('{"\\u0072": [{}]}', "r", ["{}"], id="a name with escapes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1 << 20])
def test_json_of_any_size(text, path, records, chunk, monkeypatch):
    monkeypatch.setattr("hde.source.formats.json_array.CHUNK", chunk)
    plain = plain_path(path)
    assert plain is not None
    found: list[object] = []
    try:
        for record in streamed(_Dripping(text.encode(), chunk), Format(), plain):
            assert isinstance(record, bytes)
            found.append(record.decode())
    except Unreadable as error:
        found.append(f"! {error}")
    assert found == records


class _Dripping(io.BytesIO):
    """Gives so many bytes at once."""

    def __init__(self, data: bytes, chunk: int) -> None:
        super().__init__(data)
        self._chunk = chunk

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._chunk)


def test_bytes_that_are_no_utf8_stay_in_their_record():
    [record] = streamed(io.BytesIO(b'[{"a": "\xff"}]'), Format(), shapes.Path())
    assert record == b'{"a": "\xff"}'


@pytest.mark.parametrize(
    ("format", "text", "records"),
    [
        (NDJSON, '{{"a": "{long}"}}\n{{"b": 1}}\n', ["larger than 64 MB", {"b": 1}]),
        (XML, "<r><e>{long}</e><e><b/></e></r>", ["larger than 64 MB", {"b": None}]),
        (XML, "<r><e x='{long}'/></r>", ["! line 1: a tag larger than 64 MB"]),
        (Format(), '[{{"a": "{long}"}}]', ["! character 2: a record larger than 64 MB"]),
        (CSV, 'a\n1\n"{long}', [{"a": "1"}, "! line 3: a row longer than 64 MB (a quote that is not closed?)"]),
        (CSV, "a\n1\n{long}", [{"a": "1"}, "! line 3: a row longer than 64 MB (a quote that is not closed?)"]),
    ],
)
def test_a_record_without_an_end_is_not_kept_in_memory(format, text, records, monkeypatch):
    for module in ("json_array", "csv_rows", "ndjson_lines", "xml_elements"):
        monkeypatch.setattr(f"hde.source.formats.{module}.LARGEST_RECORD", 50_000)
        monkeypatch.setattr(f"hde.source.formats.{module}.CHUNK", 10_000, raising=False)
    path = "e" if format.kind == "xml" else None
    assert read(text.format(long="x" * 200_000), format, path) == records


@pytest.mark.parametrize(
    ("records", "names", "optional"),
    [(None, (), False), ("a.b-c", ("a", "b-c"), False), ("a || `[]`", ("a",), True), ("a.b||`[]`", ("a", "b"), True)],
)
def test_a_plain_path_can_be_walked_along(records, names, optional):
    assert plain_path(records) == shapes.Path(names, optional)


@pytest.mark.parametrize("records", ["a[]", "a[?b == `1`]", "a || b", "@", "a || `[1]`", '"a b"'])
def test_any_other_path_needs_the_whole(records):
    assert plain_path(records) is None


def test_json_and_streaming_agree():
    document = {"x": [{"n": number, "t": "é" * number} for number in range(50)], "y": [[], {}]}
    for ascii_ in (True, False):
        text = json.dumps(document, ensure_ascii=ascii_).encode()
        found = list(streamed(_Dripping(text, 11), Format(), shapes.Path(("x",))))
        assert [json.loads(one) for one in found if isinstance(one, bytes)] == document["x"]
