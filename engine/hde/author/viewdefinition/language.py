"""The whole of FHIRPath as far as it can be said: steps, functions and conditions together."""

from __future__ import annotations

from collections.abc import Mapping

from hde.author.viewdefinition.code import Code
from hde.author.viewdefinition.conditions import Conditions
from hde.author.viewdefinition.functions import FUNCTIONS
from hde.author.viewdefinition.syntax import Node
from hde.author.viewdefinition.translate import Rules, Translator


def starting_at(
    type_: str | None,
    constants: Mapping[str, Code],
    resource: str | None,
    notes: list[str],
    base: Code | None = None,
) -> Translator:
    """Says paths that start at a value of a type. `resource`: the record's, where they start at the record. `base`:
    how the value is read, where it is not the one at hand."""
    return Translator(type_, _RULES, constants, resource, notes, base)


def _condition(at: Translator, node: Node) -> str:
    return Conditions(at).true(node).text


def _truth(at: Translator, node: Node) -> str:
    return Conditions(at).value(node)


_RULES = Rules(FUNCTIONS, _condition, _truth)
