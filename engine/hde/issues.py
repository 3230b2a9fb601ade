"""What went wrong inside one record. An issue says where and which rule, never the value."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Level = Literal["warning", "error"]


class Issue(NamedTuple):
    """One finding in one record: `path` in the record, the `rule` it breaks, and the JSON type and length found."""

    path: str
    rule: str
    level: Level = "error"
    json_type: str = ""
    length: int | None = None


def issue_about(value: object, path: str, rule: str, level: Level = "error") -> Issue:
    """An issue that describes `value` without holding it."""
    return Issue(path, rule, level, json_type(value), _length(value))


def json_type(value: object) -> str:
    """JSON's name for the type of a decoded value; `missing` and null look the same."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case float() if math.isnan(value) or math.isinf(value):
            return "number out of range"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case dict():
            return "object"
        case _:
            return type(value).__name__


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, str | list | tuple | dict) else None
