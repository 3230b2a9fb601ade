"""Running the YAML tests that stand beside the mappings of a connector; no network, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hde.check import fixtures
from hde.errors import WrongUse
from hde.mapping.compiled import compile_mapping
from hde.mapping.testing import run_test
from hde.spec.load import load_source, mappings_folder
from hde.spec.mapping_test import read_tests
from hde.spec.problem import Problems
from hde.spec.resource_test import read_resource_tests
from hde.steps.resource_tests import run_resource_test


@dataclass(frozen=True)
class Outcome:
    """One test. No `differences`: it passed."""

    where: str
    title: str
    differences: list[str]


def run_tests(connector_file: Path, chosen: str = "") -> Iterator[Outcome]:
    """The tests beside the mappings whose title or file holds `chosen`: those of records, then of whole resources.

    Problems where a file is wrong, WrongUse where a test is.
    """
    folder = mappings_folder(connector_file)
    source = load_source(connector_file, folder)
    tests, problems = read_tests(folder)
    whole, lost = read_resource_tests(folder, source.connector)
    if problems or lost:
        raise Problems([*problems, *lost])
    compiled = {mapping.file.stem: compile_mapping(mapping) for mapping in source.mappings}
    records = cache(lambda resource: fixtures(folder, resource))
    for test in tests:
        if test.mapping not in compiled:
            raise WrongUse(f"{test.where}: there is no mapping {test.mapping!r} in {folder}")
        if _is_chosen(test.where, test.title, chosen):
            yield Outcome(test.where, test.title, run_test(test, compiled[test.mapping], records))
    for one in whole:
        if _is_chosen(one.where, one.title, chosen):
            yield Outcome(one.where, one.title, run_resource_test(one, source, list(compiled.values()), records))


def _is_chosen(where: str, title: str, chosen: str) -> bool:
    return chosen.lower() in f"{where} {title}".lower()
