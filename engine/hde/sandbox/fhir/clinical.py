"""The rest of the chart: who the patient is, visits, problems, medications, allergies, vaccinations, procedures and
documents."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from hde.sandbox.fhir.life import ADDRESS, BORN, FAMILY, GIVEN, Visit
from hde.sandbox.fhir.record import (
    CVX,
    ICD10,
    LOCAL,
    LOINC,
    PATIENT,
    RXNORM,
    SNOMED,
    Entry,
    Version,
    coding,
    concept,
    once,
    refer,
    terminology,
)

DOCTOR = {"display": "Dr. Alma Reyes"}
HOSPITAL = {"display": "Harbor General Hospital"}

# key, SNOMED, ICD-10, name, days after the history's beginning, days until it ended, what becomes of it
PROBLEMS = (
    ("lipids", "55822004", "E78.5", "Hyperlipidemia", 40, None, "confirmed"),
    ("vitamin-d", "34713006", "E55.9", "Vitamin D deficiency", 130, None, "confirmed"),
    ("bronchitis", "10509002", "J20.9", "Acute bronchitis", 300, 24, "confirmed"),
    ("sprain", "44465007", None, "Sprain of ankle", 420, 45, "confirmed"),
    ("diabetes", "44054006", "E11.9", "Type 2 diabetes", 205, None, "entered-in-error"),
)
# key, RxNorm codes, name, dose, ordered after days, until after days, whether it is what the patient said
DRUGS = (
    ("statin", ("617310", "83367", "2121756"), "atorvastatin 20 mg tablet", "1 tablet by mouth daily", 45, None, False),
    ("vitamin-d", ("5300044", "11253"), "cholecalciferol 2000 unit capsule", "2000 units daily", 135, None, True),
    ("amoxicillin", ("308191", "723"), "amoxicillin 500 mg capsule", "1 capsule three times daily", 301, 308, False),
    ("ibuprofen", ("197806", "5640"), "ibuprofen 600 mg tablet", "1 tablet every 8 hours as needed", 420, 434, False),
)
VACCINES = (("140", "Influenza, seasonal, preservative free"), ("115", "Tdap"), ("308", "COVID-19, mRNA"))


def patient(known: datetime) -> Entry:
    return once(
        "Patient",
        "1",
        known,
        identifier=[
            {"use": "usual", "system": f"{LOCAL}.14", "value": "Z0004711"},
            {
                "type": concept(coding("http://terminology.hl7.org/CodeSystem/v2-0203", "MR")),
                "system": f"{LOCAL}.13",
                "value": "203711",
            },
        ],
        active=True,
        name=[{"use": "official", "text": f"{GIVEN} {FAMILY}", "family": FAMILY, "given": [GIVEN]}],
        telecom=[
            {"system": "phone", "value": "555-0100", "use": "home"},
            {"system": "email", "value": "robin.sand@example.com"},
        ],
        gender="female",
        birthDate=BORN,
        address=[ADDRESS],
        communication=[{"language": concept(coding("urn:ietf:bcp:47", "en", "English")), "preferred": True}],
    )


def of_visit(visit: Visit) -> Iterator[Entry]:
    """A visit's encounter, and what was done and written there."""
    yield _encounter(visit)
    if visit.number % 4 == 1:
        yield _vaccination(visit, VACCINES[0])
    if visit.number % 20 == 6:
        yield _vaccination(visit, VACCINES[1])
    if visit.number % 8 == 2:
        yield _vaccination(visit, VACCINES[2])
    if visit.number % 5 == 2:
        yield _procedure(visit)
    yield from _document(visit)


def _encounter(visit: Visit) -> Entry:
    ends = visit.at + timedelta(minutes=40)
    frame = {
        "class": coding(f"{LOCAL}.7.10.696784.13260", "13", "Support OP Encounter"),
        "type": [concept(coding(SNOMED, "185349003", "Encounter for check up"), text="Office Visit")],
        "subject": PATIENT,
        "participant": [{"individual": DOCTOR}],
        "location": [{"location": {"display": "Harbor Internal Medicine"}}],
        "serviceProvider": HOSPITAL,
    }
    period = {} if visit.number % 6 == 4 else {"period": {"start": visit.at}}
    whole = {"period": {"start": visit.at, "end": ends}} if period else {}
    return Entry(
        "Encounter",
        visit.key,
        (
            Version(visit.at, {"status": "in-progress", **frame, **period}),
            Version(ends, {"status": "finished", **frame, **whole}),
        ),
    )


def _vaccination(visit: Visit, vaccine: tuple[str, str]) -> Entry:
    code, name = vaccine
    return once(
        "Immunization",
        f"{code}.{visit.key}",
        visit.at + timedelta(minutes=30),
        status="completed",
        vaccineCode=concept(coding(f"{LOCAL}.50", f"V{code}", name), coding(CVX, code, name), text=name),
        patient=PATIENT,
        encounter=refer("Encounter", visit.key),
        occurrenceDateTime=visit.at.date(),
        primarySource=True,
        lotNumber=f"LOT{visit.number % 9000}",
        doseQuantity={"value": 0.5, "unit": "mL"},
    )


def _procedure(visit: Visit) -> Entry:
    return once(
        "Procedure",
        visit.key,
        visit.at + timedelta(minutes=35),
        status="completed",
        code=concept(coding(SNOMED, "29303009", "Electrocardiographic procedure"), text="ECG 12-LEAD"),
        subject=PATIENT,
        encounter=refer("Encounter", visit.key),
        performedDateTime=visit.at + timedelta(minutes=20),
        performer=[{"actor": DOCTOR}],
    )


def _document(visit: Visit) -> Iterator[Entry]:
    written = visit.at + timedelta(hours=2)
    text = f"Progress note. {GIVEN} {FAMILY} was seen on {visit.at:%Y-%m-%d}. No acute concerns. An invented note."
    yield once(
        "DocumentReference",
        visit.key,
        written,
        status="current",
        docStatus="final",
        type=concept(coding(LOINC, "11506-3", "Progress note"), text="Progress Notes"),
        category=[concept(coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                                 "clinical-note", "Clinical Note"))],
        subject=PATIENT,
        date=written,
        author=[DOCTOR],
        content=[{"attachment": {"contentType": "text/plain", "url": f"Binary/note.{visit.key}", "title": "Progress"}}],
        context={"encounter": [refer("Encounter", visit.key)]},
    )  # fmt: skip
    data = base64.b64encode(text.encode()).decode()
    yield once("Binary", f"note.{visit.key}", written, contentType="text/plain", data=data)


def of_history(began: datetime) -> Iterator[Entry]:
    """What is known once, in days after the history began."""
    yield patient(began)
    for key, snomed, icd, name, after, lasts, verification in PROBLEMS:
        yield _problem(key, (snomed, icd, name), began + timedelta(days=after), lasts, verification)
    for drug in DRUGS:
        yield from _drug(began, *drug)
    yield _allergy("penicillin", began, "7980", "Penicillin", "Hives", "active", "low")
    yield _allergy("peanut", began, "", "Peanut", "", "resolved", "")


def _problem(key: str, names: tuple[str, str | None, str], onset: datetime, lasts: int | None, verified: str) -> Entry:
    snomed, icd, name = names
    codings = [coding(f"{LOCAL}.60", f"D{snomed[:5]}", name), coding(SNOMED, snomed, name)]
    codings += [coding(ICD10, icd, name)] if icd else []
    frame = {
        "category": [terminology("condition-category", "problem-list-item", "Problem List Item")],
        "code": concept(*codings, text=name),
        "subject": PATIENT,
        "onsetDateTime": onset.date(),
        "recordedDate": onset.date(),
    }
    active = {"clinicalStatus": terminology("condition-clinical", "active", "Active")}
    confirmed = {"verificationStatus": terminology("condition-ver-status", "confirmed", "Confirmed")}
    versions = [Version(onset + timedelta(hours=1), {**active, **confirmed, **frame})]
    if verified == "entered-in-error":  # what is in error has no clinical status, the standard says
        wrong = {"verificationStatus": terminology("condition-ver-status", verified, "Entered in Error")}
        versions.append(Version(onset + timedelta(days=3), {**wrong, **frame}))
    elif lasts is not None:
        ended = onset + timedelta(days=lasts)
        over = {"clinicalStatus": terminology("condition-clinical", "resolved", "Resolved")}
        versions.append(Version(ended, {**over, **confirmed, **frame, "abatementDateTime": ended.date()}))
    return Entry("Condition", key, tuple(versions))


def _drug(
    began: datetime, key: str, codes: tuple[str, ...], name: str, dose: str, after: int, until: int | None, told: bool
) -> Iterator[Entry]:
    ordered = began + timedelta(days=after)
    yield once(
        "Medication",
        key,
        began,
        code=concept(
            coding(f"{LOCAL}.70", key.upper()[:6], name), *(coding(RXNORM, code) for code in codes), text=name
        ),
        form=concept(text=name.rsplit(" ", 1)[1]),
    )
    period: dict[str, date] = {"start": ordered.date()}
    frame = {
        "intent": "plan" if told else "order",
        "category": [terminology("medicationrequest-category", "outpatient" if not told else "patientspecified")],
        "medicationReference": refer("Medication", key, name),
        "subject": PATIENT,
        "authoredOn": ordered,
        "requester": DOCTOR,
        **({"reportedBoolean": True} if told else {}),
    }
    instruction = {"text": dose, "patientInstruction": dose}
    versions = [
        Version(ordered, {"status": "active", **frame, "dosageInstruction": [_with_period(instruction, period)]})
    ]
    if until is not None:
        ended = began + timedelta(days=until)
        whole = _with_period(instruction, {**period, "end": ended.date()})
        versions.append(Version(ended, {"status": "completed", **frame, "dosageInstruction": [whole]}))
    yield Entry("MedicationRequest", key, tuple(versions))


def _with_period(instruction: dict[str, str], period: dict[str, date]) -> dict[str, object]:
    return {**instruction, "timing": {"repeat": {"boundsPeriod": period}}}


def _allergy(key: str, began: datetime, rxnorm: str, name: str, reaction: str, status: str, criticality: str) -> Entry:
    codings = [coding(RXNORM, rxnorm, name)] if rxnorm else []
    return once(
        "AllergyIntolerance",
        key,
        began,
        clinicalStatus=terminology("allergyintolerance-clinical", status),
        verificationStatus=terminology("allergyintolerance-verification", "confirmed"),
        type="allergy",
        category=["medication" if rxnorm else "food"],
        criticality=criticality or None,
        code=concept(*codings, text=name.upper()),
        patient=PATIENT,
        recordedDate=began.date(),
        reaction=[{"manifestation": [concept(coding(SNOMED, "247472004", reaction), text=reaction)]}]
        if reaction
        else None,
    )
