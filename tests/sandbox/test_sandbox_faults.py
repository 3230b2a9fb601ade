"""Each fault does what it says, to the requests it is for and to no others; what is written wrongly is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from hde.cli import cli
from hde.cli.faults import read_faults
from hde.errors import WrongUse
from hde.sandbox import whoop
from hde.sandbox.faults import KINDS, Faults, read
from hde.sandbox.faults.records import VAST

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
CYCLES, WORKOUTS, TOKEN = "/developer/v2/cycle", "/developer/v2/activity/workout", "/oauth/oauth2/token"
Json = dict[str, Any]


class Faulty:
    """A signed-in client of a simulation with faults."""

    def __init__(self, client: httpx.Client, sandbox: whoop.Sandbox, faults: Faults) -> None:
        self.client, self.sandbox, self.faults = client, sandbox, faults
        self.tokens = sandbox.sign_in()

    def get(self, path: str = CYCLES, **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return self.client.get(path, params={"limit": 5, **params}, headers=headers)

    def refresh(self) -> httpx.Response:
        ours = {"client_id": self.sandbox.client_id, "client_secret": self.sandbox.client_secret}
        form = {**ours, "grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        return self.client.post(TOKEN, data=form)


@contextmanager
def faulty(*rules: Json, seed: int = 1) -> Iterator[Faulty]:
    faults = read({"seed": seed, "faults": list(rules)})
    with (
        whoop.serve(days=40, now=NOW, faults=faults, requests_per_minute=10_000) as sandbox,
        httpx.Client(base_url=sandbox.base_url, timeout=5) as client,
    ):
        yield Faulty(client, sandbox, faults)


def in_seconds(header: str, answer: httpx.Response) -> float:
    return (parsedate_to_datetime(answer.headers[header]) - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ({"do": "status", "status": 502}, lambda a: a.status_code == 502),
        ({"do": "wait", "seconds": 7}, lambda a: (a.status_code, a.headers["Retry-After"]) == (429, "7")),
        ({"do": "wait", "header": "X-RateLimit-Reset"}, lambda a: a.headers["X-RateLimit-Reset"] == "1"),
        ({"do": "wait", "says": "nothing"}, lambda a: a.status_code == 429 and "Retry-After" not in a.headers),
        ({"do": "wait", "says": "date", "seconds": 60}, lambda a: 50 < in_seconds("Retry-After", a) < 61),
        ({"do": "wait", "says": "past"}, lambda a: in_seconds("Retry-After", a) < -3000),
        ({"do": "wait", "says": "absurd"}, lambda a: int(a.headers["Retry-After"]) > 10**9),
        ({"do": "wait", "says": "epoch"}, lambda a: int(a.headers["Retry-After"]) > 1.7e9),
        ({"do": "truncated"}, lambda a: a.status_code == 200 and not is_json(a) and len(a.content) > 100),
        ({"do": "html"}, lambda a: a.headers["Content-Type"].startswith("text/html") and b"<html>" in a.content),
        ({"do": "content_type"}, lambda a: "utf-16" in a.headers["Content-Type"] and is_json(a)),
        ({"do": "charset"}, lambda a: json.loads(a.content.decode("utf-16"))["records"] != []),
        ({"do": "gzip_bomb", "megabytes": 3}, lambda a: a.content == b" " * (3 * 1024 * 1024)),
        ({"do": "empty"}, lambda a: (a.status_code, a.content) == (204, b"")),
        ({"do": "clock", "hours": -5}, lambda a: -18_100 < in_seconds("Date", a) < -17_900),
        ({"do": "drip", "seconds": 0.05}, lambda a: len(a.json()["records"]) == 5),
        ({"do": "expired"}, lambda a: a.status_code == 401),
        ({"do": "invalid_grant"}, lambda a: (a.status_code, a.json()["error"]) == (400, "invalid_grant")),
        ({"do": "cursor_elsewhere"}, lambda a: a.json()["next_token"] == "https://elsewhere.invalid/next"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_a_fault_does_what_it_says_to_its_request_only(fault: Json, holds: Callable[[httpx.Response], bool]) -> None:
    with faulty({**fault, "nth": 2}) as source:
        assert source.get().json()["records"] != []
        assert holds(source.get())
        source.tokens = source.sandbox.sign_in()
        assert source.get().json()["records"] != []
        assert source.faults.done == [(CYCLES, fault["do"])]


def is_json(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "error", "carried_out"),
    [
        ({"do": "reset"}, (httpx.ReadError, httpx.RemoteProtocolError), False),
        ({"do": "hang", "seconds": 0.01}, (httpx.ReadError, httpx.RemoteProtocolError), False),
        ({"do": "lost"}, (httpx.ReadError, httpx.RemoteProtocolError), True),
        ({"do": "broken_body"}, (httpx.ReadError, httpx.RemoteProtocolError), True),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else "",
)
def test_a_connection_breaks_before_or_after_the_source_has_acted(fault: Json, error: Any, carried_out: bool) -> None:
    with faulty({**fault, "on": TOKEN, "nth": 1}) as source:
        with pytest.raises(error):
            source.refresh()
        assert source.sandbox.refreshes == int(carried_out)
        again = source.refresh()
        assert again.status_code == (400 if carried_out else 200), "what was spent is spent"


def test_a_cursor_that_loops_leads_to_the_page_it_stands_on() -> None:
    with faulty({"do": "cursor_loop", "nth": 2}) as source:
        first = source.get().json()
        second = source.get(nextToken=first["next_token"]).json()
        assert second["next_token"] == first["next_token"]
        assert second["records"] != first["records"]


def test_duplicates_come_within_a_page_and_from_the_page_before() -> None:
    with faulty({"do": "duplicates", "nth": 2}) as source:
        first = source.get().json()
        second = source.get(nextToken=first["next_token"]).json()
        assert len(second["records"]) == 15
        assert second["records"][5:10] == first["records"]
        assert second["records"][10:] == second["records"][:5]


def test_a_record_that_changes_is_true_on_the_page_that_follows() -> None:
    with faulty({"do": "changing", "nth": 1}) as source:
        altered = source.get().json()
        following = source.get(nextToken=altered["next_token"]).json()
        true = source.get().json()["records"][0]
        assert altered["records"][0]["id"] == true["id"]
        assert altered["records"][0] != true
        assert following["records"][-1] == true
        assert altered["records"][1:] == source.get().json()["records"][1:]


@pytest.mark.parametrize(
    ("fault", "field", "holds"),
    [
        ({"do": "missing_keys", "field": "sport_name"}, "sport_name", lambda record: "sport_name" not in record),
        ({"do": "wrong_types", "field": "id"}, "id", lambda record: isinstance(record["id"], dict)),
        ({"do": "nul", "field": "sport_name"}, "sport_name", lambda record: record["sport_name"].endswith("\0")),
        ({"do": "long_text", "field": "v1_id"}, "v1_id", None),
        ({"do": "vast_numbers", "field": "sport_id"}, "sport_id", lambda record: record.get("sport_id") == VAST),
        ({"do": "far_years", "field": "end"}, "end", lambda record: record["end"].startswith("9999-12-31T23:59")),
        ({"do": "nulls", "field": "start"}, "start", lambda record: record["start"] is None),
        ({"do": "nulls"}, "start", lambda record: record["id"] is None and record["start"] is None),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_the_same_records_are_bad_whenever_they_are_asked_for(
    fault: Json, field: str, holds: Callable[[Json], bool] | None
) -> None:
    with faulty({**fault, "on": WORKOUTS, "share": 0.3}) as source:
        first, again = (source.get(WORKOUTS, limit=25).json()["records"] for _ in range(2))
        assert first == again
        bad = [record for record in first if holds and holds(record)]
        spoiled = source.faults.memory.spoiled
        if holds is None:
            assert spoiled == [], "a number is no text"
        else:
            assert len(bad) == len(spoiled) / 2 > 1
            assert len(bad) < len(first)


def test_chance_is_of_the_seed_and_bounded_by_times() -> None:
    def failed(seed: int) -> list[int]:
        with faulty({"do": "status", "chance": 0.5, "times": 4}, seed=seed) as source:
            return [number for number in range(20) if source.get().status_code == 503]

    assert failed(1) == failed(1) != failed(2)
    assert len(failed(1)) == 4


def test_faults_of_one_request_are_done_one_upon_another() -> None:
    with faulty({"do": "clock", "hours": 9}, {"do": "duplicates"}, {"do": "status", "on": WORKOUTS}) as source:
        answer = source.get()
        assert in_seconds("Date", answer) > 30_000
        assert len(answer.json()["records"]) == 10
        assert source.get(WORKOUTS).status_code == 503


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "faults: [{do: statsu}]",
            "faults.yaml:1:11: faults[0].do: there is no fault 'statsu'. Did you mean 'status'?",
        ),
        ("faults: [{do: status, state: 503}]", "1:23: faults[0].state: unknown key 'state'. Did you mean 'status'?"),
        ("faults: [{on: /v2/*}]", "1:10: faults[0]: 'do' is missing: which fault. There are: status, wait"),
        ("faults:\n- {do: status, status: 99}", "2:16: faults[0].status: 99 is too small; 400 is the least"),
        ("faults: [{do: gzip_bomb, megabytes: 5000}]", "5000 is too large; 1024 is the most"),
        ("faults: [{do: hang, seconds: long}]", "faults[0].seconds: a number is expected here"),
        ("faults: [{do: wait, says: epcoh}]", "'epcoh' is none of seconds, date, epoch"),
        ("faults: [{do: reset, nth: 1, chance: 0.5}]", "'nth' and 'chance' exclude each other; take one of them"),
        ("faults: [{do: reset, nth: 0}]", "0 is too small; 1 is the least"),
        ("faults: [{do: reset, chance: 2}]", "2 is too large; 1 is the most"),
        ("faults: [{do: reset, on: 3}]", "a path is expected here"),
        ("faults: [reset]", "faults[0]: a map is expected here, like {do: status, nth: 3}"),
        ("seeds: 3\nfaults: []", "1:1: seeds: unknown key 'seeds'. Did you mean 'seed'?"),
        ("seed: 3", "'faults' is missing: a list of what goes wrong"),
        ("- 1", "a map is expected here"),
        ("faults: [", "faults.yaml:"),
    ],
)
def test_what_is_written_wrongly_is_said_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(WrongUse) as caught:
        read_faults(file)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_fault_stands_on_the_page_and_in_the_help() -> None:
    page, said = PAGE.read_text(), CliRunner().invoke(cli, ["sandbox", "--help"]).output
    assert [name for name in KINDS if f"| `{name}`" not in page or f"  {name} " not in said] == []


def test_the_file_on_the_page_can_be_read(tmp_path: Path) -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    assert [rule.do.name for rule in read_faults(file).rules] == ["status", "wait", "expired", "lost", "wrong_types"]


def test_a_command_reads_the_file_before_it_listens(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults: [{do: rest}]")
    found = CliRunner().invoke(cli, ["sandbox", "whoop", "--faults", str(file)])
    assert "Did you mean 'reset'?" in str(found.exception)
