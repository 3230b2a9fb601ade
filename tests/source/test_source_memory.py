"""A file of 100 MB is read in a small part of that: measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process by itself is asked of /proc")

READ = """
import re, sys
from pathlib import Path
from hde.source.file_pages import read_file
from hde.source.files import files_in
from hde.spec.connector import Format, RawColumn, Request, Resource
from hde.spec.template import compile_template

folder, name, kind, records = sys.argv[1:]
[file] = files_in(Path(folder), name)
columns = (RawColumn("id", "bigint", "id"), RawColumn("note", "text", "note"))
made = Resource("things", Request(compile_template("")), ("id",), columns, records or None, format=Format(kind))
rows = 0
for page in read_file(made, file, {}, where="lab", arrived=lambda: 0):
    assert not page.unkeyed
    rows += len(page.rows)
print(rows, int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""
NOTE = "a note of somebody, rather long " * 60
MOST_MEGABYTES = 100
"""Of which 60 are the engine itself."""


@pytest.mark.parametrize(
    ("kind", "megabytes", "records", "head", "record", "tail"),
    [
        ("json", 100, "a.r", '{"x": [[1, "]"]], "a": {"r": [{"id": -1}', ', {"id": %d, "note": "%s"}', "]}}"),
        ("ndjson", 35, "", '{"id": -1}\n', '{"id": %d, "note": "%s"}\n', ""),
        ("csv", 35, "", "id,note\n-1,\n", '%d,"%s"\n', ""),
        ("xml", 35, "a.r", "<x><a><r id='-1'/>", "<r id='%d'><note>%s</note></r>\n", "</a></x>"),
    ],
)
def test_a_large_file_is_read_in_bounded_memory(
    tmp_path: Path, kind: str, megabytes: int, records: str, head: str, record: str, tail: str
) -> None:
    file, count = tmp_path / "large", megabytes * 1_000_000 // len(NOTE)
    with file.open("w") as stream:
        stream.write(head)
        stream.writelines(record % (number, NOTE) for number in range(count))
        stream.write(tail)
    assert file.stat().st_size > megabytes * 1_000_000
    found = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path), "large", kind, records], capture_output=True, text=True, check=True
    )
    rows, peak = map(int, found.stdout.split())
    file.unlink()
    assert rows == count + 1
    assert peak < MOST_MEGABYTES
