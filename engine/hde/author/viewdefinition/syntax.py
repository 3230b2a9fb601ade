"""FHIRPath as a syntax tree: the part of the language that views use, and nothing about what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NoReturn

from hde.errors import WrongUse

LONGEST = 5_000
DEEPEST = 50
_LONGEST_NUMBER = 30
Kind = Literal["string", "integer", "decimal", "boolean", "date", "dateTime", "time", "quantity", "empty"]


class PathError(WrongUse):
    """Text that is no FHIRPath."""


@dataclass(frozen=True)
class Literally:
    """A value as it is written."""

    value: str | bool | int | Decimal | None
    kind: Kind


@dataclass(frozen=True)
class Constant:
    """`%name`."""

    name: str


@dataclass(frozen=True)
class This:
    """`$this`; `name` is `this`, `index` or `total`."""

    name: str = "this"


@dataclass(frozen=True)
class Step:
    """`base.name`; without a base, an element of what the path starts at."""

    base: Node | None
    name: str


@dataclass(frozen=True)
class Call:
    base: Node | None
    name: str
    arguments: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Index:
    base: Node
    at: Node


@dataclass(frozen=True)
class Binary:
    """`is` and `as` have a type on their right, as a `Step`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Negative:
    of: Node


Node = Literally | Constant | This | Step | Call | Index | Binary | Negative

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*")
    |(?P<time>@[0-9T][0-9T:.Z+-]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<constant>%(?:[A-Za-z_][A-Za-z0-9_-]*|`[^`]+`|'[^']+'))
    |(?P<this>\$[a-z]+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark><=|>=|!=|!~|[-.,()\[\]{}=~<>+*/&|])""",
    re.VERBOSE | re.DOTALL,
)
_TIME = re.compile(
    r"@(?:(?P<date>[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)(?P<at>T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?|T(?P<clock>[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?))\Z"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_BINDS = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4, "=": 5, "!=": 5, "~": 5, "!~": 5,
    "<": 6, ">": 6, "<=": 6, ">=": 6, "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9,
    "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
"""How tightly an operator binds; all of them bind to the left."""


def parse(text: str) -> Node:
    """The tree of an expression. PathError says at which character it is none."""
    if len(text) > LONGEST:
        raise PathError(f"a path of {len(text)} characters; {LONGEST} are the most")
    parser = _Parser(text)
    node = parser.expression(0)
    parser.end()
    return node


def shown(text: str) -> str:
    """A path in a message: its beginning, where it is long."""
    return repr(text if len(text) < 100 else f"{text[:97]}...")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def expression(self, least: int) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise PathError("nested too deeply")
        left = self.unary()
        while True:
            kind, operator, _ = self.tokens[self.at]
            binds = _BINDS.get(operator, 0) if kind in ("mark", "name") else 0
            if not binds or binds <= least:
                self.depth -= 1
                return left
            self.at += 1
            right = self.type_name() if operator in ("is", "as") else self.expression(binds)
            left = Binary(operator, left, right)

    def unary(self) -> Node:
        if self.takes("-"):
            of = self.unary()
            if isinstance(of, Literally) and isinstance(of.value, int | Decimal) and not isinstance(of.value, bool):
                return Literally(-of.value, of.kind)
            return Negative(of)
        if self.takes("+"):
            return self.unary()
        return self.invocations(self.term())

    def invocations(self, node: Node) -> Node:
        while True:
            if self.takes("."):
                kind, text, _ = self.tokens[self.at]
                if kind not in ("name", "quoted", "this"):
                    self.refuse("a name was expected")
                self.at += 1
                if kind == "this":
                    self.refuse(f"{text} stands only at the start of a path", 1)
                node = self.named(node, kind, text)
            elif self.takes("["):
                at = self.expression(0)
                self.needs("]")
                node = Index(node, at)
            else:
                return node

    def named(self, base: Node | None, kind: str, text: str) -> Node:
        """An element, or a function with its arguments."""
        name = _unquoted(text) if kind == "quoted" else text
        if kind == "quoted" or not self.takes("("):
            return Step(base, name)
        arguments: list[Node] = []
        if not self.takes(")"):
            arguments.append(self.expression(0))
            while self.takes(","):
                arguments.append(self.expression(0))
            self.needs(")")
        return Call(base, name, tuple(arguments))

    def term(self) -> Node:
        kind, text, _ = self.tokens[self.at]
        self.at += 1
        match kind:
            case "string":
                return Literally(_unquoted(text), "string")
            case "number":
                if len(text) > _LONGEST_NUMBER:
                    self.refuse(f"a number of {len(text)} digits", 1)
                return self.quantity(Literally(int(text), "integer") if text.isdigit() else _decimal(text))
            case "time":
                return self.time(text)
            case "constant":
                return Constant(text[1:].strip("`'"))
            case "this":
                return This(text[1:])
            case "name" if text in ("true", "false"):
                return Literally(text == "true", "boolean")
            case "name" | "quoted":
                return self.named(None, kind, text)
            case "mark" if text == "(":
                node = self.expression(0)
                self.needs(")")
                return node
            case "mark" if text == "{" and self.takes("}"):
                return Literally(None, "empty")
        self.refuse("a path was expected", 1)

    def quantity(self, number: Literally) -> Node:
        """`4 'mg'` is one value; what it is compared with, JMESPath cannot say."""
        if self.tokens[self.at][0] == "string":
            self.at += 1
            return Literally(None, "quantity")
        return number

    def time(self, text: str) -> Node:
        match = _TIME.match(text)
        if match is None:
            self.refuse(f"{text} is no date and no time", 1)
        if match["clock"] is not None:
            return Literally(match["clock"], "time")
        return Literally(text[1:].removesuffix("T"), "dateTime" if match["at"] else "date")

    def type_name(self) -> Node:
        kind, text, _ = self.tokens[self.at]
        if kind not in ("name", "quoted"):
            self.refuse("a type was expected")
        self.at += 1
        node = Step(None, text.strip("`"))
        while self.takes("."):
            node = Step(node, self.tokens[self.at][1].strip("`"))
            self.at += 1
        return node

    def takes(self, mark: str) -> bool:
        if self.tokens[self.at][:2] == ("mark", mark):
            self.at += 1
            return True
        return False

    def needs(self, mark: str) -> None:
        if not self.takes(mark):
            self.refuse(f"{mark!r} was expected")

    def end(self) -> None:
        if self.tokens[self.at][0] != "end":
            self.refuse("the path should have ended")

    def refuse(self, what: str, back: int = 0) -> NoReturn:
        _, _, place = self.tokens[self.at - back]
        raise PathError(f"{shown(self.text)} is no FHIRPath: {what} at character {place + 1}")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and place of each token, and an end."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PathError(f"{shown(text)} is no FHIRPath: {text[at]!r} at character {at + 1}")
        if match.lastgroup is not None:
            yield match.lastgroup, match[0], at
        at = match.end()
    yield "end", "", len(text)


def _decimal(text: str) -> Literally:
    return Literally(Decimal(text), "decimal")


def _unquoted(text: str) -> str:
    def of(match: re.Match[str]) -> str:
        escape = match[1]
        return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPES.get(escape, escape)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", of, text[1:-1], flags=re.DOTALL)
