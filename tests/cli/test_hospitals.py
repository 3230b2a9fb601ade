"""What the connectors of FHIR make of odd answers, of medications, of settings, and of a directory of hospitals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from hospitals_made import RESOURCES, hospital, run, sign_in, stored
from loopback_made import Reply, Seen, Source
from run_made import Outcome, ask, call

from hde.sandbox import fhir

PATIENT = {"resourceType": "Patient", "id": "p-1"}


def issue(severity: str, code: str, text: str) -> dict[str, Any]:
    return {"severity": severity, "code": code, "details": {"text": text}}


def outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources], **more}


@pytest.fixture
def answers(source: Source, database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an open server answers, by the last part of the path; everything else is an empty bundle."""
    monkeypatch.setenv("FHIR_OPEN_BASE_URL", f"{source.url}/fhir/")
    monkeypatch.setenv("FHIR_OPEN_PATIENT", "p-1")
    monkeypatch.setenv("HDE_PATIENCE", "0.001")
    answers: dict[str, Any] = {"p-1": PATIENT}
    source.answer = lambda seen: reply(answers.get(seen.path.rpartition("/")[2], {"resourceType": "Bundle"}))
    return answers


def reply(answer: Any) -> Reply:
    return answer if isinstance(answer, Reply) else Reply(answer)


def read() -> Outcome:
    return call("run", "fhir-open", "--raw-only", "--json")


NOT_FOR_YOU = {
    "a resource that was not granted": Reply(b"", status=403),
    "a resource that is not there": Reply(b"<!DOCTYPE html><html></html>", status=404),
    "one that is not offered": Reply(outcome(issue("error", "not-supported", "No such thing here")), status=400),
    "and says so second": Reply(
        outcome(issue("information", "informational", "Hello"), issue("fatal", "forbidden", "Not yours")), status=400
    ),
    "a server that does not know how": Reply(b"", status=501),
}
WRONG = {
    "what is wrong with the request": (
        Reply(
            outcome(
                issue("information", "informational", "Hello"), issue("fatal", "required", "Must have a category.")
            ),
            status=400,
        ),
        "answers 400: Must have a category.",
    ),
    "an outcome that calls itself a success": (outcome(issue("error", "exception", "Broken")), "answers 200: Broken"),
    "something else altogether": ({"message": "hello"}, "answers 200: its body is what the connector calls a failure"),
    "a page": (Reply(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), "not JSON but text/html"),
    "XML": (
        Reply(b"<Bundle xmlns='http://hl7.org/fhir'/>", headers={"Content-Type": "application/fhir+xml"}),
        "not JSON but application/fhir+xml, beginning with <Bundle>",
    ),
}


@pytest.mark.parametrize("case", NOT_FOR_YOU)
def test_what_means_not_for_you_is_skipped_and_said(answers: dict[str, Any], case: str) -> None:
    answer = NOT_FOR_YOU[case]
    answers["Condition"] = answer
    found = read()
    assert found.code == 0, found.said
    words = {"one that is not offered": " No such thing here", "and says so second": " Not yours"}
    assert found.of("conditions")["skipped"] == f"skipped: {answer.status}{words.get(case, '')}"
    assert not found.of("encounters")["skipped"]


@pytest.mark.parametrize(("answer", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_never_taken_for_that(answers: dict[str, Any], answer: Any, words: str) -> None:
    answers["Condition"] = answer
    found = read()
    assert found.code == 1
    assert words in found.of("conditions")["failures"][0]


def test_outcomes_beside_the_records_are_told_and_are_none(answers: dict[str, Any], database_url: str) -> None:
    warning = outcome(
        issue("information", "informational", "Quiet"), issue("warning", "suppressed", "Some are withheld")
    )
    answers["Condition"] = bundle({"resourceType": "Condition", "id": "a" * 130}, warning)
    found = read()
    assert found.code == 0, found.said
    assert [note for note in found.json["notes"] if "withheld" in note] == [
        "conditions: the source says: Some are withheld"
    ]
    assert list(stored(database_url, "conditions", "fhir-open")) == ["a" * 130]


def test_another_persons_record_is_refused(answers: dict[str, Any], database_url: str) -> None:
    answers["p-1"] = {"resourceType": "Patient", "id": "P-1"}
    assert read().of("patients")["issues"] == 1
    assert ask(database_url, "SELECT count(*) FROM fhir_open_raw.patients") == [0]


def test_medications_are_followed_each_once_and_contained_ones_are_not(
    answers: dict[str, Any], source: Source, database_url: str
) -> None:
    references = ["Medication/m1", "#m2", "Medication/m1", f"{source.url}/fhir/Medication/M1", None, "Medication/gone"]
    answers["MedicationRequest"] = bundle(
        *(
            {
                "resourceType": "MedicationRequest",
                "id": f"r{at}",
                **({"medicationReference": {"reference": one}} if one else {}),
            }
            for at, one in enumerate(references)
        )
    )
    answers["m1"] = {"resourceType": "Medication", "id": "m1"}
    answers["M1"] = {"resourceType": "Medication", "id": "M1"}
    answers["gone"] = Reply(outcome(issue("error", "not-found", "Unknown")), status=404)
    found = read()
    assert found.code == 0, found.said
    assert sorted(ask(database_url, "SELECT reference FROM fhir_open_raw.medications")) == [
        "Medication/m1",
        f"{source.url}/fhir/Medication/M1",
    ]
    assert sorted(seen.path for seen in source.seen if "/Medication/" in seen.path) == [
        "/fhir/Medication/M1",
        "/fhir/Medication/gone",
        "/fhir/Medication/m1",
    ]
    assert {seen.headers["accept"] for seen in source.seen} == {"application/fhir+json"}
    assert "fhir_open_raw.medication_requests r0" in call("why", "medication_requests", "r0").out
    assert "fhir_open_raw.medication_requests never held" in call("why", "medication_requests", "r9").out


def test_a_next_page_is_a_session_and_never_on_another_origin(answers: dict[str, Any], source: Source) -> None:
    def page(seen: Seen) -> Any:
        if seen.query.get("session") == "2":
            return bundle({"resourceType": "Condition", "id": "b"})
        link = [{"relation": "self", "url": "x"}, {"relation": "next", "url": f"{base[0]}/fhir/Condition?session=2"}]
        return bundle({"resourceType": "Condition", "id": "a"}, link=link)

    base = [source.url]
    usual = source.answer
    source.answer = lambda seen: reply(page(seen)) if seen.path.endswith("/Condition") else usual(seen)
    assert read().of("conditions")["records"] == 2
    base[0] = "https://elsewhere.example"
    found = read()
    assert found.code == 1
    assert "leads to another origin, https://elsewhere.example" in found.of("conditions")["failures"][0]


def test_without_a_refresh_token_the_person_signs_in_again(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    with hospital(monkeypatch, "epic", manners="epic", days=30) as sandbox:
        monkeypatch.setenv("EPIC_CLIENT_ID", fhir.PUBLIC_ID)
        monkeypatch.setenv("EPIC_CLIENT_SECRET", "")
        sign_in("epic")
        sandbox.end_access()
        found = call("run", "epic", "--raw-only")
    assert found.code == 3
    assert "run `hde auth epic` to sign in" in found.err


def test_a_laboratory_is_asked_for_results_only(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    with hospital(monkeypatch, "quest", manners="plain", days=100) as sandbox:
        monkeypatch.setenv("QUEST_BASE_URL", sandbox.base_url)
        sign_in("quest")
        found = run("quest")
        asked = {(call.path.rpartition("/")[2], call.query.get("category", "")) for call in sandbox.log}
    assert found.code == 0, found.said
    assert [one["resource"] for one in found.json["resources"]] == ["patients", "observations", "diagnostic_reports"]
    assert {("Observation", "laboratory"), ("DiagnosticReport", "LAB")} <= asked
    assert not {kind for kind, _ in asked} & (set(RESOURCES.values()) - {"Patient", "Observation", "DiagnosticReport"})


def test_another_patient_in_the_settings_is_another_account(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    with hospital(monkeypatch, "fhir-backend", days=30):
        sign_in("fhir-backend")
        monkeypatch.setenv("FHIR_BACKEND_PATIENT", "somebody-else")
        found = call("run", "fhir-backend")
    assert found.code == 3
    assert "No sign-in for fhir-backend account somebody-else" in found.err


@pytest.fixture
def places(
    monkeypatch: pytest.MonkeyPatch, database_url: str, source: Source
) -> Iterator[tuple[fhir.Sandbox, fhir.Sandbox]]:
    """Two hospitals in a vendor's directory, beside others; the settings lead to neither."""
    with ExitStack() as stack:
        two = [stack.enter_context(hospital(monkeypatch, "epic", manners=one, days=30)) for one in ("epic", "plain")]
        monkeypatch.setenv("EPIC_BASE_URL", "http://127.0.0.1:1/nowhere")
        monkeypatch.setenv("EPIC_DIRECTORY", f"{source.url}/Endpoints/R4")
        named: list[tuple[str, Any]] = [
            ("St. Élsewhere Hospital", two[0]),
            ("Princeton-Plainsboro", two[1]),
            ("Saint Eligius", two[1]),
        ]
        named += [("Open Line", SimpleNamespace(base_url="http://open.example/r4"))]
        known = [{"resourceType": "Endpoint", "name": name, "address": one.base_url} for name, one in named]
        source.answer = lambda seen: Reply(bundle(*known, {"resourceType": "Endpoint", "name": "No address"}))
        yield two[0], two[1]


def test_a_hospital_is_chosen_by_name_and_kept_for_its_account(
    places: tuple[fhir.Sandbox, fhir.Sandbox], source: Source, database_url: str
) -> None:
    first, second = places
    signed_in = call("auth", "epic", "--tenant", "st elsewhere")
    assert signed_in.code == 0, signed_in.said
    assert f"Epic at St. Élsewhere Hospital ({first.base_url})" in signed_in.err
    assert run("epic").code == 0
    assert call("auth", "epic", "--tenant", "plainsboro").code == 0
    several = run("epic")
    assert several.code == 2
    assert f"{first.patient} (St. Élsewhere Hospital)" in several.err
    assert f"{second.patient} (Princeton-Plainsboro)" in several.err
    for sandbox in places:
        before = sum(sandbox.requests.values())
        named = "st. élsewhere hospital" if sandbox is first else sandbox.patient
        assert call("run", "epic", "--account", named, "--json").code == 0
        assert sum(sandbox.requests.values()) > before
    assert [seen.path for seen in source.seen] == ["/Endpoints/R4"], "kept for a day"
    rows = "SELECT count(DISTINCT _account) FROM epic_raw.patients"
    assert ask(database_url, rows) == [2]
    assert "St. Élsewhere Hospital" in call("status").out
    again = call("auth", "epic", "--tenant", "elsewhere")
    assert f"account {first.patient} at St. Élsewhere Hospital works" in again.out


def test_who_signs_in_again_does_so_at_the_same_place(places: tuple[fhir.Sandbox, fhir.Sandbox]) -> None:
    assert call("auth", "epic", "--tenant", "st elsewhere").code == 0
    again = call("auth", "epic", "--force")
    assert again.code == 0, again.said
    assert "Epic at St. Élsewhere Hospital" in again.err
    assert call("preview", "epic", "encounters").code == 0
    ended = call("disconnect", "epic", "--yes")
    assert ended.code == 0, ended.said
    assert "Epic at St. Élsewhere Hospital" in call("auth", "epic").err


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("sain eli", ["Epic at Saint Eligius"]),
        ("s", ["2 places of Epic are called so", "  Saint Eligius  (http", "  St. Élsewhere Hospital  (http"]),
        ("st elsewere", ["None of 4 places of Epic is called 'st elsewere'. Near that are:\n  St. Élsewhere Hospital"]),
        ("zzz", ["None of 4 places of Epic is called 'zzz'."]),
        ("", ["None of 4 places"]),
        ("open line", ["Open Line is listed at http://open.example, which is not encrypted"]),
    ],
)
def test_several_are_listed_and_none_says_what_is_near(
    places: tuple[fhir.Sandbox, fhir.Sandbox], words: str, lines: list[str]
) -> None:
    found = call("auth", "epic", "--tenant", words)
    assert all(line in found.err for line in lines), found.err
    assert found.code == (0 if len(lines) == 1 and lines[0].startswith("Epic at") else 2)


def test_one_id_at_two_hospitals_is_refused(places: tuple[fhir.Sandbox, fhir.Sandbox], database_url: str) -> None:
    _, second = places
    assert call("auth", "epic", "--tenant", "plainsboro").code == 0
    same = call("auth", "epic", "--tenant", "eligius")
    assert "at Princeton-Plainsboro works" in same.out, "one address is one place, whatever it is called"
    elsewhere = "{settings,base_url}", '"https://plainsboro.example/R4"'
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE meta.connections SET tenant = jsonb_set(tenant, %s, %s)", elsewhere)
    found = call("auth", "epic", "--tenant", "eligius")
    assert found.code == 2
    assert (
        f"Account {second.patient} of epic is at Princeton-Plainsboro, and Saint Eligius gives the same id" in found.err
    )
    assert ask(database_url, "SELECT tenant->>'name' FROM meta.connections") == ["Princeton-Plainsboro"]


def test_a_directory_that_is_away_or_none_is_said(
    places: tuple[fhir.Sandbox, fhir.Sandbox], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_OPEN_BASE_URL", source.url)
    monkeypatch.setenv("FHIR_OPEN_PATIENT", "p")
    source.answer = lambda seen: Reply(b"", status=503)
    assert "the directory on http://127.0.0.1" in call("auth", "epic", "--tenant", "x").err
    source.answer = lambda seen: Reply(bundle())
    assert "holds no place with a name and settings" in call("auth", "epic", "--tenant", "x").err
    found = call("auth", "fhir-open", "--tenant", "x")
    assert found.code == 2
    assert "fhir-open has no directory of places" in found.err
