"""NDJSON: every line is a record, as received. Whether it is JSON is for whoever reads the record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from hde.errors import Unreadable
from hde.source.formats.shape import LARGEST_RECORD, TOO_LARGE, Path, Record
from hde.spec.connector import Format

_BOM = b"\xef\xbb\xbf"


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The lines that are not blank. A last line without an end must be whole: else the file was cut off."""
    number = 0
    while line := stream.readline(LARGEST_RECORD):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) == LARGEST_RECORD and not line.endswith(b"\n"):
            _pass_over(stream)
            yield TOO_LARGE
        elif text := line.strip():
            if not line.endswith(b"\n") and not _is_json(text):
                raise Unreadable(f"line {number}: cut off")
            yield text


def _pass_over(stream: BinaryIO) -> None:
    """The rest of a line."""
    while (rest := stream.readline(LARGEST_RECORD)) and not rest.endswith(b"\n"):
        pass


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except ValueError:
        return False
    return True
