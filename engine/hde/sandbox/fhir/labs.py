"""Laboratory results and their reports, with the dirt of real ones: numbers in texts, ranges in words, units nobody
agreed on, results that are corrected or withdrawn later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from hde.sandbox.fhir.analytes import CODED, PANELS, Analyte, Panel
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

LABORATORY = {"display": "Harbor Reference Laboratory"}
PRELIMINARY, FINAL = timedelta(hours=6), timedelta(hours=30)
WITHDRAWN, CORRECTED = timedelta(days=5), timedelta(days=12)
"""After the sample was taken."""


def of_visit(seed: int, visit: Visit) -> Iterator[Entry]:
    """What was measured of one visit's samples."""
    for panel in PANELS:
        if (visit.number + panel.first) % panel.every == 0:
            results = [_result(seed, visit, panel, place) for place in range(len(panel.analytes))]
            yield from results
            yield _report(visit, panel, [entry.key for entry in results])
    if visit.number % 8 == 3:
        yield _culture(visit)


def _taken(visit: Visit) -> datetime:
    return visit.at + timedelta(minutes=12)


def _report(visit: Visit, panel: Panel, results: list[str]) -> Entry:
    taken = _taken(visit)
    body: Json = {
        "category": [concept(coding(f"{TERMINOLOGY}/v2-0074", "LAB", "Laboratory"), text="Lab")],
        "code": concept(coding(f"{LOCAL}.20", f"P{panel.code}", panel.name), _loinc(panel.code), text=panel.name),
        "subject": PATIENT,
        "encounter": refer("Encounter", visit.key),
        "effectiveDateTime": taken,
        "performer": [LABORATORY],
        "result": [refer("Observation", key) for key in results],
    }
    versions = [
        Version(taken + after, {"status": status, **body, "issued": taken + after})
        for after, status in ((PRELIMINARY, "preliminary"), (FINAL, "final"))
    ]
    return Entry("DiagnosticReport", f"{panel.code}.{visit.key}", tuple(versions))


def _result(seed: int, visit: Visit, panel: Panel, place: int) -> Entry:
    analyte = panel.analytes[place]
    name = f"{panel.code}/{place}"
    rng = visit.rng(seed, name)
    taken = _taken(visit)
    number = rng.gauss(analyte.mean + analyte.drift * max(0.0, visit.years - 4), analyte.spread)
    body = _frame(visit, panel, analyte)
    steps = [(PRELIMINARY, "preliminary", number), (FINAL, "final", number)]
    fate, odd = rng.random(), rng.random()
    if analyte.style == "missing":
        steps = [(FINAL, "cancelled", number)]
    elif fate < 0.04:
        steps.append((WITHDRAWN, "entered-in-error", number))
    elif fate < 0.07:
        steps.append((CORRECTED, "corrected", number + analyte.spread * 1.5))
    elif fate < 0.09:
        steps = [(FINAL, "unknown", number)]
    versions = [
        Version(
            taken + after, {"status": status, **body, "issued": taken + after, **_value(analyte, value, visit, odd)}
        )
        for after, status, value in steps
    ]
    return Entry("Observation", f"lab.{panel.code}.{place}.{visit.key}", tuple(versions))


def _frame(visit: Visit, panel: Panel, analyte: Analyte) -> Json:
    local = coding(f"{LOCAL}.30", f"L{analyte.code or 'HEMIDX'}", analyte.name)
    codings = [local, _loinc(analyte.code)] if analyte.code else [local]
    taken = _taken(visit)
    when: datetime | date = taken.date() if panel.code == "20933" else taken  # at the bedside nobody looked at a clock
    return {
        "category": category("laboratory", "Laboratory", "Lab"),
        "code": concept(*codings, text=analyte.name),
        "subject": PATIENT,
        "encounter": refer("Encounter", visit.key),
        "effectiveDateTime": when,
        "performer": [LABORATORY],
        "specimen": {"display": panel.specimen},
        **_reference(analyte),
    }


def _loinc(code: str) -> Json:
    return coding(LOINC, code)


def _reference(analyte: Analyte) -> Json:
    ranges: list[Json] = []
    if analyte.reference:
        numbers = _bounds(analyte, analyte.low, analyte.high) if analyte.numbered else {}
        ranges.append({**numbers, "text": analyte.reference})
    if analyte.further and ranges:
        ranges[0]["type"] = concept(coding(f"{TERMINOLOGY}/referencerange-meaning", "normal", "Normal Range"))
    for whom, low, high in analyte.further:
        ranges.append({**_bounds(analyte, low, high), "appliesTo": [concept(text=whom)], "text": _worded(low, high)})
    return {"referenceRange": ranges} if ranges else {}


def _bounds(analyte: Analyte, low: float | None, high: float | None) -> Json:
    sides = {"low": low, "high": high}
    return {side: _quantity(analyte, value) for side, value in sides.items() if value is not None}


def _worded(low: float | None, high: float | None) -> str:
    return f"<{high}" if low is None else f"{low}-{high}"


def _quantity(analyte: Analyte, value: float) -> Json:
    unit = {"unit": analyte.unit} if analyte.unit else {}
    return {"value": value, **unit, **({"system": UCUM, "code": analyte.ucum} if analyte.ucum else {})}


def _value(analyte: Analyte, number: float, visit: Visit, odd: float) -> Json:
    """The value[x] of one version, with what the laboratory thinks of it; `odd` in [0, 1) chooses among words."""
    value = round(number, analyte.digits) if analyte.digits else float(round(number))
    shown = f"{value:.{analyte.digits}f}"
    plain: float = value if analyte.digits else int(value)
    word = analyte.words[odd < 0.15] if analyte.words else ""
    match analyte.style:
        case "text" if analyte.words:
            return {"valueString": word}
        case "text":
            return {"valueString": shown, **_judged(analyte, value, visit)}
        case "text with unit":
            return {"valueString": f"{shown} {analyte.unit}", **_judged(analyte, value, visit)}
        case "in the reason":
            return {"dataAbsentReason": concept(text=f"{shown} {analyte.unit}")}
        case "missing":
            return {"dataAbsentReason": concept(coding(f"{TERMINOLOGY}/data-absent-reason", "not-performed"))}
        case "coded":
            normal = word == analyte.words[0]
            return {
                "valueCodeableConcept": concept(coding(SNOMED, word, CODED[word]), text=CODED[word].upper()),
                "interpretation": [_interpretation("N" if normal else "A", "Normal" if normal else "Abnormal")],
            }
        case "ratio":
            numerator, denominator = (int(part) for part in word.split(":"))
            return {"valueRatio": {"numerator": {"value": numerator}, "denominator": {"value": denominator}}}
        case "range":
            return {"valueRange": {"low": _quantity(analyte, 0), "high": _quantity(analyte, 2 + int(odd * 4))}}
        case "boolean":
            return {"valueBoolean": odd < 0.8}
        case "below":
            return {"valueString": f"<{shown}"}
    if analyte.code == "98979-8" and value >= 90:
        return {"valueString": ">90"}
    return {"valueQuantity": _quantity(analyte, plain), **_judged(analyte, value, visit)}


def _judged(analyte: Analyte, value: float, visit: Visit) -> Json:
    high = analyte.high is not None and value > analyte.high
    low = analyte.low is not None and value < analyte.low
    if not high and not low:
        return {"interpretation": [_interpretation("N", "Normal")]} if visit.number % 2 else {}
    words = "above high normal" if high else "below low normal"
    match visit.number % 3:
        case 0:
            return {"interpretation": [concept(text=words)]}
        case 1:
            return {"interpretation": [_interpretation("H" if high else "L", "High" if high else "Low")]}
    both = _interpretation("H" if high else "L", "High" if high else "Low")
    return {"interpretation": [{**both, "text": "(H)" if high else "(L)"}]}


def _interpretation(code: str, display: str) -> Json:
    return concept(coding(f"{TERMINOLOGY}/v3-ObservationInterpretation", code, display))


_AGAINST = (("18906-8", "CIPROFLOXACIN", ">10", "R"), ("18955-5", "NITROFURANTOIN", "<=16", "S"))


def _culture(visit: Visit) -> Entry:
    """An organism, and in components what would help against it."""
    taken = _taken(visit)
    components = [
        {
            "code": concept(_loinc(code), text=name),
            "valueString": value,
            "interpretation": [_interpretation(letter, {"R": "Resistant", "S": "Susceptible"}[letter])],
        }
        for code, name, value, letter in _AGAINST
    ]
    return once(
        "Observation",
        f"culture.{visit.key}",
        taken + timedelta(days=2),
        status="final",
        category=category("laboratory", "Laboratory", "Lab"),
        code=concept(coding(f"{LOCAL}.30", "LUCULT", "URINE CULTURE"), _loinc("630-4"), text="URINE CULTURE"),
        subject=PATIENT,
        encounter=refer("Encounter", visit.key),
        effectiveDateTime=taken,
        issued=taken + timedelta(days=2),
        performer=[LABORATORY],
        specimen={"display": "Urine"},
        valueCodeableConcept=concept(coding(SNOMED, "112283007", "Escherichia coli"), text="ESCHERICHIA COLI"),
        component=components,
    )
