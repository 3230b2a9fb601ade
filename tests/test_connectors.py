"""Every connector keeps its contract: it is read from a source made from its own YAML and fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hde.contract.check import Fresh, check_contract
from hde.spec.load import load_source, mappings_folder

CONNECTORS = sorted((Path(__file__).parents[1] / "connectors").glob("*.yaml"))
CONNECTORS = [file for file in CONNECTORS if mappings_folder(file).is_dir()]


@pytest.mark.parametrize("file", CONNECTORS, ids=lambda file: file.stem)
def test_a_connector_keeps_its_contract(file: Path, fresh: Fresh, tmp_path: Path) -> None:
    folder = mappings_folder(file)
    verdicts = list(check_contract(load_source(file, folder), folder, fresh, tmp_path))
    assert [verdict for verdict in verdicts if verdict.problem or verdict.skipped] == []
    assert len(verdicts) > 10
