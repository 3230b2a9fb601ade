"""Searches: parameters checked, and the resources that they match. It makes no bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hde.sandbox.fhir.chart import Resource
from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.moments import Span, matches, spans_of
from hde.sandbox.fhir.record import Json

Pairs = tuple[tuple[str, str], ...]
Matcher = Callable[[Json, str], bool]

CATEGORIES = ("vital-signs", "laboratory", "social-history", "core-characteristics", "smartdata", "genomics")
CONTROL = ("_count", "_format", "_include", "_offset", "_total", "_sort", "_summary", "-pageContext", "-pageDirection")


class Refused(Exception):
    """A search that is not carried out: `status`, and what the OperationOutcome says."""

    def __init__(self, status: int, code: str, text: str, local: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.local = status, code, text, local


def search(kind: str, resources: Iterable[Resource], pairs: Pairs, manners: Manners, strict: bool) -> list[Resource]:
    """Those that every parameter matches, in their order. Raises Refused."""
    asked = [(name.partition(":")[0], value) for name, value in pairs if name not in CONTROL]
    names = {name for name, value in asked if value}
    _required(kind, asked, names, manners)
    known = {**_COMMON, **PARAMETERS[kind]}
    if not manners.last_updated:
        known.pop("_lastUpdated")
    if manners.last_updated_alone and {"_lastUpdated", "date"} <= names:
        raise Refused(400, "not-supported", "_lastUpdated and date cannot be used together")
    if strict and (unknown := sorted(names - known.keys())):
        raise Refused(400, "not-supported", f"unknown parameters: {', '.join(unknown)}")
    return [resource for resource in resources if _fits(resource, asked, known)]


def _required(kind: str, asked: list[tuple[str, str]], names: set[str], manners: Manners) -> None:
    of_patient = {"patient", "subject", "_id"}
    if manners.patient_required and kind not in ("Patient", "Medication") and not names & of_patient:
        raise Refused(400, "required", "Must have either patient, subject or _id.", "59100")
    if kind == "Patient" and manners.patient_by_id_only and not names & {"_id", "identifier", "family", "birthdate"}:
        raise Refused(400, "required", "Not enough parameters to search for a patient.", "59100")
    if kind != "Observation" or not manners.category_required:
        return
    if not names & {"category", "code", "_id"}:
        raise Refused(400, "required", "Must have either code or category.", "59108")
    for value in (one for name, text in asked if name == "category" for one in text.split(",")):
        if value.rpartition("|")[2] not in CATEGORIES:
            raise Refused(400, "not-supported", f"Only these categories: {', '.join(CATEGORIES)}.", "59109")


def _fits(resource: Resource, asked: list[tuple[str, str]], known: Mapping[str, Matcher]) -> bool:
    seen = {**resource.body, "_updated": resource.updated.isoformat()}
    for name, value in asked:
        if name not in known or not value:  # as most servers: what they do not know they leave aside, and say nothing
            continue
        try:
            if not any(known[name](seen, one) for one in value.split(",")):
                return False
        except (ValueError, OverflowError):
            raise Refused(400, "value", f"{name} is not written as this parameter is") from None
    return True


def _at(body: Json, path: str) -> list[Any]:
    """All values at a dotted path; lists are walked through."""
    found: list[Any] = [body]
    for name in path.split("."):
        inner = [one.get(name) for one in found if isinstance(one, dict)]
        found = [each for one in inner if one is not None for each in (one if isinstance(one, list) else [one])]
    return found


def _token(path: str) -> Matcher:
    def fits(body: Json, asked: str) -> bool:
        system, bar, code = asked.rpartition("|")
        for one in _at(body, path):
            codings = one.get("coding", [one]) if isinstance(one, dict) else [{"code": one}]
            for coding in codings:
                told = coding.get("system", "") if "value" not in coding else coding["system"]
                named = coding.get("code", coding.get("value"))
                if (named == code or (bar and not code)) and (not bar or told == system):
                    return True
        return False

    return fits


def _date(*paths: str) -> Matcher:
    def fits(body: Json, asked: str) -> bool:
        found: list[Span] = [one for path in paths for value in _at(body, path) for one in spans_of(value)]
        probe = found or [Span(*spans_of("2000")[0])]
        fitting = [matches(asked, one) for one in probe]  # so that a wrong value is told even where nothing has a date
        return bool(found) and any(fitting)

    return fits


def _reference(*paths: str) -> Matcher:
    def fits(body: Json, asked: str) -> bool:
        named = asked.rpartition("/")[2]
        found = [value for path in paths for value in _at(body, f"{path}.reference")]
        return any(str(value).rpartition("/")[2] == named for value in found)

    return fits


def _text(path: str) -> Matcher:
    return lambda body, asked: any(str(value).lower().startswith(asked.lower()) for value in _at(body, path))


_COMMON: Mapping[str, Matcher] = {
    "_id": lambda body, asked: body["id"] == asked,
    "patient": _reference("subject", "patient"),
    "subject": _reference("subject", "patient"),
    "_lastUpdated": _date("_updated"),
}
_EFFECTIVE = ("effectiveDateTime", "effectivePeriod")
PARAMETERS: Mapping[str, Mapping[str, Matcher]] = {
    "Patient": {"identifier": _token("identifier"), "family": _text("name.family"), "birthdate": _date("birthDate")},
    "Observation": {
        "category": _token("category"), "code": _token("code"), "date": _date(*_EFFECTIVE), "issued": _date("issued"),
        "status": _token("status"),
    },
    "DiagnosticReport": {
        "category": _token("category"), "code": _token("code"), "date": _date(*_EFFECTIVE), "issued": _date("issued"),
        "status": _token("status"),
    },
    "Encounter": {"date": _date("period"), "class": _token("class"), "status": _token("status")},
    "Condition": {
        "category": _token("category"), "code": _token("code"), "clinical-status": _token("clinicalStatus"),
        "onset-date": _date("onsetDateTime"), "recorded-date": _date("recordedDate"),
    },
    "MedicationRequest": {
        "status": _token("status"), "intent": _token("intent"), "authoredon": _date("authoredOn"),
    },
    "Medication": {"code": _token("code")},
    "AllergyIntolerance": {"clinical-status": _token("clinicalStatus"), "date": _date("recordedDate")},
    "Immunization": {"status": _token("status"), "date": _date("occurrenceDateTime")},
    "Procedure": {"status": _token("status"), "date": _date("performedDateTime")},
    "DocumentReference": {
        "category": _token("category"), "type": _token("type"), "date": _date("date"), "status": _token("status"),
    },
    "Binary": {},
}  # fmt: skip
