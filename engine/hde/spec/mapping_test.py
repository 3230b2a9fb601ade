"""The YAML tests that stand beside a mapping: read, checked, frozen. Runs none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hde.spec.connector import Scalar
from hde.spec.problem import KeyPath, Problem, quoted, with_hint
from hde.spec.schema import schema_problems
from hde.spec.yaml_file import YamlFile, parse_yaml

TESTS, FIXTURES = "tests", "fixtures"


@dataclass(frozen=True)
class Given:
    """A record: a fixture by name with some dotted paths set or dropped, or the record itself."""

    fixture: str | None = None
    set: Mapping[str, object] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    record: Mapping[str, object] | None = None


@dataclass(frozen=True)
class ExpectedIssue:
    path: str
    rule: str


@dataclass(frozen=True)
class ManyRows:
    """Of many rows, what matters: how many, what holds for all, and some of them by their `part`."""

    count: int | None = None
    all: Mapping[str, Scalar] = field(default_factory=dict)
    rows: tuple[Mapping[str, Scalar], ...] = ()


ExpectedRows = tuple[Mapping[str, Scalar], ...] | ManyRows
"""Every row a table must have, or what is said of many."""


@dataclass(frozen=True)
class MappingTest:
    """One test: exactly one of `expect`, `error` and `waiting` says what must come of the record."""

    mapping: str
    """The file's name without `.yaml`."""
    title: str
    given: Given
    with_: Mapping[str, Given | None] = field(default_factory=dict)
    """None: not there yet."""
    row: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, Scalar] = field(default_factory=dict)
    expect: Mapping[str, ExpectedRows] | None = None
    """Canonical table -> its rows; a row names only the columns that matter."""
    issues: tuple[ExpectedIssue, ...] = ()
    error: ExpectedIssue | None = None
    waiting: bool = False
    where: str = ""
    """`file:line` of the test."""


def read_tests(folder: Path) -> tuple[tuple[MappingTest, ...], list[Problem]]:
    """The tests of mappings in `folder/tests/*.yaml`, and what is wrong with any file there.

    `folder` is that of the mappings. What tests of whole resources name is checked by `read_resource_tests`.
    """
    tests: list[MappingTest] = []
    problems: list[Problem] = []
    for file, found in test_files(folder):
        if file is not None and not found and kind_of(file) == "mapping":
            found = list(_lost(file, folder))
            tests += () if found else _tests(file)
        problems += found
    return tuple(tests), problems


def test_files(folder: Path) -> Iterator[tuple[YamlFile | None, list[Problem]]]:
    """Every file of tests, and what is wrong with it in itself."""
    for path in sorted((folder / TESTS).glob("*.y*ml")):
        if path.suffix != ".yaml":
            yield None, [Problem(str(path), 1, 1, "", f"files are named .yaml: {path.stem}.yaml")]
            continue
        file, problems = parse_yaml(path)
        if file is not None and not problems:
            problems = schema_problems(file, "mapping-test")
        yield file, problems


def kind_of(file: YamlFile) -> Literal["mapping", "resource"]:
    """What the tests of a file that is sound are about."""
    return "resource" if isinstance(file.data, dict) and "resource" in file.data else "mapping"


def fixture_file(folder: Path, resource: str, name: str) -> Path:
    """The file of a fixture: `folder/fixtures/RESOURCE/NAME.json`."""
    return folder / FIXTURES / resource / f"{name}.json"


def _tests(file: YamlFile) -> Iterator[MappingTest]:
    data: Any = file.data
    for index, said in enumerate(data["tests"]):
        expect = said.get("expect")
        yield MappingTest(
            mapping=data["mapping"],
            title=said["title"],
            given=_given(said["given"]),
            with_={name: None if one is None else _given(one) for name, one in said.get("with", {}).items()},
            row=dict(said.get("row", {})),
            account=dict(said.get("account", {})),
            expect=None if expect is None else {table: expected_rows(rows) for table, rows in expect.items()},
            issues=tuple(ExpectedIssue(issue["path"], issue["rule"]) for issue in said.get("issues", ())),
            error=ExpectedIssue(said["error"]["path"], said["error"]["rule"]) if "error" in said else None,
            waiting=said.get("waiting", False),
            where=f"{file.file}:{file.at(('tests', index))[0]}",
        )


def expected_rows(said: Any) -> ExpectedRows:
    """The rows of one table, as a test that is sound says them."""
    if isinstance(said, dict):
        return ManyRows(said.get("count"), dict(said.get("all", {})), tuple(said.get("rows", ())))
    return tuple(said)


def _given(said: str | Mapping[str, Any]) -> Given:
    if isinstance(said, str):
        return Given(said)
    if "fixture" in said:
        return Given(said["fixture"], dict(said.get("set", {})), tuple(said.get("drop", ())))
    return Given(record=dict(said))


def _lost(file: YamlFile, folder: Path) -> Iterator[Problem]:
    """A mapping, a name from its `with`, or a fixture that is not there."""
    data: Any = file.data
    path = folder / f"{data['mapping']}.yaml"
    mapping, _ = parse_yaml(path)
    if mapping is None and path.is_file():
        return  # it cannot be read, and that is said
    if mapping is None:
        names = [path.stem for path in folder.glob("*.yaml") if path.stem != "lookups"]
        message = with_hint(f"{quoted(data['mapping'])} is no mapping in {folder}", data["mapping"], names)
        yield file.problem(("mapping",), message, value=True)
        return
    resource, others = _resources(mapping.data)
    for index, said in enumerate(data["tests"]):
        if resource is not None:
            yield from _lost_fixture(file, folder, resource, ("tests", index, "given"), said["given"])
        for name, one in said.get("with", {}).items():
            trail: KeyPath = ("tests", index, "with", name)
            if name not in others:
                message = with_hint(f"{quoted(name)} is not in `with` of {data['mapping']}", name, others)
                yield file.problem(trail, message)
            elif one is not None:
                yield from _lost_fixture(file, folder, others[name], trail, one)


def _lost_fixture(file: YamlFile, folder: Path, resource: str, path: KeyPath, said: object) -> Iterator[Problem]:
    name = said.get("fixture") if isinstance(said, dict) else said
    if isinstance(name, str) and not fixture_file(folder, resource, name).is_file():
        names = [one.stem for one in (folder / FIXTURES / resource).glob("*.json")]
        message = with_hint(f"no fixture {quoted(name)} in {folder / FIXTURES / resource}", name, names)
        yield file.problem((*path, "fixture") if isinstance(said, dict) else path, message, value=True)


def _resources(mapping: object) -> tuple[str | None, dict[str, str]]:
    """The mapping's resource and those named in its `with`; nothing of what is not there or not a text."""
    top = mapping if isinstance(mapping, dict) else {}
    others = top.get("with")
    named = {
        str(name): str(one["from"])
        for name, one in (others.items() if isinstance(others, dict) else ())
        if isinstance(one, dict) and isinstance(one.get("from"), str)
    }
    return (top["from"] if isinstance(top.get("from"), str) else None), named
