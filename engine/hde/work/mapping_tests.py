"""Running the YAML tests that stand beside the mappings of a connector; no network, no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hde.check import fixtures
from hde.mapping.compiled import compile_mapping
from hde.mapping.testing import run_test
from hde.spec.load import load_source, mappings_folder
from hde.spec.mapping_test import read_tests
from hde.spec.problem import Problems


@dataclass(frozen=True)
class Outcome:
    """One test. No `differences`: it passed."""

    where: str
    title: str
    differences: list[str]
