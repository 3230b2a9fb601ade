"""JMESPath, compiled once: `compile(text)` gives a callable from a document to a value.

The one seam through which a mapping reads: it must not know what a mapping is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from hde.errors import WrongUse

Expression = Callable[[object], object]
NAMED = re.compile(r"\$((?:parent\.\$)*[A-Za-z_][A-Za-z0-9_-]*)(?:\.(.+)|(\[.+))?\Z", re.DOTALL)
"""A path at something with a name, `$sleep.start` or `$sleep[0]`: the name, and what is read below it.

`$parent.$parent.start` is a name of its own, `parent.$parent`: what lies around the item around the item."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*\Z")


class ExpressionError(WrongUse):
    """A JMESPath that does not compile."""


def compile(text: str) -> Expression:
    """Compile a JMESPath; a plain dotted name may hold `-` without quotes. ExpressionError says where it is wrong.

    What it returns raises `jmespath.exceptions.JMESPathError` where a function meets a value it does not take.
    """
    if is_plain(text):
        return _dotted(text.split("."))
    try:
        compiled = jmespath.compile(text)
    except JMESPathError as error:
        raise ExpressionError(f"{text!r} is not JMESPath: {' '.join(str(error).split())}") from None
    return compiled.search


def is_plain(text: str) -> bool:
    """Only names and dots: such a path never raises."""
    return _PLAIN.match(text) is not None


# Subscripts that are allowed to fail beat asking each level what it is: what a mapping reads is mostly there.
_ABSENT = (KeyError, TypeError, IndexError)


def _dotted(names: list[str]) -> Expression:
    if len(names) == 1:
        return _one(*names)
    if len(names) == 2:
        return _two(*names)
    if len(names) == 3:
        return _three(*names)
    return _many(names)


def _one(name: str) -> Expression:
    def read(document: Any) -> object:
        try:
            return document[name]
        except _ABSENT:
            return None

    return read


def _two(first: str, second: str) -> Expression:
    def read(document: Any) -> object:
        try:
            return document[first][second]
        except _ABSENT:
            return None

    return read


def _three(first: str, second: str, third: str) -> Expression:
    def read(document: Any) -> object:
        try:
            return document[first][second][third]
        except _ABSENT:
            return None

    return read


def _many(names: list[str]) -> Expression:
    def read(document: Any) -> object:
        try:
            for name in names:
                document = document[name]
        except _ABSENT:
            return None
        return document

    return read
