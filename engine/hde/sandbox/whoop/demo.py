"""The simulated WHOOP in `hde demo`: a member who consents at once, and what to ask about two years of life."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hde.sandbox.provider import Demo, Provider, free_port
from hde.sandbox.whoop import serve

WITHOUT_WAITING = 100_000
"""Requests a minute and a day, so that a demo need not wait as real life would."""

QUESTIONS = (
    (
        "The last seven days",
        "SELECT local_date AS day, asleep_h AS asleep, recovery_pct AS recovery, hrv_rmssd_ms AS hrv,"
        " resting_heart_rate AS rhr, strain, energy_kcal AS kcal, steps, workouts, state"
        " FROM canonical.daily_summary ORDER BY local_date DESC LIMIT 7",
    ),
    (
        "Does a long night show in the morning?",
        "SELECT CASE WHEN asleep_h < 6 THEN 'under 6 h' WHEN asleep_h < 7 THEN '6 to 7 h'"
        " WHEN asleep_h < 8 THEN '7 to 8 h' ELSE '8 h and more' END AS asleep, count(*) AS nights,"
        " round(avg(recovery_pct)) AS recovery, round(avg(hrv_rmssd_ms), 1) AS hrv"
        " FROM canonical.daily_summary WHERE asleep_h IS NOT NULL AND recovery_pct IS NOT NULL"
        " GROUP BY 1 ORDER BY min(asleep_h)",
    ),
    (
        "What was trained, and how hard",
        "SELECT COALESCE(sport, source_sport) AS sport, count(*) AS workouts,"
        " round((sum(extract(epoch FROM end_time - start_time)) / 3600)::numeric, 1) AS hours,"
        " round(avg(load)::numeric, 1) AS strain, round(sum(energy)::numeric) AS kcal,"
        " round((sum(distance) / 1000)::numeric) AS km"
        " FROM canonical.workouts GROUP BY 1 ORDER BY 2 DESC LIMIT 6",
    ),
)


@contextmanager
def demo(days: int, seed: int) -> Iterator[Demo]:
    """A simulated member who consents at once, at a provider whose limits are out of the way."""
    with serve(
        days=days, seed=seed, requests_per_minute=WITHOUT_WAITING, requests_per_day=WITHOUT_WAITING, auto_consent=True
    ) as running:
        settings = {
            "WHOOP_REDIRECT_URI": f"http://localhost:{free_port()}/callback",
            "WHOOP_REQUESTS_PER_MINUTE": str(WITHOUT_WAITING),
        }
        yield Demo("whoop", running.base_url, {**running.environment, **settings})


PROVIDER = Provider(
    serve=serve,
    demo=demo,
    days=730,
    whom="a member",
    questions=QUESTIONS,
    query="SELECT * FROM canonical.daily_summary ORDER BY local_date",
    yours="client id and secret into .env (.env.example)",
)
