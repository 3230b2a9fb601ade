"""Requests, error rules and templates of a connector's checked YAML, as their dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hde.spec.request import Errand, ErrorRule, Request, Where
from hde.spec.template import Template, Tree, compile_template, compile_tree

Map = Mapping[str, Any]


def freeze_request(said: Map) -> Request:
    form = said.get("form")
    return Request(
        path=compile_template(said.get("path") or ""),
        method=said.get("method") or "GET",
        params=trees(said.get("params")),
        headers=trees(said.get("headers")),
        json=compile_tree(said["json"]) if said.get("json") is not None else None,
        form=None if form is None else trees(form),
    )


def freeze_errors(said: list[Map] | None) -> tuple[ErrorRule, ...]:
    return tuple(
        ErrorRule(rule["do"], statuses(rule.get("status", ())), rule.get("body"), rule.get("message"))
        for rule in said or ()
    )


def statuses(said: int | list[int] | tuple[int, ...]) -> tuple[int, ...]:
    return (said,) if isinstance(said, int) else tuple(said)


def template(said: str | None) -> Template | None:
    return None if said is None else compile_template(said)


def trees(said: Map | None) -> Mapping[str, Tree]:
    return {key: compile_tree(value) for key, value in (said or {}).items()}


def freeze_errand(said: Map) -> Errand:
    return Errand(freeze_request(said), freeze_errors(said.get("errors")))


def where(said: str | Map) -> Where:
    return Where(body=said) if isinstance(said, str) else Where(header=said["header"])
