"""Records of every source, made strange at random: an issue or a row, never the end of a run."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from hde.mapping.compiled import CompiledMapping, compile_mapping
from hde.spec.find import mappings_folder
from hde.spec.load import load_source

TOP = Path(__file__).parents[2]
STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "x", "\0", "2026-13-45", "2026-02-30T25:00:00Z", "é" * 300, [],
    {}, [None], [[]], [{}], {"a": 1}, "<5", "1-2", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-12:00",
]  # fmt: skip


def changed(record: Any, chance: random.Random) -> Any:
    """A copy in which some value, or everything below it, is another."""
    found = copy.deepcopy(record)
    for _ in range(chance.randint(1, 4)):
        node = found
        while node:
            at = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if chance.random() < 0.35 or not isinstance(node[at], dict | list):
                node[at] = copy.deepcopy(chance.choice(STRANGE))
                break
            node = node[at]
    return found


def compiled(connector: Path) -> list[tuple[CompiledMapping, list[Any]]]:
    folder = mappings_folder(connector)
    found = []
    for mapping in load_source(connector, folder).mappings:
        files = sorted((folder / "fixtures" / mapping.from_).glob("*.json"))
        found.append((compile_mapping(mapping), [json.loads(file.read_text(encoding="utf-8")) for file in files]))
    return found


@pytest.mark.parametrize("name", ["fhir", "whoop"])
def test_no_record_is_too_strange_for_a_mapping(name: str) -> None:
    chance = random.Random(name)
    for mapping, records in compiled(TOP / "connectors" / f"{name}.yaml"):
        for _ in range(150):
            mapped = mapping.map(changed(chance.choice(records), chance))
            assert all(issue.rule for issue in mapped.issues)
            if any(issue.level == "error" for issue in mapped.issues):
                assert mapped.rows == []
