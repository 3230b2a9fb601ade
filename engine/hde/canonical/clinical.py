"""The canonical tables of medical records. A mapping gives what the source wrote; the engine interprets it."""

from __future__ import annotations

from hde.canonical.model import Column, ColumnType, Table

VALUE_KINDS = ("quantity", "range", "ratio", "code", "boolean", "text", "absent")


def _engine(name: str, type_: ColumnType, about: str, words: tuple[str, ...] = ()) -> Column:
    return Column(name, type_, about, words=words, by_engine=True)


def _coding(name: str, about: str) -> tuple[Column, ...]:
    return (
        Column(name, "coding", f"{about}: the code preferred among those the source gives"),
        _engine(f"{name}_system", "text", f"code system of {name}"),
        _engine(f"{name}_display", "text", f"words for {name}: of the chosen code, else the source's text"),
    )


def _period(start: str, end: str) -> tuple[Column, ...]:
    return (
        Column("start_time", "moment", f"{start}; null where the source knows less than an instant"),
        Column("end_time", "moment", f"{end}; null where the source knows less than an instant"),
        Column("utc_offset", "offset", "the source's offset from UTC at that time, as +02:00"),
        _engine("local_date", "date", "the local day of start_time, or the day the source names instead"),
        _engine("end_date", "date", "the local day of end_time, or the day the source names instead"),
        _engine("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
    )


def _text(name: str, about: str) -> Column:
    return Column(name, "text", about)


_STATUS = _text("status", "status, in the source's word")
_NOTE = _text("note", "what somebody wrote beside it")
_ENCOUNTER = Column("encounter", "reference", "raw_source_id of the encounter it belongs to")

_RESULT = (
    *_period("when the specimen was taken or the observation made", "end of it, where it took a time"),
    Column("issued_time", "timestamptz", "when the result was released"),
    *_coding("code", "what was measured"),
    _text("name", "what was measured, in the source's words"),
    _engine("analyte", "text", "what was measured, in this project's word: a name of the analyte list"),
    _text("category", "category, in the source's word: laboratory, social-history, survey, ..."),
    _STATUS,
    _engine("value_kind", "text", "what kind of value it is; null: none was given, and no reason", VALUE_KINDS),
    _engine("value", "float", "the number, in `unit`: the analyte's unit where there is one, else the source's"),
    _engine("unit", "text", "UCUM unit of value, low, high; null where the source's is missing or not understood"),
    Column("comparator", "text", "the value is only known to be so", words=("<", "<=", ">=", ">")),
    Column("value_low", "float", "lower end of a value that is a range; first part of a ratio"),
    Column("value_high", "float", "upper end of a value that is a range; second part of a ratio"),
    Column("value_boolean", "boolean", "a value that is yes or no"),
    *_coding("value_code", "a value that is a code"),
    _text("value_text", "a value that is text: the source's words, numbers excepted"),
    Column("source_value", "verbatim", "the value as the source wrote it"),
    _text("source_unit", "the unit as the source wrote it"),
    _text("absent_reason", "why there is no value"),
    _engine(
        "interpretation", "text", "the source's flag in HL7's code: H, L, HH, LL, N, A, AA, POS, NEG, R, S, I, ..."
    ),
    Column("source_interpretation", "text", "the flag as the source wrote it"),
    Column("ref_low", "float", "lower end of the reference range, in `unit`"),
    Column("ref_high", "float", "upper end of the reference range, in `unit`"),
    _text("ref_text", "the reference range as the source wrote it"),
    _text("ref_unit", "the unit of ref_low and ref_high as the source wrote it, where it says one"),
    _text("panel", "the panel it was reported in, in the source's words"),
    _text("panel_code", "code of that panel, or of the observation it is a component of"),
    _text("specimen", "what was examined"),
    _text("method", "how it was measured"),
    _text("body_site", "where on the body"),
    _text("performer", "who measured it: the laboratory"),
    _NOTE,
    _ENCOUNTER,
)

LAB_RESULTS = Table("lab_results", "One row per laboratory result; components are rows of their own.", _RESULT)

OBSERVATIONS = Table(
    "observations",
    "What was observed and is no laboratory result: vital signs as they were sent, social history, surveys, exams.",
    _RESULT,
)

LAB_PANELS = Table(
    "lab_panels",
    "Which results a report holds: one row per report and result.",
    (
        *_period("when the specimen was taken", "end of it"),
        Column("issued_time", "timestamptz", "when the report was released"),
        *_coding("code", "what the report is about"),
        _text("name", "what the report is about, in the source's words"),
        _text("category", "category, in the source's word"),
        _STATUS,
        Column("result", "reference", "raw_source_id of the result in lab_results; null: a report without results"),
        _text("conclusion", "the report's conclusion"),
        _text("performer", "who made the report"),
        _ENCOUNTER,
    ),
)

ENCOUNTERS = Table(
    "encounters",
    "One row per visit, stay or call.",
    (
        *_period("beginning of the visit", "end of the visit"),
        _STATUS,
        _text("class", "kind of visit, in the source's code: AMB, IMP, EMER, or its own"),
        _text("class_system", "code system of class"),
        *_coding("type", "what the visit was"),
        *_coding("reason", "why it took place"),
        _text("location", "where it took place"),
        _text("provider", "who was seen"),
    ),
)

CONDITIONS = Table(
    "conditions",
    "One row per problem, diagnosis or health concern.",
    (
        *_period("onset", "abatement"),
        *_coding("code", "what it is"),
        _text("name", "what it is, in the source's words"),
        _text("category", "category, in the source's word: problem-list-item, encounter-diagnosis, ..."),
        _text("clinical_status", "active, recurrence, relapse, inactive, remission, resolved"),
        _text("verification_status", "unconfirmed, provisional, differential, confirmed, refuted"),
        *_coding("severity", "how severe it is"),
        Column("recorded_date", "day", "the day it was written down"),
        _NOTE,
        _ENCOUNTER,
    ),
)

MEDICATIONS = Table(
    "medications",
    "One row per order of a medication, or statement that one is taken.",
    (
        *_period("begin of the treatment, else when it was ordered", "end of the treatment"),
        *_coding("code", "the medication"),
        _text("name", "the medication, in the source's words"),
        Column("kind", "text", "what the record is", words=("order", "statement", "dispense", "administration")),
        _STATUS,
        _text("intent", "order, plan, proposal, ..., in the source's word"),
        Column("is_reported", "boolean", "told by the person or somebody else, not ordered here"),
        Column("authored_date", "day", "the day it was ordered or stated"),
        _text("dose_text", "how it is to be taken, in words"),
        Column("dose", "float", "dose of one intake, in dose_unit"),
        _text("dose_unit", "unit of the dose, as the source wrote it"),
        _text("route", "how it enters the body"),
        *_coding("reason", "why it is taken"),
        _text("prescriber", "who ordered it"),
        _NOTE,
        _ENCOUNTER,
    ),
)

ALLERGIES = Table(
    "allergies",
    "One row per allergy or intolerance, or the statement that there is none.",
    (
        *_period("onset", "last occurrence"),
        *_coding("code", "the substance"),
        _text("name", "the substance, in the source's words"),
        _text("kind", "allergy or intolerance"),
        _text("category", "food, medication, environment, biologic"),
        _text("criticality", "low, high, unable-to-assess"),
        _text("clinical_status", "active, inactive, resolved"),
        _text("verification_status", "unconfirmed, confirmed, refuted"),
        *_coding("reaction", "what it does"),
        _text("severity", "mild, moderate, severe"),
        Column("recorded_date", "day", "the day it was written down"),
        _NOTE,
        _ENCOUNTER,
    ),
)

IMMUNIZATIONS = Table(
    "immunizations",
    "One row per vaccination.",
    (
        *_period("when it was given", "never said of a vaccination"),
        *_coding("code", "the vaccine"),
        _text("name", "the vaccine, in the source's words"),
        _STATUS,
        _text("lot", "lot number"),
        _text("dose_number", "which dose of a series"),
        _text("manufacturer", "who made it"),
        _text("site", "where on the body"),
        _text("route", "how it entered the body"),
        _text("performer", "who gave it"),
        Column("is_primary_source", "boolean", "recorded by those who gave it"),
        _NOTE,
        _ENCOUNTER,
    ),
)

PROCEDURES = Table(
    "procedures",
    "One row per operation, examination or treatment.",
    (
        *_period("beginning", "end"),
        *_coding("code", "what was done"),
        _text("name", "what was done, in the source's words"),
        _text("category", "category, in the source's words"),
        _STATUS,
        *_coding("reason", "why"),
        *_coding("body_site", "where on the body"),
        _text("performer", "who did it"),
        _text("outcome", "what came of it"),
        _NOTE,
        _ENCOUNTER,
    ),
)

DOCUMENTS = Table(
    "documents",
    "One row per attachment of a document or report: what it is and where it is, not its text.",
    (
        *_period("when it was made, or what it is about began", "end of what it is about"),
        *_coding("code", "kind of document"),
        _text("name", "kind of document, in the source's words"),
        _text("category", "category, in the source's word"),
        _STATUS,
        _text("title", "title"),
        _text("content_type", "media type"),
        _text("url", "where the source keeps it"),
        Column("size", "int", "bytes"),
        _text("author", "who wrote it"),
        _ENCOUNTER,
    ),
)

CODINGS = Table(
    "codings",
    "Every code that the source gave for a column of type coding; written by the engine.",
    (
        Column("of_table", "text", "the canonical table of the row", required=True),
        Column("of_part", "text", "`part` of that row; account, mapping and raw_source_id are the same", required=True),
        Column("role", "text", "the column the code stands for: code, value_code, reason, ...", required=True),
        Column("rank", "int", "order in the source, from 0", required=True),
        Column("system", "text", "code system"),
        Column("code", "text", "the code"),
        Column("display", "text", "the source's words for the code"),
        Column("user_selected", "boolean", "a person chose this very code"),
        Column("chosen", "boolean", "the one that stands in the row", required=True),
    ),
)

RESULT_TABLES = ("lab_results", "observations")
CLINICAL = (
    LAB_RESULTS, OBSERVATIONS, LAB_PANELS, ENCOUNTERS, CONDITIONS, MEDICATIONS,
    ALLERGIES, IMMUNIZATIONS, PROCEDURES, DOCUMENTS, CODINGS,
)  # fmt: skip
