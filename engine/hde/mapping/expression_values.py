"""What generated code calls where the common case ends: the reference's rules for values, one by one.

Every rule here is that of jmespath.py, its oddities included: they are what authors see when they try a path elsewhere.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from numbers import Number
from typing import Any, Final

from hde.mapping.expression_bounds import BoundedFunctions

Expression = Callable[[Any], Any]

_call: Final = BoundedFunctions().call_function


class _Expression:
    """`&expression`, as a function takes it. The reference's functions know it by this name and call `visit`."""

    __slots__ = ("expression",)

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def visit(self, expression: Expression, value: object) -> object:
        return expression(value)


def field(value: Any, name: str) -> object:
    """A field of what is no dict: of anything else that has `get`."""
    try:
        return value.get(name)
    except AttributeError:
        return None


def entries(value: Any) -> Iterable[Any] | None:
    """What `.*` runs over."""
    try:
        return value.values()  # type: ignore[no-any-return]
    except AttributeError:
        return None


def is_true(value: object) -> bool:
    """JMESPath's truth: null, false, `""`, `[]` and `{}` are false, and 0 is true."""
    return not (value == "" or value == [] or value == {} or value is None or value is False)


def negated(value: Any) -> bool:
    return not value and not (_is_number(value) and value == 0)


def equal(one: Any, other: Any) -> Any:
    """Python's, but 0 and 1 are no booleans; inside lists and objects they are, as in the reference."""
    if _is_number(one) and one in (0, 1):
        return not isinstance(other, bool) and one == other
    if _is_number(other) and other in (0, 1) and isinstance(one, bool):
        return False
    return one == other


def unequal(one: Any, other: Any) -> bool:
    return not equal(one, other)


def _ordering(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def ordered(one: Any, other: Any) -> Any:
        """Null beside anything but numbers and texts; TypeError for a number beside a text."""
        return compare(one, other) if _is_ordered(one) and _is_ordered(other) else None

    return ordered


def _is_ordered(value: object) -> bool:
    return _is_number(value) or isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def flattened(value: Any) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    found: list[Any] = []
    for element in value:
        if isinstance(element, list):
            found.extend(element)
        else:
            found.append(element)
    return found


def call(name: str, values: Sequence[Any]) -> Any:
    """A function of JMESPath: the reference's own, which checks number and types of `values`."""
    return _call(name, values)


def _contains(subject: Any, search: Any) -> Any:
    if subject.__class__ is list or (subject.__class__ is str and search.__class__ is str):
        return search in subject
    return _call("contains", [subject, search])


def _length(value: Any) -> Any:
    if value.__class__ is str or value.__class__ is list or value.__class__ is dict:
        return len(value)
    return _call("length", [value])


def _starts_with(text: Any, start: Any) -> Any:
    if text.__class__ is str and start.__class__ is str:
        return text.startswith(start)
    return _call("starts_with", [text, start])


def _ends_with(text: Any, end: Any) -> Any:
    if text.__class__ is str and end.__class__ is str:
        return text.endswith(end)
    return _call("ends_with", [text, end])


def _to_string(value: Any) -> Any:
    return value if value.__class__ is str else _call("to_string", [value])


def _to_number(value: Any) -> Any:
    return value if value.__class__ is int or value.__class__ is float else _call("to_number", [value])


def _not_null(*values: Any) -> Any:
    for value in values:
        if value is not None:
            return value
    return None


SHORTCUTS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    "contains": (2, _contains),
    "length": (1, _length),
    "starts_with": (2, _starts_with),
    "ends_with": (2, _ends_with),
    "to_string": (1, _to_string),
    "to_number": (1, _to_number),
    "not_null": (-1, _not_null),
}
"""Functions whose common case needs no look at a table of signatures, with how many values they take (-1: any)."""

ORDERINGS: Final = {
    "lt": _ordering(operator.lt),
    "lte": _ordering(operator.le),
    "gt": _ordering(operator.gt),
    "gte": _ordering(operator.ge),
}

NAMES: Final[dict[str, Any]] = {
    "__builtins__": {},
    "KeyError": KeyError,
    "dict": dict,
    "isinstance": isinstance,
    "len": len,
    "list": list,
    "type": type,
    "Expression": _Expression,
    "call": call,
    "entries": entries,
    "equal": equal,
    "field": field,
    "flattened": flattened,
    "is_true": is_true,
    "negated": negated,
    "unequal": unequal,
    **ORDERINGS,
    **{f"jp_{name}": function for name, (_, function) in SHORTCUTS.items()},
}
"""All that generated code can reach beside its own constants: it runs without builtins."""
