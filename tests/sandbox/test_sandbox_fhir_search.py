"""The simulated hospital's searches, pages and refusals: the standard's, and each hospital's own."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import chain

import pytest
from hospital_made import Hospital, hospital, ids, matches, next_of

from hde.sandbox.fhir import MANNERS
from hde.sandbox.fhir.moments import matches as date_matches
from hde.sandbox.fhir.moments import spans_of

LABS = {"category": "laboratory"}


@pytest.fixture(scope="module")
def hospitals() -> Iterator[dict[str, Hospital]]:
    """One of each manner, for tests that only read."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield {name: stack.enter_context(hospital(manners=name)) for name in MANNERS}


@pytest.fixture(params=list(MANNERS))
def any_hospital(hospitals: dict[str, Hospital], request: pytest.FixtureRequest) -> Hospital:
    return hospitals[request.param]


@pytest.mark.parametrize("count", [1, 7, 100, 100_000])
def test_pages_of_any_size_bring_every_match_once(any_hospital: Hospital, count: int) -> None:
    kind = "Encounter" if count == 1 else "DiagnosticReport"
    found = any_hospital.all(kind, _count=count)
    assert ids(found) == [one.id for one in any_hospital.sandbox.resources(kind)]


def test_observations_are_found_by_category(any_hospital: Hospital) -> None:
    categories = ("vital-signs", "laboratory", "social-history")
    parts = [ids(any_hospital.all("Observation", category=one, _count=500)) for one in categories]
    assert all(parts)
    assert sorted(chain.from_iterable(parts)) == sorted(one.id for one in any_hospital.sandbox.resources("Observation"))


@pytest.mark.parametrize(("manners", "total"), [("plain", 59), ("epic", 20), ("oracle", None)])
def test_a_total_means_what_the_server_takes_it_to_mean(hospitals, manners: str, total: int | None) -> None:
    assert hospitals[manners].of_patient("DiagnosticReport", _count=20).json().get("total") == total


@pytest.mark.parametrize(("manners", "holds"), [
    ("plain", ["patient=", "_count=20", "_offset=20"]), ("epic", ["sessionID="]),
    ("oracle", ["patient=", "-pageContext=", "-pageDirection=NEXT"]),
])  # fmt: skip
def test_a_next_link_is_of_the_servers_own_kind(hospitals, manners: str, holds: list[str]) -> None:
    following = next_of(hospitals[manners].of_patient("DiagnosticReport", _count=20).json())
    assert following
    assert [part for part in holds if part not in following] == []
    assert ("patient=" in following) == (manners != "epic"), "a session drops the query"


def test_what_matched_may_come_with_an_outcome_that_is_no_match(hospitals) -> None:
    some, none = (hospitals["epic"].of_patient("Condition", code=code).json() for code in ("55822004", "1"))
    assert [entry["search"]["mode"] for entry in some["entry"]] == ["match", "outcome"]
    assert [entry["resource"]["resourceType"] for entry in none["entry"]] == ["OperationOutcome"]
    assert "entry" not in hospitals["plain"].of_patient("Condition", code="1").json()


@pytest.mark.parametrize(("kind", "params", "expected"), [
    ("Condition", {"clinical-status": "resolved"}, 2),
    ("Condition", {"code": "http://snomed.info/sct|10509002"}, 1),
    ("Condition", {"code": "http://loinc.org|10509002"}, 0),
    ("Condition", {"code": "http://snomed.info/sct|"}, 5),
    ("Condition", {"code": "10509002,44465007"}, 2),
    ("MedicationRequest", {"intent": "plan"}, 1),
    ("MedicationRequest", {"status": "active,completed"}, 4),
    ("Observation", {"code": "4548-4", "date": "ge2026-01-01"}, 1),
    ("DiagnosticReport", {"category": "LAB", "date": ["ge2025-01-01", "lt2026-01-01"]}, 17),
    ("DiagnosticReport", {"category": "RAD"}, 0),
    ("Encounter", {"patient": "Patient/someone-else"}, 0),
    ("Encounter", {"invented": "parameter"}, 16),
])  # fmt: skip
def test_parameters_find_what_they_name(hospitals, kind: str, params: dict[str, object], expected: int) -> None:
    plain = hospitals["plain"]
    found = plain.get(kind, **{"patient": plain.sandbox.patient, "_count": 500, **params})
    assert len(matches(found.json())) == expected


@pytest.mark.parametrize(("asked", "value", "expected"), [
    ("2026", "2026-05-20", True), ("2026-05-20", "2026", False), ("eq2026-05-20", "2026-05-20T23:00:00-05:00", False),
    ("ge2026-05-20", "2026-05-20T00:00:00Z", True), ("gt2026-05-20", "2026-05-20T12:00:00Z", False),
    ("gt2026-05-20", "2026-05-21", True), ("lt2026-05-20", "2026-05-19", True), ("le2026-05-20", "2026-05-20", True),
    ("sa2026-05", "2026-06-01", True), ("eb2026-05", "2026-05-31", False), ("ne2026", "2025-12-31", True),
    ("ge2020", {"end": "2026-01-01"}, True), ("le2020", {"start": "2026-01-01"}, False),
    ("ge2026-05-20T10:00:00 05:00", "2026-05-20T05:00:00Z", True),
])  # fmt: skip
def test_dates_are_spans(asked: str, value: object, expected: bool) -> None:
    assert [date_matches(asked, one) for one in spans_of(value)] == [expected]


@pytest.mark.parametrize(("manners", "path", "params", "status", "says"), [
    ("epic", "Observation", {}, 400, "Must have either code or category."),
    ("epic", "Observation", {"category": "survey"}, 400, "Only these categories"),
    ("epic", "Patient", {}, 400, "Not enough parameters"),
    ("oracle", "Observation", {"date": "ge2026", "_lastUpdated": "ge2026"}, 400, "cannot be used together"),
    ("plain", "Observation", {"date": "yesterday"}, 400, "not written as this parameter is"),
    ("plain", "Observation", {"_count": "0"}, 400, "_count"),
    ("plain", "Observation", {"_offset": "many"}, 400, "not one of ours"),
    ("oracle", "Observation", {"-pageContext": "!"}, 400, "not one of ours"),
    ("plain", "Nothing", {}, 404, "no such resource"),
    ("plain", "Patient/nobody", {}, 404, "no such resource"),
], ids=str)  # fmt: skip
def test_a_refusal_is_an_outcome(
    hospitals, manners: str, path: str, params: dict[str, str], status: int, says: str
) -> None:
    at = hospitals[manners]
    answer = at.of_patient(path, **params) if path != "Patient" else at.get(path, **params)
    assert answer.status_code == status
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    assert says in body["issue"][0]["diagnostics"]


def test_strict_handling_refuses_what_is_otherwise_left_aside(hospitals) -> None:
    strictly = {"Prefer": "handling=strict"}
    answer = hospitals["plain"].get("Encounter", headers=strictly, invented="parameter")
    assert answer.status_code == 400


def test_one_hospital_refuses_without_a_word(hospitals) -> None:
    epic = hospitals["epic"]
    beyond = epic.of_patient("Procedure")
    assert (beyond.status_code, beyond.content) == (403, b"")
    assert 'error="insufficient_scope"' in beyond.headers["WWW-Authenticate"]
    unknown = epic.get("Patient/1", headers={"Authorization": "Bearer of-nobody"})
    assert (unknown.status_code, unknown.content) == (401, b"")
    for path in ("Nothing", "$export", "Patient/$export"):
        nowhere = epic.get(path)
        assert (nowhere.status_code, nowhere.headers["Content-Type"].split(";")[0]) == (404, "text/html")


def test_who_does_not_ask_for_json_gets_what_the_hospital_likes(hospitals) -> None:
    for manners, accept, kind in (
        ("epic", "*/*", "xml"), ("epic", "application/json", "json"), ("plain", "*/*", "json"),
        ("plain", "application/fhir+xml", "xml"),
    ):  # fmt: skip
        at = hospitals[manners]
        answer = at.get(f"Patient/{at.sandbox.patient}", headers={"Accept": accept})
        assert f"application/fhir+{kind}" in answer.headers["Content-Type"], (manners, accept)
        if kind == "xml":
            root = ElementTree.fromstring(answer.content)
            assert root.tag == "{http://hl7.org/fhir}Patient"
            assert [one.get("value") for one in root.iter("{http://hl7.org/fhir}family")] == ["Sand"]


def test_an_open_server_asks_nobody_who_they_are(hospitals) -> None:
    at = hospitals["open"]
    assert at.client.get(f"{at.sandbox.base_url}/Patient/{at.sandbox.patient}").status_code == 200
    assert at.client.get(f"{at.sandbox.base_url}/.well-known/smart-configuration").status_code == 404
    assert at.sandbox.environment.keys() == {"FHIR_OPEN_BASE_URL", "FHIR_OPEN_PATIENT"}


def test_ids_are_long_and_case_counts(hospitals) -> None:
    found = ids([one.body for one in hospitals["epic"].sandbox.resources("Observation")])
    assert max(map(len, found)) > 120
    assert max(map(len, found)) <= 130
    assert len(set(found)) == len(found)
    assert len({one.lower() for one in found}) == len(found) - 16, "one pair a visit differs by case alone"
    other = next(one for one in found if one.swapcase() in found)
    assert hospitals["epic"].get(f"Observation/{other}").json()["id"] == other


@pytest.mark.parametrize("manners", list(MANNERS))
def test_who_says_when_a_resource_changed_can_be_asked_for_it(hospitals, manners: str) -> None:
    at = hospitals[manners]
    says = MANNERS[manners].last_updated
    every, some = at.all("DiagnosticReport"), at.all("DiagnosticReport", _lastUpdated="ge2026-01-01")
    assert all(("meta" in one) == says for one in every)
    assert (len(some) < len(every)) == says
    assert (len({one["meta"]["lastUpdated"] for one in every}) > 10) if says else True


def test_a_medication_is_referred_to_and_comes_along_where_that_is_asked(hospitals) -> None:
    epic, oracle = hospitals["epic"], hospitals["oracle"]
    for request in epic.all("MedicationRequest"):
        assert "medicationCodeableConcept" not in request
        drug = epic.get(request["medicationReference"]["reference"]).json()
        assert len(drug["code"]["coding"]) > 2
    bundle = epic.of_patient("MedicationRequest", _include="MedicationRequest:medication").json()
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match"] * 4 + ["include"] * 4 + ["outcome"]
    assert all("medicationCodeableConcept" in request for request in oracle.all("MedicationRequest"))


def test_every_reference_leads_somewhere(any_hospital: Hospital) -> None:
    sandbox = any_hospital.sandbox
    kinds = ("Observation", "DiagnosticReport", "MedicationRequest", "DocumentReference", "Immunization")
    wanted = {ref for kind in kinds for one in sandbox.resources(kind) for ref in references(one.body)}
    there = {f"{one.kind}/{one.id}" for kind in ("Patient", "Encounter", "Medication", "Observation", "Binary")
             for one in sandbox.resources(kind)}  # fmt: skip
    assert wanted <= there
    assert any(one.startswith("Binary/") for one in wanted)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name in ("reference", "url"):
            if isinstance(value.get(name), str):
                yield value[name]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("status", [410, 404])
def test_a_session_ends_with_its_token_or_when_it_is_told_to(status: int) -> None:
    with hospital(manners="epic", token_seconds=3600) as at:
        following = next_of(at.of_patient("Observation", category="laboratory", _count=50).json())
        assert following is not None
        again = [ids(matches(at.get(following).json())) for _ in range(2)]
        assert again[0] == again[1], "asked twice, it answers twice"
        other = at.sandbox.sign_in()["access_token"]
        assert at.get(following, headers={"Authorization": f"Bearer {other}"}).status_code == 410
        at.sandbox.end_sessions(status)
        assert at.get(following).status_code == status


def test_a_chart_can_be_changed_and_changes_with_time() -> None:
    with hospital(days=300) as at:
        before = {one.id: one.body for one in at.sandbox.resources("Observation")}
        changed = next(key for key, body in before.items() if "specimen" in body)
        at.sandbox.change("Observation", changed, status="amended", specimen=None)
        body = at.get(f"Observation/{changed}").json()
        assert body["status"] == "amended"
        assert body.keys() == before[changed].keys() - {"specimen"}
        assert body["subject"] == before[changed]["subject"]
        assert int(body["meta"]["versionId"]) == int(before[changed]["meta"]["versionId"]) + 1
        at.sandbox.delete("Observation", changed)
        assert at.get(f"Observation/{changed}").status_code == 410
        at.sandbox.advance(days=91)
        assert len(at.sandbox.resources("Observation")) > len(before) + 20


def test_the_same_seed_and_date_give_the_same_chart() -> None:
    def chart(**settings: object) -> list[object]:
        with hospital(**settings) as at:
            return [one.body for one in at.sandbox.resources("Observation")]

    long, again, short, other = chart(days=800), chart(days=800), chart(days=300), chart(days=800, seed=2)
    assert long == again
    assert short == long[: len(short)], "however far back it goes"
    assert other != long
