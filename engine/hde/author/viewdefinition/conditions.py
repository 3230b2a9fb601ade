"""FHIRPath's conditions in JMESPath: each said twice, where it is true and where it is false.

FHIRPath knows a third answer, nothing, for what is absent; JMESPath's `!=` and `!` do not. So `not` is never written
as `!`: it takes the other of the two. Absent is null in what is true and in what is false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hde.author.viewdefinition import code, types
from hde.author.viewdefinition.code import Code, there
from hde.author.viewdefinition.syntax import Binary, Call, Constant, Literally, Node
from hde.author.viewdefinition.translate import (
    BOOLEAN,
    CONDITIONS,
    Translator,
    Unsayable,
    arguments,
    check_length,
    type_name,
)

_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}
_OR, _AND, _ONE = 1, 2, 3


class Said(NamedTuple):
    """A condition and how tightly its parts hold together."""

    text: str
    binds: int = _ONE

    def within(self, binds: int) -> str:
        return self.text if self.binds >= binds else f"({self.text})"


_TRUE, _FALSE = Said("`true`"), Said("`false`")


@dataclass(frozen=True)
class Conditions:
    at: Translator

    def value(self, node: Node) -> str:
        """True, false or null, in brackets: part of nothing else by accident."""
        true = self.true(node)
        if _always(node):
            return true.within(_ONE) if true.binds < _ONE else f"({true.text})"
        return f"({true.within(_OR)} || !({self.false(node).text}) && `null`)"

    def true(self, node: Node) -> Said:
        match node:
            case Binary("and", left, right):
                return _both(self.true(left), self.true(right))
            case Binary("or", left, right):
                return _either(self.true(left), self.true(right))
            case Binary("implies", left, right):
                return _either(self.false(left), self.true(right))
            case Binary("xor", left, right):
                return _either(_both(self.true(left), self.false(right)), _both(self.false(left), self.true(right)))
            case Binary(operator, left, right) if operator in BOOLEAN:
                return self._compared(operator, left, right, false=False)
            case Call(_, name) if name in CONDITIONS:
                return self._function(node, false=False)
            case Literally(bool() as value):
                return _TRUE if value else _FALSE
        return self._boolean(node, "true")

    def false(self, node: Node) -> Said:
        match node:
            case Binary("and", left, right):
                return _either(self.false(left), self.false(right))
            case Binary("or", left, right):
                return _both(self.false(left), self.false(right))
            case Binary("implies", left, right):
                return _both(self.true(left), self.false(right))
            case Binary("xor", left, right):
                return _either(_both(self.true(left), self.true(right)), _both(self.false(left), self.false(right)))
            case Binary(operator, left, right) if operator in BOOLEAN:
                return self._compared(operator, left, right, false=True)
            case Call(_, name) if name in CONDITIONS:
                return self._function(node, false=True)
            case Literally(bool() as value):
                return _FALSE if value else _TRUE
        return self._boolean(node, "false")

    def _boolean(self, node: Node, wanted: str) -> Said:
        """A path to a boolean. A single value of another type counts as true; of several, nobody knows."""
        said = self.at.value(node)
        if said.type is not None and said.type != "boolean":
            raise Unsayable(f"{said.type} where something true or false was expected")
        if said.is_one:
            return Said(f"{said.inner} == `{wanted}`")
        return Said(f"{said.inner} == `[{wanted}]`")

    def _compared(self, operator: str, left: Node, right: Node, *, false: bool) -> Said:
        match operator:
            case "=" | "!=":
                return self._equal(self.at.value(left), self.at.value(right), same=(operator == "=") != false)
            case "in":
                return self._within(left, right, false)
            case "contains":
                return self._within(right, left, false)
            case "is":
                return self._is(left, type_name(right), false)
            case "~" | "!~":
                raise Unsayable("JMESPath has no equivalence (~): `=` can be said")
        one, other = code.single(self.at.value(left)), code.single(self.at.value(right))
        self._as_text(one, other)
        return Said(f"{one.inner} {_OPPOSITE[operator] if false else operator} {other.inner}")

    def _equal(self, one: Code, other: Code, *, same: bool) -> Said:
        self._as_text(one, other)
        sign = "==" if same else "!="
        if one.is_one and other.is_one:
            said = Said(f"{one.inner} {sign} {other.inner}")
        else:
            said = Said(f"{_as_list(one)} {sign} {_as_list(other)}")
        if same:
            guards = [one] if not (one.literal or other.literal) else []
        else:
            guards = [side for side in (one, other) if not side.literal]
        for side in reversed(guards):
            said = _both(Said(there(side)), said)
        return said

    def _within(self, item: Node, items: Node, false: bool) -> Said:
        one = code.single(self.at.value(item))
        many = self._items(items)
        said = Said(f"contains({many}, {one.text})")
        if false:
            said = Said(f"!{said.text}")
        return said if one.literal else _both(Said(there(one)), said)

    def _items(self, node: Node) -> str:
        """A list: that of a path, or values written one after the other, `('a' | 'b')`."""
        values = _alternatives(node)
        if values:
            return "[" + ", ".join(self.at.value(one).text for one in values) + "]"
        return code.whole(self.at.value(node))

    def _is(self, node: Node, type_: str, false: bool) -> Said:
        said = Said(there(self.at.of_type(node, type_)))
        return Said(f"!({said.text})") if false else said

    def _function(self, node: Call, *, false: bool) -> Said:
        match node.name:
            case "not":
                arguments(node, 0)
                return self._of(node, false)
            case "exists" | "empty":
                return self._exists(node, present=(node.name == "exists") != false)
            case "hasValue":
                return self._exists(node, present=not false)
            case "all":
                (criteria,) = arguments(node, 1)
                items = self._base(node)
                wrong = code.filtered(items, f"!({self.at.inside(items).condition(criteria)})")
                return Said(f"{code.first(wrong).inner} {'!=' if false else '=='} `null`")
            case "is":
                (type_,) = arguments(node, 1)
                if node.base is None:
                    raise Unsayable("is() needs something before it")
                return self._is(node.base, type_name(type_), false)
            case "startsWith" | "endsWith" | "contains":
                return self._text(node, false)
        raise Unsayable(f"{node.name}() has no counterpart in JMESPath")

    def _of(self, node: Call, true: bool) -> Said:
        if node.base is None:
            raise Unsayable(f"{node.name}() needs something before it")
        return self.true(node.base) if true else self.false(node.base)

    def _exists(self, node: Call, *, present: bool) -> Said:
        items = self._base(node)
        criteria = arguments(node, 1, least=0) if node.name == "exists" else arguments(node, 0)
        if criteria:
            items = code.filtered(items, self.at.inside(items).condition(criteria[0]))
        return Said(f"{code.first(items).inner} {'!=' if present else '=='} `null`")

    def _text(self, node: Call, false: bool) -> Said:
        (part,) = arguments(node, 1)
        text, wanted = code.single(self._base(node)), code.single(self.at.value(part))
        function = {"startsWith": "starts_with", "endsWith": "ends_with", "contains": "contains"}[node.name]
        said = Said(f"{'!' if false else ''}{function}({text.text}, {wanted.text})")
        return said if text.literal else _both(Said(there(text)), said)

    def _base(self, node: Call) -> Code:
        """What a function is asked of. A choice is there where any of its types is."""
        if node.base is None:
            return self.at.focus
        return self.at.any_of_choice(node.base) or self.at.value(node.base)

    def _as_text(self, *sides: Code) -> None:
        if any(side.type in types.TIMES for side in sides):
            self.at.notes.append("times are compared as they are written, with their precision and time zone")


def _alternatives(node: Node) -> list[Node]:
    match node:
        case Binary("|", left, right):
            before, after = _alternatives(left), _alternatives(right)
            return [*before, *after] if before and after else []
        case Literally(value) if value is not None:
            return [node]
        case Constant():
            return [node]
    return []


def _always(node: Node) -> bool:
    """Whether it is true or false in any case."""
    match node:
        case Binary("and" | "or" | "xor" | "implies", left, right):
            return _always(left) and _always(right)
        case Binary("is", _, _) | Literally():
            return True
        case Call(base, "not"):
            return base is not None and _always(base)
        case Call(_, "exists" | "empty" | "hasValue" | "all" | "is"):
            return True
    return False


def _as_list(side: Code) -> str:
    return f"[{side.text}]" if side.is_one else side.inner


def _both(left: Said, right: Said) -> Said:
    text = f"{left.within(_AND)} && {right.within(_AND)}"
    check_length(text)
    return Said(text, _AND)


def _either(left: Said, right: Said) -> Said:
    text = f"{left.within(_OR)} || {right.within(_OR)}"
    check_length(text)
    return Said(text, _OR)
