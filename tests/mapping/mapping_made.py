"""Small mappings for the tests, made in code so that they say nothing about YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hde.canonical import TABLES
from hde.mapping.compiled import CompiledMapping, Mapped, compile_mapping
from hde.spec.mapping import Lookup, Mapping, Reading, Reference, RowSet, Target


def path(text: str, **more: Any) -> Reading:
    return Reading(path=text, **more)


def const(value: Any) -> Reading:
    return Reading(const=value, has_const=True)


def lookup(entries: dict[str, Any], unknown: Any = "issue") -> Lookup:
    return Lookup(entries, unknown)


def made(*targets: Target, when: str | None = None, with_: tuple[str, ...] = ()) -> CompiledMapping:
    """A compiled mapping with these targets; `with_` names references."""
    references = {name: Reference(name, f"{name}s", f"{name}_id") for name in with_}
    return compile_mapping(
        Mapping(
            "acme/things", Path("acme/things.yaml"), "things", {one.table: one for one in targets}, references, when
        )
    )


def workouts(when: str | None = None, **columns: Reading) -> Target:
    """A target that needs nothing of the record but what is named here; it starts on 2026-01-02 at noon UTC."""
    start = {} if "start_time" in columns else {"start_time": const("2026-01-02T12:00:00Z")}
    return Target("workouts", (RowSet("", {**start, **columns}),), when)


def vitals(rows: dict[str, dict[str, Reading]], when: dict[str, str] | None = None, **common: Reading) -> Target:
    start = {} if "start_time" in common else {"start_time": const("2026-01-02T12:00:00Z")}
    sets = tuple(RowSet(name, {**start, **common, **row}, (when or {}).get(name)) for name, row in rows.items())
    return Target("biometrics_vitals", sets)


def cell(mapped: Mapped, column: str, row: int = 0) -> Any:
    """One value of one row."""
    found = mapped.rows[row]
    names = [one.name for one in TABLES[found.table].columns]
    return found.values[names.index(column)]


def rules(mapped: Mapped) -> list[tuple[str, str]]:
    return [(issue.path, issue.rule) for issue in mapped.issues]
