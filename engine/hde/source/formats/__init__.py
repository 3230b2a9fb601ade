"""Records out of a stream of bytes, one at a time and in bounded memory, whatever the bytes are written in.

Each is the JSON text of one record, or the issue that kept it from becoming one: a bad record stops only itself.
Unreadable ends the stream, after the records that came before the damage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from hde.source.formats import csv_rows, json_array, json_sequence, ndjson_lines, pdf_reports, xml_elements
from hde.source.formats.shape import Path, Record
from hde.spec.connector import Format

__all__ = ["KINDS", "Path", "Record", "streamed"]

KINDS: dict[str, Callable[[BinaryIO, Format, Path], Iterator[Record]]] = {
    "json": json_array.records,
    "json_seq": json_sequence.records,
    "ndjson": ndjson_lines.records,
    "csv": csv_rows.records,
    "xml": xml_elements.records,
    "pdf": pdf_reports.records,
}


def streamed(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The records at a plain `path`. Unreadable says where (line, byte, record) and what, never a value."""
    return KINDS[format.kind](stream, format, path)
