"""What a simulated hospital's chart becomes in the canonical tables: the same facts, whatever the hospital's habits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hospitals_made import SIGNS_IN, hospital, run, served, sign_in
from run_made import another_database, ask, canonical_hashes

from hde.sandbox import fhir
from hde.store.database import as_url

TABLES = {
    "lab_results": "code, name, analyte, start_time, local_date, status, value_kind, value, unit, comparator,"
    " value_low, value_high, value_boolean, value_code, value_text, source_value, source_unit, absent_reason,"
    " interpretation, ref_low, ref_high, ref_text, specimen, performer, part",
    "biometrics_vitals": "metric, start_time, value, unit, part",
    "conditions": "code, name, local_date, end_date, clinical_status, verification_status",
    "medications": "code, name, status, intent, is_reported, authored_date, dose_text",
    "allergies": "code, name, clinical_status, category",
    "encounters": "start_time, end_time, status, class",
    "documents": "code, name, start_time",
}
IN_UTC = ("local_date", "end_date", "authored_date")
"""The day of an instant is only known where the hospital writes its own time."""


def facts(url: str, table: str) -> list[str]:
    """Rows without what says where they came from, and without the days that one hospital cannot know."""
    columns = ", ".join(one for one in TABLES[table].split(", ") if one not in IN_UTC)
    return sorted(map(str, ask(url, f"SELECT ROW({columns})::text FROM canonical.{table}")))


@pytest.fixture(scope="module")
def charts(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """By manners a database with the same patient's chart."""
    with ExitStack() as stack:
        found = {}
        for manners in SIGNS_IN:
            found[manners] = stack.enter_context(another_database(as_url(server), f"chart_{manners}"))
            with pytest.MonkeyPatch.context() as patch:
                _settings(patch, tmp_path_factory.mktemp(manners), found[manners])
                with hospital(patch, manners=manners, days=1000):
                    sign_in()
                    outcome = run()
                    assert outcome.code == 0, outcome.said
        yield found


def _settings(patch: pytest.MonkeyPatch, home: Path, url: str) -> None:
    for name, value in {
        "HDE_HOME": str(home), "HDE_DATABASE_URL": url, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }.items():  # fmt: skip
        patch.setenv(name, value)


@pytest.mark.parametrize("table", [one for one in TABLES if one != "medications"])
@pytest.mark.parametrize("manners", ["epic", "oracle"])
def test_the_facts_do_not_depend_on_the_hospital(charts: dict[str, str], manners: str, table: str) -> None:
    assert facts(charts["plain"], table) != []
    assert facts(charts[manners], table) == facts(charts["plain"], table)


@pytest.mark.parametrize("manners", SIGNS_IN)
def test_a_medication_has_its_code_wherever_the_drug_is_named(charts: dict[str, str], manners: str) -> None:
    found = ask(charts[manners], "SELECT name, code FROM canonical.medications ORDER BY name")
    assert found == [
        ("amoxicillin 500 mg capsule", "308191"), ("atorvastatin 20 mg tablet", "617310"),
        ("cholecalciferol 2000 unit capsule", "5300044"), ("ibuprofen 600 mg tablet", "197806"),
    ]  # fmt: skip


RESULTS = [
    ("6690-2", "quantity", "10*3/uL", 3.8, 10.8), ("789-8", "quantity", "10*6/uL", 3.8, 5.1),
    ("777-3", "quantity", "10*3/uL", 140, 400), ("751-8", "quantity", "10*3/uL", 1.5, 7.8),
    ("731-0", "quantity", "10*3/uL", 0.85, 3.9), ("787-2", "quantity", "fL", 80, 100),
    ("1920-8", "quantity", "U/L", 10, 35), ("2160-0", "quantity", "mg/dL", 0.5, 1.05),
    ("2028-9", "quantity", "mmol/L", 20, 32), ("2093-3", "quantity", "mg/dL", None, 200),
    ("2085-9", "quantity", "mg/dL", 50, None), ("2276-4", "quantity", "ng/mL", 16, 154),
    ("62292-8", "quantity", "ng/mL", 30, 100), ("4548-4", "quantity", None, 4.0, 5.6),
    ("30522-7", "quantity", "mg/L", None, 1.0), ("98979-8", "quantity", "mL/min/{1.73_m2}", 60, None),
    ("5902-2", "quantity", "s", 9.0, 11.5), ("5778-6", "text", None, None, None),
    ("94500-6", "code", None, None, None), ("5048-4", "ratio", None, None, None),
    ("49541-6", "boolean", None, None, None), ("14979-9", "absent", None, 23, 32),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "unit", "low", "high"), RESULTS, ids=[one[0] for one in RESULTS])
def test_a_result_is_what_the_laboratory_meant(
    charts: dict[str, str], code: str, kind: str, unit: str | None, low: float | None, high: float | None
) -> None:
    sql = "SELECT DISTINCT value_kind, unit, ref_low, ref_high FROM canonical.lab_results WHERE code = %s"
    assert ask(charts["epic"], sql, code) == [(kind, unit, low, high)]


def test_no_row_is_named_by_the_code_that_all_vital_signs_share(charts: dict[str, str]) -> None:
    for table in ("observations", "lab_results"):
        assert ask(charts["epic"], f"SELECT count(*) FROM canonical.{table} WHERE code = '8716-3'") == [0]
    metrics = ask(charts["epic"], "SELECT DISTINCT metric FROM canonical.biometrics_vitals ORDER BY 1")
    assert metrics == [
        "bmi", "body_temperature", "diastolic_blood_pressure", "heart_rate", "height", "respiratory_rate", "spo2",
        "systolic_blood_pressure", "weight",
    ]  # fmt: skip


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[fhir.Sandbox]:
    with hospital(monkeypatch, days=200) as sandbox:
        sign_in()
        assert run().code == 0
        yield sandbox


def test_again_writes_no_row(signed_in: fhir.Sandbox, database_url: str) -> None:
    before = _written(database_url)
    assert run().code == 0
    assert _written(database_url) == before


def _written(url: str) -> dict[str, list[object]]:
    """By table which version of each row is there: a row that is written again has another."""
    return {table: ask(url, f"SELECT xmin::text FROM canonical.{table} ORDER BY 1") for table in TABLES}


def test_a_revised_result_replaces_the_former_and_a_withdrawn_one_goes(
    signed_in: fhir.Sandbox, database_url: str
) -> None:
    labs = [key for key, body in served(signed_in, "observations").items() if "valueQuantity" in body and _is_lab(body)]
    revised, withdrawn = labs[:2]
    quantity = {**served(signed_in, "observations")[revised]["valueQuantity"], "value": 12345}
    signed_in.change("Observation", revised, status="corrected", valueQuantity=quantity)
    signed_in.change("Observation", withdrawn, status="entered-in-error")
    found = run()
    assert (found.code, found.of("observations")["changed"]) == (0, 2)
    rows = "SELECT status, source_value FROM canonical.lab_results WHERE raw_source_id = %s"
    assert ask(database_url, rows, revised) == [("corrected", "12345")]
    assert ask(database_url, rows, withdrawn) == []
    former = "SELECT payload->>'status' FROM fhir_raw.observations_history WHERE id = %s"
    assert ask(database_url, former, revised) == ask(database_url, former, withdrawn) == ["preliminary"]


def _is_lab(body: dict[str, object]) -> bool:
    return "laboratory" in str(body["category"])


def test_what_the_hospital_no_longer_has_goes(signed_in: fhir.Sandbox, database_url: str) -> None:
    gone = next(iter(served(signed_in, "conditions")))
    before = canonical_hashes(database_url)
    signed_in.delete("Condition", gone)
    assert run().of("conditions")["vanished"] == 1
    assert ask(database_url, "SELECT count(*) FROM canonical.conditions WHERE raw_source_id = %s", gone) == [0]
    assert canonical_hashes(database_url) == before, "nothing else changed"
