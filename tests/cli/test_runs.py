"""`hde run`: the first run fetches everything, the next ones what is new, late or asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from loopback_made import DAY
from run_made import (
    OF_COLLECTION,
    PATHS,
    RAW,
    another_database,
    ask,
    call,
    canonical_hashes,
    counts,
    do,
    keep_token,
    raw_hashes,
)

from hde.sandbox import whoop
from hde.sandbox.whoop.member import USER_ID

SETTLE = 7 * DAY
VERSIONS = " UNION ALL ".join(
    f"SELECT '{table}' AS name, ctid::text || xmin::text || _seq::text AS version FROM whoop_raw.{table}"
    for table in RAW
)
CANONICAL_VERSIONS = " UNION ALL ".join(
    f"SELECT '{table}' AS name, ctid::text || xmin::text AS version FROM canonical.{table}"
    for table in ("user_identity", "sleep_sessions", "workouts", "biometrics_vitals")
)


def queries(sandbox: whoop.Sandbox, resource: str) -> list[dict[str, str]]:
    """Of first pages."""
    return [dict(one.query) for one in sandbox.log if one.path == PATHS[resource] and "nextToken" not in one.query]


def spans(sandbox: whoop.Sandbox, resource: str) -> list[tuple[datetime, datetime]]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(
        (
            datetime.fromisoformat(query["start"]) if "start" in query else beginning,
            datetime.fromisoformat(query["end"]),
        )
        for query in queries(sandbox, resource)
    )


def test_the_first_run_fetches_everything_raw_and_canonical(sandbox: whoop.Sandbox, database_url: str) -> None:
    found = call("run", "whoop", "--json")
    assert found.code == 0, found.said
    stored = counts(database_url, "whoop_raw", *RAW)
    assert stored["user_basic_profile"] == stored["user_body_measurement"] == 1
    for resource, collection in OF_COLLECTION.items():
        assert stored[resource] == sandbox.total[collection] == found.of(resource)["new"]
        asked = spans(sandbox, resource)
        assert all(before[1] == after[0] for before, after in pairwise(asked)), "no gap, no overlap"
        assert all(query["limit"] == "25" for query in queries(sandbox, resource))
    canonical = counts(database_url, "canonical", "user_identity", "sleep_sessions", "workouts", "biometrics_vitals")
    assert canonical["sleep_sessions"] == stored["sleeps"]
    assert canonical["workouts"] == stored["workouts"]
    assert canonical["user_identity"] == 1
    assert canonical["biometrics_vitals"] > stored["recoveries"]
    days = ask(database_url, "SELECT count(*) FROM canonical.daily_summary WHERE asleep_h IS NOT NULL")[0]
    assert days > 30
    assert {call.status for call in sandbox.log} == {200}
    assert sum(sandbox.requests.values()) == sum(numbers["requests"] for numbers in found.json["resources"]) + 1


def test_a_second_run_writes_nothing(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop").code == 0
    before = sorted(ask(database_url, VERSIONS)), sorted(ask(database_url, CANONICAL_VERSIONS))
    asked = len(sandbox.log)
    found = call("run", "whoop", "--json")
    assert found.code == 0
    assert (sorted(ask(database_url, VERSIONS)), sorted(ask(database_url, CANONICAL_VERSIONS))) == before
    assert sum(numbers["new"] + numbers["changed"] + numbers["canonical"] for numbers in found.json["resources"]) == 0
    assert len(sandbox.log) - asked == len(RAW), "one request a resource: what is settled is not asked for again"
    for resource in PATHS:
        start, _ = spans(sandbox, resource)[-1]
        assert abs(datetime.now(UTC) - start - SETTLE) < timedelta(minutes=2)


PENDING = "SELECT count(*) FROM whoop_raw.{} WHERE score_state = 'PENDING_SCORE'"


def test_late_scores_arrive_and_the_former_ones_stay_in_history(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop").code == 0
    (pending,) = ask(database_url, "SELECT id FROM whoop_raw.sleeps WHERE score_state = 'PENDING_SCORE'")
    (open_cycle,) = ask(database_url, 'SELECT id FROM whoop_raw.cycles WHERE "end" IS NULL')
    state = "SELECT state FROM canonical.sleep_sessions WHERE raw_source_id = %s"
    assert ask(database_url, state, str(pending)) == ["pending"]
    # What waits for a score depends on the hour of the day.
    revised = [resource for resource in OF_COLLECTION if ask(database_url, PENDING.format(resource))[0]]
    assert "sleeps" in revised

    sandbox.advance(hours=30)
    found = call("run", "whoop", "--json")
    assert found.code == 0
    assert ask(database_url, state, str(pending)) == ["final"]
    assert ask(database_url, 'SELECT "end" IS NULL FROM whoop_raw.cycles WHERE id = %s', open_cycle) == [False]
    former = ask(
        database_url,
        "SELECT _op, payload ->> 'score_state' FROM whoop_raw.sleeps_history WHERE id = %s",
        pending,
    )
    assert former == [("U", "PENDING_SCORE")]
    assert all(found.of(resource)["new"] for resource in OF_COLLECTION if resource != "workouts")
    assert all(found.of(resource)["changed"] for resource in revised)
    assert ask(
        database_url,
        "SELECT count(*) FROM whoop_raw.sleeps_history h JOIN whoop_raw.sleeps r USING (_account, id)"
        " WHERE h._seq >= r._seq OR h.payload = r.payload",
    ) == [0]


def test_many_small_runs_end_where_one_great_run_does(sandbox: whoop.Sandbox, database_url: str) -> None:
    with another_database(database_url, "all_at_once") as other:
        for hours in (0, 3, 9, 26, 5):
            sandbox.advance(hours=hours)
            assert call("run", "whoop").code == 0
        assert call("run", "whoop", "--full").code == 0  # some scores were revised after they had settled
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HDE_DATABASE_URL", other)
            assert call("run", "whoop").code == 0
        assert raw_hashes(database_url) == raw_hashes(other)
        assert canonical_hashes(database_url) == canonical_hashes(other)


def test_only_the_resources_that_are_named(sandbox: whoop.Sandbox, database_url: str) -> None:
    found = call("run", "whoop", "sleeps", "cycles", "--json")
    assert found.code == 0
    assert {one.path for one in sandbox.log} == {
        PATHS["sleeps"],
        PATHS["cycles"],
        "/developer/v2/user/profile/basic",  # whose data it is
    }
    stored = counts(database_url, "whoop_raw", *RAW)
    assert {name for name, count in stored.items() if count} == {"sleeps", "cycles"}
    assert counts(database_url, "canonical", "sleep_sessions")["sleep_sessions"] == stored["sleeps"]


def test_raw_only_maps_nothing_and_the_next_run_maps_all_of_it(sandbox: whoop.Sandbox, database_url: str) -> None:
    tables = ("user_identity", "sleep_sessions", "workouts", "biometrics_vitals")
    assert call("run", "whoop", "--raw-only").code == 0
    assert sum(counts(database_url, "canonical", *tables).values()) == 0
    assert call("run", "whoop", "user_basic_profile").code == 0
    assert counts(database_url, "canonical", "sleep_sessions")["sleep_sessions"] == sandbox.total["sleep"]


def test_a_range_is_read_whatever_is_covered_and_is_covered_then(sandbox: whoop.Sandbox, database_url: str) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = today - 25 * DAY, today - 12 * DAY
    for _ in range(2):
        asked = len(queries(sandbox, "sleeps"))
        assert call("run", "whoop", "sleeps", "--since", f"{since:%Y-%m-%d}", "--until", until.isoformat()).code == 0
        mine = spans(sandbox, "sleeps")[asked:] if not asked else [spans(sandbox, "sleeps")[-1]]
        assert (mine[0][0], mine[-1][1]) == (since, until)
    sandbox.log.clear()
    assert call("run", "whoop", "sleeps").code == 0
    assert all(end <= since or start >= until for start, end in spans(sandbox, "sleeps"))
    assert counts(database_url, "whoop_raw", "sleeps")["sleeps"] == sandbox.total["sleep"]


def test_full_reads_everything_again(sandbox: whoop.Sandbox, database_url: str) -> None:
    assert call("run", "whoop").code == 0
    first = {resource: len(queries(sandbox, resource)) for resource in PATHS}
    found = call("run", "whoop", "--full", "--json")
    assert found.code == 0
    for resource, collection in OF_COLLECTION.items():
        assert found.of(resource)["unchanged"] >= sandbox.total[collection]
        assert len(queries(sandbox, resource)) >= 2 * first[resource] - 1


def test_several_accounts_are_told_apart_by_name(sandbox: whoop.Sandbox, database_url: str) -> None:
    keep_token(sandbox.sign_in(), account="somebody-else")
    found = call("run", "whoop")
    assert found.code == 2
    assert f"{USER_ID}, somebody-else" in found.err
    assert "--account" in found.err
    assert call("run", "whoop", "--account", str(USER_ID)).code == 0
    assert call("run", "whoop", "--account", "nobody").code == 3
    wrong = call("run", "whoop", "--account", "somebody-else")
    assert wrong.code == 3
    assert "belongs to another" in wrong.err
    assert ask(database_url, "SELECT external_id FROM meta.connections") == [str(USER_ID)]


def test_a_new_column_is_filled_from_what_is_stored_without_asking_again(
    sandbox: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    connector = folder / "connectors" / "whoop.yaml"
    whole = connector.read_text()
    connector.write_text(whole.replace("      step_count: int\n", ""))
    assert call("run", "whoop").code == 0
    connector.write_text(whole)
    asked = len(sandbox.log)
    found = call("run", "whoop")
    assert found.code == 0
    assert "note cycles: step_count filled" in found.out
    assert len(sandbox.log) - asked == len(RAW)
    assert ask(
        database_url,
        "SELECT count(*), count(step_count) > 10,"
        " count(*) FILTER (WHERE step_count IS DISTINCT FROM (payload ->> 'step_count')::int) FROM whoop_raw.cycles",
    ) == [(sandbox.total["cycle"], True, 0)]
    assert "filled" not in call("run", "whoop").out


def test_a_column_of_another_type_is_refused_with_what_to_do(
    sandbox: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    assert call("run", "whoop").code == 0
    connector = folder / "connectors" / "whoop.yaml"
    connector.write_text(connector.read_text().replace("step_count: int", "step_count: text"))
    asked = len(sandbox.log)
    found = call("run", "whoop")
    assert found.code == 2
    assert "ALTER TABLE" in found.err
    assert len(sandbox.log) == asked, "refused before anything is fetched"


def test_another_request_is_said_aloud_until_everything_was_read_with_it(
    sandbox: whoop.Sandbox, folder: Path, database_url: str
) -> None:
    assert call("run", "whoop").code == 0
    connector = folder / "connectors" / "whoop.yaml"
    connector.write_text(connector.read_text().replace("limit: 25", "limit: 20"))
    assert "cycles, recoveries, sleeps, workouts: the request changed" in call("run", "whoop").out
    assert "cycles, recoveries, sleeps, workouts: the request changed" in call("run", "whoop").out
    assert call("run", "whoop", "--full").code == 0
    assert "changed since" not in call("run", "whoop").out


def test_the_apps_limit_is_never_run_into(serve: Callable[..., whoop.Sandbox], database_url: str) -> None:
    """100 requests a minute, the provider's own limit and the connector's default: first run and a few more."""
    sandbox = serve(days=90, requests_per_minute=100)
    for _ in range(5):
        assert call("run", "whoop").code == 0
    assert len(sandbox.log) > 70
    assert 429 not in {one.status for one in sandbox.log}
    assert ask(database_url, "SELECT sum(spent) >= %s FROM meta.budgets WHERE seconds = 60", len(sandbox.log)) == [True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "no date or time"),
        (("--since", "2025-13-01"), "no date or time"),
        (("--since", "2999-01-01"), "in the future"),
        (("--since", "2025-09-02", "--until", "2025-09-01"), "is not before"),
        (("--daily-refresh", "--since", "2025-09-02"), "goes without"),
        (("--daily-refresh", "--full"), "goes without"),
        (("--full", "--since", "2025-09-02"), "goes without"),
        (("slep",), "Did you mean 'sleeps'?"),
        (("user_basic_profile", "--daily-refresh"), "no day to refresh"),
        (("--frobnicate",), "No such option"),
    ],
    ids=str,
)
def test_wrong_use_exits_with_two(
    sandbox: whoop.Sandbox, database_url: str, arguments: tuple[str, ...], said: str
) -> None:
    found = call("run", "whoop", *arguments)
    assert found.code == 2
    assert said in found.err
    assert not found.out


def test_a_sign_in_that_was_needed_is_not_needed_any_more_once_a_run_succeeds(
    sandbox: whoop.Sandbox, database_url: str
) -> None:
    assert call("run", "whoop").code == 0
    do(database_url, "UPDATE meta.connections SET status = 'sign-in needed'")
    assert call("run", "whoop").code == 0
    assert ask(database_url, "SELECT status FROM meta.connections") == ["connected"]


def test_a_revoked_grant_ends_the_run_with_three_and_the_status_says_so(
    sandbox: whoop.Sandbox, database_url: str
) -> None:
    assert call("run", "whoop").code == 0
    sandbox.sign_in()
    sandbox._world.oauth.revoke_all()
    for arguments in ((), ("--daily-refresh",)):
        found = call("run", "whoop", *arguments)
        assert found.code == 3, found.said
        assert "hde auth whoop" in found.err
        assert ask(database_url, "SELECT status FROM meta.connections") == ["sign-in needed"]
