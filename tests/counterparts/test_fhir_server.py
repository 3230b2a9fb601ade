"""Against a FHIR R4 server that is not ours: signing in by a key, searching, bulk export; and a client that is not ours
as the oracle: what that one downloads is what our raw tables hold.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from counterparts_made import CLIENTS, LOADER, REPOSITORY, SCRIPTS, Hospital, hospital, needs
from run_made import ask, call

pytestmark = needs("sekmet", "smart-fetch", "python", "cql-exec-fhir-2.2.0.tgz")
TABLES = {
    "patients": "Patient", "observations": "Observation", "diagnostic_reports": "DiagnosticReport",
    "encounters": "Encounter", "conditions": "Condition", "medication_requests": "MedicationRequest",
    "immunizations": "Immunization", "procedures": "Procedure",
}  # fmt: skip


def settle(patch: pytest.MonkeyPatch, prefix: str, **values: object) -> None:
    for name, value in values.items():
        patch.setenv(f"{prefix}_{name.upper()}", str(value))
    patch.setenv("HDE_PATIENCE", "0.05")


def stored(url: str, schema: str, table: str) -> dict[str, Any]:
    return dict(ask(url, f"SELECT id, payload FROM {schema}.{table}"))


def fetched(ward: Hospital, folder: Path) -> dict[str, dict[str, Any]]:
    """By `smart-fetch bulk`: type -> id -> record."""
    token = folder.parent / "token"
    token.write_text(LOADER)  # with a scope for each kind, as it asks for them, this server refuses an export of all
    command = [
        str(SCRIPTS / "smart-fetch"), "bulk", str(folder), "--group", "alone", "--fhir-url", ward.url,
        "--no-default-filters", "--no-compression", "--type", ",".join(TABLES.values()), "--bearer-token", str(token),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout[-1500:] + ended.stderr[-1500:]
    found: dict[str, dict[str, Any]] = {kind: {} for kind in TABLES.values()}
    for file in folder.rglob("*.ndjson"):
        for line in file.read_text().splitlines():
            record = json.loads(line)
            if record.get("resourceType") in found:  # it keeps a log among the records
                found[record["resourceType"]][record["id"]] = record
    return found


@pytest.mark.parametrize("client", ["rsa", "ec"])
def test_a_bulk_export_brings_what_another_client_downloads(
    client: str, ward: Hospital, keys: dict[str, Path], database_url: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    who = {"patient": ward.longest, "group": "alone"}
    settle(monkeypatch, "FHIR_BULK", base_url=ward.url, client_id=client, private_key=keys[client], **who)
    connector = str(REPOSITORY / "connectors/fhir-bulk.yaml")
    signed = call("auth", connector)
    assert signed.code == 0, signed.said
    found = call("run", connector, "--raw-only", "--json")
    assert found.code == 0, found.said
    theirs = fetched(ward, tmp_path / "theirs")
    for table, kind in TABLES.items():
        assert stored(database_url, "fhir_bulk_raw", table) == theirs[kind], table
    assert sum(map(len, theirs.values())) > 150
    again = call("run", connector, "--raw-only", "--json")
    assert again.code == 0, again.said
    assert {one["new"] + one["changed"] + one["vanished"] for one in again.json["resources"]} == {0}


def test_what_changed_and_what_is_new_comes_with_the_next_export(
    ward: Hospital, keys: dict[str, Path], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = {"patient": ward.longest, "group": "alone"}
    settle(monkeypatch, "FHIR_BULK", base_url=ward.url, client_id="ec", private_key=keys["ec"], **who)
    connector = str(REPOSITORY / "connectors/fhir-bulk.yaml")
    assert call("auth", connector).code == 0
    assert call("run", connector, "--raw-only").code == 0
    changed = ward.all_of("Condition", patient=ward.longest)[0]
    changed["note"] = [{"text": "looked at again"}]
    ward.put(changed)
    found = call("run", connector, "--raw-only", "--json")
    assert found.code == 0, found.said
    assert found.of("conditions")["changed"] == 1
    assert sum(one["new"] + one["changed"] for one in found.json["resources"]) == 1
    assert stored(database_url, "fhir_bulk_raw", "conditions")[changed["id"]]["note"] == changed["note"]


def test_records_of_others_in_the_group_are_refused(
    ward: Hospital, keys: dict[str, Path], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = {"patient": ward.longest, "group": "all"}
    settle(monkeypatch, "FHIR_BULK", base_url=ward.url, client_id="ec", private_key=keys["ec"], **who)
    connector = str(REPOSITORY / "connectors/fhir-bulk.yaml")
    assert call("auth", connector).code == 0
    found = call("run", connector, "--json")
    assert found.code == 1, "they are issues"
    assert list(stored(database_url, "fhir_bulk_raw", "patients")) == [ward.longest]
    subjects = {one["subject"]["reference"] for one in stored(database_url, "fhir_bulk_raw", "observations").values()}
    assert subjects == {f"Patient/{ward.longest}"}
    assert ask(database_url, "SELECT count(*) FROM canonical.user_identity") == [1]
    assert ask(database_url, "SELECT count(*) > 100 FROM canonical.codings") == [True]


def test_searches_bring_all_of_one_person_page_by_page(
    ward: Hospital, keys: dict[str, Path], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle is the server's own search, asked for one kind at a time without any category."""
    patient = ward.longest
    settle(monkeypatch, "FHIR_BACKEND", base_url=ward.url, client_id="rsa", private_key=keys["rsa"], patient=patient)
    connector = str(REPOSITORY / "connectors/fhir-backend.yaml")
    signed = call("auth", connector)
    assert signed.code == 0, signed.said
    found = call("run", connector, "--raw-only", "--json")
    assert found.code == 0, found.said
    for table, kind in TABLES.items():
        if table != "patients":
            theirs = {one["id"]: one for one in ward.all_of(kind, patient=patient)}
            ours = stored(database_url, "fhir_backend_raw", table)
            if table == "observations":
                theirs = {key: one for key, one in theirs.items() if _categories(one) & READ}
            assert ours == theirs, table
    assert found.of("observations")["records"] > 50


READ = {"vital-signs", "laboratory", "social-history"}


def _categories(observation: dict[str, Any]) -> set[str]:
    return {coding["code"] for one in observation.get("category", ()) for coding in one.get("coding", ())}


def test_references_may_be_whole_addresses(
    keys: dict[str, Path], database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As some servers write them: the person is known by one, and a medication fetched from one."""
    clients = {"ec": {"keys": [CLIENTS["ec"].as_dict(private=False)]}}
    with hospital(tmp_path, clients, absolute_references=True) as running:
        running.put({"resourceType": "Patient", "id": "p"})
        running.put({"resourceType": "Medication", "id": "m", "code": {"text": "something"}})
        asked = {"status": "active", "intent": "order", "subject": {"reference": "Patient/p"}}
        wanted = {"medicationReference": {"reference": "Medication/m"}}
        running.put({"resourceType": "MedicationRequest", "id": "r", **asked, **wanted})
        settle(monkeypatch, "FHIR_BACKEND", base_url=running.url, client_id="ec", private_key=keys["ec"], patient="p")
        connector = str(REPOSITORY / "connectors/fhir-backend.yaml")
        assert call("auth", connector).code == 0
        found = call("run", connector, "--json")
        assert found.code == 0, found.said
        (request,) = stored(database_url, "fhir_backend_raw", "medication_requests").values()
        assert request["subject"]["reference"] == f"{running.url}/Patient/p"
    assert list(stored(database_url, "fhir_backend_raw", "medications")) == ["m"]
    assert ask(database_url, "SELECT count(*) FROM canonical.medications") == [1]
