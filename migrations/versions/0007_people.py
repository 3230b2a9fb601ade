"""people: who belongs together by whose decision; a day and a laboratory result per person, whatever the sources"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PEOPLE = """
CREATE VIEW canonical.people WITH (security_invoker = true) AS
SELECT who.person, account, said.source_system, said.given_name, said.family_name, said.email, said.birth_date,
    said.sex, who.linked_at
FROM canonical.person_accounts AS who LEFT JOIN canonical.user_identity AS said USING (account)
"""

# Replaced, not dropped: what others built on it, and what they were granted, stays.
# Within an account nights in pieces, naps, totals and workouts add up; of several accounts one counts, never their sum:
# two devices worn on one day measure the same day. Which one, per person and day:
# a night, with all its columns: of the account that slept longest; naps, workouts: of the one that has most of them;
# a total (energy, steps, strain): the largest; any other metric: of the account with most measurements of it, then of
# the latest, then of the account that was connected first.
DAILY = """
CREATE OR REPLACE VIEW canonical.daily_summary WITH (security_invoker = true) AS
WITH sleep AS (
    SELECT COALESCE(who.person, account) AS person, account, local_date,
        min(start_time) FILTER (WHERE NOT nap) AS asleep_from,
        max(end_time) FILTER (WHERE NOT nap) AS awake_at,
        sum(in_bed) FILTER (WHERE NOT nap) AS in_bed,
        sum(asleep) FILTER (WHERE NOT nap) AS asleep,
        sum(deep) FILTER (WHERE NOT nap) AS deep,
        sum(rem) FILTER (WHERE NOT nap) AS rem,
        max(need) FILTER (WHERE NOT nap) AS need,
        max(efficiency) FILTER (WHERE NOT nap) AS efficiency,
        max(performance) FILTER (WHERE NOT nap) AS performance,
        sum(asleep) FILTER (WHERE nap) AS napping,
        bool_or(state = 'pending') AS pending
    FROM (SELECT *, COALESCE(is_nap, false) AS nap FROM canonical.sleep_sessions) AS session
        LEFT JOIN canonical.person_accounts AS who USING (account)
    WHERE local_date IS NOT NULL
    GROUP BY 1, account, local_date
), night AS (
    SELECT DISTINCT ON (person, local_date) *
    FROM sleep
    ORDER BY person, local_date, asleep DESC NULLS LAST, in_bed DESC NULLS LAST, asleep_from, account
), rest AS (
    SELECT person, local_date, max(napping) AS napping, bool_or(pending) AS pending
    FROM sleep
    GROUP BY person, local_date
), measured AS (
    SELECT COALESCE(who.person, account) AS person, account, local_date, metric,
        metric IN ('energy', 'steps', 'strain') AS is_total,
        count(*) AS measurements,
        max(start_time) AS latest,
        avg(value) AS mean,
        max(value) AS most,
        sum(value) AS total
    FROM canonical.biometrics_vitals LEFT JOIN canonical.person_accounts AS who USING (account)
    WHERE local_date IS NOT NULL AND (
        metric IN ('recovery', 'resting_heart_rate', 'hrv_rmssd', 'spo2', 'skin_temperature', 'strain')
        OR (metric = 'respiratory_rate' AND context = 'sleep')
        OR (metric IN ('energy', 'steps', 'heart_rate_mean', 'heart_rate_max') AND context = 'day')
    )
    GROUP BY 1, account, local_date, metric
), chosen AS (
    SELECT DISTINCT ON (person, local_date, metric) *
    FROM measured
    ORDER BY person, local_date, metric,
        CASE WHEN metric = 'strain' THEN most WHEN is_total THEN total END DESC NULLS LAST,
        measurements DESC, latest DESC, account
), vitals AS (
    SELECT person, local_date,
        max(mean) FILTER (WHERE metric = 'recovery') AS recovery,
        max(mean) FILTER (WHERE metric = 'resting_heart_rate') AS resting_heart_rate,
        max(mean) FILTER (WHERE metric = 'hrv_rmssd') AS hrv_rmssd,
        max(mean) FILTER (WHERE metric = 'spo2') AS spo2,
        max(mean) FILTER (WHERE metric = 'skin_temperature') AS skin_temperature,
        max(mean) FILTER (WHERE metric = 'respiratory_rate') AS respiratory_rate,
        max(most) FILTER (WHERE metric = 'strain') AS strain,
        max(total) FILTER (WHERE metric = 'energy') AS energy,
        max(total) FILTER (WHERE metric = 'steps') AS steps,
        max(mean) FILTER (WHERE metric = 'heart_rate_mean') AS heart_rate_mean,
        max(most) FILTER (WHERE metric = 'heart_rate_max') AS heart_rate_max
    FROM chosen
    GROUP BY person, local_date
), vitals_state AS (
    SELECT COALESCE(who.person, account) AS person, local_date, bool_or(state = 'pending') AS pending
    FROM canonical.biometrics_vitals LEFT JOIN canonical.person_accounts AS who USING (account)
    WHERE local_date IS NOT NULL
    GROUP BY 1, local_date
), trained AS (
    SELECT COALESCE(who.person, account) AS person, account, local_date,
        count(*) AS workouts,
        sum(extract(epoch FROM end_time - start_time)) AS training,
        sum(distance) AS distance,
        bool_or(state = 'pending') AS pending
    FROM canonical.workouts LEFT JOIN canonical.person_accounts AS who USING (account)
    WHERE local_date IS NOT NULL
    GROUP BY 1, account, local_date
), training AS (
    SELECT DISTINCT ON (person, local_date) *
    FROM trained
    ORDER BY person, local_date, training DESC NULLS LAST, workouts DESC, account
), training_state AS (
    SELECT person, local_date, bool_or(pending) AS pending FROM trained GROUP BY person, local_date
)
SELECT person,
    local_date,
    night.asleep_from AS asleep_from,
    night.awake_at AS awake_at,
    round((night.in_bed / 3600)::numeric, 2) AS in_bed_h,
    round((night.asleep / 3600)::numeric, 2) AS asleep_h,
    round((night.deep / 3600)::numeric, 2) AS deep_h,
    round((night.rem / 3600)::numeric, 2) AS rem_h,
    round((night.need / 3600)::numeric, 2) AS need_h,
    round((rest.napping / 3600)::numeric, 2) AS naps_h,
    round(night.efficiency::numeric, 1) AS efficiency_pct,
    round(night.performance::numeric, 1) AS performance_pct,
    round(vitals.recovery::numeric, 0) AS recovery_pct,
    round(vitals.resting_heart_rate::numeric, 1) AS resting_heart_rate,
    round(vitals.hrv_rmssd::numeric, 1) AS hrv_rmssd_ms,
    round(vitals.spo2::numeric, 1) AS spo2_pct,
    round(vitals.skin_temperature::numeric, 1) AS skin_temperature_c,
    round(vitals.respiratory_rate::numeric, 1) AS respiratory_rate,
    round(vitals.strain::numeric, 1) AS strain,
    round(vitals.energy::numeric, 0) AS energy_kcal,
    vitals.steps::bigint AS steps,
    round(vitals.heart_rate_mean::numeric, 0) AS heart_rate_mean,
    vitals.heart_rate_max::integer AS heart_rate_max,
    COALESCE(training.workouts, 0)::integer AS workouts,
    round((training.training / 60)::numeric, 0) AS training_min,
    round((training.distance / 1000)::numeric, 2) AS distance_km,
    CASE WHEN rest.pending OR vitals_state.pending OR training_state.pending
        THEN 'pending' ELSE 'final' END AS state
FROM rest
    FULL JOIN vitals_state USING (person, local_date)
    FULL JOIN training_state USING (person, local_date)
    LEFT JOIN night USING (person, local_date)
    LEFT JOIN vitals USING (person, local_date)
    LEFT JOIN training USING (person, local_date)
"""

# What is meant by the same: the analyte, else the code in its system, else the source's words. A result that two
# sources give of one day (a hospital and its laboratory) is one; results that say nothing, or were withdrawn, none.
LABS = """
CREATE VIEW canonical.labs_latest WITH (security_invoker = true) AS
WITH results AS (
    SELECT COALESCE(who.person, account) AS person, result.*,
        COALESCE(analyte, code_system || '|' || code, code, lower(name)) AS what,
        COALESCE(start_time, local_date::timestamp AT TIME ZONE 'UTC', issued_time) AS at
    FROM canonical.lab_results AS result LEFT JOIN canonical.person_accounts AS who USING (account)
    WHERE value_kind IS NOT NULL AND value_kind <> 'absent'
        AND COALESCE(status, '') NOT IN ('cancelled', 'entered-in-error')
        AND COALESCE(analyte, code, name) IS NOT NULL
), apart AS (
    SELECT DISTINCT ON (
            person, what, COALESCE(local_date, (at AT TIME ZONE 'UTC')::date), value, unit, comparator,
            CASE WHEN value IS NULL THEN COALESCE(value_code, value_text, source_value) END
        ) *
    FROM results
    ORDER BY person, what, COALESCE(local_date, (at AT TIME ZONE 'UTC')::date), value, unit, comparator,
        CASE WHEN value IS NULL THEN COALESCE(value_code, value_text, source_value) END,
        start_time IS NULL, ref_low IS NULL AND ref_high IS NULL AND ref_text IS NULL, at DESC, account, raw_source_id
), trend AS (
    SELECT *, row_number() OVER newest AS place, count(*) OVER (PARTITION BY person, what) AS results,
        lead(value) OVER newest AS before_value, lead(unit) OVER newest AS before_unit,
        lead(comparator) OVER newest AS before_comparator, lead(source_value) OVER newest AS before_source_value,
        lead(interpretation) OVER newest AS before_interpretation, lead(start_time) OVER newest AS before_time,
        lead(local_date) OVER newest AS before_date, lead(source_system) OVER newest AS before_source
    FROM apart
    WINDOW newest AS (
        PARTITION BY person, what
        ORDER BY at DESC NULLS LAST, issued_time DESC NULLS LAST, account, raw_source_id, part
    )
)
SELECT person,
    analyte AS analyte,
    code AS code,
    code_system AS code_system,
    COALESCE(name, code_display) AS name,
    start_time AS start_time,
    local_date AS local_date,
    value AS value,
    unit AS unit,
    comparator AS comparator,
    COALESCE(value_code_display, value_text) AS value_text,
    source_value AS source_value,
    source_unit AS source_unit,
    interpretation AS interpretation,
    ref_low AS ref_low,
    ref_high AS ref_high,
    ref_text AS ref_text,
    COALESCE(panel, (
        SELECT min(COALESCE(report.name, report.code_display)) FROM canonical.lab_panels AS report
        WHERE report.account = trend.account AND report.source_system = trend.source_system
            AND report.result = trend.raw_source_id
    )) AS panel,
    status AS status,
    source_system AS source,
    before_value AS before_value,
    before_unit AS before_unit,
    before_comparator AS before_comparator,
    before_source_value AS before_source_value,
    before_interpretation AS before_interpretation,
    before_time AS before_time,
    before_date AS before_date,
    before_source AS before_source,
    CASE WHEN unit = before_unit AND comparator IS NULL AND before_comparator IS NULL
        THEN round((value - before_value)::numeric, 6)::double precision END AS change,
    results AS results,
    account AS account,
    mapping AS mapping,
    raw_source_id AS raw_source_id,
    part AS part
FROM trend
WHERE place = 1
"""
_ABOUT = {
    "people": "Whose account it is, and who that is by the source''s words; accounts of one person share its number.",
    "daily_summary": "One row per person and local date; of several sources one counts, never their sum. Hours,"
    " percent, kcal, km. State pending: a source may still revise it.",
    "labs_latest": "Per person and analyte (else code, else name) the newest result, and the one before it.",
}


def upgrade() -> None:
    op.add_column(
        "person_accounts",
        sa.Column(
            "linked_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="when somebody said that it belongs to this person; null: nobody did",
        ),
        schema="canonical",
    )
    for view in (PEOPLE, DAILY, LABS):
        op.execute(view)
    for name, about in _ABOUT.items():
        op.execute(f"COMMENT ON VIEW canonical.{name} IS '{about}'")


def downgrade() -> None:
    # the former daily_summary asked the same of other rows: it is the same view to whoever reads it, and stays
    op.execute("DROP VIEW canonical.labs_latest")
    op.execute("DROP VIEW canonical.people")
    op.drop_column("person_accounts", "linked_at", schema="canonical")
