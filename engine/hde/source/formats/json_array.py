"""JSON of any size: the elements of the list at a plain path, each cut out as it was written.

Only brackets, quotes and commas are looked at between records; numbers stay the digits they were.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from hde.errors import Unreadable
from hde.source.formats.shape import CHUNK, LARGEST_RECORD, MEGABYTES, Path, Record, no_records
from hde.spec.connector import Format

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MARK = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]|"', re.DOTALL)
_BEHIND = ",]} \t\r\n"
"""What may stand behind a value."""
_parse = json.JSONDecoder().raw_decode


def records(stream: BinaryIO, format: Format, path: Path) -> Iterator[Record]:
    """The elements of the list at `path`, or the one object there; what follows them is read to its end."""
    text = Window(stream)
    if not text.sign():
        raise Unreadable("empty, where JSON was expected")
    is_there = _walk(text, path)
    match text.sign() if is_there else "n":
        case "[":
            text.at += 1
            yield from _elements(text)
        case "{":
            yield text.element().encode("utf-8", "surrogateescape")
        case "":
            raise text.cut_off()
        case "n" if not is_there or text.element() == "null":
            if not path.optional:
                raise no_records(path.text, "nothing")
            return
        case _:
            raise no_records(path.text, "neither a list nor an object")
    for _ in path.names:
        text.skip_rest()
    if text.sign():
        raise text.wrong("something behind the end of the JSON")


def _walk(text: Window, path: Path) -> bool:
    """To the value at `path`, if it is there."""
    return all(text.sign() == "{" and text.find_member(name) for name in path.names)


def _elements(text: Window) -> Iterator[Record]:
    if text.sign() == "]":
        text.at += 1
        return
    while True:
        if not text.sign():
            raise text.cut_off()
        yield text.element().encode("utf-8", "surrogateescape")
        match text.sign():
            case ",":
                text.at += 1
            case "]":
                text.at += 1
                return
            case "":
                raise text.cut_off()
            case _:
                raise text.wrong("neither a comma nor the end of the list")


class Window:
    """The part of a text that is being looked at. Bytes that are no UTF-8 pass through as they are."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._text = ""
        self._passed = 0
        self._ended = False
        self.at = 0

    @property
    def place(self) -> int:
        """The number of the character it is at, the first being 1."""
        return self._passed + self.at + 1

    def sign(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._more():
                return ""

    def element(self) -> str:
        """The value that begins here, as it is written; one that is no JSON, up to where its brackets close."""
        while True:
            if len(self._text) - self.at > LARGEST_RECORD:
                raise self.wrong(f"a record larger than {MEGABYTES} MB")
            end = self._end_of_element()
            if end is not None:
                found = self._text[self.at : end]
                self.at = end
                return found.rstrip()
            if self._ended:
                raise self.cut_off()
            self._more()

    def _end_of_element(self) -> int | None:
        """None where more has to be read to know."""
        try:
            _, end = _parse(self._text, self.at)
        except (ValueError, RecursionError):
            return _closing(self._text, self.at)
        if end == len(self._text):
            return end if self._ended else None  # a number may go on
        return end if self._text[end] in _BEHIND else _closing(self._text, self.at)

    def find_member(self, name: str) -> bool:
        """From the `{` of an object to the value of a member; False, behind the `}`, where it is not there."""
        self.at += 1
        while True:
            match self.sign():
                case ",":
                    self.at += 1
                case "}":
                    self.at += 1
                    return False
                case '"':
                    found = self._name()
                    if self.sign() != ":":
                        raise self.wrong("a name without a value") if self.sign() else self.cut_off()
                    self.at += 1
                    if found == name:
                        return True
                    self._skip(depth=0)
                case "":
                    raise self.cut_off()
                case _:
                    raise self.wrong("no JSON")

    def skip_rest(self) -> None:
        """Over the rest of the object that is open here, its bracket included."""
        self._skip(depth=1)

    def _name(self) -> str:
        while (match := _STRING.match(self._text, self.at)) is None:
            if len(self._text) - self.at > LARGEST_RECORD:
                raise self.wrong("a name without an end")
            if not self._more():
                raise self.cut_off()
        self.at = match.end()
        try:
            return str(json.loads(match[0]))
        except ValueError:
            return match[0]

    def _skip(self, depth: int) -> None:
        """Over one value (depth 0), or to where so many open brackets are closed; keeps nothing of it."""
        inside = depth
        while True:
            match = _MARK.search(self._text, self.at)
            if match is None or match[0] == '"':
                # all but a string that is not at its end yet has been seen
                self.at = match.start() if match else len(self._text)
                if len(self._text) - self.at > LARGEST_RECORD or not self._more():
                    raise self.cut_off()
                continue
            token = match[0]
            if inside == 0 and token in (",", "}", "]"):
                self.at = match.start()
                return
            self.at = match.end()
            if token in ("{", "["):
                inside += 1
            elif token in ("}", "]"):
                inside -= 1
                if inside == 0 and depth:
                    return

    def _more(self) -> bool:
        """Whether there was more to read; what lies behind is let go."""
        if self._ended:
            return False
        data = self._stream.read(max(CHUNK, len(self._text) - self.at))
        self._ended = not data
        self._passed += self.at
        self._text, self.at = self._text[self.at :] + self._decoder.decode(data, self._ended), 0
        return not self._ended

    def wrong(self, what: str) -> Unreadable:
        return Unreadable(f"character {self.place}: {what}")

    def cut_off(self) -> Unreadable:
        return Unreadable(f"character {self._passed + len(self._text)}: cut off")


def _closing(text: str, at: int) -> int | None:
    """Where the value at `at` ends by its brackets alone; None where that is not in sight."""
    depth = 0
    for match in _MARK.finditer(text, at):
        token = match[0]
        if token == '"':
            return None
        if token in ("{", "["):
            depth += 1
        elif token in ("}", "]"):
            if depth == 0:
                return match.start()
            depth -= 1
            if depth == 0:
                return match.end()
        elif token == "," and depth == 0:
            return match.start()
    return None
