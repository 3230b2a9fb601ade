"""A file of an export is read as it arrives, in bounded memory, and unpacks to no more than a file can."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process by itself is asked of /proc")

READ = """
import re, sys, threading, zlib
from pathlib import Path
import httpx
from hde.errors import HdeError
from hde.source.download import Download, read_download
from hde.source.session import Session, Unlimited
from hde.spec.connector import Connector, Format, Http, RawColumn, Request, Resource
from hde.spec.template import compile_template

count, packed, line = int(sys.argv[1]), sys.argv[2] == "packed", sys.argv[3]

class Sends(httpx.SyncByteStream):
    def __iter__(self):
        pack = zlib.compressobj(wbits=31)
        for number in range(count):
            text = (line.replace("NUMBER", str(number)) + "\\n").encode()
            yield pack.compress(text) if packed else text
        yield pack.flush() if packed else b""

class Far(httpx.BaseTransport):
    def handle_request(self, request):
        return httpx.Response(200, headers={"Content-Type": "application/ndjson"}, stream=Sends())

columns = (RawColumn("id", "bigint", "id"), RawColumn("note", "text", "note"))
made = Resource("things", Request(compile_template("")), ("id",), columns, format=Format("ndjson"))
connector = Connector("made", Path("made.yaml"), Http(compile_template("http://127.0.0.1:9")), {"things": made})
session = Session(connector, {}, auth=None, budget=Unlimited(), stop=threading.Event(), transport=Far())
rows, said = 0, ""
with session:
    try:
        file = Download("a", "http://127.0.0.1:9/a")
        for page in read_download(session, made, file, where="made", arrived=lambda: 0):
            assert not page.unkeyed
            rows += len(page.rows)
    except HdeError as error:
        said = str(error)
print(rows, int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024, said)
"""
NOTE = "a note of somebody, rather long " * 60
LINE = '{"id": NUMBER, "note": "NOTE"}'
MOST_MEGABYTES = 110
"""Of which 70 are the engine itself and the HTTP client."""


def read(count: int, packed: bool, line: str) -> tuple[int, int, str]:
    arguments = [sys.executable, "-c", READ, str(count), "packed" if packed else "plain", line]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True)
    rows, peak, _, *_ = (*found.stdout.split(" ", 2), "")
    return int(rows), int(peak), found.stdout.split(" ", 2)[2].strip()


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_file_is_read_in_bounded_memory(packed: bool) -> None:
    count = 60_000_000 // len(NOTE)
    rows, peak, said = read(count, packed, LINE.replace("NOTE", NOTE))
    assert (rows, said) == (count, "")
    assert peak < MOST_MEGABYTES


def test_what_unpacks_without_end_is_left() -> None:
    rows, peak, said = read(40_000, True, LINE.replace("NOTE", "a" * 20_000))
    assert "unpacks to more than 200 times its size" in said
    assert rows < 40_000
    assert peak < MOST_MEGABYTES + 30
