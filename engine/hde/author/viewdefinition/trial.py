"""A view over resources: what is said in the grammar of mappings, run by the plans of the engine itself.

Columns have no type here, so that a row shows what the JMESPath gives. Pure: no canonical table is involved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hde.author.viewdefinition.said import Said
from hde.author.viewdefinition.view import View
from hde.errors import WrongUse
from hde.issues import Issue
from hde.mapping.at import Read, Reader
from hde.mapping.items import EachPlan, compile_items
from hde.mapping.paths import compile_path, truthy
from hde.mapping.plan import CompiledMapping, TargetPlan
from hde.mapping.rows import RowPlan
from hde.mapping.scope import Scope
from hde.spec.freeze_mapping import freeze_mapping
from hde.spec.mapping import Each, Reading, RowSet, Target
from hde.spec.yaml_file import YamlFile

TABLE = "view"


class NotOneValue(WrongUse):
    """A column that is no collection has several values in a resource."""


def rows_of(view: View, said: Said, resources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that the view makes of the resources of its type, as dicts by column."""
    file = YamlFile(Path("view.yaml"), said.mapping("resources", TABLE), {})
    mapping = freeze_mapping(file, "view", {})
    names = [column.name for column in view.columns]
    many = {column.name for column in view.columns if column.collection}
    plan = _compiled(mapping.to[TABLE], names, mapping.when)
    found = []
    for resource in resources:
        if resource.get("resourceType") != view.resource:
            continue
        rows, issues, _ = plan.map(resource)
        if issues:
            raise WrongUse(f"{issues[0].path}: {issues[0].rule}")
        for row in rows:
            values = dict(zip(names, row.values, strict=True))
            for name, value in values.items():
                if isinstance(value, list) and name not in many:
                    raise NotOneValue(f"{name}: several values in one row")
            found.append(values)
    return found


def _compiled(target: Target, names: list[str], when: str | None) -> CompiledMapping:
    scope = Scope(("row", "account"))
    inner = scope.inside(target.each)
    plans = [_rows(rows, names, inner) for rows in target.rows]
    asked = None if target.when is None else _condition(target.when, inner)
    every = (
        TargetPlan(asked, plans) if target.each is None else TargetPlan(None, [_each(target.each, scope, plans, asked)])
    )
    condition = None if when is None else _condition(when, scope)
    return CompiledMapping("view", "view", (), (TABLE,), "", condition, (every,), 0, (), True)


def _rows(rows: RowSet, names: list[str], around: Scope) -> RowPlan | EachPlan:
    scope = around.inside(rows.each)
    own = [(names.index(name), Reader(_value(reading, scope))) for name, reading in rows.columns.items()]
    plan = RowPlan(TABLE, rows.name, None, [None] * len(names), [], own, [], ())
    asked = None if rows.when is None else _condition(rows.when, scope)
    return replace(plan, when=asked) if rows.each is None else _each(rows.each, around, [plan], asked)


def _each(each: Each, record: Scope, plans: list[RowPlan | EachPlan], when: Read | None) -> EachPlan:
    around = record.inside(each.around)
    plan = EachPlan(compile_items(each, around), None, False, when, plans, ())
    return plan if each.around is None else _each(each.around, record, [plan], None)


def _value(reading: Reading, scope: Scope) -> Read:
    if reading.path is None:
        return lambda documents, issues: reading.const
    path = compile_path(reading.path, scope)
    return lambda documents, issues: path.value(documents)


def _condition(text: str, scope: Scope) -> Read:
    path = compile_path(text, scope)

    def holds(documents: Mapping[str, object], issues: list[Issue]) -> bool:
        return truthy(path.get(documents[path.of]))

    return holds
