"""What a chart is made of before a hospital writes it its own way: entries with versions, bodies with real dates.

In a body an instant is an aware datetime, a day a date, and a reference `{"reference": "Kind/key"}` with the key of
another entry; how instants are written and what ids look like is decided when it is rendered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
RXNORM, CVX = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/cvx"
ICD10, CPT_LIKE = "http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:1.2.840.99999.1.13.5.737384.26"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
LOCAL = "urn:oid:1.2.840.99999.1.13.5.737384"
"""The hospital's own codes; it stands first wherever it has one."""

Json = dict[str, Any]


class Version(NamedTuple):
    """`at`: when this became known; the hospital's clock."""

    at: datetime
    body: Json


class Entry(NamedTuple):
    """A resource, its key among those of its kind, and what it was and will be, oldest first."""

    kind: str
    key: str
    versions: tuple[Version, ...]


def once(kind: str, key: str, at: datetime, **body: Any) -> Entry:
    """An entry that never changes; what is None is left out."""
    return Entry(kind, key, (Version(at, {name: value for name, value in body.items() if value is not None}),))


def coding(system: str, code: str, display: str | None = None) -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(*codings: Json, text: str | None = None) -> Json:
    return {**({"coding": list(codings)} if codings else {}), **({"text": text} if text else {})}


def terminology(name: str, code: str, display: str | None = None) -> Json:
    """A concept from HL7's own code systems."""
    return concept(coding(f"{TERMINOLOGY}/{name}", code, display))


def refer(kind: str, key: str, display: str | None = None) -> Json:
    return {"reference": f"{kind}/{key}", **({"display": display} if display else {})}


def category(code: str, display: str, local: str | None = None) -> list[Json]:
    """An observation's categories; a hospital's own word beside the standard's."""
    own = [concept(coding(f"{LOCAL}.10", local, local), text=local)] if local else []
    return [*own, concept(coding(f"{TERMINOLOGY}/observation-category", code, display), text=display)]


PATIENT = refer("Patient", "1", "Sand, Robin")
