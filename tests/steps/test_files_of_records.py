"""The connectors that come along for files: FHIR in every form in which it is handed out, and laboratory results."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from run_made import ask, call

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "tests" / "source"))  # where reports are drawn
FIXTURES = TOP / "mappings" / "fhir" / "fixtures"


def fixtures(resource: str) -> list[dict[str, Any]]:
    """The records by which mappings are tested, each with an id."""
    records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((FIXTURES / resource).glob("*.json"))]
    return list({one["id"]: one for one in ({"id": f"n{at}", **record} for at, record in enumerate(records))}.values())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Patients as an Apple Health export has them, observations in bundles, all else as lines."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("apple_health_export/export.xml", "<HealthData/>")
        for patient in fixtures("patients"):
            archive.writestr(
                f"apple_health_export/clinical_records/Patient-{patient['id']}.json", json.dumps(patient, indent=2)
            )
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "x", "resource": one} for one in fixtures("observations")],
    }
    (tmp_path / "chart.json").write_text(json.dumps(bundle))
    for kind in ("conditions", "encounters", "medication_requests", "medications", "procedures"):
        lines = [json.dumps(one) for one in fixtures(kind)]
        (tmp_path / f"{kind}.ndjson").write_text("\n".join(lines))
    (tmp_path / "manifest.json").write_text('{"output": [{"type": "Condition", "url": "https://x.example/1"}]}')
    (tmp_path / "list.json").write_text("[]")
    return tmp_path


def test_fhir_is_read_however_it_is_handed_out(folder: Path, database_url: str) -> None:
    found = call("run", "fhir-files", "--from", str(folder), "--json")
    assert found.err == ""
    for kind in ("patients", "observations", "conditions", "encounters", "medication_requests", "medications"):
        there = ask(database_url, f"SELECT count(*) FROM fhir_files_raw.{kind}")
        assert there == [len(fixtures(kind))], kind
        assert found.of(kind)["failures"] == []
    for table in ("user_identity", "lab_results", "conditions", "encounters", "medications", "procedures"):
        assert ask(database_url, f"SELECT count(*) > 0 FROM canonical.{table}") == [True], table
    [referred] = fixtures("medications")
    named = "SELECT name FROM canonical.medications WHERE raw_source_id = 'med-1'"
    assert ask(database_url, named) == [referred["code"]["text"]], (
        "a medication of another file is found by its reference"
    )

    again = call("run", "fhir-files", "--from", str(folder), "--json")
    assert sum(one["new"] + one["changed"] + one["unchanged"] for one in again.json["resources"]) == 0
    assert call("run", "fhir-files", "--from", str(folder), "--full", "--json").of("observations")["new"] == 0


def test_tables_and_reports_of_laboratories_become_results_side_by_side(tmp_path: Path, database_url: str) -> None:
    from reports_made import LOOKS, pdf

    for name, look in LOOKS.items():
        (tmp_path / f"{name}.pdf").write_bytes(pdf(look))
    (tmp_path / "mine.csv").write_text(
        "Test Name,COLLECTED,Result,Units,Reference Range,flag\n"
        "LDL-Cholesterol,2026-01-31,131,mg/dL,<100,H\n"
        'Ferritin,2026-01-31T08:15:00Z,"12,5",ng/mL,30 - 400,\n'
        "TSH,01/31/2026,1.85,mIU/L,0.40-4.50,\n"
    )
    found = call("run", "labs", "--from", str(tmp_path), "--json")
    assert found.of("reports")["failures"] == found.of("results")["failures"] == []
    truth = {look: len(LOOKS[look].truth) for look in LOOKS}
    ours = "SELECT count(*) FROM canonical.lab_results WHERE mapping = 'labs/reports'"
    assert ask(database_url, ours) == [sum(truth.values())]
    values = "SELECT name, value, unit, interpretation, ref_high, local_date::text FROM canonical.lab_results"
    assert ask(database_url, f"{values} WHERE mapping = 'labs/results' ORDER BY name") == [
        ("Ferritin", None, None, None, 400, None),
        ("LDL-Cholesterol", 131, "mg/dL", "H", 100, "2026-01-31"),
        ("TSH", 1.85, "m[IU]/L", None, 4.5, None),
    ], "a decimal comma is no number, a date that may be two is none and kept as written"
    ldl = "SELECT value FROM canonical.lab_results WHERE analyte = 'ldl_cholesterol' ORDER BY value"
    assert ask(database_url, ldl) == [101, 131, 131, 131]
