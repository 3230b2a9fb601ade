"""FHIRPath said in JMESPath, step by step. What functions and conditions become is in modules of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hde.author.viewdefinition import code, types
from hde.author.viewdefinition.code import Code, child, first, literal
from hde.author.viewdefinition.syntax import Binary, Call, Constant, Index, Literally, Negative, Node, Step, This
from hde.errors import WrongUse
from hde.mapping.expression import LONGEST_TEXT


class Unsayable(WrongUse):
    """What JMESPath, or the grammar of mappings, cannot say; or what is wrong with the path itself."""


CONDITIONS = frozenset({"exists", "empty", "not", "all", "hasValue", "startsWith", "endsWith", "contains", "is"})
"""Functions that give a boolean."""
BOOLEAN = frozenset({"and", "or", "xor", "implies", "=", "!=", "<", ">", "<=", ">=", "in", "contains", "is", "~", "!~"})
"""Operators that do."""


class Rules(NamedTuple):
    """What a path is made of besides its steps."""

    functions: Mapping[str, Callable[[Translator, Call], Code]]
    condition: Callable[[Translator, Node], str]
    """JMESPath that is true exactly where the path is, and false or null elsewhere."""
    truth: Callable[[Translator, Node], str]
    """True, false, or null where nobody knows."""


@dataclass
class Translator:
    """Says paths that start at a value of `type`; `constants` are those of the view.

    `notes` collects what is said with a difference that its reader should know.
    """

    type: str | None
    rules: Rules
    constants: Mapping[str, Code] = field(default_factory=dict)
    resource: str | None = None
    """The type of the record, where the path starts at one."""
    notes: list[str] = field(default_factory=list)
    base: Code | None = None
    """What the path starts at, where that is not at hand but has to be read first."""

    @property
    def focus(self) -> Code:
        return self.base or Code(code.FOCUS, "one", self.type)

    def inside(self, items: Code) -> Translator:
        """For what stands in the brackets of a function: it starts at each item."""
        return Translator(items.type, self.rules, self.constants, None, self.notes)

    def value(self, node: Node) -> Code:
        said = self._value(node)
        check_length(said.text)
        return said

    def _value(self, node: Node) -> Code:
        match node:
            case Literally():
                return self._literally(node)
            case Constant(name):
                return self._constant(name)
            case This("this"):
                return self.focus
            case This(name):
                raise Unsayable(f"${name} has no counterpart in JMESPath")
            case Step(base, name):
                return self._step(base, name)
            case Index(base, at):
                return first(self.value(base), self._number(at))
            case Negative():
                raise Unsayable("JMESPath has no arithmetic")
            case Binary(operator, left, right):
                return self._binary(operator, left, right)
            case Call():
                return self._call(node)

    def condition(self, node: Node) -> str:
        return self.rules.condition(self, node)

    def _literally(self, node: Literally) -> Code:
        match node.kind:
            case "empty":
                return Code("`null`", "one", None)
            case "quantity":
                raise Unsayable("a quantity with its unit cannot be compared in JMESPath")
            case kind:
                return literal(node.value, kind)

    def _constant(self, name: str) -> Code:
        if name in self.constants:
            return self.constants[name]
        match name:
            case "resource" | "context" | "rootResource":
                if self.resource is not None:
                    return self.focus
                raise Unsayable(f"%{name}: inside a filter JMESPath does not reach the record around it")
            case "rowIndex":
                raise Unsayable("%rowIndex stands alone in its column, or not at all")
            case "sct" | "loinc" | "ucum":
                return literal(_SYSTEMS[name], "string")
        raise Unsayable(f"there is no constant %{name}")

    def _step(self, base: Node | None, name: str) -> Code:
        if base is None and name == self.type and name[0].isupper():
            return self.focus  # `Patient.name`: the path begins with the type it starts at
        above = self.focus if base is None else self.value(base)
        found = types.element(above.type, name)
        if found is None and types.choices(above.type, name) is not None:
            raise Unsayable(f"{name} is one of several types: say which, as {name}.ofType(string)")
        if found is None and types.is_known(above.type):
            raise Unsayable(f"{above.type} has no element {name!r}")
        if found is None and above.type in types.PRIMITIVES:
            raise Unsayable(f"a {above.type} has no element {name!r}")
        return child(above, name, found.type if found else None, many=found.many if found else None)

    def _call(self, node: Call) -> Code:
        said = self.rules.functions.get(node.name)
        if said is not None:
            return said(self, node)
        if node.name in CONDITIONS:
            return self._condition_value(node)
        raise Unsayable(f"{node.name}() has no counterpart in JMESPath")

    def _binary(self, operator: str, left: Node, right: Node) -> Code:
        if operator in BOOLEAN:
            return self._condition_value(Binary(operator, left, right))
        match operator:
            case "as":
                return self.of_type(left, type_name(right))
            case "&":
                return self._joined(left, right)
            case "+" if (both := self._both_texts(left, right)) is not None:
                return both
            case "|":
                raise Unsayable("`|` leaves out what comes twice, which JMESPath cannot; combine() can be said")
        raise Unsayable("JMESPath has no arithmetic")

    def _condition_value(self, node: Node) -> Code:
        """A condition as a value: true, false, or null where nobody knows."""
        return Code(self.rules.truth(self, node), "one", "boolean")

    def _joined(self, left: Node, right: Node) -> Code:
        """`a & b`: what is absent is an empty text."""
        parts = []
        for node in (left, right):
            said = code.single(self.value(node))
            parts.append(said.text if said.literal else f"{said.inner} || ''")
        return Code(f"join('', [{', '.join(parts)}])", "one", "string")

    def _both_texts(self, left: Node, right: Node) -> Code | None:
        """`a + b` of texts: nothing where either is absent. None for numbers, and for what nobody knows to be text."""
        parts = [code.single(self.value(node)) for node in (left, right)]
        if not any(part.type in _TEXTS for part in parts):
            return None
        asked = [f"{part.inner} != `null`" for part in parts if not part.literal]
        joined = f"join('', [{', '.join(part.text for part in parts)}])"
        if not asked:
            return Code(joined, "one", "string")
        return Code(f"(({' && '.join(asked)} || `null`) && {joined})", "one", "string")

    def _number(self, node: Node) -> int:
        said = self.constants.get(node.name) if isinstance(node, Constant) else None
        text = said.text.strip("`") if said is not None else str(node.value) if isinstance(node, Literally) else ""
        if not text.isdigit():
            raise Unsayable("the number in [ ] must be a number: JMESPath computes none")
        return int(text)

    def any_of_choice(self, node: Node) -> Code | None:
        """All that a choice without its type could be, as a list; None for what is no choice."""
        if not isinstance(node, Step):
            return None
        above = self.focus if node.base is None else self.value(node.base)
        suffixes = types.choices(above.type, node.name)
        if not suffixes or not above.is_one:
            return None
        texts = [child(above, f"{node.name}{suffix}", None, many=False).text for suffix in suffixes]
        return Code(f"[{', '.join(texts)}][]", "each", None)

    def of_type(self, node: Node, type_: str) -> Code:
        """`value.ofType(Quantity)` is valueQuantity; resources are chosen by their type."""
        if isinstance(node, Step) and type_ not in ("Resource", "Element"):
            above = self.focus if node.base is None else self.value(node.base)
            suffix = type_[0].upper() + type_[1:]
            known = types.choices(above.type, node.name)
            unknown = types.element(above.type, node.name) is None and not types.is_known(above.type)
            if known is not None or (unknown and node.name not in _RESOURCES):
                return child(above, f"{node.name}{suffix}", types.type_of_choice(suffix), many=False)
        said = self.value(node)
        if said.type == type_:
            return said
        if said.type in ("Resource", None) and type_[0].isupper():
            return code.filtered(said, f"resourceType == '{type_}'").typed(type_)
        raise Unsayable(f"ofType({type_}): {said.type} is no choice of types")


_TEXTS = ("string", "code", "uri", "url", "canonical", "id", "oid", "uuid", "markdown")
_RESOURCES = ("resource", "contained", "outcome")
"""Elements that hold a whole resource, whatever they are elements of."""
_SYSTEMS = {"sct": "http://snomed.info/sct", "loinc": "http://loinc.org", "ucum": "http://unitsofmeasure.org"}


def check_length(text: str) -> None:
    """What is true and what is false are said apart, so that a condition in a condition doubles what is written."""
    if len(text) > LONGEST_TEXT:
        raise Unsayable(f"it would take more than {LONGEST_TEXT} characters of JMESPath")


def arguments(node: Call, most: int, least: int | None = None) -> tuple[Node, ...]:
    least = most if least is None else least
    if not least <= len(node.arguments) <= most:
        wanted = str(most) if least == most else f"{least} to {most}"
        raise Unsayable(f"{node.name}() takes {wanted} arguments, not {len(node.arguments)}")
    return node.arguments


def type_name(node: Node) -> str:
    match node:
        case Step(None, name):
            return name
        case Step(Step(None, "FHIR" | "System"), name):
            return name
    raise Unsayable("the name of a type was expected")
