"""docs/medical-records.md: its connector validates, every setting it names is one, and what it quotes is said so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hde.check.source import check_paths
from hde.places import bundled
from hde.spec.load import load_source

PAGE = (Path(__file__).parents[1] / "docs" / "medical-records.md").read_text(encoding="utf-8")


def test_the_connector_of_the_page_validates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    shutil.copytree(bundled("connectors"), tmp_path / "connectors")
    shutil.copytree(bundled("mappings"), tmp_path / "mappings")
    file = tmp_path / "connectors" / "clinic.yaml"
    file.write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert check_paths([file]) == []
    assert load_source(file, tmp_path / "none").connector.settings["base_url"].variable("clinic") == "CLINIC_BASE_URL"


def test_every_setting_on_the_page_is_one_of_its_connectors() -> None:
    known = set()
    for name in ("epic", "fhir"):
        connector = load_source(bundled("connectors") / f"{name}.yaml", Path("none")).connector
        known |= {setting.variable(name) for setting in connector.settings.values()}
    assert set(re.findall(r"\b(?:EPIC|FHIR)_[A-Z_]+\b", PAGE)) - known == set()


def test_every_connector_it_names_is_there() -> None:
    table = PAGE.split("## Your hospital")[0]
    named = set(re.findall(r"`([a-z-]+)`", table)) - {"hde"}
    assert {name for name in named if not (bundled("connectors") / f"{name}.yaml").is_file()} == set()
