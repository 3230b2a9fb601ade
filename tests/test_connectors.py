"""Every connector keeps its contract: it is read from a source made from its own YAML and fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import fresh_database
from hde.contract.check import check_contract
from hde.spec.load import load_source, mappings_folder
from hde.store.database import Database

CONNECTORS = sorted((Path(__file__).parents[1] / "connectors").glob("*.yaml"))


@pytest.mark.parametrize("file", CONNECTORS, ids=lambda file: file.stem)
def test_a_connector_keeps_its_contract(file: Path, server: str, tmp_path: Path) -> None:
    @contextmanager
    def fresh() -> Iterator[Database]:
        with fresh_database(server, "template", "for_a_contract") as database:
            yield database

    folder = mappings_folder(file)
    verdicts = list(check_contract(load_source(file, folder), folder, fresh, tmp_path))
    assert [verdict for verdict in verdicts if verdict.problem or verdict.skipped] == []
    assert len(verdicts) > 10
