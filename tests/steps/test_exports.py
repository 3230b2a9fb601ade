"""Exports, which a source prepares in the background: ordered, waited for, read, let go; and gone on with."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from exports_made import Exporter, lines, write_exported
from killed_made import until, wait_for_the_dead
from loopback_made import Reply, Seen, Source
from run_made import Outcome, ask, call, ended, ending, start

READINGS = [{"id": f"r{number}", "v": number} for number in range(5)]
VISITS = [{"id": f"v{number}", "v": number} for number in range(3)]
TWO_FILES = {"1": ("Reading", READINGS[:3]), "2": ("Reading", READINGS[3:]), "3": ("Visit", VISITS)}


@pytest.fixture
def exporter(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exporter:
    monkeypatch.setenv("HDE_PATIENCE", "0.01")
    write_exported(tmp_path)
    return Exporter(source, dict(TWO_FILES))


def run(*more: str, code: int = 0) -> Outcome:
    found = call("run", "connectors/made.yaml", "--json", *more)
    assert found.code == code, found.said
    return found


def stored(url: str, table: str) -> list[str]:
    return ask(url, f"SELECT id FROM made_raw.{table} ORDER BY id")


def state(url: str) -> list[Any]:
    return ask(url, "SELECT name FROM meta.exports")


def test_an_export_is_ordered_waited_for_read_and_let_go(exporter: Exporter, database_url: str) -> None:
    found = run()
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]
    assert stored(database_url, "visits") == [record["id"] for record in VISITS]
    (order,) = exporter.asked("/api/$export")
    assert order.query == {"_type": "Visit,Reading"}
    assert order.headers["prefer"] == "respond-async"
    looks = [seen.method for seen in exporter.asked("/status/")]
    assert looks == ["GET", "GET", "GET", "DELETE"]
    assert state(database_url) == []
    assert found.of("readings")["requests"] == 1 + 3 + 2
    assert ask(database_url, "SELECT DISTINCT state FROM meta.windows") == ["done"]
    assert ask(database_url, "SELECT resource, parent FROM meta.streams ORDER BY 1") == [
        ("readings", ""),
        ("visits", ""),
    ]


def test_the_next_one_asks_for_what_changed_and_is_told_what_is_gone(exporter: Exporter, database_url: str) -> None:
    run()
    exporter.time = "2026-02-01T00:00:00Z"
    exporter.files = {"4": ("Reading", [{"id": "r0", "v": 100}])}
    exporter.deleted = [
        {"entry": [{"request": {"method": "DELETE", "url": f"{kind}/{id}"}} for kind, id in
                   (("Reading", "r1"), ("Visit", "v1"), ("Reading", "nobody"))]},
    ]  # fmt: skip
    found = run()
    assert [seen.query.get("_since") for seen in exporter.asked("/api/$export")] == [None, "2026-01-01T00:00:00Z"]
    assert ask(database_url, "SELECT id, v FROM made_raw.readings ORDER BY id") == [
        ("r0", 100), ("r2", 2), ("r3", 3), ("r4", 4),
    ]  # fmt: skip
    assert ask(database_url, "SELECT id FROM made_raw.readings_history WHERE _op = 'D'") == ["r1"]
    assert len(stored(database_url, "visits")) == 3, "of another resource"
    assert found.of("readings")["vanished"] == 1
    run("--full")
    assert exporter.asked("/api/$export")[-1].query.get("_since") is None


def test_what_the_source_left_out_is_said(exporter: Exporter, database_url: str) -> None:
    exporter.errors = [{"issue": [{"severity": "error", "diagnostics": f"{word} withheld"}]} for word in ("one", "two")]
    found = run()
    assert found.json["notes"] == [
        "readings: the source says: one withheld",
        "readings: the source says: two withheld",
    ]
    assert ask(database_url, "SELECT warnings FROM meta.windows WHERE cardinality(warnings) > 0") == [
        ["one withheld", "two withheld"]
    ]


def test_a_run_that_waits_no_longer_says_so_and_the_next_one_goes_on(
    exporter: Exporter, database_url: str, tmp_path: Path
) -> None:
    write_exported(tmp_path, wait="0s")
    exporter.looks = 2
    for _ in range(2):
        found = call("run", "connectors/made.yaml")
        assert found.code == 6, found.said
        assert "owed visits: the source is still preparing everything (40 %); run again" in found.out
        assert state(database_url) == ["everything"]
        assert ask(database_url, "SELECT outcome FROM meta.runs ORDER BY id DESC LIMIT 1") == ["owing"]
    assert "Under way" in call("status").out
    run()
    assert "Under way" not in call("status").out
    assert exporter.orders == 1
    assert stored(database_url, "visits") == ["v0", "v1", "v2"]


@pytest.mark.parametrize("status", [404, 410])
def test_one_that_the_source_does_not_know_any_more_is_ordered_anew(
    exporter: Exporter, database_url: str, tmp_path: Path, status: int
) -> None:
    write_exported(tmp_path, wait="0s")
    assert call("run", "connectors/made.yaml").code == 6
    exporter.left.clear()
    exporter.looks, exporter.unknown = 0, status
    found = run()
    assert exporter.orders == 2
    assert "everything: the source does not know the export any more; ordered anew" in found.json["notes"]
    assert stored(database_url, "visits") == ["v0", "v1", "v2"]


def test_only_the_files_that_are_not_stored_are_fetched_again(exporter: Exporter, database_url: str) -> None:
    def failing(seen: Seen) -> Reply | None:
        return Reply({}, status=403) if seen.path == "/files/2" else exporter.answer(seen)

    exporter.source.answer = failing
    found = run(code=1)
    assert "403" in str(found.of("readings")["failures"])
    assert found.of("visits")["failures"] == []
    assert state(database_url) == ["everything"]
    exporter.source.answer = exporter.answer
    exporter.source.seen.clear()
    run()
    assert [seen.path for seen in exporter.asked("/files/")] == ["/files/2"]
    assert exporter.orders == 1
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]


def test_files_that_have_expired_are_ordered_anew_by_the_next_run(exporter: Exporter, database_url: str) -> None:
    exporter.source.answer = lambda seen: Reply({}, status=410) if seen.path == "/files/2" else exporter.answer(seen)
    found = run(code=1)
    assert "the export has expired, and the next run orders it anew" in found.of("readings")["failures"][0]
    exporter.source.answer = exporter.answer
    run()
    assert exporter.orders == 2
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]


def test_a_run_of_one_resource_leaves_the_export_to_the_others(exporter: Exporter, database_url: str) -> None:
    found = run("visits")
    assert "everything: kept for readings, which were not asked for" in found.json["notes"]
    assert exporter.asked("/status/")[-1].method == "GET"
    run()
    assert exporter.orders == 1
    first, *others = [seen.path for seen in exporter.asked("/files/")]
    assert (first, sorted(others)) == ("/files/3", ["/files/1", "/files/2"])
    assert exporter.asked("/status/")[-1].method == "DELETE"


def test_a_second_run_of_one_resource_asks_anew(exporter: Exporter, database_url: str) -> None:
    run("visits")
    exporter.files["3"] = ("Visit", [*VISITS, {"id": "v9"}])
    run("visits")
    assert exporter.orders == 2
    assert "v9" in stored(database_url, "visits")


def test_an_export_with_complaints_deletes_nothing(exporter: Exporter, database_url: str, tmp_path: Path) -> None:
    write_exported(tmp_path, more="missing: delete")
    run()
    exporter.files, exporter.errors = {"4": ("Visit", VISITS[:2])}, [{"issue": [{"diagnostics": "half of it"}]}]
    run("--full")
    assert len(stored(database_url, "visits")) == 3


def test_a_complete_export_says_what_vanished_and_one_since_then_does_not(
    exporter: Exporter, database_url: str, tmp_path: Path
) -> None:
    write_exported(tmp_path, more="missing: delete")
    run()
    exporter.files = {"4": ("Visit", VISITS[:2])}
    run()
    assert len(stored(database_url, "visits")) == 3
    run("--full")
    assert stored(database_url, "visits") == ["v0", "v1"]
    exporter.files = {}
    found = run("--full", code=1)
    assert "nothing was dropped" in found.of("visits")["failures"][0]
    run("--full", "--accept-deletes")
    assert stored(database_url, "visits") == []


@pytest.mark.parametrize("packed", [False, True])
def test_files_may_be_packed_on_the_way_or_not(exporter: Exporter, database_url: str, packed: bool) -> None:
    exporter.packed = packed
    run()
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]


def test_a_count_that_is_not_reached_is_a_failure(exporter: Exporter, database_url: str) -> None:
    exporter.counts = {"1": 4}
    found = run(code=1)
    assert found.of("readings")["failures"] == ["holds 3 records, and the source says that it holds 4"]
    assert state(database_url) == ["everything"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"<html>sign in</html>", "the answer is not NDJSON but"),
        (b'{"id": "r1"}\n{"id": "r', "line 2: cut off"),
        (b"\x1f\x8b\x08garbage", "the file is damaged"),
    ],
)
def test_a_file_that_is_none_is_a_failure(exporter: Exporter, database_url: str, text: bytes, said: str) -> None:
    exporter.source.answer = lambda seen: Reply(text) if seen.path == "/files/3" else exporter.answer(seen)
    assert said in run(code=1).of("visits")["failures"][0]


def test_a_file_that_breaks_off_is_asked_for_again(exporter: Exporter, database_url: str) -> None:
    whole = lines(READINGS[:3])

    def breaking(seen: Seen) -> Reply | None:
        if seen.path == "/files/1" and len(exporter.asked("/files/1")) < 3:
            return Reply(whole[:20], headers={"Content-Length": str(len(whole))})
        return exporter.answer(seen)

    exporter.source.answer = breaking
    run()
    assert len(exporter.asked("/files/1")) == 3
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]


@pytest.mark.parametrize("asks", [True, False])
def test_credentials_go_with_files_only_where_the_source_asks_for_them(
    exporter: Exporter, database_url: str, asks: bool
) -> None:
    exporter.requires_token = asks
    run()
    assert {seen.headers.get("x-key") for seen in exporter.asked("/files/")} == ({"s3cret-of-ours"} if asks else {None})


def test_files_elsewhere_are_refused_unless_the_connector_names_the_place_and_get_no_key(
    exporter: Exporter, database_url: str, tmp_path: Path
) -> None:
    other = Source()
    try:
        exporter.elsewhere = other.url
        other.answer = exporter.file
        found = run(code=1)
        assert "a file lies on another origin" in found.of("visits")["failures"][0]
        assert other.seen == []
        write_exported(tmp_path, origins=f"origins: ['{other.url}']")
        run()
        assert {seen.headers.get("x-key") for seen in other.seen} == {None}
        assert stored(database_url, "visits") == ["v0", "v1", "v2"]
    finally:
        other.close()


def test_who_asks_too_often_is_told_so_and_waits(exporter: Exporter, database_url: str) -> None:
    refused: list[Seen] = []

    def impatient(seen: Seen) -> Reply | None:
        if seen.path.startswith("/status/") and len(refused) < 2:
            refused.append(seen)
            return Reply({}, status=429, headers={"Retry-After": "0"})
        return exporter.answer(seen)

    exporter.source.answer = impatient
    run()
    assert len(refused) == 2


def test_an_order_that_is_refused_leaves_all_its_resources_owed(exporter: Exporter, database_url: str) -> None:
    exporter.source.answer = lambda seen: Reply({"issue": []}, status=400)
    found = run(code=1)
    assert [one["failures"] for one in found.json["resources"]] == [["GET /$export answers 400"]] * 2
    assert state(database_url) == []


def test_an_answer_that_does_not_say_where_to_look_is_a_failure(exporter: Exporter, database_url: str) -> None:
    exporter.source.answer = lambda seen: Reply({}, status=202)
    found = run(code=1)
    assert "(202) does not say url, which `keep` reads" in found.of("visits")["failures"][0]


REPORTS = """
name: made
settings: {url: {}}
http: {base_url: "{{ settings.url }}"}
exports:
  report:
    method: POST
    path: /reports
    json: {kind: readings}
    keep: {id: report.id, document: document}
    status:
      path: "/reports/{{ export.id }}"
      errors: [{body: "report.state == 'FAILED'", do: fail, message: report.why}]
    done: "report.state == 'DONE'"
    progress: report.percent
    poll: {every: 1s}
    result: {path: "/documents/{{ export.document }}"}
resources:
  readings:
    export: {of: report, files: document.url}
    format: csv
    key: [id]
    columns: {id: text, v: int}
"""


@pytest.mark.parametrize("fails", [False, True])
def test_a_report_whose_state_and_address_stand_in_bodies(
    source: Source, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setenv("HDE_PATIENCE", "0.01")
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors/made.yaml").write_text(REPORTS)
    states = iter(["QUEUED", "FAILED" if fails else "RUNNING", "DONE"])

    def answer(seen: Seen) -> Reply | None:
        match seen.method, seen.path:
            case "POST", "/reports":
                assert json.loads(seen.body) == {"kind": "readings"}
                return Reply({"report": {"id": 7}}, status=201)
            case "GET", "/reports/7":
                now = next(states)
                done = {"document": "d/9"} if now == "DONE" else {}
                return Reply(
                    {"report": {"state": now, "percent": 10, "why": "no luck"}, **done}, headers={"Retry-After": "0"}
                )
            case "GET", "/documents/d%2F9":
                return Reply({"document": {"url": "/down/load?signature=1"}})
            case "GET", "/down/load":
                return Reply(b"id,v\na,1\nb,2\n", headers={"Content-Type": "text/csv"})
        return Reply({}, status=500)

    source.answer = answer
    found = run(code=1 if fails else 0)
    if fails:
        assert "no luck" in found.of("readings")["failures"][0]
        assert state(database_url) == [], "the next run orders it anew"
    else:
        assert ask(database_url, "SELECT id, v FROM made_raw.readings ORDER BY id") == [("a", 1), ("b", 2)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("moment", ["while it waits", "while it reads", "before it lets go"])
def test_killed_it_is_gone_on_with(exporter: Exporter, database_url: str, moment: str) -> None:
    """SIGKILL: nothing is ordered twice, no file that is stored is fetched again, nothing is left with the source."""
    held = {"while it waits": "/status/", "while it reads": "/files/2", "before it lets go": "DELETE"}[moment]

    def holding(seen: Seen) -> Reply | None:
        if seen.path.startswith(held) or (held == "DELETE" and seen.method == "DELETE"):
            exporter.source.hold()
        return exporter.answer(seen)

    exporter.looks = 0
    exporter.source.answer = holding
    with ending(start("run", "connectors/made.yaml")) as process:
        until(lambda: [s for s in exporter.source.seen if s.path.startswith(held) or s.method == held], process)
        if held == "/files/2":
            until(lambda: ask(database_url, "SELECT count(*) FROM meta.windows WHERE state = 'done'") == [2], process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for_the_dead(database_url)
    exporter.source.held.set()
    assert state(database_url) == ["everything"]
    exporter.source.answer = exporter.answer
    exporter.source.seen.clear()
    run()
    fetched = sorted(seen.path for seen in exporter.asked("/files/"))
    assert fetched == (["/files/2"] if held == "/files/2" else ["/files/1", "/files/2", "/files/3"])
    orders = [seen.query.get("_since") for seen in exporter.asked("/api/$export")]
    assert orders == (["2026-01-01T00:00:00Z"] if held == "DELETE" else []), "what was stored is not ordered again"
    assert exporter.left == {}
    assert stored(database_url, "readings") == [record["id"] for record in READINGS]
    assert state(database_url) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_who_waits_can_be_stopped_and_the_next_run_goes_on(
    exporter: Exporter, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDE_PATIENCE", "60")  # the pause between two looks, which the stop sign must cut
    exporter.looks = 1
    with ending(start("run", "connectors/made.yaml")) as process:
        until(lambda: len(exporter.asked("/status/")) == 1 and state(database_url), process)
        process.send_signal(signal.SIGINT)
        found = ended(process, within=20)
    assert found.code == 1
    assert "Stopped. What was fetched is stored; the next run goes on from here." in found.out
    assert ask(database_url, "SELECT outcome FROM meta.runs") == ["stopped"]
    monkeypatch.setenv("HDE_PATIENCE", "0.01")
    run()
    assert exporter.orders == 1
    assert stored(database_url, "visits") == ["v0", "v1", "v2"]
