"""Which resource a request is for, and what its templates were filled with: templates read the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from hde.spec.connector import Connector, Request, Resource
from hde.spec.template import Template, Tree, compile_template
from hde.spec.template_filters import as_text

Captures = dict[str, str]
"""What stood where a template names something: `window.start` -> its text."""


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    json: object = None
    form: Mapping[str, list[str]] = field(default_factory=dict)
    text: str = ""
    """Everything of it, to look for tokens in."""


def recognised(connector: Connector, scope: Mapping[str, object], asked: Asked) -> tuple[Resource, Captures] | None:
    """The resource whose request this is: the one with the most constants in common; None where none fits."""
    best: tuple[int, Resource, Captures] | None = None
    for resource in connector.resources.values():
        found = _matched(connector, resource.request, scope, asked)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], resource, found[1])
    return (best[1], best[2]) if best else None


def captured(request: Request, scope: Mapping[str, object], asked: Asked) -> Captures | None:
    """What a request was filled with; None where it is another one."""
    found = _matched(None, request, scope, asked)
    return found[1] if found else None


def _matched(
    connector: Connector | None, request: Request, scope: Mapping[str, object], asked: Asked
) -> tuple[int, Captures] | None:
    if request.method != asked.method:
        return None
    path = _in_text(request.path, asked.path, scope, r"(.+)" if request.path.is_one_expression else r"([^/]+)")
    if path is None:
        return None
    captures: Captures = dict(path)
    constants = 0
    everywhere = connector.http.params if connector else {}
    pairs = [*_leaves({**everywhere, **request.params}, asked.query)]
    pairs += _leaves(request.form or {}, asked.form) if request.form is not None else []
    pairs += _leaves(request.json, asked.json) if request.json is not None else []
    for tree, text in pairs:
        found = _in_leaf(tree, text, scope)
        if found is None:
            return None
        constants += not found
        captures.update(found)
    return constants, captures


def _leaves(tree: Tree, actual: object) -> Iterator[tuple[Tree, object]]:
    """Each value of a request as written, beside what arrived in its place (None: nothing)."""
    if isinstance(tree, Mapping):
        for name, below in tree.items():
            found = actual.get(name) if isinstance(actual, Mapping) else None
            is_query = isinstance(found, list) and not isinstance(below, tuple)
            yield from _leaves(below, found[0] if is_query and found else found)
    elif isinstance(tree, tuple):
        items = actual if isinstance(actual, list) else []
        if len(items) == len(tree):
            for below, found in zip(tree, items, strict=True):
                yield from _leaves(below, found)
    else:
        yield tree, actual


def _in_leaf(tree: Tree, actual: object, scope: Mapping[str, object]) -> Captures | None:
    if not isinstance(tree, Template):
        return {} if actual is not None and as_text(tree) == as_text(actual) else None
    if actual is None:
        return {} if tree.names and tree.is_one_expression else None
    return _in_text(tree, as_text(actual), scope, r"(.*)")


def _in_text(template: Template, text: str, scope: Mapping[str, object], anything: str) -> Captures | None:
    pattern, names = "", []
    for part in template.parts:
        if isinstance(part, str):
            pattern += re.escape(part)
            continue
        hole = compile_template(f"{{{{ {part.source} }}}}")
        if all(name[0] in scope for name in hole.names):
            pattern += re.escape(as_text(hole.value(scope)))
        else:
            pattern += anything
            names.append(part.source)
    match = re.fullmatch(pattern.removeprefix("/"), text.removeprefix("/"), re.DOTALL)
    return None if match is None else dict(zip(names, map(unquote, match.groups()), strict=True))


def names_of(request: Request) -> set[str]:
    """Every dotted name a request is filled with."""
    return {".".join(name) for name in request.names}
