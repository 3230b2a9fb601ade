"""The body of an answer in whatever the resource says it is written in, behind the one face of `Body`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from hde.errors import Unreadable
from hde.issues import Issue
from hde.source.exact import decode_exactly
from hde.source.formats import KINDS, Record
from hde.source.formats.shape import path_of
from hde.source.formats.xml_elements import document
from hde.source.records import Body
from hde.source.unpacking import LARGEST_ANSWER, unpacked_members
from hde.spec.connector import Format


def body_of(text: bytes, format: Format) -> Body:
    """The body of an answer that is to be read."""
    return Body(text) if format.kind == "json" and format.zip is None else _Decoded(text, format)


def told_body(text: bytes, format: Format) -> Body:
    """A body for error rules, whatever its status: sources of CSV and ZIP tell what went wrong in JSON."""
    if format.kind == "xml" and text[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1] == b"<":
        return _Decoded(text, Format("xml"))
    return Body(text)


class _Decoded(Body):
    """A body that is not one JSON document."""

    def __init__(self, text: bytes, format: Format) -> None:
        super().__init__(b"")
        self._given = text
        self._format = format

    def value(self, path: str) -> object:
        return self.searched(path)

    def whole(self) -> object:
        """What a JMESPath reads: the list of rows or lines, the document, or of a ZIP the list of its documents."""
        if not self._decoded:
            self._whole = self._all()
            self._decoded = True
        return self._whole

    def records(self, path: str | None) -> Sequence[Record]:
        plain = path_of(self._format, path)
        if plain is None:
            return super().records(path)
        read = KINDS[self._format.kind]
        found: list[Record] = []
        room = LARGEST_ANSWER
        for part in self._parts():
            for record in read(io.BytesIO(part), self._format, plain):
                room -= len(record) if isinstance(record, bytes) else 0
                if room < 0:
                    raise Unreadable(f"the records of one answer take more than {LARGEST_ANSWER // 1024 // 1024} MB")
                found.append(record)
        return found

    def _all(self) -> object:
        if self._format.kind in ("csv", "json_seq", "ndjson", "pdf"):
            return [read for record in self.records(None) if not isinstance(record, Issue) for read in _read(record)]
        documents = [document(part) if self._format.kind == "xml" else Body(part).whole() for part in self._parts()]
        return documents if self._format.zip else documents[0]

    def _parts(self) -> Iterator[bytes]:
        if self._format.zip is None:
            yield self._given
        else:
            yield from unpacked_members(self._given, self._format.zip)


def _read(record: bytes) -> Iterator[object]:
    """Nothing of a line that cannot be read: as a record it is an issue, and stops nobody else."""
    try:
        yield decode_exactly(record)
    except (ValueError, RecursionError):
        return
