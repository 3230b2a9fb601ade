"""`hde run --daily-refresh`: yesterday is replaced in one transaction, or stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from run_made import another_database, ask, call, canonical_hashes, do, raw_hashes

from hde.sandbox import whoop

TODAY = "date_trunc('day', now())"
YESTERDAY = f"({TODAY} - interval '1 day')"
REMEMBER = """
CREATE TABLE public.deleted (origin text, raw_source_id text, tx xid8 DEFAULT pg_current_xact_id());
CREATE FUNCTION public.remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.deleted (origin, raw_source_id) VALUES (TG_TABLE_NAME, OLD.raw_source_id); RETURN NULL; END $$;
CREATE TRIGGER remember AFTER DELETE ON canonical.sleep_sessions FOR EACH ROW EXECUTE FUNCTION public.remember();
CREATE TRIGGER remember AFTER DELETE ON canonical.biometrics_vitals FOR EACH ROW EXECUTE FUNCTION public.remember();
"""


def slept_yesterday(sandbox: whoop.Sandbox) -> dict[str, Any] | None:
    """The night that began yesterday and has a recovery, as the provider tells it."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    token = sandbox.sign_in()["access_token"]
    with httpx.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {token}"}) as client:
        sleeps = client.get("/developer/v2/activity/sleep").json()["records"]
        recovered = {one["sleep_id"] for one in client.get("/developer/v2/recovery").json()["records"]}
    for sleep in sleeps:
        began = datetime.fromisoformat(sleep["start"])
        if today - timedelta(days=1) <= began < today and sleep["id"] in recovered and sleep["score_state"] == "SCORED":
            return dict(sleep)
    return None


@pytest.fixture
def night(serve: Callable[..., whoop.Sandbox], database_url: str) -> tuple[whoop.Sandbox, str]:
    """A member who fell asleep yesterday by UTC, read completely, and that sleep's id."""
    now = datetime.now(UTC)
    # Before noon by UTC those who fell asleep yesterday may not have woken yet: let their day be further on.
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    for seed in range(1, 20):
        sandbox = serve(seed=seed, now=max(now, noon))
        sandbox.advance(hours=1)  # the latest night is scored by then
        if sleep := slept_yesterday(sandbox):
            assert call("run", "whoop").code == 0
            return sandbox, str(sleep["id"])
    raise AssertionError("no member of twenty fell asleep yesterday")


def test_a_deleted_night_and_its_recovery_go_everywhere_and_stay_in_history(
    night: tuple[whoop.Sandbox, str], database_url: str
) -> None:
    sandbox, gone = night
    (recovery,) = ask(database_url, "SELECT cycle_id::text FROM whoop_raw.recoveries WHERE sleep_id = %s", gone)
    over_midnight = ask(
        database_url, f'SELECT id FROM whoop_raw.sleeps WHERE start < {YESTERDAY} AND "end" > {YESTERDAY}'
    )
    with_rows = (  # a recovery's number is its cycle's
        "SELECT count(*) FROM canonical.biometrics_vitals WHERE raw_source_id = ANY(%s) AND mapping <> 'whoop/cycles'"
    )
    assert ask(database_url, with_rows, [gone, recovery])[0] > 0
    sandbox.delete("sleep", gone)

    found = call("run", "whoop", "--daily-refresh", "--json")
    assert found.code == 0, found.said
    assert found.of("sleeps")["vanished"] == found.of("recoveries")["vanished"] == 1
    assert ask(database_url, "SELECT count(*) FROM whoop_raw.sleeps WHERE id = %s", gone) == [0]
    assert ask(database_url, "SELECT count(*) FROM whoop_raw.recoveries WHERE sleep_id = %s", gone) == [0]
    assert ask(database_url, with_rows, [gone, recovery]) == [0]
    assert ask(database_url, "SELECT count(*) FROM canonical.sleep_sessions WHERE raw_source_id = %s", gone) == [0]
    history = ask(
        database_url,
        "SELECT _op, payload ->> 'id', xmin::text FROM whoop_raw.sleeps_history WHERE id = %s UNION ALL"
        " SELECT _op, payload ->> 'sleep_id', xmin::text FROM whoop_raw.recoveries_history WHERE cycle_id = %s::bigint",
        gone,
        recovery,
    )
    assert [row[:2] for row in history] == [("D", gone)] * 2
    assert len({row[2] for row in history}) == 1, "one transaction"
    kept = ask(database_url, "SELECT count(*) FROM whoop_raw.sleeps WHERE id = ANY(%s)", over_midnight)
    assert kept == [len(over_midnight)], "a neighbour over midnight belongs to its own day"
    with another_database(database_url, "read_afresh") as other, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDE_DATABASE_URL", other)
        assert call("run", "whoop").code == 0
        assert raw_hashes(database_url) == raw_hashes(other)
        assert canonical_hashes(database_url) == canonical_hashes(other)


def test_its_canonical_rows_follow_in_one_transaction(night: tuple[whoop.Sandbox, str], database_url: str) -> None:
    sandbox, gone = night
    do(database_url, REMEMBER)
    sandbox.delete("sleep", gone)
    assert call("run", "whoop", "--daily-refresh").code == 0
    seen = ask(database_url, "SELECT origin, tx::text FROM public.deleted")
    assert {origin for origin, _ in seen} == {"sleep_sessions", "biometrics_vitals"}
    assert len({tx for _, tx in seen}) == 1


def test_a_source_that_fails_in_the_middle_changes_nothing(night: tuple[whoop.Sandbox, str], database_url: str) -> None:
    sandbox, gone = night
    was = raw_hashes(database_url), canonical_hashes(database_url)
    sandbox.delete("sleep", gone)
    sandbox.fail(400)
    found = call("run", "whoop", "--daily-refresh")
    assert found.code == 1
    assert "The day stays as it was" in found.err
    assert (raw_hashes(database_url), canonical_hashes(database_url)) == was
    assert ask(database_url, "SELECT outcome FROM meta.runs ORDER BY id DESC LIMIT 1") == ["failed"]
    assert call("run", "whoop", "--daily-refresh").code == 0
    assert raw_hashes(database_url) != was[0]


def test_a_day_as_it_was_writes_nothing(night: tuple[whoop.Sandbox, str], database_url: str) -> None:
    versions = "SELECT ctid::text, xmin::text, _seq FROM whoop_raw.sleeps"
    was = sorted(ask(database_url, versions))
    found = call("run", "whoop", "--daily-refresh", "--json")
    assert found.code == 0
    assert sorted(ask(database_url, versions)) == was
    assert {one["resource"] for one in found.json["resources"]} == {"cycles", "recoveries", "sleeps", "workouts"}
    assert all(one["new"] == one["changed"] == one["vanished"] == 0 for one in found.json["resources"])


def test_only_that_day_is_asked_for(night: tuple[whoop.Sandbox, str], database_url: str) -> None:
    sandbox, _ = night
    sandbox.log.clear()
    assert call("run", "whoop", "--daily-refresh").code == 0
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {(one.query["start"], one.query["end"]) for one in sandbox.log if "start" in one.query}
    ((start, end),) = asked
    assert (datetime.fromisoformat(start), datetime.fromisoformat(end)) == (today - timedelta(days=1), today)
