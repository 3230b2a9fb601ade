"""YAML is read as its author meant it, or refused with a line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_made import read_yaml

from hde.spec.problem import Problems, did_you_mean
from hde.spec.yaml_file import parse_yaml


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.yaml"


def complaints(file: Path, content: str | bytes) -> list[str]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [str(problem).removeprefix(f"{file}:") for problem in parse_yaml(file)[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("n", "n"), ("No", "No"),
        ("true", True), ("False", False), ("TRUE", True), ("", None), ("~", None), ("null", None), ("Null", None),
        ("2026-01-02", "2026-01-02"), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), ("1:30", "1:30"),
        ("12:30:45", "12:30:45"), ("190:20:30.15", "190:20:30.15"), ("=", "="),
        ("0", 0), ("-3", -3), ("+7", 7), ("100", 100), ("0.5", 0.5), (".5", 0.5), ("1.", 1.0), ("-1.5e3", -1500.0),
        ("1e3", 1000.0), ("1.2.3", "1.2.3"), ("1,000", "1,000"), ("+", "+"), (".", "."), ("e3", "e3"),
        ("'0123'", "0123"), ('"no"', "no"), ("'~'", "~"), ("'1e400'", "1e400"), ("_1", "_1"),
        ("/min", "/min"), ("$row.observed_at", "$row.observed_at"), ("WHOOP's", "WHOOP's"),
    ],
)  # fmt: skip
def test_a_plain_value_is_what_it_looks_like(file: Path, text: str, value: object) -> None:
    file.write_text(f"a: {text}\n")
    data = read_yaml(file).data
    assert data == {"a": value}
    assert isinstance(data, dict)
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0123", "write '0123' in quotes, or as a plain number (123)"),
        ("-007", "write '-007' in quotes, or as a plain number (-7)"),
        ("00.5", "write '00.5' in quotes, or as a plain number (0.5)"),
        ("0o17", "write '0o17' in quotes, or as a plain number (15)"),
        ("0x1F", "write '0x1F' in quotes, or as a plain number (31)"),
        ("0b11", "write '0b11' in quotes, or as a plain number (3)"),
        ("1_000", "write '1_000' in quotes, or as a plain number (1000)"),
        ("1_000.5", "write '1_000.5' in quotes, or as a plain number (1000.5)"),
        ("1_", "write '1_' in quotes, or as a plain number (1)"),
        ("0_", "write '0_' in quotes, or as a plain number (0)"),
        (".inf", "'.inf' is no number here; in quotes it is a text"),
        ("-.Inf", "'-.Inf' is no number here; in quotes it is a text"),
        (".nan", "'.nan' is no number here; in quotes it is a text"),
        ("1e400", "'1e400' is too large for a number; in quotes it is a text"),
        ("1" * 31, "a number of 31 digits; in quotes it is a text"),
        ("!!python/object:os.system x", "'!!python/object:os.system': tags are not read; "
         "put a text that begins with ! in quotes"),
        ("!!str 5", "'!!str': tags are not read; put a text that begins with ! in quotes"),
        ("! x", "'!': tags are not read; put a text that begins with ! in quotes"),
        ("&anchor 1", "'&anchor': anchors are not read; write it out, or use `shared` and `like`"),
        ("*anchor", "'*anchor': aliases are not read; write it out, or use `shared` and `like`"),
    ],
)  # fmt: skip
def test_a_value_that_could_be_misread_is_refused(file: Path, text: str, complaint: str) -> None:
    assert complaints(file, f"a:\n  b: {text}\n") == [f"2:6: a.b: {complaint}"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        ("a: 1\n--- \nb: 2\n", "2:1: a second document; one file holds one: take out '---'"),
        ("a: 1\nb: 2\na: 3\n", "3:1: a: 'a' is here twice, first in line 1"),
        ("x:\n  a: 1\n  'a': 3\n", "3:3: x.a: 'a' is here twice, first in line 2"),
        ("<<: {a: 1}\n", "1:1: <<: merge keys are not read; use `shared` and `like`"),
        ("'': 1\n", "1:1: a key without a name, or with a line break in it"),
        ('"a\\nb": 1\n', "1:1: a key without a name, or with a line break in it"),
        ("? [a]\n: 1\n", '1:3: a map or list is no key; a value that begins with {{ stands in quotes: "{{ ... }}"'),
        ("a: {{ x }}\n", '1:5: a: a map or list is no key; a value that begins with {{ stands in quotes: "{{ ... }}"'),
        ("a: b\nc: d {{ x }}: e\n", "2:13: ': ' inside a text without quotes: put the text in quotes"),
        ("a: b\n   c: d\n", "2:5: indentation: deeper than the line above, which has its value already"),
        ("a: b\nc:d\ne: f\n", "2:1: a space stands after the colon: c: d"),
        ("a: {b: c[0], d: e}\n", "1:9: in a map or list in brackets, a text that holds [ ] or { } stands in quotes: "
         '"c[0]"'),
        ("a: \u201cb\u201d\n", "1:4: a: \u201c is no quote here: write \" or '"),
        ("a:\n\tb: 1\n", "2:1: a tab; indent with spaces"),
        ("a:\n  b: 1\n c: 2\n", "3:2: indentation: this line does not fit the block that begins in line 1"),
        ("a: 1\n- b\n", "2:1: indentation: this line does not fit the block that begins in line 1"),
        ("a: 1\nb\nc: 2\n", "3:1: a line without ':' (the one that begins in line 2)"),
        ("a: @x\n", "1:4: a text that begins with @ stands in quotes"),
        ("unit: %\n", "1:7: a text that begins with % stands in quotes"),
        ("a: [1, 2\nb: 3\n", "2:2: the list in brackets that begins in line 1 is not closed, or a comma is missing"),
        ("a: {b: 1\n", "2:1: the map in brackets that begins in line 1 is not closed, or a comma is missing"),
        (b"a: 1\nb: \xff\n", "2:4: not UTF-8; save the file as UTF-8"),
        ("a: \x01\n", "1:4: a control character (U+0001); take it out"),
        ("a: " + "[" * 60 + "]" * 60, "1:53: more than 50 levels deep; that is the most"),
        ("a: " + "x" * 1_000_001, "1:1: more than 1 MB; that is the most"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_where_and_why(file: Path, content: str | bytes, complaint: str) -> None:
    assert complaints(file, content) == [complaint]


def test_all_unreadable_values_are_said_at_once(file: Path) -> None:
    assert complaints(file, "a: 0123\nb: 1_0\na: 3\n") == [
        "1:4: a: write '0123' in quotes, or as a plain number (123)",
        "2:4: b: write '1_0' in quotes, or as a plain number (10)",
        "3:1: a: 'a' is here twice, first in line 1",
    ]


def test_a_laughing_billion_and_endless_brackets_are_refused_at_once(file: Path) -> None:
    laughs = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}]\n" for n in range(20))
    assert any("anchors are not read" in complaint for complaint in complaints(file, laughs))
    for nested in ("[" * 400_000, "{a: " * 200_000, "- " * 400_000):
        assert "levels deep" in complaints(file, nested)[-1]


def test_keys_are_text_as_written(file: Path) -> None:
    file.write_text("no: 1\n200: 2\n0123: 3\n8867-4: 4\n1_0: 5\ntrue: 6\n1.50: 7\n'~': 8\nnull: 9\n")
    assert read_yaml(file).data == {
        "no": 1, "200": 2, "0123": 3, "8867-4": 4, "1_0": 5, "true": 6, "1.50": 7, "~": 8, "null": 9,
    }  # fmt: skip


def test_every_key_item_and_value_has_its_line_and_column(file: Path) -> None:
    file.write_text("# first\na:\n  b: {c: x, d:  y}\n  e:\n  - 1\n  -   f: 2\n")
    read = read_yaml(file)
    assert read.at(("a",)) == (2, 1)
    assert read.at(("a", "b", "d")) == (3, 13)
    assert read.at(("a", "b", "d"), value=True) == (3, 17)
    assert read.at(("a", "e", 0)) == (5, 5)
    assert read.at(("a", "e", 1, "f")) == (6, 7)
    assert read.at(("a", "b", "gone", "deeper")) == (3, 3), "the nearest thing above what is not there"
    assert read.at(()) == (2, 1), "the file as a whole: where its value begins"


def test_a_byte_order_mark_and_windows_line_ends_are_read(file: Path) -> None:
    file.write_bytes("\ufeffa: é\r\nb:\r\n  c: 1\r\n".encode())
    read = read_yaml(file)
    assert read.data == {"a": "é", "b": {"c": 1}}
    assert read.at(("b", "c")) == (3, 3)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="cannot be read: No such file or directory"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(Problems, match="cannot be read"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("curser", "cursor"), ("Cursor", "cursor"), ("linkHeader", "link_header"), ("link-header", "link_header"),
     ("ofset", "offset"), ("xyz", None), ("", None)],
)  # fmt: skip
def test_what_was_probably_meant(word: str, meant: str | None) -> None:
    hint = did_you_mean(word, ["cursor", "page", "offset", "url", "link_header"])
    assert hint == (f" Did you mean {meant!r}?" if meant else "")
