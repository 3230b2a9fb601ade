"""Files in a folder: which are found, how they unpack, what keeps one from being read, and pages of their records."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from itertools import count
from pathlib import Path

import pytest
from source_made import resource

from hde.errors import Unreadable, WrongUse
from hde.source import file_pages
from hde.source.file_pages import read_file
from hde.source.files import files_in, folder_of
from hde.spec.connector import Format

CSV = Format("csv")


def put(folder: Path, **files: str | bytes) -> Path:
    """Files by name: `a__b_csv` is `a/b.csv`; later ones are newer."""
    for number, (name, content) in enumerate(files.items()):
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return folder


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def names(folder: Path, pattern: str) -> list[str]:
    return [file.name for file in files_in(folder, pattern)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.csv", ["b.csv", "a.csv"]),
        ("?.csv", ["b.csv", "a.csv"]),
        ("a.csv", ["a.csv"]),
        ("sub/*.csv", ["sub/c.csv"]),
        ("**/*.csv", ["b.csv", "a.csv", "sub/c.csv", "sub/deep/d.csv", "x.zip/e.csv", "x.zip/in/f.csv"]),
        ("**/e.csv", ["x.zip/e.csv"]),
        ("*.zip/*.csv", ["x.zip/e.csv"]),
        ("sub/**", ["sub/c.csv", "sub/deep/d.csv"]),
        (".*.csv", [".hidden.csv"]),
        ("**", ["b.csv", "a.csv", "sub/c.csv", "sub/deep/d.csv", "n.txt", "x.zip/e.csv", "x.zip/in/f.csv"]),
        ("*.CSV", []),
    ],
)
def test_a_pattern_finds_files_the_oldest_first_and_looks_into_a_zip_like_a_folder(tmp_path, pattern, found):
    put(tmp_path, b_csv="", a_csv="", sub__c_csv="", sub__deep__d_csv="", _hidden_csv="", n_txt="")
    put(tmp_path, x_zip=zipped({"e.csv": "", "in/f.csv": "", "__MACOSX/._e.csv": ""}))
    os.utime(tmp_path / "x.zip", (1_800_000_000, 1_800_000_000))
    assert names(tmp_path, pattern) == found


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(WrongUse, match="there is no such folder"):
        folder_of(str(tmp_path / "nowhere"))
    with pytest.raises(WrongUse, match="there is no such folder"):
        folder_of(" ")


def read(folder: Path, pattern: str = "**/*", **parts):
    """Values of the rows of all files, and the message of the first that cannot be read to its end."""
    rows, numbers = [], count()
    made = resource(**{"format": CSV, **parts})
    for file in files_in(folder, pattern):
        try:
            for page in read_file(made, file, {}, where="lab: things", arrived=lambda: next(numbers)):
                rows += [row.values for row in page.read()[0]]
        except Unreadable as error:
            rows.append(str(error))
    return rows


@pytest.mark.parametrize(
    ("files", "rows"),
    [
        ({"a_csv": "id\n1\n"}, [("1",)]),
        ({"a_csv_gz": gzip.compress(b"id\n1\n")}, [("1",)]),
        ({"a_zip": zipped({"b.csv": "id\n1\n", "c.csv": "id\n2\n"})}, [("1",), ("2",)]),
        ({"a_zip": zipped({"b.csv": "id\n1\n"}).replace(b"b.csv", b"../.b")},
         ["lab: things: a.zip: the ZIP holds a name that leads out of it; nothing of it is read"]),
        ({"a_zip": zipped({"b.csv": "id\n1\n"}).replace(b"b.csv", b"/b.cs")},
         ["lab: things: a.zip: the ZIP holds a name that leads out of it; nothing of it is read"]),
        ({"a_zip": b"PK\3\4 no"}, ["lab: things: a.zip: the ZIP is damaged (BadZipFile)"]),
        ({"a_zip": zipped({"b.csv": "id\n" + "1\n" * 30})[:-30]},
         ["lab: things: a.zip: the ZIP is damaged (BadZipFile)"]),
        ({"a_csv_gz": gzip.compress(b"id\n1\n")[:-9]}, ["lab: things: a.csv.gz: the file is damaged (EOFError)"]),
        ({"a_csv_gz": b"no gzip"}, ["lab: things: a.csv.gz: the file is damaged"]),
        ({"a_csv": "id,b\n1,2\n2"}, [("1",), "lab: things: a.csv: line 3: cut off (1 cells of 2)"]),
        ({"a_csv": "", "b_csv": "id\n1\n"},
         ["lab: things: a.csv: empty, where a header line was expected", ("1",)]),
        ({"a_csv": "id\n1\nx\n2\n"}, [("1",), ("2",)]),
    ],
)  # fmt: skip
def test_a_file_is_unpacked_as_it_is_read_and_one_that_is_damaged_says_where(tmp_path, files, rows):
    assert read(put(tmp_path, **files)) == rows


def test_a_file_that_unpacks_to_far_too_much_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("hde.source.unpacking.HARMLESS", 100_000)
    text = "id\n" + "1\n" * 1_000_000
    put(tmp_path, a_csv_gz=gzip.compress(text.encode()), b_zip=zipped({"b.csv": text}))
    found = read(tmp_path, "**/*csv*")
    assert [row for row in found if isinstance(row, str)] == [
        f"lab: things: {name}: unpacks to more than 200 times its size: no file of records does, so it is left"
        for name in ("a.csv.gz", "b.zip/b.csv")
    ]
    assert 0 < len(found) < 1_000_000


def test_a_link_out_of_the_folder_is_not_read(tmp_path):
    outside, folder = tmp_path / "outside.csv", tmp_path / "in"
    outside.write_text("id\n1\n")
    folder.mkdir()
    (folder / "a.csv").symlink_to(outside)
    (folder / "to").symlink_to(tmp_path)
    put(folder, b_csv="id\n2\n")
    (folder / "c.csv").symlink_to(folder / "b.csv")
    assert sorted(map(str, read(folder, "**/*.csv"))) == [
        "('2',)",
        "('2',)",
        "lab: things: a.csv: is a link to a file outside the folder, which is not read",
    ]


def test_an_encrypted_zip_is_said(tmp_path):
    packed = bytearray(zipped({"b.csv": "id\n1\n"}))
    packed[6] |= 1  # the flag, in the file's own header and in the directory
    packed[packed.index(b"PK\1\2") + 8] |= 1
    assert read(put(tmp_path, a_zip=bytes(packed))) == ["lab: things: a.zip/b.csv: the ZIP is encrypted"]


def test_a_file_that_changes_while_it_is_read_is_owed(tmp_path):
    put(tmp_path, a_csv="id\n1\n")
    [file] = files_in(tmp_path, "*.csv")
    pages = read_file(resource(format=CSV), file, {}, where="lab", arrived=lambda: 0)
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    with pytest.raises(Unreadable, match="changed while it was read"):
        list(pages)


@pytest.mark.parametrize(
    ("format", "records", "text"),
    [
        (Format("ndjson"), None, '{"id": 1}\n{"id": 2}\n'),
        (Format("json"), "a.r", '{"a": {"r": [{"id": 1}, {"id": 2}]}}'),
        (Format("json"), "a[].r", '{"a": [{"r": {"id": 1}}, {"r": {"id": 2}}]}'),
        (Format("xml"), "r", '<a><r id="1"/><r id="2"/></a>'),
        (Format("xml"), "r[?id != '3']", '<a><r id="1"/><r id="2"/><r id="3"/></a>'),
    ],
)
def test_files_of_every_format(tmp_path, format, records, text):
    assert read(put(tmp_path, a_x=text), format=format, records=records) == [("1",), ("2",)]


def test_only_a_plain_path_reads_a_file_of_any_size(tmp_path, monkeypatch):
    monkeypatch.setattr(file_pages, "LARGEST_ANSWER", 10)
    put(tmp_path, a_json='{"r": [{"id": 1}]}')
    assert read(tmp_path, format=Format(), records="r") == [("1",)]
    [message] = read(tmp_path, format=Format(), records="r[]")
    assert "which only a plain path to the records can read: records: 'r[]' needs the whole file at once" in message


def test_columns_read_which_file_a_record_was_in(tmp_path):
    put(tmp_path, x_zip=zipped({"b.csv": "id\n1\n"}))
    columns = {"id": "bigint", "$file.name": "text", "$file.modified": "timestamptz"}
    assert read(tmp_path, columns=columns) == [("1", "x.zip/b.csv", "2023-11-14T22:13:20Z")]


def test_a_file_is_stored_page_by_page(tmp_path, monkeypatch):
    monkeypatch.setattr(file_pages, "PAGE", 2)
    put(tmp_path, a_csv="id\n1\n2\nx\n4\n5\n")
    [file] = files_in(tmp_path, "*.csv")
    numbers = count()
    pages = list(read_file(resource(format=CSV), file, {}, where="", arrived=lambda: next(numbers)))
    assert [[row.key[0] for row in page.rows] for page in pages] == [["1", "2"], ["4"], ["5"]]
    assert [len(page.unkeyed) for page in pages] == [0, 1, 0]
    assert [(page.ordinal, page.next, page.stopped) for page in pages] == [
        (0, {"records": 2}, None),
        (1, {"records": 4}, None),
        (2, None, "end of file"),
    ]
