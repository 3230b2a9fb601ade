"""Which records of a sample become fixtures: few, but together they hold every field, and every null."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hde.check.fixtures import LARGEST
from hde.check.record_paths import Path, paths_in
from hde.errors import WrongUse
from hde.spec.problem import snake

MOST = 30
"""Fixtures of one resource; a sample of records that all differ has no more to teach."""


def choose_fixtures(records: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Fixtures by name: the first record, then those that hold something the others do not."""
    chosen: dict[str, Mapping[str, Any]] = {}
    seen: set[tuple[Path, bool]] = set()
    for record in records:
        if len(fixture_text(record).encode()) > LARGEST:
            raise WrongUse(
                f"A record of the sample has more than {LARGEST} bytes: take one that is usual for the source"
            )
        shape = {(path, _at(record, path) is None) for path in paths_in(record)}
        new = shape - seen
        if new and len(chosen) < MOST:
            chosen[_name(min(new), chosen)] = record
            seen |= shape
    return chosen


def _name(new: tuple[Path, bool], taken: Mapping[str, object]) -> str:
    """After what the fixture holds that none before it does."""
    path, is_null = new
    quirk = snake("_".join(path))[:40].strip("_")
    name = "first" if not taken else f"{quirk}_null" if is_null else f"with_{quirk}"
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _at(record: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(record, dict):
            return record
        record = record.get(name)
    return record


def fixture_text(record: object) -> str:
    """A fixture as its file holds it."""
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
