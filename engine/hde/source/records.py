"""From the body of an answer to the texts of its records, as received. Reads no columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from hde.errors import Unreadable
from hde.mapping.expression import compile, is_plain
from hde.source import scan
from hde.source.exact import decode_exactly, exact_text
from hde.source.formats.shape import Record, no_records

Raw = msgspec.Raw

_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ELEMENTS = msgspec.json.Decoder(list[Raw])
_NULL = b"null"
_NAME = re.compile(r"[A-Za-z_]{1,40}\Z")
"""The name of a field; what holds digits may be somebody's."""


class Body:
    """The body of an answer. Plain dotted paths are reached without decoding what lies beside them."""

    def __init__(self, text: bytes) -> None:
        self._text = text.strip()
        self._levels: dict[str, bytes | None] = {"": self._text}
        self._whole: object = None
        self._decoded = False

    def value(self, path: str) -> object:
        """What a JMESPath gives on the answer; Unreadable where the answer is no JSON."""
        if is_plain(path):
            text = self._at(path)
            return None if text is None else _decoded(text)
        return self.searched(path)

    def searched(self, path: str) -> object:
        """What a JMESPath gives on the whole answer, decoded for it."""
        try:
            return compile(path)(self.whole())
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{path!r} cannot be read from the answer ({type(error).__name__})") from None

    def whole(self) -> object:
        """The answer decoded, numbers exact."""
        if not self._decoded:
            self._whole = _decoded(self._text)
            self._decoded = True
        return self._whole

    def records(self, path: str | None) -> Sequence[Record]:
        """The record texts at `path`: the elements of a list, or one object. Unreadable where nothing is there."""
        if path is None or is_plain(path):
            return _record_texts(self._at(path or ""), path, self._text)
        found = self.value(path)
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list):
            raise no_records(path, "null" if found is None else type(found).__name__)
        try:
            return [exact_text(item).encode() for item in found]
        except RecursionError:
            raise Unreadable("the answer is nested too deeply to be read") from None

    def _at(self, path: str) -> bytes | None:
        if path not in self._levels:
            parent, _, name = path.rpartition(".")
            text = self._at(parent)
            is_object = text is not None and text[:1] == b"{"
            self._levels[path] = _members(text).get(name) if text is not None and is_object else None
        return self._levels[path]


def split(body: bytes, records: str | None) -> Sequence[Record]:
    """The texts of the records in `body`; `records` is a JMESPath, None for the answer itself."""
    return Body(body).records(records)


def _record_texts(text: bytes | None, path: str | None, whole: bytes) -> list[bytes]:
    if text is None or text == _NULL:
        raise no_records(path, "nothing", list(islice(_lists_in(whole, "", 2), 3)))
    if text[:1] == b"[":
        return _elements(text)
    if text[:1] != b"{":
        raise no_records(path, "neither a list nor an object")
    if path is None:
        _members(text)  # a body cut off is a page that failed, not a record that does
    return [text]


def _lists_in(text: bytes, path: str, levels: int) -> Iterator[str]:
    """Where an answer has lists, as far as their names are plain: what may have been meant by a path to nothing."""
    if text[:1] == b"[":
        yield path or "@"
    elif text[:1] == b"{" and levels:
        for name, below in _members(text).items():
            if _NAME.match(name):
                yield from _lists_in(below, f"{path}.{name}" if path else name, levels - 1)


def _members(text: bytes) -> dict[str, bytes]:
    try:
        return {name: bytes(value) for name, value in _MEMBERS.decode(text).items()}
    except (ValueError, RecursionError):
        pass
    try:
        return scan.members(text)
    except scan.Unbalanced as error:
        raise Unreadable(f"the answer is not JSON: {error}") from None


def _elements(text: bytes) -> list[bytes]:
    try:
        return [bytes(value) for value in _ELEMENTS.decode(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return scan.elements(text)
    except scan.Unbalanced as error:
        raise Unreadable(f"the answer is not JSON: {error}") from None


def _decoded(text: bytes) -> object:
    try:
        return decode_exactly(text)
    except RecursionError:
        raise Unreadable("the answer is nested too deeply to be read") from None
    except ValueError:
        raise Unreadable("the answer is not JSON") from None
