"""Tests of a drafted mapping: what it makes of the fixtures today, for its author to hold against the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from hde.author.part import Map
from hde.canonical import TABLES
from hde.mapping.compiled import CanonicalRow, CompiledMapping

MOST = 3
"""Tests that are written; more would be read by nobody."""
_SAID_ELSEWHERE = ("loinc", "statistic", "unit", "method")
"""Columns the engine fills from the list of metrics."""


def tests_of(
    resource: str, compiled: CompiledMapping, fixtures: Mapping[str, Mapping[str, Any]], observed: Mapping[str, str]
) -> Map | None:
    """What `mappings/SOURCE/tests/RESOURCE.yaml` says; None where no fixture becomes a row."""
    tests: list[Map] = []
    for name, record in fixtures.items():
        mapped = compiled.map(record, row=observed)
        if len(tests) == MOST or any(issue.level == "error" for issue in mapped.issues):
            continue
        expect: dict[str, list[Map]] = {table: [] for table in compiled.tables}
        for row in mapped.rows:
            expect[row.table].append(_cells(row))
        test: Map = {
            "title": f"what becomes of {name}",
            "given": name,
            **({"row": dict(observed)} if observed else {}),
            "expect": expect,
        }
        if mapped.issues:
            test["issues"] = [{"path": issue.path, "rule": issue.rule} for issue in mapped.issues]
        if mapped.rows:
            tests.append(test)
    return {"mapping": resource, "tests": tests} if tests else None


def _cells(row: CanonicalRow) -> Map:
    columns = [column.name for column in TABLES[row.table].columns]
    cells = {name: _plain(value) for name, value in zip(columns, row.values, strict=True) if value is not None}
    return {name: value for name, value in cells.items() if name not in _SAID_ELSEWHERE}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
