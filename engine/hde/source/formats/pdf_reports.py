"""PDF: every report that a file holds is a record. A process of its own reads it, within bounds of time and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import BinaryIO

import msgspec

import hde
from hde.errors import Unreadable
from hde.source.formats.shape import LARGEST_RECORD, MEGABYTES, Path, Record
from hde.spec.connector import Format

LONGEST = 600
"""Seconds that one file may take, on any machine."""
_HERE = str(FilePath(hde.__file__).parents[1])
_CHILD = "hde.source.reports.child"
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""Of the environment: what starts Python, and no secret."""


class _Said(msgspec.Struct):
    record: msgspec.Raw = msgspec.Raw()
    page: int | None = None
    error: str | None = None
    end: bool = False


_decode = msgspec.json.Decoder(_Said).decode


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The reports of a file. Unreadable after those that came before what could not be read."""
    text = stream.read(LARGEST_RECORD + 1)
    if len(text) > LARGEST_RECORD:
        raise Unreadable(f"larger than {MEGABYTES} MB")
    if b"%PDF-" not in text[:1024]:
        raise Unreadable("is no PDF" if text else "empty, where a PDF was expected")
    job = msgspec.json.encode({"templates": format.templates, "patterns": format.patterns})
    output, code = _read(job + b"\n" + text)
    if not output:
        raise Unreadable(f"what reads PDFs does not start: `{FilePath(sys.executable).name} -m {_CHILD}` says why")
    page = 0
    for line in output.splitlines():
        said = _said(line)
        if record := bytes(said.record):
            yield record
        elif said.error is not None:
            raise Unreadable(said.error)
        elif said.end:
            return
        page = said.page or page
    raise Unreadable(f"{f'page {page}' if page else 'the file'} {_why(code)}")


def _read(given: bytes) -> tuple[bytes, int | None]:
    """What the process wrote, and how it ended; None where it took too long."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    paths = [_HERE, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        start_new_session=True,  # Ctrl-C is for the run, which ends this one in its own time
    ) as process:
        try:
            return process.communicate(given, timeout=LONGEST)[0], process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], None
        except BaseException:
            process.kill()
            raise


def _said(line: bytes) -> _Said:
    """Nothing for a line that was cut off: the end says why."""
    try:
        return _decode(line)
    except ValueError:
        return _Said()


def _why(code: int | None) -> str:
    if code is None or (sys.platform != "win32" and code == -signal.SIGXCPU):
        return "takes longer to read than a report may"
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return "was not read: the system ended what reads it, perhaps for want of memory; run again"
    return "is damaged, or written in a way that is not understood"
