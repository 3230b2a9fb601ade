"""medical records: laboratory results, observations, visits, and what else a hospital tells; codes beside them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PANEL = "code of the panel it was measured in (85354-9: blood pressure), where there is one"
_RESULT = (
    (
        "start_time",
        "instant",
        "when the specimen was taken or the observation made; null where the source knows less than an instant",
    ),
    ("end_time", "instant", "end of it, where it took a time; null where the source knows less than an instant"),
    ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
    ("local_date", "date", "the local day of start_time, or the day the source names instead"),
    ("end_date", "date", "the local day of end_time, or the day the source names instead"),
    ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
    ("issued_time", "instant", "when the result was released"),
    ("code", "text", "what was measured: the code preferred among those the source gives"),
    ("code_system", "text", "code system of code"),
    ("code_display", "text", "words for code: of the chosen code, else the source's text"),
    ("name", "text", "what was measured, in the source's words"),
    ("analyte", "text", "what was measured, in this project's word: a name of the analyte list"),
    ("category", "text", "category, in the source's word: laboratory, social-history, survey, ..."),
    ("status", "text", "status, in the source's word"),
    ("value_kind", "text", "what kind of value it is; null: none was given, and no reason"),
    ("value", "float", "the number, in `unit`: the analyte's unit where there is one, else the source's"),
    ("unit", "text", "UCUM unit of value, low, high; null where the source's is missing or not understood"),
    ("comparator", "text", "the value is only known to be so"),
    ("value_low", "float", "lower end of a value that is a range; first part of a ratio"),
    ("value_high", "float", "upper end of a value that is a range; second part of a ratio"),
    ("value_boolean", "boolean", "a value that is yes or no"),
    ("value_code", "text", "a value that is a code: the code preferred among those the source gives"),
    ("value_code_system", "text", "code system of value_code"),
    ("value_code_display", "text", "words for value_code: of the chosen code, else the source's text"),
    ("value_text", "text", "a value that is text: the source's words, numbers excepted"),
    ("source_value", "text", "the value as the source wrote it"),
    ("source_unit", "text", "the unit as the source wrote it"),
    ("absent_reason", "text", "why there is no value"),
    ("interpretation", "text", "the source's flag in HL7's code: H, L, HH, LL, N, A, AA, POS, NEG, R, S, I, ..."),
    ("source_interpretation", "text", "the flag as the source wrote it"),
    ("ref_low", "float", "lower end of the reference range, in `unit`"),
    ("ref_high", "float", "upper end of the reference range, in `unit`"),
    ("ref_text", "text", "the reference range as the source wrote it"),
    ("ref_unit", "text", "the unit of ref_low and ref_high as the source wrote it, where it says one"),
    ("panel", "text", "the panel it was reported in, in the source's words"),
    ("panel_code", "text", "code of that panel, or of the observation it is a component of"),
    ("specimen", "text", "what was examined"),
    ("method", "text", "how it was measured"),
    ("body_site", "text", "where on the body"),
    ("performer", "text", "who measured it: the laboratory"),
    ("note", "text", "what somebody wrote beside it"),
    ("encounter", "text", "raw_source_id of the encounter it belongs to"),
)
_TABLES = {
    "lab_results": ("One row per laboratory result; components are rows of their own.", _RESULT),
    "observations": (
        "What was observed and is no laboratory result: vital signs as they were sent, social history, surveys, exams.",
        _RESULT,
    ),
    "lab_panels": (
        "Which results a report holds: one row per report and result.",
        (
            ("start_time", "instant", "when the specimen was taken; null where the source knows less than an instant"),
            ("end_time", "instant", "end of it; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("issued_time", "instant", "when the report was released"),
            ("code", "text", "what the report is about: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "what the report is about, in the source's words"),
            ("category", "text", "category, in the source's word"),
            ("status", "text", "status, in the source's word"),
            ("result", "text", "raw_source_id of the result in lab_results; null: a report without results"),
            ("conclusion", "text", "the report's conclusion"),
            ("performer", "text", "who made the report"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "encounters": (
        "One row per visit, stay or call.",
        (
            ("start_time", "instant", "beginning of the visit; null where the source knows less than an instant"),
            ("end_time", "instant", "end of the visit; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("status", "text", "status, in the source's word"),
            ("class", "text", "kind of visit, in the source's code: AMB, IMP, EMER, or its own"),
            ("class_system", "text", "code system of class"),
            ("type", "text", "what the visit was: the code preferred among those the source gives"),
            ("type_system", "text", "code system of type"),
            ("type_display", "text", "words for type: of the chosen code, else the source's text"),
            ("reason", "text", "why it took place: the code preferred among those the source gives"),
            ("reason_system", "text", "code system of reason"),
            ("reason_display", "text", "words for reason: of the chosen code, else the source's text"),
            ("location", "text", "where it took place"),
            ("provider", "text", "who was seen"),
        ),
    ),
    "conditions": (
        "One row per problem, diagnosis or health concern.",
        (
            ("start_time", "instant", "onset; null where the source knows less than an instant"),
            ("end_time", "instant", "abatement; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "what it is: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "what it is, in the source's words"),
            ("category", "text", "category, in the source's word: problem-list-item, encounter-diagnosis, ..."),
            ("clinical_status", "text", "active, recurrence, relapse, inactive, remission, resolved"),
            ("verification_status", "text", "unconfirmed, provisional, differential, confirmed, refuted"),
            ("severity", "text", "how severe it is: the code preferred among those the source gives"),
            ("severity_system", "text", "code system of severity"),
            ("severity_display", "text", "words for severity: of the chosen code, else the source's text"),
            ("recorded_date", "date", "the day it was written down"),
            ("note", "text", "what somebody wrote beside it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "medications": (
        "One row per order of a medication, or statement that one is taken.",
        (
            (
                "start_time",
                "instant",
                "begin of the treatment, else when it was ordered; null where the source knows less than an instant",
            ),
            ("end_time", "instant", "end of the treatment; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "the medication: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "the medication, in the source's words"),
            ("kind", "text", "what the record is"),
            ("status", "text", "status, in the source's word"),
            ("intent", "text", "order, plan, proposal, ..., in the source's word"),
            ("is_reported", "boolean", "told by the person or somebody else, not ordered here"),
            ("authored_date", "date", "the day it was ordered or stated"),
            ("dose_text", "text", "how it is to be taken, in words"),
            ("dose", "float", "dose of one intake, in dose_unit"),
            ("dose_unit", "text", "unit of the dose, as the source wrote it"),
            ("route", "text", "how it enters the body"),
            ("reason", "text", "why it is taken: the code preferred among those the source gives"),
            ("reason_system", "text", "code system of reason"),
            ("reason_display", "text", "words for reason: of the chosen code, else the source's text"),
            ("prescriber", "text", "who ordered it"),
            ("note", "text", "what somebody wrote beside it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "allergies": (
        "One row per allergy or intolerance, or the statement that there is none.",
        (
            ("start_time", "instant", "onset; null where the source knows less than an instant"),
            ("end_time", "instant", "last occurrence; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "the substance: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "the substance, in the source's words"),
            ("kind", "text", "allergy or intolerance"),
            ("category", "text", "food, medication, environment, biologic"),
            ("criticality", "text", "low, high, unable-to-assess"),
            ("clinical_status", "text", "active, inactive, resolved"),
            ("verification_status", "text", "unconfirmed, confirmed, refuted"),
            ("reaction", "text", "what it does: the code preferred among those the source gives"),
            ("reaction_system", "text", "code system of reaction"),
            ("reaction_display", "text", "words for reaction: of the chosen code, else the source's text"),
            ("severity", "text", "mild, moderate, severe"),
            ("recorded_date", "date", "the day it was written down"),
            ("note", "text", "what somebody wrote beside it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "immunizations": (
        "One row per vaccination.",
        (
            ("start_time", "instant", "when it was given; null where the source knows less than an instant"),
            ("end_time", "instant", "never said of a vaccination; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "the vaccine: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "the vaccine, in the source's words"),
            ("status", "text", "status, in the source's word"),
            ("lot", "text", "lot number"),
            ("dose_number", "text", "which dose of a series"),
            ("manufacturer", "text", "who made it"),
            ("site", "text", "where on the body"),
            ("route", "text", "how it entered the body"),
            ("performer", "text", "who gave it"),
            ("is_primary_source", "boolean", "recorded by those who gave it"),
            ("note", "text", "what somebody wrote beside it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "procedures": (
        "One row per operation, examination or treatment.",
        (
            ("start_time", "instant", "beginning; null where the source knows less than an instant"),
            ("end_time", "instant", "end; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "what was done: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "what was done, in the source's words"),
            ("category", "text", "category, in the source's words"),
            ("status", "text", "status, in the source's word"),
            ("reason", "text", "why: the code preferred among those the source gives"),
            ("reason_system", "text", "code system of reason"),
            ("reason_display", "text", "words for reason: of the chosen code, else the source's text"),
            ("body_site", "text", "where on the body: the code preferred among those the source gives"),
            ("body_site_system", "text", "code system of body_site"),
            ("body_site_display", "text", "words for body_site: of the chosen code, else the source's text"),
            ("performer", "text", "who did it"),
            ("outcome", "text", "what came of it"),
            ("note", "text", "what somebody wrote beside it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "documents": (
        "One row per attachment of a document or report: what it is and where it is, not its text.",
        (
            (
                "start_time",
                "instant",
                "when it was made, or what it is about began; null where the source knows less than an instant",
            ),
            ("end_time", "instant", "end of what it is about; null where the source knows less than an instant"),
            ("utc_offset", "text", "the source's offset from UTC at that time, as +02:00"),
            ("local_date", "date", "the local day of start_time, or the day the source names instead"),
            ("end_date", "date", "the local day of end_time, or the day the source names instead"),
            ("start_text", "text", "the source's words for the start, where they name no instant: 2015, 2015-03"),
            ("code", "text", "kind of document: the code preferred among those the source gives"),
            ("code_system", "text", "code system of code"),
            ("code_display", "text", "words for code: of the chosen code, else the source's text"),
            ("name", "text", "kind of document, in the source's words"),
            ("category", "text", "category, in the source's word"),
            ("status", "text", "status, in the source's word"),
            ("title", "text", "title"),
            ("content_type", "text", "media type"),
            ("url", "text", "where the source keeps it"),
            ("size", "int", "bytes"),
            ("author", "text", "who wrote it"),
            ("encounter", "text", "raw_source_id of the encounter it belongs to"),
        ),
    ),
    "codings": (
        "Every code that the source gave for a column of type coding; written by the engine.",
        (
            ("of_table", "text!", "the canonical table of the row"),
            ("of_part", "text!", "`part` of that row; account, mapping and raw_source_id are the same"),
            ("role", "text!", "the column the code stands for: code, value_code, reason, ..."),
            ("rank", "int!", "order in the source, from 0"),
            ("system", "text", "code system"),
            ("code", "text", "the code"),
            ("display", "text", "the source's words for the code"),
            ("user_selected", "boolean", "a person chose this very code"),
            ("chosen", "boolean!", "the one that stands in the row"),
        ),
    ),
}
"""Name: what it holds, and its columns as (name, type with ! where required, meaning)."""

_TYPES = {
    "text": sa.Text(), "int": sa.Integer(), "float": sa.Double(), "boolean": sa.Boolean(), "date": sa.Date(),
    "instant": postgresql.TIMESTAMP(timezone=True),
}  # fmt: skip


def upgrade() -> None:
    op.add_column("biometrics_vitals", sa.Column("panel", sa.Text(), comment=_PANEL), schema="canonical")
    for name, (about, columns) in _TABLES.items():
        _create(name, about, columns)


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.drop_table(name, schema="canonical")
    op.drop_column("biometrics_vitals", "panel", schema="canonical")


def _create(name: str, about: str, columns: tuple[tuple[str, str, str], ...]) -> None:
    op.create_table(
        name,
        _key("account", sa.Integer(), "a row of meta.connections", autoincrement=False),
        _key("mapping", sa.Text(), "the mapping that wrote it: SOURCE/RESOURCE"),
        _key("raw_source_id", sa.Text(), "the raw record's key; a compound one as a JSON array"),
        _key("part", sa.Text(), "tells several rows of one record apart", server_default=""),
        *(sa.Column(n, _TYPES[t.rstrip("!")], nullable=not t.endswith("!"), comment=c) for n, t, c in columns),
        sa.Column("source_system", sa.Text(), nullable=False, comment="the connector"),
        sa.Column("raw_table", sa.Text(), nullable=False),
        sa.Column("mapping_hash", sa.Text(), nullable=False, comment="version of the mapping that wrote this row"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("mapped_at", _TYPES["instant"], nullable=False, comment="when this row was written"),
        sa.Column("_hash", sa.LargeBinary(), nullable=False, comment="of the business columns"),
        sa.PrimaryKeyConstraint("account", "mapping", "raw_source_id", "part", name=f"{name}_pkey"),
        schema="canonical",
        comment=about,
    )
    names = [column for column, _, _ in columns]
    indexed = ["account", *(column for column in ("analyte", "start_time") if column in names)]
    if len(indexed) > 1:
        op.create_index(f"{name}_{'_'.join(indexed)}_idx", name, indexed, unique=False, schema="canonical")


def _key(name: str, kind: sa.types.TypeEngine[object], about: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, comment=about, **options)  # type: ignore[arg-type]  # untyped **
