"""What tests expect, held against the canonical tables: a table or a column that is not there is a typo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hde.canonical import TABLES
from hde.spec.mapping_test import kind_of, test_files
from hde.spec.problem import KeyPath, Problem, with_hint
from hde.spec.yaml_file import YamlFile

_BESIDE = ("part",)
"""Names of a row that are no columns of the model."""


def expectations_problems(mappings_folder: Path) -> Iterator[Problem]:
    """What is wrong with the rows that the tests of a source expect; files with other problems are left alone."""
    for file, found in test_files(mappings_folder):
        if file is None or found:
            continue
        data: Any = file.data
        for index, test in enumerate(data["tests"]):
            trail: KeyPath = ("tests", index, "expect")
            expected = test.get("expect") or {}
            if kind_of(file) == "resource":
                trail, expected = (*trail, "canonical"), expected.get("canonical") or {}
            for table, rows in expected.items():
                yield from _of_table(file, (*trail, table), table, rows)


def _of_table(file: YamlFile, trail: KeyPath, table: str, rows: Any) -> Iterator[Problem]:
    if table not in TABLES:
        yield file.problem(trail, with_hint(f"{table} is not a canonical table", table, TABLES))
        return
    known = [*(column.name for column in TABLES[table].columns), *_BESIDE]
    places = {("all",): rows.get("all", {})} if isinstance(rows, dict) else {}
    listed, start = (rows.get("rows", ()), ("rows",)) if isinstance(rows, dict) else (rows, ())
    for step, row in [*places.items(), *(((*start, number), row) for number, row in enumerate(listed))]:
        for name in row:
            if name not in known:
                message = with_hint(f"{name} is not a column of {table}", name, known)
                yield file.problem((*trail, *step, name), message)
