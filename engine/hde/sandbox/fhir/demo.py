"""The simulated hospital in `hde demo`: a patient who consents at once, and what to ask about a chart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hde.sandbox.fhir import MANNERS, serve
from hde.sandbox.provider import Demo, Provider, free_port

LATEST = """
SELECT COALESCE(replace(analyte, '_', ' '), lower(name)) AS test, concat(comparator, value::numeric) AS result, unit,
  CASE WHEN ref_low IS NULL AND ref_high IS NULL THEN ref_text
    WHEN ref_low IS NULL THEN concat('up to ', ref_high::numeric)
    WHEN ref_high IS NULL THEN concat('from ', ref_low::numeric)
    ELSE concat(ref_low::numeric, ' to ', ref_high::numeric) END AS reference,
  CASE WHEN interpretation IN ('H', 'HH') THEN '▲ high' WHEN interpretation IN ('L', 'LL') THEN '▼ low'
    ELSE '' END AS flag,
  before_value::numeric AS before, COALESCE(local_date, start_time::date) AS taken
FROM canonical.labs_latest WHERE value IS NOT NULL
ORDER BY interpretation NOT IN ('H', 'HH', 'L', 'LL') NULLS LAST, taken DESC, test LIMIT 16
"""
YEARS = """
SELECT date_part('year', at)::int AS year, count(*) FILTER (WHERE is_lab) AS results,
  round(avg(value) FILTER (WHERE what = 'hba1c')::numeric, 1) AS hba1c,
  round(avg(value) FILTER (WHERE what = 'glucose'))::int AS glucose,
  round(avg(value) FILTER (WHERE what = 'ldl_cholesterol'))::int AS ldl,
  round(avg(value) FILTER (WHERE what = 'vitamin_d'))::int AS vitamin_d,
  round(avg(value) FILTER (WHERE what = 'systolic_blood_pressure'))::int AS systolic,
  round(avg(value) FILTER (WHERE what = 'diastolic_blood_pressure'))::int AS diastolic
FROM (
  SELECT COALESCE(start_time, local_date) AS at, true AS is_lab, analyte AS what, value FROM canonical.lab_results
  UNION ALL SELECT start_time, false, metric, value FROM canonical.biometrics_vitals
) AS everything WHERE at IS NOT NULL GROUP BY 1 ORDER BY 1
"""
CHART = """
SELECT what, name, since, until, status FROM (
  SELECT 1 AS place, 'problem' AS what, name, COALESCE(local_date, start_time::date) AS since,
    COALESCE(end_date, end_time::date) AS until, clinical_status AS status FROM canonical.conditions
  UNION ALL SELECT 2, 'medication', name, COALESCE(local_date, start_time::date),
    COALESCE(end_date, end_time::date), status FROM canonical.medications
  UNION ALL SELECT 3, 'allergy', lower(name), NULL, NULL, clinical_status FROM canonical.allergies
) AS chart ORDER BY place, since
"""
QUESTIONS = (
    ("The latest laboratory results, those out of range first", LATEST),
    ("From year to year", YEARS),
    ("Problems, medications, allergies", CHART),
)


@contextmanager
def demo(days: int, seed: int) -> Iterator[Demo]:
    """A hospital with the habits that take most to be read well."""
    with serve(days=days, seed=seed, manners="epic", auto_consent=True) as running:
        settings = {"FHIR_REDIRECT_URI": f"http://localhost:{free_port()}/callback"}
        yield Demo("fhir", running.base_url, {**running.environment, **settings})


PROVIDER = Provider(
    serve=serve,
    demo=demo,
    days=1460,
    whom="a patient",
    questions=QUESTIONS,
    query="SELECT * FROM canonical.labs_latest",
    yours="what docs/medical-records.md says into .env",
    manners=tuple(MANNERS),
)
