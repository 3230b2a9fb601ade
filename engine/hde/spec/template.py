"""What a connector writes: text with `{{ expressions }}`. Expressions only, sandboxed, with bounded output.

A text that is one expression keeps the type of its value (null, number, list); everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any, Final
from urllib.parse import quote

import jinja2
from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hde.errors import WrongUse
from hde.spec.template_filters import FILTERS, LONGEST_OUTPUT, FilterError, as_text, bounded, concatenated

Scope = Mapping[str, object]
LONGEST_TEXT = 10_000
MOST_OF_ONE_VALUE: Final = 10 * LONGEST_OUTPUT
"""Of the texts and parts of a value that is passed on as it is: a list of references may be long."""
_LONGEST_SHOWN: Final = 80
CONCATENATED: Final = "parts of ~"
"""No author can write a filter of this name."""

_ALLOWED = (
    nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Filter, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub, nodes.List, nodes.Output, nodes.Template,
    nodes.TemplateData,
)  # fmt: skip
_OF_DICTS = frozenset(dir(dict))
"""Jinja looks for attributes before entries."""
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class TemplateError(WrongUse):
    """A template that does not compile, or gave nothing where text was needed."""


@dataclass(frozen=True)
class _Hole:
    source: str
    evaluate: Callable[..., object]
    path: tuple[str, ...] = ()
    """Of an expression that is a dotted name and nothing else."""

    def value(self, scope: Scope) -> object:
        """The expression's value. What its operands cannot do is a TemplateError, which holds no value."""
        if self.path and (found := _at(self.path, scope)) is not None:
            return found
        try:
            return self.evaluate(**scope)
        except FilterError as error:
            raise TemplateError(f"{_hole(self.source)}: {error}") from None
        except (JinjaError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"{_hole(self.source)} cannot be computed ({type(error).__name__})") from None


@dataclass(frozen=True)
class Template:
    """A compiled template. `names` are the dotted names it reads: `("window", "start")`."""

    text: str
    parts: tuple[str | _Hole, ...]
    names: frozenset[tuple[str, ...]]

    @property
    def is_one_expression(self) -> bool:
        return len(self.parts) == 1 and isinstance(self.parts[0], _Hole)

    def value(self, scope: Scope) -> object:
        """The value: of its own type if the template is one expression, else text."""
        if len(self.parts) == 1 and isinstance(self.parts[0], _Hole):
            value = self.parts[0].value(scope)
            try:
                bounded(value, LONGEST_OUTPUT if isinstance(value, str) else MOST_OF_ONE_VALUE)
            except FilterError as error:
                raise TemplateError(f"{_hole(self.parts[0].source)}: {error}") from None
            return value
        return self.render(scope)

    def render(self, scope: Scope, *, as_segments: bool = False) -> str:
        """The text. A null inside it is an error; with `as_segments` each value is encoded as one path segment."""
        pieces, length = [], 0
        for piece in self._pieces(scope, as_segments):
            length += len(piece)
            if length > LONGEST_OUTPUT:
                raise TemplateError(f"{_shown(self.text)!r} gives more than {LONGEST_OUTPUT} characters")
            pieces.append(piece)
        return "".join(pieces)

    def _pieces(self, scope: Scope, as_segments: bool) -> Iterator[str]:
        for part in self.parts:
            if isinstance(part, str):
                yield part
                continue
            value = part.value(scope)
            if value is None:
                where = f"in {_shown(self.text)!r}, where a text is needed"
                raise TemplateError(f"{_hole(part.source)} gives nothing {where}")
            try:
                yield _segment(as_text(value)) if as_segments else as_text(value)
            except FilterError as error:
                raise TemplateError(f"{_hole(part.source)}: {error}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"


Tree = Template | str | int | float | bool | None | tuple["Tree", ...] | Mapping[str, "Tree"]
"""A value of a request as written in YAML, its texts compiled."""


def compile_template(text: str) -> Template:
    """Compile `text`; TemplateError says what is wrong with it, in words for the author."""
    if len(text) > LONGEST_TEXT:
        raise TemplateError(f"a template of {len(text)} characters; {LONGEST_TEXT} are the most")
    if "{%" in text or "{#" in text:
        raise TemplateError("templates are expressions: {{ ... }} works, {% ... %} and {# ... #} do not")
    parts: list[str | _Hole] = []
    names: set[tuple[str, ...]] = set()
    position = 0
    for match in _EXPRESSION.finditer(text):
        if match.start() > position:
            parts.append(text[position : match.start()])
        source = match.group(1).strip()
        try:
            path, read = tuple(source.split(".")), set(_names(source))
            names |= read
            evaluate = _environment().compile_expression(source, undefined_to_none=True)
            parts.append(_Hole(source, evaluate, path if read == {path} else ()))
        except (RecursionError, MemoryError):
            raise TemplateError(f"{{{{ {_shown(source)[:40]}... }}}} is nested too deeply") from None
        except (SyntaxError, ValueError):
            raise TemplateError(f"{_hole(source)} is no expression") from None
        position = match.end()
    if position < len(text) or not parts:
        parts.append(text[position:])
    if any(isinstance(part, str) and ("{{" in part or "}}" in part) for part in parts):
        raise TemplateError(f"{{{{ without }}}} in {_shown(text)!r}")
    return Template(text, tuple(parts), frozenset(names))


def compile_tree(value: object) -> Tree:
    """A request value as read from YAML with every text in it compiled."""
    if isinstance(value, str):
        return compile_template(value)
    if isinstance(value, list | tuple):
        return tuple(compile_tree(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): compile_tree(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TemplateError(f"a {type(value).__name__} has no place in a request")


def render_tree(tree: Tree, scope: Scope) -> object:
    """The value of a tree. Entries of maps and lists that give null are left out, constants that are null stay."""
    if isinstance(tree, Template):
        return tree.value(scope)
    if isinstance(tree, tuple):
        rendered = [(item, render_tree(item, scope)) for item in tree]
        return [value for item, value in rendered if value is not None or not isinstance(item, Template)]
    if isinstance(tree, Mapping):
        pairs = [(key, item, render_tree(item, scope)) for key, item in tree.items()]
        return {key: value for key, item, value in pairs if value is not None or not isinstance(item, Template)}
    return tree


def templates_in(tree: Tree) -> Iterator[Template]:
    if isinstance(tree, Template):
        yield tree
    elif isinstance(tree, tuple):
        for item in tree:
            yield from templates_in(item)
    elif isinstance(tree, Mapping):
        for item in tree.values():
            yield from templates_in(item)


def _at(path: tuple[str, ...], scope: Scope) -> object:
    """What Jinja gives for a dotted name where every step is an entry of a map; else None, and Jinja is to be asked."""
    found: object = scope
    for name in path:
        if type(found) is not dict or name in _OF_DICTS:
            return None
        found = found.get(name)
    return found


def _segment(text: str) -> str:
    try:
        encoded = quote(text, safe="")
    except UnicodeEncodeError:
        raise FilterError("half a character (a lone surrogate), which no address can hold") from None
    return encoded.replace(".", "%2E") if set(encoded) <= {"."} else encoded


def _shown(text: str) -> str:
    """A template as a message shows it: in one line, and not all of a long one."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 3] + "..."


def _hole(source: str) -> str:
    return f"{{{{ {_shown(source)} }}}}"


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset("+")

    def from_string(self, source: str | nodes.Template, *args: Any, **kwargs: Any) -> jinja2.Template:
        """As Jinja's own, but `~` refuses null, which would become the text None, and is bounded."""
        if isinstance(source, nodes.Template):
            for concat in source.find_all(nodes.Concat):
                parts = nodes.List(concat.nodes, lineno=concat.lineno, environment=self)
                concat.nodes = [
                    nodes.Filter(parts, CONCATENATED, [], [], None, None, lineno=concat.lineno, environment=self)
                ]
        return super().from_string(source, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """`+` of texts and lists, within bounds."""
        if hasattr(left, "__len__") and hasattr(right, "__len__") and len(left) + len(right) > LONGEST_OUTPUT:
            raise FilterError(f"more than {LONGEST_OUTPUT} characters")
        return super().call_binop(context, operator, left, right)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Environment(autoescape=False)
    environment.filters = {**FILTERS, CONCATENATED: concatenated}
    environment.globals.clear()
    return environment


def _names(source: str) -> Iterator[tuple[str, ...]]:
    try:
        tree = _environment().parse("{{ " + source + " }}")
    except TemplateSyntaxError as error:
        raise TemplateError(f"{_hole(source)}: {_shown(error.message or '')}") from None
    for node in _walk([tree]):
        if isinstance(node, nodes.Const) and isinstance(node.value, float) and not isfinite(node.value):
            raise TemplateError(f"{_hole(source)}: a number that is too large")
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise TemplateError(f"{_hole(source)}: {what} is not part of templates; names, filters and ~ are")
        if isinstance(node, nodes.Getitem) and str(getattr(node.arg, "value", "")).startswith("_"):
            raise TemplateError(f"{_hole(source)}: names that begin with _ are out of reach")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise TemplateError(f"{_hole(source)}: no filter {_shown(node.name)!r}; there are {', '.join(FILTERS)}")
        if isinstance(node, nodes.Name | nodes.Getattr) and (name := _dotted(node)):
            if any(part.startswith("_") for part in name):
                raise TemplateError(f"{_hole(source)}: names that begin with _ are out of reach")
            yield name


def _walk(todo: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    for node in todo:
        yield node
        if not isinstance(node, nodes.Getattr) or not _dotted(node):
            yield from _walk(node.iter_child_nodes())


def _dotted(node: nodes.Node) -> tuple[str, ...]:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr) and (left := _dotted(node.node)):
        return (*left, node.attr)
    return ()
