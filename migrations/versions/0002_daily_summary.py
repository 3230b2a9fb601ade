"""The view canonical.daily_summary: one row per person and local date, whatever the sources"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Totals are summed within an account and the largest account counts, so that two devices worn on one day do not add up.
VIEW = """
CREATE VIEW canonical.daily_summary WITH (security_invoker = true) AS
WITH sleep AS (
    SELECT account, local_date,
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
    WHERE local_date IS NOT NULL
    GROUP BY account, local_date
), vitals AS (
    SELECT account, local_date,
        avg(value) FILTER (WHERE metric = 'recovery') AS recovery,
        avg(value) FILTER (WHERE metric = 'resting_heart_rate') AS resting_heart_rate,
        avg(value) FILTER (WHERE metric = 'hrv_rmssd') AS hrv_rmssd,
        avg(value) FILTER (WHERE metric = 'spo2') AS spo2,
        avg(value) FILTER (WHERE metric = 'skin_temperature') AS skin_temperature,
        avg(value) FILTER (WHERE metric = 'respiratory_rate' AND context = 'sleep') AS respiratory_rate,
        max(value) FILTER (WHERE metric = 'strain') AS strain,
        sum(value) FILTER (WHERE metric = 'energy' AND context = 'day') AS energy,
        sum(value) FILTER (WHERE metric = 'steps' AND context = 'day') AS steps,
        avg(value) FILTER (WHERE metric = 'heart_rate_mean' AND context = 'day') AS heart_rate_mean,
        max(value) FILTER (WHERE metric = 'heart_rate_max' AND context = 'day') AS heart_rate_max,
        bool_or(state = 'pending') AS pending
    FROM canonical.biometrics_vitals
    WHERE local_date IS NOT NULL
    GROUP BY account, local_date
), workouts AS (
    SELECT account, local_date,
        count(*) AS workouts,
        sum(extract(epoch FROM end_time - start_time)) AS training,
        sum(distance) AS distance,
        bool_or(state = 'pending') AS pending
    FROM canonical.workouts
    WHERE local_date IS NOT NULL
    GROUP BY account, local_date
)
SELECT COALESCE(who.person, account) AS person,
    local_date,
    min(asleep_from) AS asleep_from,
    max(awake_at) AS awake_at,
    round((max(in_bed) / 3600)::numeric, 2) AS in_bed_h,
    round((max(asleep) / 3600)::numeric, 2) AS asleep_h,
    round((max(deep) / 3600)::numeric, 2) AS deep_h,
    round((max(rem) / 3600)::numeric, 2) AS rem_h,
    round((max(need) / 3600)::numeric, 2) AS need_h,
    round((max(napping) / 3600)::numeric, 2) AS naps_h,
    round(avg(efficiency)::numeric, 1) AS efficiency_pct,
    round(avg(performance)::numeric, 1) AS performance_pct,
    round(avg(recovery)::numeric, 0) AS recovery_pct,
    round(avg(resting_heart_rate)::numeric, 1) AS resting_heart_rate,
    round(avg(hrv_rmssd)::numeric, 1) AS hrv_rmssd_ms,
    round(avg(spo2)::numeric, 1) AS spo2_pct,
    round(avg(skin_temperature)::numeric, 1) AS skin_temperature_c,
    round(avg(respiratory_rate)::numeric, 1) AS respiratory_rate,
    round(max(strain)::numeric, 1) AS strain,
    round(max(energy)::numeric, 0) AS energy_kcal,
    max(steps)::bigint AS steps,
    round(avg(heart_rate_mean)::numeric, 0) AS heart_rate_mean,
    max(heart_rate_max)::integer AS heart_rate_max,
    COALESCE(max(workouts), 0)::integer AS workouts,
    round((max(training) / 60)::numeric, 0) AS training_min,
    round((max(distance) / 1000)::numeric, 2) AS distance_km,
    CASE WHEN bool_or(sleep.pending) OR bool_or(vitals.pending) OR bool_or(workouts.pending)
        THEN 'pending' ELSE 'final' END AS state
FROM sleep
    FULL JOIN vitals USING (account, local_date)
    FULL JOIN workouts USING (account, local_date)
    LEFT JOIN canonical.person_accounts AS who USING (account)
GROUP BY COALESCE(who.person, account), local_date
"""


def upgrade() -> None:
    op.execute(VIEW)
    op.execute(
        "COMMENT ON VIEW canonical.daily_summary IS"
        " 'One row per person and local date; hours, percent, kcal, km. State pending: the source may still revise it.'"
    )


def downgrade() -> None:
    op.execute("DROP VIEW canonical.daily_summary")
