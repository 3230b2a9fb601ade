"""JMESPath as it is put together: text, and whether it gives one value, a list, or each of a list.

Pure: knows how JMESPath is written, and nothing of FHIRPath.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

Shape = Literal["one", "list", "each"]
"""`one`: a value or null. `list`: a list or null. `each`: a projection, so what is appended is read of every item."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Code:
    """An expression. `type` is the FHIR type of its value or items; None where nobody knows."""

    text: str
    shape: Shape
    type: str | None
    loose: bool = False
    """It has operators or pipes: in brackets wherever it is part of another expression."""
    literal: bool = False

    @property
    def inner(self) -> str:
        """The text as part of another expression."""
        return f"({self.text})" if self.loose else self.text

    @property
    def is_one(self) -> bool:
        return self.shape == "one"

    def typed(self, type_: str | None) -> Code:
        return replace(self, type=type_)


FOCUS = "@"
"""What a path starts at."""


def name(text: str) -> str:
    return text if _NAME.match(text) else json.dumps(text, ensure_ascii=False)


def literal(value: object, type_: str | None = None) -> Code:
    return Code(literal_text(value), "one", type_, literal=True)


def literal_text(value: object) -> str:
    """A value as JMESPath writes it: text in single quotes where it can stand there."""
    if isinstance(value, str) and "'" not in value and "\\" not in value and value.isprintable():
        return f"'{value}'"
    if isinstance(value, Decimal):
        return f"`{value}`"
    return "`" + json.dumps(value, ensure_ascii=False).replace("`", "\\`") + "`"


def child(base: Code, element: str, type_: str | None, *, many: bool | None) -> Code:
    """An element of a value. `many` None: nobody knows whether it is a list."""
    below = name(element)
    if base.shape == "one":
        text = below if base.text == FOCUS else f"{base.text}.{below}"
        if many is None:
            return Code(f"[{text}][]", "each", type_)
        return Code(text, "list" if many else "one", type_, base.loose)
    text = f"{each(base)}.{below}"
    return Code(text if many is False else f"{text}[]", "each", type_, base.loose)


def each(code: Code) -> str:
    """The text to which something can be appended that is read of every item."""
    match code.shape:
        case "one":
            return f"[{code.text}][]"
        case "list":
            return f"{code.inner}[]"
        case "each":
            return code.text


def listed(code: Code) -> Code:
    """As a list, or null where there is none."""
    return Code(each(code), "each", code.type) if code.is_one else code


def first(code: Code, index: int = 0) -> Code:
    """One item of a list. One value is a list of one."""
    match code.shape:
        case "one":
            return code if index in (0, -1) else Code("`null`", "one", code.type)
        case "list":
            return Code(f"{code.inner}[{index}]", "one", code.type)
        case "each":
            return Code(f"{code.text} | [{index}]", "one", code.type, loose=True)


def filtered(code: Code, condition: str) -> Code:
    """The items for which a condition holds."""
    if code.shape == "list":
        return Code(f"{code.inner}[?{condition}]", "each", code.type)
    if code.text == FOCUS:
        return Code(f"[@][?{condition}]", "each", code.type)
    return Code(f"{each(code)} | [?{condition}]", "each", code.type, loose=True)


def single(code: Code) -> Code:
    """The only item. Where there are more it is still a list, so whoever wants one value refuses it."""
    if code.is_one:
        return code
    text = code.inner if code.shape == "list" else code.text
    return Code(f"{text} | ([1] != `null` && @ || [0])", "one", code.type, loose=True)


def whole(code: Code) -> str:
    """A list in any case, an empty one instead of null."""
    return f"({each(code)} || `[]`)" if not code.loose or code.is_one else f"(({code.text}) || `[]`)"


def there(code: Code) -> str:
    """Whether there is anything."""
    return "`true`" if code.literal else f"{first(code).inner} != `null`"
