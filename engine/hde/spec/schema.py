"""YAML held against a JSON Schema: every complaint in the project's words, at the key it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

from hde.spec.formats import format_checker
from hde.spec.problem import KeyPath, Problem
from hde.spec.valid import is_valid
from hde.spec.yaml_file import YamlFile

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

    from hde.spec.complaints import Complaint

SchemaName = Literal["connector", "mapping", "mapping-test"]
SCHEMAS: Final[tuple[SchemaName, ...]] = ("connector", "mapping", "mapping-test")


@cache
def schema(name: SchemaName) -> Mapping[str, Any]:
    """One of the schemas, as JSON."""
    text = files("hde.spec").joinpath("schemas", f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def schema_problems(file: YamlFile, name: SchemaName, definition: str | None = None) -> list[Problem]:
    """What is wrong with a whole file; with `definition` it is held against that part of the schema."""
    found = list(_complaints(file.data, name, definition))
    return located(found, lambda complaint: file.problem(complaint.path, complaint.message, value=complaint.of_value))


def texts_of(data: object, name: SchemaName, formats: Iterable[str]) -> set[str]:
    """Every text in a file's data that the schema says is of one of these formats."""
    from jsonschema import Draft202012Validator, FormatChecker

    found: set[str] = set()

    def note(value: object) -> bool:
        if isinstance(value, str):
            found.add(value)
        return True

    checker = FormatChecker(formats=())
    for one in formats:
        checker.checks(one)(note)
    for _ in Draft202012Validator(schema(name), format_checker=checker).iter_errors(data):
        pass  # what is wrong with the file is said elsewhere
    return found


def part_complaints(data: object, name: SchemaName, definition: str) -> list[Complaint]:
    """What is wrong with a value that is not written in one place; paths are relative to it."""
    return list(_complaints(data, name, definition))


def located(found: Iterable[Complaint], locate: Callable[[Complaint], Problem]) -> list[Problem]:
    """Complaints with their places: one per place and sort, and nothing missing that was only misspelled."""
    found = list(found)
    better = {one.path for one in found if one.instead}
    misspelled = {(one.path[:-1], one.meant) for one in found if one.meant}
    seen: set[tuple[str, int, int, str]] = set()
    problems = []
    for complaint in found:
        if complaint.missing and _is_misspelled(complaint, misspelled):
            continue
        if complaint.path in better and not complaint.instead:
            continue
        problem = locate(complaint)
        place = (problem.file, problem.line, problem.column, complaint.missing or str(complaint.of_value))
        if place not in seen:
            seen.add(place)
            problems.append(problem)
    return problems


def _is_misspelled(complaint: Complaint, misspelled: set[tuple[KeyPath, str]]) -> bool:
    path = complaint.path
    return (path, complaint.missing) in misspelled or any((path[:end], "like") in misspelled for end in range(4))


def _complaints(data: object, name: SchemaName, definition: str | None) -> Iterator[Complaint]:
    whole = schema(name)
    part = whole["$defs"][definition] if definition else whole
    if is_valid(data, part, whole):
        return
    from hde.spec.complaints import complaints

    errors: Iterable[ValidationError] = _validator(name).descend(data, part)
    for error in errors:
        yield from complaints(error, whole)


@cache
def _validator(name: SchemaName) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(name), format_checker=format_checker())
