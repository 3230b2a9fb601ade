"""JSON values one after the other, on lines of their own or not: a document is one, and so is every line of NDJSON.

Where the records are is looked for in each value, which is held as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hde.errors import Unreadable
from hde.issues import Issue
from hde.mapping.expression import FAILURES, compile
from hde.source.exact import decode_exactly, exact_text
from hde.source.formats.json_array import Window
from hde.source.formats.shape import Path, Record, no_records
from hde.spec.connector import Format

_NOT_JSON = "not JSON"


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The records in every value, in their order. A value that is no JSON is an issue and stops only itself."""
    text = Window(stream)
    while text.sign():
        at = text.place
        value = text.element()
        if not value:
            raise text.wrong("no JSON")
        try:
            document = decode_exactly(value.encode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            yield Issue("", _NOT_JSON, json_type="text", length=len(value))
            continue
        try:
            yield from _found(document, value, path)
        except Unreadable as error:
            raise Unreadable(f"the value at character {at}: {error}") from None


def _found(document: object, value: str, path: Path) -> Iterator[Record]:
    text = path.expression or path.text
    found = document if text is None else _searched(text, document)
    if found is None and path.optional:
        return
    if text is None and isinstance(found, dict):
        yield value.encode("utf-8", "surrogateescape")  # as it is written
        return
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise no_records(text, "nothing" if found is None else "neither a list nor an object")
    for one in found:
        yield exact_text(one).encode("utf-8", "surrogateescape")


def _searched(path: str, document: object) -> object:
    try:
        return compile(path)(document)
    except FAILURES as error:
        raise Unreadable(f"{path!r} cannot be read from it ({type(error).__name__})") from None
