"""Which files are checked for which paths, and what is left unsaid about files that could not be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hde.check.source import check_paths
from hde.places import bundled


def _said(*paths: str) -> list[str]:
    return [str(problem) for problem in check_paths([Path(path) for path in paths])]


PLACES = [
    "connectors/pulse.yaml",
    "connectors",
    "mappings",
    "mappings/pulse",
    "mappings/pulse/nights.yaml",
    "mappings/pulse/lookups.yaml",
    "mappings/pulse/tests/nights.yaml",
    ".",
]


@pytest.mark.parametrize("place", PLACES)
def test_any_path_of_a_source_names_the_whole_source(place: str, pulse: Path) -> None:
    assert _said(place) == []
    file = pulse / "mappings/pulse/body.yaml"
    file.write_text(file.read_text().replace("unit: kg", "unit: m"))
    assert _said(place) == [
        "mappings/pulse/body.yaml:6:47: to.biometrics_vitals.rows.weight.value.unit: "
        "weight is in kg: m cannot become kg: length is not mass"
    ]


def test_complaints_are_said_once_and_in_order_however_often_a_file_is_named(pulse: Path) -> None:
    (pulse / "mappings/pulse/body.yaml").write_text("from: body\nfrom: body\n")
    (pulse / "connectors/other.yaml").write_text("name: other\n")
    said = _said("mappings", "connectors", "mappings/pulse")
    assert said == sorted(set(said))
    assert {line.split(":")[0] for line in said} == {"connectors/other.yaml", "mappings/pulse/body.yaml"}


ABSENT = [
    ("nowhere.yaml", "nowhere.yaml:1:1: there is no such file or folder"),
    ("empty", "empty:1:1: there is no YAML here: neither connectors nor mappings"),
    ("mappings/puls", "mappings/puls:1:1: no connector for these mappings: connectors/puls.yaml is not there"),
    ("connectors/pulse.yml", "connectors/pulse.yml:1:1: files are named .yaml: pulse.yaml"),
]


@pytest.mark.parametrize(("path", "said"), ABSENT)
def test_a_path_that_leads_nowhere_is_a_complaint(path: str, said: str, pulse: Path) -> None:
    (pulse / "empty").mkdir()
    (pulse / "mappings/puls").mkdir()
    (pulse / "connectors/pulse.yml").write_text("name: pulse\n")
    assert _said(path) == [said]


def test_a_source_without_mappings_is_told_so(pulse: Path) -> None:
    (pulse / "mappings").rename(pulse / "elsewhere")
    assert [problem.level for problem in check_paths([])] == ["warning"] * 4


def test_paths_are_not_checked_without_fixtures(pulse: Path) -> None:
    (pulse / "mappings/pulse/fixtures/body/measured.json").unlink()
    (pulse / "mappings/pulse/body.yaml").write_text(
        (pulse / "mappings/pulse/body.yaml").read_text().replace("kilograms", "kilos")
    )
    assert _said() == [
        "mappings/pulse/body.yaml:1:7: from: warning: no fixture in mappings/pulse/fixtures/body: "
        "whether the paths here exist was not checked"
    ]


def test_what_comes_along_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = {file.name for file in bundled("mappings").iterdir()}
    said = [one for one in _said() if "no mapping reads" not in one or "fhir" in written]
    assert said == []


def test_checking_whoop_loads_neither_the_unit_library_nor_a_client_nor_a_database(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hde.check.source import check_paths\n"
        f"assert check_paths([Path({str(bundled('connectors') / 'whoop.yaml')!r})]) == []\n"
        "loaded = {'pint', 'ucumvert', 'httpx', 'sqlalchemy', 'psycopg'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    engine = str(Path(sys.modules["hde"].__file__ or "").parents[1])
    environment = {**os.environ, "PYTHONPATH": engine}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_column_that_names_the_account_needs_one(tmp_path: Path) -> None:
    file = tmp_path / "connectors" / "lone.yaml"
    file.parent.mkdir()
    file.write_text(
        "name: lone\nhttp: {base_url: https://api.lone.example}\nresources:\n  things:\n    path: /things\n"
        "    key: [id]\n    columns: {id: bigint, who: {type: text, names: account}}\n"
    )
    [said] = [str(problem) for problem in check_paths([file]) if problem.level == "error"]
    assert said.endswith("whose record it is can be told only with an `account` in this connector")
    assert "lone.yaml:7:52: resources.things.columns.who.names: " in said
