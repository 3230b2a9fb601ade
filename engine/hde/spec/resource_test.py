"""The YAML tests of whole resources: answers to be played back, and what must come of them. Runs none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hde.spec.connector import Connector, Scalar
from hde.spec.mapping_test import FIXTURES, ExpectedIssue, ExpectedRows, expected_rows, kind_of, test_files
from hde.spec.problem import KeyPath, Problem, quoted, with_hint
from hde.spec.yaml_file import YamlFile

Sent = Scalar | tuple[Scalar, ...]
NOW = "2026-01-01T00:00:00Z"
OF_ROW = ("key", "payload")
"""What a raw row may be asked for beside its columns."""


@dataclass(frozen=True)
class Asked:
    """Which request an exchange answers. Only what is said is compared; null: not sent."""

    path: str
    method: str = "GET"
    params: Mapping[str, Sent] = field(default_factory=dict)
    headers: Mapping[str, Sent] = field(default_factory=dict)
    json: object = None
    form: Mapping[str, Sent] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """At most one of `json`, `body` and `file`; none: an empty body."""

    status: int = 200
    headers: Mapping[str, Scalar] = field(default_factory=dict)
    json: object = None
    body: str | None = None
    file: Path | None = None
    has_json: bool = False


@dataclass(frozen=True)
class Exchange:
    request: Asked
    answer: Answer
    times: int = 1
    number: int = 1
    where: str = ""
    """`file:line`."""


@dataclass(frozen=True)
class Expectation:
    """What must come of it. None: not said, so it may be anything."""

    raw: tuple[Mapping[str, object], ...] | None = None
    canonical: Mapping[str, ExpectedRows] | None = None
    stopped: str | None = None
    requests: int | None = None
    waits: tuple[float, ...] | None = None
    issues: tuple[ExpectedIssue, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: bool = False


@dataclass(frozen=True)
class ResourceTest:
    """One test: exactly one of `expect` and `error`."""

    resource: str
    title: str
    exchanges: tuple[Exchange, ...]
    now: str = NOW
    since: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, Scalar] | None = None
    expect: Expectation | None = None
    error: str | None = None
    where: str = ""
    """`file:line` of the test."""


def read_resource_tests(folder: Path, connector: Connector | None) -> tuple[tuple[ResourceTest, ...], list[Problem]]:
    """The tests of whole resources in `folder/tests/*.yaml`, and where they name what is not there.

    What the schema finds wrong with a file is said by `read_tests`. Without a connector its names are not checked.
    """
    tests: list[ResourceTest] = []
    problems: list[Problem] = []
    for file, wrong in test_files(folder):
        if file is None or wrong or kind_of(file) != "resource":
            continue
        found = [*_lost_files(file, folder), *(_lost_names(file, connector) if connector else ())]
        problems += found
        if not found:
            tests += _tests(file, folder)
    return tuple(tests), problems


def _tests(file: YamlFile, folder: Path) -> Iterator[ResourceTest]:
    data: Any = file.data
    for index, said in enumerate(data["tests"]):
        path: KeyPath = ("tests", index)
        exchanges = (
            _exchange(one, number, folder, f"{file.file}:{file.at((*path, 'exchanges', number - 1))[0]}")
            for number, one in enumerate(said["exchanges"], 1)
        )
        yield ResourceTest(
            resource=data["resource"],
            title=said["title"],
            exchanges=tuple(exchanges),
            now=said.get("now", NOW),
            since=said.get("since"),
            settings={name: _text(value) for name, value in said.get("settings", {}).items()},
            account=said.get("account"),
            expect=_expectation(said["expect"]) if "expect" in said else None,
            error=said.get("error"),
            where=f"{file.file}:{file.at(path)[0]}",
        )


def _exchange(said: Mapping[str, Any], number: int, folder: Path, where: str) -> Exchange:
    asked, answer = said["request"], said["answer"]
    return Exchange(
        Asked(
            path=asked["path"],
            method=asked.get("method", "GET"),
            params=_all_sent(asked.get("params", {})),
            headers=_all_sent(asked.get("headers", {})),
            json=asked.get("json"),
            form=_all_sent(asked.get("form", {})),
        ),
        Answer(
            answer.get("status", 200),
            answer.get("headers", {}),
            answer.get("json"),
            answer.get("body"),
            folder / FIXTURES / answer["file"] if "file" in answer else None,
            "json" in answer,
        ),
        said.get("times", 1),
        number,
        where,
    )


def _expectation(said: Mapping[str, Any]) -> Expectation:
    raw, canonical, waits = said.get("raw"), said.get("canonical"), said.get("waits")
    return Expectation(
        raw=None if raw is None else tuple(raw),
        canonical=None if canonical is None else {table: expected_rows(rows) for table, rows in canonical.items()},
        stopped=said.get("stopped"),
        requests=said.get("requests"),
        waits=None if waits is None else tuple(waits),
        issues=tuple(ExpectedIssue(issue["path"], issue["rule"]) for issue in said.get("issues", ())),
        warnings=tuple(said.get("warnings", ())),
        skipped=said.get("skipped", False),
    )


def _all_sent(said: Mapping[str, Any]) -> dict[str, Sent]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lost_files(file: YamlFile, folder: Path) -> Iterator[Problem]:
    """Bodies that are not there, or not below the fixtures."""
    data: Any = file.data
    top = (folder / FIXTURES).resolve()
    for index, said in enumerate(data["tests"]):
        for number, exchange in enumerate(said["exchanges"]):
            name = exchange["answer"].get("file")
            path: KeyPath = ("tests", index, "exchanges", number, "answer", "file")
            if name is None:
                continue
            whole = (top / name).resolve()
            if not whole.is_relative_to(top):
                yield file.problem(path, f"{quoted(name)} leads out of {folder / FIXTURES}", value=True)
            elif not whole.is_file():
                near = [one.relative_to(top).as_posix() for one in whole.parent.glob("*")]
                yield file.problem(
                    path, with_hint(f"no file {quoted(name)} in {folder / FIXTURES}", name, near), value=True
                )


def _lost_names(file: YamlFile, connector: Connector) -> Iterator[Problem]:
    """The resource, a raw column or a setting that the connector does not have."""
    data: Any = file.data
    resource = connector.resources.get(data["resource"])
    if resource is None:
        message = f"{connector.name} has no resource {quoted(data['resource'])}"
        yield file.problem(("resource",), with_hint(message, data["resource"], connector.resources), value=True)
        return
    columns = [*(column.name for column in resource.columns), *OF_ROW]
    for index, said in enumerate(data["tests"]):
        for number, row in enumerate(said.get("expect", {}).get("raw", ())):
            for name in row:
                if name not in columns:
                    message = with_hint(f"{resource.name} has no column {quoted(name)}", name, columns)
                    yield file.problem(("tests", index, "expect", "raw", number, name), message)
        for name in said.get("settings", {}):
            if name not in connector.settings:
                message = with_hint(f"{connector.name} has no setting {quoted(name)}", name, connector.settings)
                yield file.problem(("tests", index, "settings", name), message)
