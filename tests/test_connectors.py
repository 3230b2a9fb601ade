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
    source = load_source(file, folder)
    verdicts = list(check_contract(source, folder, fresh, tmp_path))
    read_from_files = {name for name, one in source.connector.resources.items() if one.files or one.export}
    assert [verdict for verdict in verdicts if verdict.problem] == []
    assert {verdict.of for verdict in verdicts if verdict.skipped} == read_from_files, "nothing else is skipped"
    assert len(verdicts) > 10 or read_from_files
