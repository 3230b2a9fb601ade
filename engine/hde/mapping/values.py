"""Strict readings of one value: what a source may write for a number, a text, a boolean. Nothing is guessed or cut."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from hde.issues import Issue, issue_about

INT_LIMIT = 2**31
"""A canonical int is a PostgreSQL integer."""

_INFINITY = float("inf")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")


class Finding(Exception):
    """Stops the reading of a record: no row is made of it, and `issue` says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.rule)
        self.issue = issue


def refuse(value: object, path: str, rule: str) -> NoReturn:
    raise Finding(issue_about(value, path, rule))


def number(value: object, path: str) -> int | float:
    """A JSON number, or text that is wholly one; never a boolean, NaN or infinity."""
    if isinstance(value, bool):
        refuse(value, path, "number")
    if isinstance(value, str):
        return _number_in(value, path)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and -_INFINITY < value < _INFINITY:
        return value
    refuse(value, path, "number")


def finite(value: object, result: float, path: str) -> float:
    """`result` if it is a number a database holds; -0.0 becomes 0.0, because jsonb knows no other."""
    if -_INFINITY < result < _INFINITY:
        return result + 0.0
    refuse(value, path, "number")


def integer(value: object, path: str) -> int:
    """A whole number within 32 bits; 10.0 is one, 10.5 is not."""
    found = number(value, path)
    if found != int(found) or not -INT_LIMIT <= found < INT_LIMIT:
        refuse(value, path, "integer")
    return int(found)


def boolean(value: object, path: str) -> bool:
    if isinstance(value, bool):
        return value
    refuse(value, path, "type")


def text(value: object, path: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no lone surrogate."""
    if not isinstance(value, str):
        refuse(value, path, "type")
    if "\0" in value or not (value.isascii() or _encodes(value)):
        refuse(value, path, "text")
    return value


def verbatim(value: object, path: str) -> str:
    """Text, or a number as JSON writes it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        refuse(value, path, "type")
    return text(value, path) if isinstance(value, str) else json.dumps(number(value, path))


def reference(value: object, path: str) -> str | None:
    """The id of another record: what stands last in `Type/id`, a URL, either of them with a version, or an id alone.

    Null for `#id`, which lies inside the record itself.
    """
    said = text(value, path)
    if said.startswith("#"):
        return None
    found = re.sub(r"/_history/[^/]*\Z", "", said).rstrip("/").rpartition("/")[2]
    return found.removeprefix("urn:uuid:") or refuse(value, path, "reference")


def _number_in(value: str, path: str) -> int | float:
    match = _NUMBER.match(value)
    if match is None or len(value) > 400:
        refuse(value, path, "number")
    if match[1] is None and match[2] is None:
        return int(value)
    return finite(value, float(value), path)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
