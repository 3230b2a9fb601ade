"""Recorded records held against the raw columns a connector declares, by the engine's own strict reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from hde.check.place import complain
from hde.check.tables import column_trail
from hde.issues import Issue
from hde.source.reader import RowReader
from hde.spec.connector import RawColumn, Resource
from hde.spec.mapping_test import fixture_file
from hde.spec.problem import Problem
from hde.spec.yaml_file import YamlFile

_FORMS = {
    "timestamptz": "RFC 3339 with an offset (2026-01-31T22:00:00Z)",
    "date": "a date (2026-01-31)",
    "uuid": "a uuid",
    "bigint": "a whole number",
    "int": "a whole number",
    "numeric": "a number",
}
_TIMES = " Say how it is written ({{type: timestamptz, time: {how}}}), or declare it {kind} and read it in the mapping"


def fit_problems(
    resource: Resource, records: Mapping[str, object], folder: Path, excused: frozenset[str], file: YamlFile
) -> Iterator[Problem]:
    """Columns whose type the recorded values do not have: an error where none fits, a warning where some do.

    `excused` are the fixtures that are wrong on purpose.
    """
    if any(resource.column(name) is None for name in resource.key):
        return
    reader = RowReader(resource, {})
    misfits: dict[str, dict[str, Issue]] = defaultdict(dict)
    fitting: set[str] = set()
    for name in records:
        read = reader.read(fixture_file(folder, resource.name, name).read_bytes())
        issues = read if isinstance(read, list) else read.issues
        if name not in excused:
            for issue in issues:
                misfits[issue.path].setdefault(name, issue)
        if not isinstance(read, list):
            values = zip(resource.columns, read.values, strict=True)
            fitting |= {column.path for column, value in values if value is not None}
    for column in resource.columns:
        if not column.path.startswith("$") and column.path in misfits:
            found = misfits[column.path]
            name, issue = next(iter(found.items()))
            level: Literal["error", "warning"] = "warning" if column.path in fitting else "error"
            trail = column_trail(file, resource.name, column)
            yield complain(file, trail, _message(resource, column, name, issue), level, about_key=True)


def _message(resource: Resource, column: RawColumn, fixture: str, issue: Issue) -> str:
    what = f"fixture {fixture!r} of {resource.name} has {article(issue.json_type)} at {column.path}"
    _, _, fault = issue.rule.partition(": ")
    if not fault:
        return f"fixture {fixture!r} of {resource.name}: {column.path}: {issue.rule}"
    match fault:
        case "form":
            message = f"{what} that is not {_FORMS.get(column.type, column.type)}, and the column is {column.type}."
        case "range":
            message = f"{what} that is too large for {column.type}."
        case _:
            message = f"{what}, and the column is {column.type}."
    if column.type == "timestamptz":
        return message + (
            _TIMES.format(kind="bigint", how="epoch")
            if issue.json_type == "number"
            else _TIMES.format(kind="text", how="'%d.%m.%Y %H:%M'")
        )
    return message.removesuffix(".")


def article(json_type: str) -> str:
    """`a number`, `an object`."""
    return f"an {json_type}" if json_type[:1] in "aeiou" else f"a {json_type}"
