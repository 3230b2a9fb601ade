"""From the YAML of a mapping to its rows, by the same way as `hde run`: schema, lookups, compiler, record."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hde.canonical import TABLES
from hde.mapping.compiled import CompiledMapping, Mapped, compile_mapping
from hde.spec.freeze_mapping import freeze_mapping, mapping_problems
from hde.spec.schema import schema_problems
from hde.spec.yaml_file import parse_yaml

Row = tuple[str, dict[str, Any]]


def from_yaml(folder: Path, text: str, lookups: str = "{}") -> CompiledMapping:
    file = folder / "things.yaml"
    file.write_text(text, encoding="utf-8")
    read, problems = parse_yaml(file)
    assert read is not None
    known = yaml.safe_load(lookups)
    problems = [*problems, *(schema_problems(read, "mapping") or mapping_problems(read, known))]
    assert [str(problem) for problem in problems] == []
    return compile_mapping(freeze_mapping(read, "acme", known))


def vital(body: str, top: str = "columns: {start_time: {const: '2026-01-02T12:00:00Z'}}") -> str:
    """A mapping to `biometrics_vitals`; `body` is what stands under it."""
    indented = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return f"from: things\n{top}\nto:\n  biometrics_vitals:\n{indented}\n"


def shown(mapped: Mapped, *columns: str) -> list[tuple[Any, ...]]:
    """The part and some columns of each row; instants as text."""
    rows = []
    for row in mapped.rows:
        values = dict(zip([column.name for column in TABLES[row.table].columns], row.values, strict=True))
        rows.append((row.part, *(_plain(values[name]) for name in columns)))
    return rows


def found(mapped: Mapped) -> list[tuple[str, str]]:
    return [(issue.path, issue.rule) for issue in mapped.issues]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
