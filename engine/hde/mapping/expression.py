"""JMESPath, compiled once: `compile(text)` gives a callable from a document to a value.

The one seam through which a mapping reads: it must not know what a mapping is. A path becomes a Python function
(`hde.mapping.expression_code`); results and errors are those of jmespath.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jmespath
from jmespath import Options
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from hde.errors import WrongUse
from hde.mapping import expression_tree
from hde.mapping.expression_bounds import MOST_COPIES, BoundedFunctions, copies
from hde.mapping.expression_code import Code
from hde.mapping.expression_tree import Node

Expression = Callable[[object], Any]
LONGEST_TEXT = 10_000
NAMED = re.compile(r"\$((?:parent\.\$)*[A-Za-z_][A-Za-z0-9_-]*)(?:\.(.+)|(\[.+))?\Z", re.DOTALL)
"""A path at something with a name, `$sleep.start` or `$sleep[0]`: the name, and what is read below it.

`$parent.$parent.start` is a name of its own, `parent.$parent`: what lies around the item around the item."""

FAILURES = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError)
"""What an expression may raise for a document: JMESPathError is a ValueError, and `1 < 'a'` is Python's TypeError."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*\Z")


class ExpressionError(WrongUse):
    """A JMESPath that does not compile."""


class TooMuch(ExpressionError):
    """A JMESPath whose result could be huge."""


@lru_cache(maxsize=1024)
def compile(text: str) -> Expression:
    """Compile a JMESPath; a plain dotted name may hold `-` without quotes. ExpressionError says where it is wrong.

    What it returns raises what `jmespath.search` raises where a function meets a value it does not take (`FAILURES`).
    """
    tree: Any = parse(text)
    if not_compiled(text):
        return partial(ParsedResult(text, tree).search, options=Options(custom_functions=BoundedFunctions()))
    code = Code()
    with code.function("search", "document"):
        code.read_ahead(expression_tree.heads(tree), "document")
        code.line(f"return {code.value(tree, 'document')}")
    return code.run("search")


def compile_all(texts: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    """Many at once: what several read is read once. Raises what the first to fail raises."""
    code = Code()
    trees = [parse(text) for text in texts]
    with code.function("search", "document"):
        code.read_ahead((path for tree in trees for path in expression_tree.heads(tree)), "document")
        values = [write(code, text, "document") for text in texts]
        code.line(f"return ({''.join(f'{value}, ' for value in values)})")
    return code.run("search")


def write(code: Code, text: str, at: str) -> str:
    """Write what computes an expression for the value named `at`; the name of the result."""
    if not_compiled(text):
        return code.let(f"{code.constant(compile(text))}({at})")
    return code.value(parse(text), at)


def parse(text: str) -> Node:
    """The syntax tree. ExpressionError for what is none, and TooMuch for what could take forever."""
    if len(text) > LONGEST_TEXT:
        raise TooMuch(f"a path of {len(text)} characters; {LONGEST_TEXT} are the most")
    if is_plain(text):
        return expression_tree.dotted(text.split("."))
    shown = repr(text if len(text) < 200 else f"{text[:197]}...")
    try:
        tree: Node = jmespath.compile(text).parsed
        made = copies(tree)
    except (JMESPathError, ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        raise ExpressionError(f"{shown} is not JMESPath: {said}") from None
    if made > MOST_COPIES:
        raise TooMuch(f"{shown} can make more than {MOST_COPIES:,} copies of what it reads; that is the most")
    return tree


def not_compiled(text: str) -> str:
    """Why the reference walks this expression; empty where it is compiled."""
    return Code.too_large(parse(text))


def is_light(text: str) -> bool:
    """Only a way down (`a.b[0]`): it never raises, costs next to nothing, and may be read before it is needed."""
    return not not_compiled(text) and expression_tree.is_light(parse(text))


def is_plain(text: str) -> bool:
    """Only names and dots: such a path never raises."""
    return _PLAIN.match(text) is not None
