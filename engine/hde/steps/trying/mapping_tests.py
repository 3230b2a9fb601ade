"""Running the YAML tests that stand beside the mappings of a connector; no network, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hde.check.fixtures import fixtures
from hde.errors import WrongUse
from hde.mapping.compiled import compile_mapping
from hde.mapping.testing import run_test
from hde.spec.load import mappings_folder, read_source
from hde.spec.mapping_test import read_tests
from hde.spec.problem import Problem, Problems
from hde.spec.resource_test import read_resource_tests
from hde.steps.trying.resource_tests import run_resource_test


@dataclass(frozen=True)
class Outcome:
    """One test. No `differences`: it passed."""

    where: str
    title: str
    differences: list[str]


def run_tests(connector_file: Path, chosen: str = "") -> Iterator[Outcome]:
    """The tests beside the mappings whose title or file holds `chosen`: those of records, then of whole resources.

    A mapping or a test file that is wrong is an outcome of its own, and the tests of the others are run. Problems where
    the connector is wrong, WrongUse where a test is.
    """
    folder = mappings_folder(connector_file)
    source, problems = read_source(connector_file, folder)
    if source is None:
        raise Problems(problems)
    tests, of_tests = read_tests(folder)
    whole, of_whole = read_resource_tests(folder, source.connector)
    wrong = _by_file([*problems, *of_tests, *of_whole])
    for file, lines in wrong.items():
        yield Outcome(file, "not valid, so nothing of it was tested", lines)
    compiled = {mapping.file.stem: compile_mapping(mapping) for mapping in source.mappings}
    unread = {file.stem for file in folder.glob("*.yaml")} - set(compiled) if problems else set()
    records = cache(lambda resource: fixtures(folder, resource))
    for test in tests:
        if test.mapping in unread:
            continue
        if test.mapping not in compiled:
            raise WrongUse(f"{test.where}: there is no mapping {test.mapping!r} in {folder}")
        if _is_chosen(test.where, test.title, chosen):
            yield Outcome(test.where, test.title, run_test(test, compiled[test.mapping], records))
    for one in whole:
        if _is_chosen(one.where, one.title, chosen) and not (one.expect and one.expect.canonical and unread):
            yield Outcome(one.where, one.title, run_resource_test(one, source, list(compiled.values()), records))


def _by_file(problems: Sequence[Problem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in sorted(set(problems)):
        found.setdefault(problem.file, []).append(str(problem))
    return found


def _is_chosen(where: str, title: str, chosen: str) -> bool:
    return chosen.lower() in f"{where} {title}".lower()
