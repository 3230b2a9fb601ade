"""`hde preview` and `hde record` against a source on loopback: what is shown, what is written, what is in neither."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback_made import Reply, Seen, Source
from run_made import call

SECRET = "glass-slipper-0815"
CONNECTOR = """\
name: made
settings: {url: {}, key: {secret: true}}
http:
  base_url: "{{ settings.url }}/v1"
  headers: {X-Key: "{{ settings.key }}"}
account: {path: /me, id: id, keep: {zone: zone}}
resources:
  nights:
    path: /nights
    params: {start: "{{ window.start }}", cursor: "{{ page.cursor }}", key: "{{ settings.key }}"}
    records: data.items
    key: [id]
    pagination: {kind: cursor, next: next}
    window: {time: from, settle: 1d, from: 90d, step: 30d}
    columns:
      {id: bigint, from: timestamptz, to: timestamptz, score.total: int, kind: text,
       zone: {type: text, path: $account.zone}}
  pulses:
    path: /pulses
    key: [id]
    columns: {id: bigint, night_id: bigint, bpm: float}
  linked: {path: /linked, key: [id], columns: {id: bigint}, pagination: {kind: link_header}}
  numbered:
    path: /numbered
    params: {page: "{{ page.number }}"}
    records: rows
    key: [id]
    columns: {id: bigint}
    pagination: {kind: page, first: 1, size: 2}
  kinds: {for_each: [a, b], path: "/kinds/{{ each }}", key: [id], columns: {id: bigint}}
  details:
    for_each: {resource: pulses, path: id}
    path: "/details/{{ each }}"
    key: [pulse]
    columns: {pulse: {type: bigint, path: $each}, name: text}
  combined:
    for_each: {pulse: {resource: pulses, path: id}, kind: [a, b]}
    path: "/combined/{{ each.pulse }}/{{ each.kind }}"
    key: [id]
    columns: {id: bigint}
  pulled: {for_each: {resource: pulses}, path: "/pulled/{{ each.id }}", key: [id], columns: {id: bigint}}
  named:
    for_each: [{name: a, code: 1}, {name: b, code: 2}]
    path: "/named/{{ each.code }}"
    key: [id]
    columns: {id: bigint}
  broken: {path: /broken, records: rows, key: [id], columns: {id: bigint}}
"""
NIGHTS = """\
from: nights
columns: {start_time: from, state: {const: final}, utc_offset: offset}
to:
  sleep_sessions:
    columns: {end_time: to, is_nap: {path: kind, lookup: {night: false, nap: true}}}
ignore: {id: the key, score.total: nothing, member: nothing, note: nothing}
"""
PULSES = """\
from: pulses
with: {night: {from: nights, key: night_id}}
columns: {start_time: $night.from, state: {const: final}}
to: {biometrics_vitals: {rows: {heart_rate: {value: {path: bpm, unit: /min}}}}}
ignore: {id: the key}
"""
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def night(number: int) -> dict[str, Any]:
    begin = TODAY - timedelta(days=number)
    return {
        "id": 880_010_000 + number,
        "member": {"id": 700_123, "first_name": "Rosalinde", "email": "rosalinde@dornroeschen.example"},
        "from": f"{begin:%Y-%m-%d}T22:14:05+01:00",
        "to": f"{begin + timedelta(days=1):%Y-%m-%d}T06:14:05+01:00",
        "offset": "+01:00",
        "kind": "nap" if number % 2 else "night",
        "score": {"total": 80 + number} if number % 3 else None,
        "note": f"Rosalinde slept {number} times",
    }


def answer(seen: Seen) -> Reply | None:
    number = int(seen.query.get("cursor", "page-1").rpartition("-")[2])
    page = int(seen.query.get("page", "1"))
    match seen.path:
        case "/v1/me":
            return Reply({"id": 700_123, "zone": "Europe/Berlin"})
        case "/v1/nights":
            items = [night(number * 10 + at) for at in range(4)]
            return Reply({"data": {"items": items}, "next": f"page-{number + 1}"}, headers={"X-Rate-Left": "7"})
        case "/v1/pulses":
            return Reply(
                [
                    {"id": 9_000_001, "night_id": night(10)["id"], "bpm": 55.5},
                    {"id": 9_000_002, "night_id": 4, "bpm": "x"},
                ]
            )
        case "/v1/kinds/a" | "/v1/kinds/b":
            return Reply([{"id": 40_000 + ord(seen.path[-1])}])
        case "/v1/combined/9000002/b" | "/v1/pulled/9000002" | "/v1/named/2":
            return Reply({"id": 40002})
        case "/v1/details/9000001" | "/v1/details/9000002":
            return Reply({"name": f"Rosalinde {seen.path[-1]}"})
        case "/v1/linked":
            link = f'<http://{seen.headers["host"]}/v1/linked?page={page + 1}&sig=abc>; rel="next"'
            return Reply([{"id": 5000 + page}], headers={"Link": link})
        case "/v1/numbered":
            return Reply({"rows": [{"id": 6000 + 10 * page}, {"id": 6001 + 10 * page}]})
        case "/v1/broken":
            return Reply({"rowz": [{"id": 1}], "told": SECRET})
    return Reply(status=404)


@pytest.fixture
def made(source: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The current folder holds a connector for the source, and mappings."""
    monkeypatch.setenv("MADE_KEY", SECRET)
    for name, text in {
        "connectors/made.yaml": CONNECTOR,
        "mappings/made/nights.yaml": NIGHTS,
        "mappings/made/pulses.yaml": PULSES,
        "mappings/made/fixtures/nights/one.json": json.dumps(night(11)),
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    source.answer = answer
    return source


def test_a_preview_shows_the_whole_way(made: Source) -> None:
    found = call("preview", "made", "nights", "--limit", "2")
    assert found.code == 0, found.said
    lines = " ".join(found.out.split())
    for said in (
        f"GET {made.url}/v1/nights", "?start=", "&key=***", "x-key: ***", "200 · application/json", "4 records",
        "x-rate-left: 7", "the next page", "&cursor=page-2", "record 1 of 4 · key 880010010", "score total",
        "2 more records in this page", "canonical.sleep_sessions", "is_nap false", "$account.zone", "Europe/Berlin",
        "the youngest of", "payload only",
    ):  # fmt: skip
        assert said in lines, said
    assert SECRET not in found.said
    assert [seen.path for seen in made.seen] == ["/v1/me", "/v1/nights"]


def test_a_preview_looks_for_counterparts_on_the_first_page_of_the_other_resource(made: Source) -> None:
    found = call("preview", "made", "pulses")
    lines = " ".join(found.out.split())
    assert "55.5" in lines
    assert "canonical.biometrics_vitals" in lines
    assert "made/pulses waits for a record of nights (night_id) that is not at hand here" in lines
    assert "✗ float: type" in lines
    assert "paging stops: single page" in lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("kinds",), ("each a", "/v1/kinds/a", "40097")),
        (("kinds", "--each", "b"), ("each b", "/v1/kinds/b", "40098")),
        (("details",), ("each 9000001", "/v1/details/9000001", "Rosalinde 1")),
        (("details", "--each", "9000002"), ("each 9000002", "Rosalinde 2")),
        (("combined", "--each", '["9000002","b"]'), ("/combined/9000002/b",)),
        (("pulled", "--each", "9000002"), ("/pulled/9000002", "40002")),
        (("named", "--each", "b"), ("/named/2",)),
    ],
)
def test_a_preview_takes_one_element(made: Source, arguments: tuple[str, ...], said: tuple[str, ...]) -> None:
    found = call("preview", "made", *arguments)
    assert found.code == 0, found.said
    lines = " ".join(found.out.split())
    assert [one for one in said if one not in lines] == []
    assert lines.count("request GET") == 1


def test_what_comes_from_other_records_is_recorded_without_a_test(made: Source) -> None:
    found = call("record", "made", "details")
    assert found.code == 0, found.said
    assert "No test was written" in found.out
    assert "Rosalinde" not in Path("mappings/made/fixtures/details/recorded.json").read_text()
    assert not Path("mappings/made/tests").exists()


def test_a_preview_of_an_answer_that_cannot_be_read_shows_it(made: Source) -> None:
    found = call("preview", "made", "broken")
    assert found.code == 1
    assert '"rowz": [' in found.out
    assert "records: 'rows' leads to nothing" in " ".join(found.out.split())
    assert SECRET not in found.said


def test_a_preview_of_a_fixture_makes_up_when_and_where_an_account_began(made: Source) -> None:
    text = CONNECTOR.replace("keep: {zone: zone}", "keep: {zone: zone, since: since}")
    Path("connectors/made.yaml").write_text(text.replace("from: 90d", 'from: "{{ account.since }}"'))
    Path("mappings/made/nights.yaml").write_text(
        NIGHTS.replace("utc_offset: offset", "").replace(
            "start_time: from", "start_time: {path: from, zone: $account.zone}"
        )
    )
    found = call("preview", "made", "nights", "--fixture", "one")
    assert found.code == 0, found.said
    assert "canonical.sleep_sessions" in found.out
    assert "the youngest of" not in found.out
    assert "2020-01-01" not in found.out


def test_a_preview_of_a_fixture_asks_nobody(made: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MADE_URL")
    monkeypatch.delenv("MADE_KEY")
    Path("connectors/made.yaml").write_text(CONNECTOR.replace("url: {}", 'url: {default: "https://api.made.example"}'))
    found = call("preview", "made", "nights", "--fixture", "one", "--since", "2026-01-01", "--until", "2026-01-02")
    assert found.code == 0, found.said
    lines = " ".join(found.out.split())
    for said in (
        "fixture one · key 880010011",
        "not sent; settings are made up",
        "is_nap true",
        "2026-01-01 .. 2026-01-02",
    ):
        assert said in lines, said
    assert made.seen == []


@pytest.mark.parametrize(
    ("resource", "request_"),
    [
        ("combined", "/v1/combined/made-up-pulse/made-up-kind"),
        ("pulled", "/v1/pulled/made-up-id"),
        ("named", "/v1/named/1"),
        ("details", "/v1/details/made-up-element"),
    ],
)
def test_a_preview_of_a_fixture_makes_up_an_element(made: Source, resource: str, request_: str) -> None:
    fixture = Path(f"mappings/made/fixtures/{resource}/one.json")
    fixture.parent.mkdir()
    fixture.write_text('{"id": 1}')
    found = call("preview", "made", resource, "--fixture", "one")
    assert found.code == 0, found.said
    assert request_ in found.out
    assert made.seen == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("preview", "made", "night"), "made has no resource 'night'. Did you mean 'nights'?"),
        (("preview", "made", "nights", "--fixture", "on"), "No fixture 'on' in mappings/made/fixtures/nights."),
        (("preview", "made", "nights", "--since", "2026-01-02", "--until", "2026-01-01"), "no window to ask for"),
        (("preview", "made", "kinds", "--each", "c"), "kinds: no element 'c'. There are: a, b"),
        (("preview", "made", "linked", "--each", "c"), "linked has no for_each: there is nothing to choose"),
        (("record", "made", "nights", "--name", "../x"), "--name '../x': a-z, 0-9, _ and - only"),
    ],
)
def test_what_is_said_about_wrong_use(made: Source, arguments: tuple[str, ...], complaint: str) -> None:
    found = call(*arguments)
    assert found.code == 2
    assert complaint in found.err


def test_a_recording_plays_back_and_names_nobody(made: Source) -> None:
    assert call("record", "made", "nights", "--pages", "3").code == 0
    assert call("record", "made", "pulses").code == 0
    passed = call("test", "made", "-k", "recorded")
    assert passed.out == "2 passed, 0 failed\n", passed.said
    assert call("validate").code == 0
    written = "".join(file.read_text() for file in Path("mappings").rglob("*recorded*"))
    real = [night(number) for number in range(10, 40)]
    for value in ("Rosalinde", "rosalinde", "dornroeschen", SECRET, "700123", *(str(one["id"]) for one in real)):
        assert value not in written, value
    assert not any(one["from"][:10] in written for one in real)
    nights = [json.loads(file.read_text()) for file in Path("mappings/made/fixtures/nights").glob("recorded*")]
    pages = [json.loads(file.read_text()) for file in sorted(Path("mappings/made/fixtures/exchanges").glob("nights*"))]
    assert len(pages) == 3
    assert pages[-1]["next"] is None
    assert {len(page["data"]["items"]) for page in pages} <= {2, 3}
    assert {one["score"] is None for one in nights} == {True, False}
    assert {one["member"]["id"] for one in nights} == {nights[0]["member"]["id"]}
    assert "sleep_sessions" in Path("mappings/made/tests/nights_recorded.yaml").read_text()


@pytest.mark.parametrize(("resource", "pages"), [("linked", 2), ("numbered", 3), ("kinds", 2)])
def test_every_way_of_paging_can_be_recorded(made: Source, resource: str, pages: int) -> None:
    assert call("record", "made", resource, "--pages", "2").code == 0
    assert call("test", "made", "-k", f"{resource}_recorded").out == "1 passed, 0 failed\n"
    assert len(list(Path("mappings/made/fixtures/exchanges").glob(f"{resource}_*"))) == pages


def test_a_recording_never_writes_over_another(made: Source) -> None:
    assert call("record", "made", "pulses").code == 0
    before = {file: file.read_bytes() for file in Path("mappings").rglob("*recorded*")}
    again = call("record", "made", "pulses")
    assert again.code == 2
    assert "would be written over: choose another --name, or --force" in again.err
    assert {file: file.read_bytes() for file in Path("mappings").rglob("*recorded*")} == before
    assert call("record", "made", "pulses", "--name", "second").code == 0
    assert call("record", "made", "pulses", "--force").code == 0


def test_many_short_cursors_stay_different(made: Source) -> None:
    assert call("record", "made", "nights", "--pages", "8").code == 0
    pages = [json.loads(file.read_text()) for file in Path("mappings/made/fixtures/exchanges").glob("nights*")]
    assert len({page["next"] for page in pages}) == 8


def test_recordings_of_one_home_join(made: Source) -> None:
    assert call("record", "made", "nights", "--pages", "1").code == 0
    assert call("record", "made", "pulses").code == 0
    pulse = json.loads(Path("mappings/made/fixtures/exchanges/pulses_recorded_1.json").read_text())[0]
    nights = json.loads(Path("mappings/made/fixtures/exchanges/nights_recorded_1.json").read_text())
    assert pulse["night_id"] in [one["id"] for one in nights["data"]["items"]]


def test_what_is_kept_is_shown(made: Source) -> None:
    found = call("record", "made", "nights", "--keep", "note", "--scramble-numbers", "--name", "kept")
    assert found.code == 0
    assert "Before you share them" in found.out
    assert "Rosalinde slept 10 times" in found.out
    written = Path("mappings/made/fixtures/exchanges/nights_kept_1.json").read_text()
    assert '"note": "Rosalinde slept' in written
    assert '"first_name": "Rosalinde"' not in written
