"""The simulated API keeps to its documents: parameters, filters, order, pages, limits and statuses."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import httpx
import pytest

COLLECTIONS = {
    "cycle": "/developer/v2/cycle",
    "recovery": "/developer/v2/recovery",
    "sleep": "/developer/v2/activity/sleep",
    "workout": "/developer/v2/activity/workout",
}


@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.parametrize("limit", [1, 7, 25])
def test_pages_give_every_record_once_newest_first(api, name, limit):
    start = (api.sandbox.now - timedelta(days=20)).isoformat()
    records = api.all(name, limit=limit, start=start)
    if name == "recovery":
        assert [r["cycle_id"] for r in records] == sorted((r["cycle_id"] for r in records), reverse=True)
    else:
        assert [r["start"] for r in records] == sorted((r["start"] for r in records), reverse=True)
    keys = [record.get("id") or record["cycle_id"] for record in records]
    assert len(set(keys)) == len(keys) > 5
    assert keys == [r.get("id") or r["cycle_id"] for r in api.all(name, start=start)]


def test_the_default_limit_is_ten(api):
    assert len(api.get(COLLECTIONS["cycle"]).json()["records"]) == 10


def test_the_last_page_says_so_in_every_documented_way(api):
    last = {name: list(api.pages(name, limit=25))[-1] for name in COLLECTIONS}
    assert last["cycle"]["next_token"] is None
    assert "next_token" not in last["recovery"]
    assert "next_token" not in last["sleep"]
    assert last["workout"]["next_token"] == ""


def test_a_short_page_is_not_the_last_one(api):
    first = api.get(COLLECTIONS["sleep"], limit=25).json()
    assert len(first["records"]) == 24
    assert first["next_token"]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "26"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": ""},
        {"start": "2026-05-01"},
        {"start": "yesterday"},
        {"start": "2026-05-01T00:00:00"},
        {"start": "2026-13-01T00:00:00Z"},
        {"end": "2026-05-01T00:00Z"},
        {"end": "1777593600"},
        {"nextToken": "garbage"},
        {"nextToken": "MTIzOjEyMzEyMw"},
        {"nextToken": "ü"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", COLLECTIONS)
def test_parameters_that_the_documents_do_not_allow_are_refused(api, name, params):
    assert api.get(COLLECTIONS[name], **params).status_code == 400


@pytest.mark.parametrize(
    "instant",
    ["2026-05-01T00:00:00Z", "2026-05-01T00:00:00.123Z", "2026-05-01T00:00:00.1234567Z", "2026-05-01T05:30:00+05:30"],
)
def test_any_rfc_3339_date_time_is_taken(api, instant):
    records = api.get(COLLECTIONS["cycle"], end=instant).json()["records"]
    assert records[0]["start"] < "2026-05-01T00:00:00.124Z"


@pytest.mark.parametrize(
    "change", [{"start": "2026-04-01T00:00:00Z"}, {"end": "2026-05-02T00:00:00Z"}, {"start": None}]
)
def test_a_token_belongs_to_the_query_it_was_given_for(api, change):
    query = {"start": "2026-04-02T00:00:00Z", "end": "2026-05-01T00:00:00Z"}
    token = api.get(COLLECTIONS["cycle"], **query).json()["next_token"]
    assert api.get(COLLECTIONS["cycle"], **query, nextToken=token).status_code == 200
    other = {key: value for key, value in (query | change).items() if value}
    assert api.get(COLLECTIONS["cycle"], **other, nextToken=token).status_code == 400
    assert api.get(COLLECTIONS["recovery"], **query, nextToken=token).status_code == 400


def test_a_snake_case_token_is_ignored_as_any_unknown_parameter(api):
    first = api.get(COLLECTIONS["cycle"]).json()
    assert api.get(COLLECTIONS["cycle"], next_token=first["next_token"]).json() == first


@pytest.mark.parametrize("name", ["cycle", "sleep", "workout"])
def test_a_window_takes_what_overlaps_it_and_nothing_else(api, name):
    everything = api.all(name)
    start, end = "2026-05-03T11:00:00.000Z", "2026-05-10T03:00:00.000Z"  # noon is awake time, the night is sleep
    expected = [r["id"] for r in everything if r["start"] < end and (r.get("end") or "9") > start]
    assert [r["id"] for r in api.all(name, start=start, end=end)] == expected
    assert expected


@pytest.mark.parametrize("name", ["cycle", "sleep", "workout"])
def test_the_edges_of_a_window_are_half_open(api, name):
    record = api.all(name)[3]
    ids = lambda **window: [r["id"] for r in api.all(name, **window)]  # noqa: E731
    assert record["id"] not in ids(end=record["start"])
    assert record["id"] not in ids(start=record["end"])
    just_before = (datetime.fromisoformat(record["end"]) - timedelta(milliseconds=1)).isoformat()
    assert record["id"] in ids(start=just_before)


def test_recoveries_are_filtered_by_their_sleep(api):
    """The recovery scored on the morning after is in a window that ends in the night."""
    sleep = next(s for s in api.all("sleep")[3:] if not s["nap"])
    middle = datetime.fromisoformat(sleep["start"]) + timedelta(hours=3)
    found = api.all("recovery", start=middle.isoformat(), end=(middle + timedelta(minutes=1)).isoformat())
    assert [r["sleep_id"] for r in found] == [sleep["id"]]
    assert datetime.fromisoformat(found[0]["created_at"]) > middle + timedelta(hours=1)


def test_each_record_is_found_by_its_id(api):
    for name in ("cycle", "sleep", "workout"):
        for record in api.all(name)[:12]:
            assert api.get(f"{COLLECTIONS[name]}/{record['id']}").json() == record
    for recovery in api.all("recovery")[:12]:
        cycle = f"/developer/v2/cycle/{recovery['cycle_id']}"
        assert api.get(f"{cycle}/recovery").json() == recovery
        sleep = api.get(f"{cycle}/sleep").json()
        assert (sleep["id"], sleep["nap"]) == (recovery["sleep_id"], False)


def test_some_cycle_has_no_recovery(api):
    missing = {c["id"] for c in api.all("cycle")} - {r["cycle_id"] for r in api.all("recovery")}
    assert missing
    assert api.get(f"/developer/v2/cycle/{missing.pop()}/recovery").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/developer/v1/cycle", 404),
        ("GET", "/developer/v1/activity/sleep", 404),
        ("GET", "/developer/v1/user/profile/basic", 404),
        ("GET", "/developer/v1/activity-mapping/1", 404),
        ("GET", "/developer/v2/recovery/5248000000", 404),
        ("GET", f"/developer/v2/activity/sleep/{uuid.UUID(int=1)}", 404),
        ("GET", f"/developer/v2/activity/workout/{uuid.UUID(int=1)}", 404),
        ("GET", f"/developer/v2/activity/sleep/{uuid.UUID(int=1)}/stream", 404),
        ("GET", "/developer/v2/cycle/1", 404),
        ("GET", "/developer/v2/cycle/one", 400),
        ("GET", "/developer/v2/activity/sleep/123", 400),
        ("POST", "/developer/v2/cycle", 405),
        ("GET", "/developer/v2/user/access", 405),
        ("GET", "/v2/cycle", 404),
        ("GET", "/", 404),
    ],
)
def test_other_paths_and_ids(api, method, path, status):
    assert api.client.request(method, path).status_code == status


def test_requests_are_limited_and_say_how_far(start, connect):
    api = connect(start(requests_per_minute=3, requests_per_day=5))
    answers = [api.get(COLLECTIONS["cycle"]) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    for remaining, answer in zip((2, 1, 0, 0), answers, strict=True):
        assert answer.headers["X-RateLimit-Limit"] == "3, 3;window=60, 5;window=86400"
        assert answer.headers["X-RateLimit-Remaining"] == str(remaining)
        assert 1 <= int(answer.headers["X-RateLimit-Reset"]) <= 60
    api.sandbox.advance(seconds=61)
    assert [api.get(COLLECTIONS["cycle"]).status_code for _ in range(3)] == [200, 200, 429]
    answer = api.get(COLLECTIONS["cycle"])
    assert answer.headers["X-RateLimit-Limit"].startswith("5, ")
    assert int(answer.headers["X-RateLimit-Reset"]) > 86_000
    api.sandbox.advance(days=1)
    api.sign_in()
    assert api.get(COLLECTIONS["cycle"]).status_code == 200


def test_answers_without_a_valid_token_carry_the_limits_too(api):
    answer = httpx.get(f"{api.sandbox.base_url}{COLLECTIONS['cycle']}")
    assert answer.status_code == 401
    assert "X-RateLimit-Remaining" in answer.headers


def test_the_sandbox_counts_and_logs_what_it_is_asked(own):
    own.get(COLLECTIONS["cycle"], limit=2)
    own.get(COLLECTIONS["cycle"], limit=99)
    sandbox = own.sandbox
    assert sandbox.requests == {COLLECTIONS["cycle"]: 2}
    assert [(call.path, call.query, call.status) for call in sandbox.log] == [
        (COLLECTIONS["cycle"], {"limit": "2"}, 200),
        (COLLECTIONS["cycle"], {"limit": "99"}, 400),
    ]
    assert sandbox.log[0].time <= sandbox.log[1].time


def test_failures_can_be_ordered(own):
    own.sandbox.fail(500, 503)
    assert [own.get(COLLECTIONS["cycle"]).status_code for _ in range(3)] == [500, 503, 200]


def test_a_stopped_sandbox_answers_no_kept_alive_connection(connect):
    from hde.sandbox import whoop

    with whoop.serve(days=3) as sandbox:
        api = connect(sandbox)
        assert api.get("/developer/v2/cycle").status_code == 200
    with pytest.raises(httpx.TransportError):
        api.get("/developer/v2/cycle")


def test_providers_are_found_by_name():
    from hde.sandbox import providers

    with providers()["whoop"].serve(days=2) as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert sandbox.environment == {
            "WHOOP_BASE_URL": sandbox.base_url,
            "WHOOP_CLIENT_ID": sandbox.client_id,
            "WHOOP_CLIENT_SECRET": sandbox.client_secret,
        }
