"""How much a JMESPath can make of a little: an upper bound out of its tree, and functions whose results are bounded.

`a | [@, @] | [@, @] | ...` doubles with every step. Evaluating takes about the record's size times this bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

MOST_COPIES: Final = 2_000
"""Of one value. The largest expressions that people write make a few dozen."""
LONGEST_RESULT: Final = 10_000_000
"""Characters of a text that a function makes."""

_ONE_AFTER_THE_OTHER: Final = (
    "index_expression", "key_val_pair", "pipe", "projection", "subexpression", "value_projection",
)  # fmt: skip
_OF_TEXT: Final = 6
"""What `to_string` makes of one character at most: é becomes \\u00e9."""


def copies(node: Mapping[str, Any]) -> int:
    """How often the result, or the work for it, can hold what it is computed from, at most."""
    below = node["children"]
    match node["type"]:
        case kind if kind in _ONE_AFTER_THE_OTHER:
            return math.prod(map(copies, below))
        case "filter_projection":
            return copies(below[0]) * (copies(below[1]) + copies(below[2]))
        case "literal":
            return _parts(node["value"])
        case "function_expression":
            given = sum(copies(child) for child in below if child["type"] != "expref") or 1
            each = math.prod(copies(child["children"][0]) for child in below if child["type"] == "expref")
            return given * each * (_OF_TEXT if node["value"] == "to_string" else 1)
        case _:
            return sum(copies(child) for child in below if isinstance(child, dict)) or 1


def _parts(value: object) -> int:
    match value:
        case dict():
            return 1 + sum(map(_parts, value.values()))
        case list():
            return 1 + sum(map(_parts, value))
    return 1


class BoundedFunctions(Functions):
    """The reference's functions; those that make a text of many refuse to make a huge one."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if sum(map(len, array)) + len(separator) * len(array) > LONGEST_RESULT:
            raise JMESPathError(f"join() gives more than {LONGEST_RESULT} characters")
        return separator.join(array)
