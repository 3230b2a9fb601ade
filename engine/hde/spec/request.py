"""A request as the author shows it, and what to make of its answer, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hde.spec.template import Template, Tree, templates_in


@dataclass(frozen=True)
class Request:
    """A request as the author shows it; every changing part is a template. `json` and `form` exclude each other."""

    path: Template
    method: str = "GET"
    params: Mapping[str, Tree] = field(default_factory=dict)
    headers: Mapping[str, Tree] = field(default_factory=dict)
    json: Tree | None = None
    form: Mapping[str, Tree] | None = None

    @property
    def names(self) -> set[tuple[str, ...]]:
        """Everything it is filled with: `("window", "start")`."""
        trees = (self.path, *self.params.values(), *self.headers.values(), self.json, *(self.form or {}).values())
        return {name for tree in trees for template in templates_in(tree) for name in template.names}


@dataclass(frozen=True)
class Where:
    """A part of an answer: a JMESPath on its body, or one of its headers."""

    body: str | None = None
    header: str | None = None


ErrorAction = Literal["retry", "wait", "refresh", "restart", "empty", "skip", "fail"]


@dataclass(frozen=True)
class ErrorRule:
    do: ErrorAction
    status: tuple[int, ...] = ()
    """Empty: any status."""
    body: str | None = None
    """A JMESPath on the answer; the rule matches where it gives something true."""
    message: str | None = None
    """A JMESPath on the answer: the source's own words for the failure."""


@dataclass(frozen=True)
class Errand:
    """A request sent for what it does: of its answer only the outcome matters."""

    request: Request
    errors: tuple[ErrorRule, ...] = ()
