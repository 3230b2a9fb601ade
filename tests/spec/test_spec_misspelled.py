"""No key can be misspelled silently: each one of the bundled files, wrong in turn, is complained about at its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from spec_made import read_yaml

from hde.check.place import dig
from hde.places import bundled
from hde.spec.elsewhere import resolved
from hde.spec.find import shared_mappings
from hde.spec.load import mappings_folder, read_source
from hde.spec.mapping_test import read_tests
from hde.spec.problem import KeyPath, Problem
from hde.spec.schema import SchemaName, schema

ALONE = ("fixture", "when")
"""With nothing beside them they may as well be a record's own field, or a column of a row: not this room's business."""
CONNECTORS = sorted(bundled("connectors").glob("*.yaml"))
OWN = [connector for connector in CONNECTORS if shared_mappings(connector) is None]
MAPPINGS = [
    (connector, mapping)
    for connector in OWN
    for mapping in sorted(mappings_folder(connector).glob("*.yaml"))
    if mapping.name != "lookups.yaml"
]
TESTS = [
    (connector, tests) for connector in OWN for tests in sorted((mappings_folder(connector) / "tests").glob("*.yaml"))
]


def grammar_keys(
    data: object, node: Mapping[str, Any], root: Mapping[str, Any], path: KeyPath = ()
) -> Iterator[KeyPath]:
    """The paths of the keys that are the grammar's own, not names the author gave."""
    part = resolved(node, root)
    choices = [resolved(choice, root) for word in ("anyOf", "oneOf") for choice in part.get(word, ())]
    if isinstance(part.get("then"), dict):
        choices.append(resolved(part["then"], root))
    for choice in choices:
        if choice.get("type") in ("object", "array", None):
            yield from grammar_keys(data, choice, root, path)
    if isinstance(data, list) and "items" in part:
        for index, item in enumerate(data):
            yield from grammar_keys(item, part["items"], root, (*path, index))
    for key, value in data.items() if isinstance(data, dict) else ():
        if key in part.get("properties", {}):
            yield (*path, key)
            yield from grammar_keys(value, part["properties"][key], root, (*path, key))
        else:
            for below in part.get("patternProperties", {}).values():
                yield from grammar_keys(value, below, root, (*path, key))


def misspelled(file: Path, name: SchemaName) -> Iterator[tuple[int, int, str]]:
    """Write the file again with each key misspelled in turn; gives line, column and the misspelled key."""
    read, text = read_yaml(file), file.read_text(encoding="utf-8")
    lines = text.split("\n")
    root: Any = schema(name)
    for path in sorted(set(grammar_keys(read.data, root, root)), key=str):
        key = str(path[-1])
        if key in ALONE and dig(read.data, *path[:-1]) == {key: dig(read.data, *path)}:
            continue
        wrong = key[:-1] + ("q" if key[-1] != "q" else "x")
        line, column = read.at(path)
        before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        assert after.startswith(key)
        file.write_text("\n".join([*lines[: line - 1], before + wrong + after[len(key) :], *lines[line:]]))
        yield line, column, wrong
    file.write_text(text)


def assert_said(problems: list[Problem], file: Path, line: int, column: int, wrong: str) -> None:
    at_key = [
        problem
        for problem in problems
        if (problem.file, problem.line, problem.column) == (str(file), line, column) and repr(wrong) in problem.message
    ]
    assert len(at_key) == 1, f"{line}:{column}: {wrong}: {[str(problem) for problem in problems]}"


def copied(connector: Path, folder: Path) -> Path:
    """The connector and its mappings below `folder`."""
    mappings = mappings_folder(connector)
    shutil.copytree(mappings, folder / "mappings" / mappings.name)
    shutil.copytree(connector.parent, folder / "connectors")
    return folder / "connectors" / connector.name


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda file: file.stem)
def test_every_key_of_a_connector(connector: Path, tmp_path: Path) -> None:
    file = shutil.copytree(connector.parent, tmp_path / "connectors") / connector.name
    count = 0
    grammar: Any = read_yaml(file).data
    for line, column, wrong in misspelled(file, "connector"):
        assert_said(read_source(file, tmp_path / "none")[1], file, line, column, wrong)
        count += 1
    assert count >= (50 if "like" not in grammar else 5)


@pytest.mark.parametrize(("connector", "mapping"), MAPPINGS, ids=lambda file: file.stem)
def test_every_key_of_a_mapping(connector: Path, mapping: Path, tmp_path: Path) -> None:
    made = copied(connector, tmp_path)
    file = mappings_folder(made) / mapping.name
    for line, column, wrong in misspelled(file, "mapping"):
        # a misspelled `when` of a row is a column that no table has, which is not this room's business
        found = read_source(made, file.parent)[1]
        assert_said(found, file, line, column, wrong)


@pytest.mark.parametrize(("connector", "tests"), TESTS, ids=lambda file: file.stem)
def test_every_key_of_a_mapping_test(connector: Path, tests: Path, tmp_path: Path) -> None:
    made = copied(connector, tmp_path)
    file = mappings_folder(made) / "tests" / tests.name
    for line, column, wrong in misspelled(file, "mapping-test"):
        assert_said(read_tests(mappings_folder(made))[1], file, line, column, wrong)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda file: file.stem)
def test_the_bundled_files_have_no_problem(connector: Path) -> None:
    source, problems = read_source(connector, mappings_folder(connector))
    assert problems == []
    assert source is not None
    tests, problems = read_tests(mappings_folder(connector))
    assert problems == []
    if mappings_folder(connector).name == connector.stem:  # who shares them may lack some resources
        assert {test.mapping for test in tests} <= {mapping.file.stem for mapping in source.mappings}
