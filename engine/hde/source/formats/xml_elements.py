"""XML: an element is an object of its attributes and children by plain name, or its text where it has neither.

Read by expat as it comes. Declared entities are refused (few bytes can become gigabytes), external ones never fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

import msgspec

from hde.errors import Unreadable
from hde.issues import Issue
from hde.source.formats.shape import CHUNK, DEEPEST, LARGEST_RECORD, MEGABYTES, TOO_LARGE, Path, Record, no_records
from hde.spec.connector import Format

TEXT = "_text"
_WEIGHT = 200
"""What an element takes in memory beside its text, in bytes, about."""
_TOO_DEEP = Issue("", f"nested deeper than {DEEPEST} levels", json_type="object")
_ENDS_EARLY = (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
               expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
               expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
               expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR])  # fmt: skip


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The elements at a path of names below the root; without a path, the root itself."""
    elements = _Elements(path.names)
    parser = _parser(elements)
    size, is_last, failed = 0, False, None
    while not is_last and failed is None:
        chunk = stream.read(CHUNK)
        size, is_last = size + len(chunk), not chunk
        try:
            parser.Parse(chunk, is_last)
            if size - parser.CurrentByteIndex > LARGEST_RECORD:  # expat keeps a tag until it has all of it
                raise Unreadable(f"line {parser.CurrentLineNumber}: a tag larger than {MEGABYTES} MB")
        except expat.ExpatError as error:
            failed = _unreadable(error, is_last)
        except Unreadable as error:
            failed = error
        yield from elements.taken()
    if failed is not None:
        raise failed
    if not elements.count and not path.optional:
        raise no_records(path.text, "nothing")


def document(text: bytes) -> object:
    """The whole document as what stands in its root."""
    elements = _Elements(())
    try:
        _parser(elements).Parse(text, True)
    except expat.ExpatError as error:
        raise _unreadable(error, is_last=True) from None
    [found] = elements.taken()
    if isinstance(found, Issue):
        raise Unreadable(f"the document is {found.rule}")
    return msgspec.json.decode(found)


def _parser(elements: _Elements) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.CharacterDataHandler = elements.text
    parser.StartDoctypeDeclHandler = _refuse_html
    parser.EntityDeclHandler = _refuse_entity
    parser.SkippedEntityHandler = _refuse_entity
    parser.AttlistDeclHandler = _refuse_default
    return parser


def _refuse_html(name: str, *declared: object) -> None:
    if name.lower() == "html":
        raise Unreadable("HTML, where XML was expected")


def _refuse_entity(*declared: object) -> None:
    raise Unreadable("entities of its own (<!ENTITY>), which are refused: a few bytes of them can become gigabytes")


def _refuse_default(element: str, attribute: str, kind: str, default: str | None, required: int) -> None:
    if default is not None:
        raise Unreadable(
            "attributes with a value of their own (<!ATTLIST>), which are refused: it comes with every element"
        )


def _unreadable(error: expat.ExpatError, is_last: bool) -> Unreadable:
    if is_last and error.code in _ENDS_EARLY:
        return Unreadable(f"line {error.lineno}: cut off")
    return Unreadable(f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}")


class _Element:
    __slots__ = ("fields", "name", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, Any] = {}
        self.texts: list[str] = []

    def value(self) -> object:
        text = "".join(self.texts).strip()
        if not self.fields:
            return text or None
        if text:
            self.fields[TEXT] = text
        return self.fields

    def add(self, name: str, value: object) -> None:
        """A name that comes again makes a list."""
        if name not in self.fields:
            self.fields[name] = value
        elif isinstance(known := self.fields[name], list):
            known.append(value)
        else:
            self.fields[name] = [known, value]


class _Elements:
    """What expat tells, made into the elements at `path`. Keeps the one that is being read, and no more."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self._path = path
        self._depth = 0
        self._on_path = 0
        """So many of the open elements lead to records, the root always being the first."""
        self._open: list[_Element] = []
        """The record that is being read and what is open inside it."""
        self._fault: Issue | None = None
        """Why the record that is being read becomes none; what else it holds is let go."""
        self._beyond = 0
        """So many elements are open inside a record that has a fault."""
        self._size = 0
        self._found: list[Record] = []
        self.count = 0

    def taken(self) -> list[Record]:
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = _plain(name)
        self._depth += 1
        if self._open:
            self._begin(name, attributes)
        elif self._on_path == self._depth - 1 and (self._depth == 1 or name == self._path[self._depth - 2]):
            self._on_path = self._depth
            if self._depth == len(self._path) + 1:
                self._size, self._fault = 0, None
                self._begin(name, attributes)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._fault is not None:
            self._beyond += 1
            return
        element = _Element(name)
        self._open.append(element)
        if len(self._open) > DEEPEST:
            self._fault = _TOO_DEEP
        for key, value in attributes.items():
            if key != "xmlns" and not key.startswith("xmlns:"):
                self._grow(len(value))
                element.add(_plain(key), value or None)
        self._grow(len(name) + _WEIGHT)

    def text(self, text: str) -> None:
        if self._open and self._fault is None:
            self._open[-1].texts.append(text)
            self._grow(len(text))

    def end(self, name: str) -> None:
        if self._beyond:
            self._beyond -= 1
        elif self._open:
            element = self._open.pop()
            if not self._open:
                self._finish(element)
            elif self._fault is None:
                self._open[-1].add(element.name, element.value())
        if self._on_path == self._depth:
            self._on_path -= 1
        self._depth -= 1

    def _finish(self, element: _Element) -> None:
        self.count += 1
        value = element.value()
        if not isinstance(value, dict):
            value = {} if value is None else {TEXT: value}
        self._found.append(self._fault or msgspec.json.encode(value))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > LARGEST_RECORD and self._fault is None:
            self._fault = TOO_LARGE
            for element in self._open:
                element.fields, element.texts = {}, []  # kept open only to know where the record ends


def _plain(name: str) -> str:
    """Without the prefix of a namespace."""
    return name[name.find(":") + 1 :]
