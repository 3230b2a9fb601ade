"""JMESPath, compiled once: `compile(text)` gives a callable from a document to a value."""

from __future__ import annotations

import re
from collections.abc import Callable

import jmespath
from jmespath.exceptions import JMESPathError

from hde.errors import WrongUse

Expression = Callable[[object], object]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*\Z")


class ExpressionError(WrongUse):
    """A JMESPath that does not compile."""


def compile(text: str) -> Expression:
    """Compile a JMESPath; a plain dotted name may hold `-` without quotes. ExpressionError says where it is wrong."""
    if _PLAIN.match(text):
        return _dotted(text.split("."))
    try:
        compiled = jmespath.compile(text)
    except JMESPathError as error:
        raise ExpressionError(f"{text!r} is not JMESPath: {error}") from None
    return compiled.search


def _dotted(names: list[str]) -> Expression:
    first, *rest = names

    def read(document: object) -> object:
        value = document.get(first) if isinstance(document, dict) else None
        for name in rest:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return read
