"""Slices JSON that a strict reader refuses, so that one bad record spoils itself and not its page.

Looks at brackets and quotes only; what lies between them is for whoever reads the slice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_CLOSES = {b"}": b"{", b"]": b"["}


class Unbalanced(ValueError):
    """Brackets or quotes that do not close: the text was cut off, or is no JSON at all."""


def elements(text: bytes) -> list[bytes]:
    """The elements of an array, as they stand."""
    return [text[start:end] for start, end in _parts(text, b"[")]


def members(text: bytes) -> dict[str, bytes]:
    """The members of an object, values as they stand; of equal names the last counts."""
    found: dict[str, bytes] = {}
    for start, end in _parts(text, b"{"):
        name = _TOKEN.match(text, start)
        if name is None or not name[0].startswith(b'"'):
            raise Unbalanced("a member without a name")
        colon = text.find(b":", name.end(), end)
        if colon < 0 or text[name.end() : colon].strip():
            raise Unbalanced("a member without a value")
        found[_name(name[0])] = text[colon + 1 : end].strip()
    return found


def _name(token: bytes) -> str:
    text = token.decode("utf-8", "replace")
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


def _parts(text: bytes, opening: bytes) -> Iterator[tuple[int, int]]:
    """Where the comma-separated parts of the outermost bracket begin and end."""
    start: int | None = None
    end = 0
    first = True
    for depth, token, match in _tokens(text):
        if first:
            if token != opening:
                raise Unbalanced(f"does not begin with {opening.decode()}")
            first = False
        elif depth == 0 or (depth == 1 and token == b","):
            if start is not None:
                yield start, end
            elif depth == 1:
                raise Unbalanced("a comma with nothing before it")
            start = None
        else:
            start = match.start() if start is None else start
            end = match.end()


def _tokens(text: bytes) -> Iterator[tuple[int, bytes, re.Match[bytes]]]:
    """Each token with the depth it leaves behind; Unbalanced at the end of a text that is cut off."""
    open_: list[bytes] = []
    position = 0
    done = False
    while match := _TOKEN.search(text, position):
        if text[position : match.start()].strip() or done:
            raise Unbalanced("something that is no JSON")
        token = match[0]
        if token in b"{[" and len(token) == 1:
            open_.append(token)
        elif token in _CLOSES and (not open_ or open_.pop() != _CLOSES[token]):
            raise Unbalanced("brackets that do not match")
        yield len(open_), token, match
        done = not open_
        position = match.end()
    if open_ or text[position:].strip() or not done:
        raise Unbalanced("cut off")
