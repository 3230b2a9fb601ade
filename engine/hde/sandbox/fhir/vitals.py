"""Vital signs and the social history, with codes in the order in which real charts have them: the useful one is
hardly ever the first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hde.sandbox.fhir.life import Visit
from hde.sandbox.fhir.record import (
    LOCAL,
    LOINC,
    PATIENT,
    SNOMED,
    TERMINOLOGY,
    UCUM,
    Entry,
    Json,
    Version,
    category,
    coding,
    concept,
    once,
    refer,
)

# name: codes in their order, mean, spread, digits, unit as written, code of the unit
SIGNS: dict[str, tuple[tuple[str, ...], float, float, int, str, str | None]] = {
    "Pulse": (("8716-3", "8867-4"), 66, 6, 0, "BEATS PER MINUTE", None),
    "Respirations": (("8716-3", "9279-1"), 15, 1.2, 0, "/min", "/min"),
    "Temperature": (("8716-3", "8310-5"), 98.1, 0.4, 1, "degF", "[degF]"),
    "SpO2": (("8716-3", "2708-6", "59408-5"), 97.5, 0.8, 0, "%", "%"),
    "Weight": (("29463-7", "3141-9", "8716-3"), 71200, 900, 0, "g", "g"),
    "Height": (("8302-2", "8716-3"), 175.3, 0.2, 1, "cm", "cm"),
    "BMI": (("8716-3", "39156-5"), 23.2, 0.3, 1, "kg/m2", "kg/m2"),
}
PRESSURE = ("55284-4", "85354-9", "8716-3")


def of_visit(seed: int, visit: Visit) -> Iterator[Entry]:
    yield _pressure(seed, visit)
    for place, (name, (codes, mean, spread, digits, unit, ucum)) in enumerate(SIGNS.items()):
        if name in ("Height", "BMI") and visit.number % 4:
            continue
        value = round(visit.rng(seed, name).gauss(mean, spread), digits) if digits else None
        whole = round(visit.rng(seed, name).gauss(mean, spread))
        quantity = {"value": whole if value is None else value, "unit": unit}
        quantity |= {"system": UCUM, "code": ucum} if ucum else {}
        yield _sign(visit, name, codes, minute=place, valueQuantity=quantity)


def of_home(seed: int, day: datetime) -> Entry:
    """A blood pressure that the patient took at home and sent in."""
    visit = Visit(day.date().toordinal(), day, 0)
    return _pressure(seed, visit, at_home=True)


def _sign(visit: Visit, name: str, codes: tuple[str, ...], minute: int = 0, **body: Any) -> Entry:
    at = visit.at + timedelta(minutes=minute)
    return once(
        "Observation",
        f"{name}.{visit.key}".lower(),
        at + timedelta(minutes=15),
        status="final",
        category=category("vital-signs", "Vital Signs"),
        code=_code(name, codes),
        subject=PATIENT,
        encounter=refer("Encounter", visit.key),
        effectiveDateTime=at,
        issued=at + timedelta(minutes=15),
        **body,
    )


def _code(name: str, codes: tuple[str, ...]) -> Json:
    own = coding(f"{LOCAL}.40", str(sum(map(ord, name)) % 90), name)
    return concept(own, *(coding(LOINC, code) for code in codes), text=name)


def _pressure(seed: int, visit: Visit, at_home: bool = False) -> Entry:
    rng = visit.rng(seed, "pressure")
    systolic, diastolic = round(rng.gauss(126, 8)), round(rng.gauss(79, 5))
    components = [_component("8480-6", "Systolic", systolic), _component("8462-4", "Diastolic", diastolic)]
    if visit.number % 11 == 5:  # the second number was not understood
        components[1].pop("valueQuantity")
        components[1]["dataAbsentReason"] = concept(coding(f"{TERMINOLOGY}/data-absent-reason", "unknown", "Unknown"))
    key = f"home.{visit.key}" if at_home else visit.key
    entry = _sign(visit, "BP", PRESSURE, component=components)
    first = entry.versions[0]
    if at_home:
        first.body.pop("encounter")
        first.body["performer"] = [PATIENT]
    versions = [first]
    if visit.number % 13 == 7:  # of another patient, as it turned out
        at = first.at + timedelta(days=2)
        versions.append(Version(at, {**first.body, "status": "entered-in-error"}))
    return Entry("Observation", f"bp.{key}", tuple(versions))


def _component(code: str, name: str, value: int) -> Json:
    quantity = {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    return {"code": concept(coding(LOINC, code), text=name), "valueQuantity": quantity}


def smoking(visit: Visit) -> Entry:
    """Until when this was so is all that is known."""
    return once(
        "Observation",
        f"smoking.{visit.key}",
        visit.at + timedelta(hours=1),
        status="final",
        category=category("social-history", "Social History"),
        code=concept(coding(LOINC, "72166-2", "Tobacco smoking status"), text="Smoking status"),
        subject=PATIENT,
        effectivePeriod={"end": visit.at},
        issued=visit.at + timedelta(hours=1),
        valueCodeableConcept=concept(coding(SNOMED, "8517006", "Ex-smoker"), text="Former smoker"),
    )
