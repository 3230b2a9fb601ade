"""Bookmarks, receipts, newest first, hash keys, warnings: what a resource says beside pages and windows, end to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest
from loopback_made import DAY, Reply, Seen, Source, write_made
from run_made import ask, call

CHANGES = """
things:
  path: /changes
  params: {since: "{{ bookmark }}", page: "{{ page.cursor }}"}
  records: items
  pagination: {kind: cursor, next: next}
  bookmark: {next: token}
  key: [id]
  columns: {id: int, v: int}
"""


def test_a_bookmark_is_null_at_first_and_saved_after_a_complete_pass(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, CHANGES)
    pages = {
        (None, None): Reply({"items": [{"id": 1}], "next": "p2", "token": None}),
        (None, "p2"): Reply(status=400),
        ("t1", None): Reply({"items": [{"id": 2}]}),
    }
    source.answer = lambda seen: pages[seen.query.get("since"), seen.query.get("page")]
    assert call("run", "made").code == 1
    assert ask(database_url, "SELECT count(bookmark) FROM meta.streams") == [0], "half a pass is none"
    pages[None, "p2"] = Reply({"items": [{"id": 3}], "token": "t1"})
    assert call("run", "made").code == 0
    assert call("run", "made").code == 0
    assert source.seen[-1].query == {"since": "t1"}
    assert ask(database_url, "SELECT bookmark FROM meta.streams") == ["t1"], "an answer without one changes nothing"
    assert call("run", "made", "--full").code == 0
    assert source.seen[-2].query == {}
    assert ask(database_url, "SELECT id FROM made_raw.things ORDER BY 1") == [1, 2, 3]


@pytest.mark.parametrize(
    ("errors", "refusal"),
    [
        ("[]", Reply({"error": "expired"}, status=410)),
        ("[{status: 200, body: error, do: restart}]", Reply({"error": "expired"})),
    ],
)
def test_a_bookmark_the_source_does_not_know_any_more_means_reading_everything(
    source: Source, tmp_path: Path, database_url: str, errors: str, refusal: Reply
) -> None:
    write_made(tmp_path, CHANGES + f"  errors: {errors}\n")
    source.answer = lambda seen: Reply({"items": [{"id": 1}], "token": "t1"})
    assert call("run", "made").code == 0
    source.answer = lambda seen: refusal if "since" in seen.query else Reply({"items": [{"id": 2}], "token": "t2"})
    assert call("run", "made").code == 0
    assert [seen.query for seen in source.seen[1:]] == [{"since": "t1"}, {}]
    assert ask(database_url, "SELECT bookmark FROM meta.streams") == ["t2"]


def test_the_largest_bookmark_of_a_pass_is_kept(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CHANGES.replace("{next: token}", '{next: "max(items[].id)", take: max}'))
    source.answer = lambda seen: Reply(
        {"items": [{"id": 4}]} if "page" in seen.query else {"items": [{"id": 9}, {"id": 7}], "next": "older"}
    )
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT bookmark FROM meta.streams") == [9]
    assert call("run", "made").code == 0
    assert source.seen[-2].query == {"since": "9"}


def test_a_bookmark_in_a_header_and_for_each_element(source: Source, tmp_path: Path, database_url: str) -> None:
    text = CHANGES.replace("{next: token}", "{next: {header: X-Sync}}").replace("path: /changes", "path: /{{ each }}")
    write_made(tmp_path, text.replace("things:", "things:\n  for_each: [a, b]"))
    source.answer = lambda seen: Reply({"items": []}, headers={"X-Sync": f"of {seen.path}"})
    assert call("run", "made").code == 0
    found = ask(database_url, "SELECT parent, bookmark FROM meta.streams ORDER BY 1")
    assert found == [("a", "of /a"), ("b", "of /b")]


QUEUE = """
batches:
  path: /batches
  method: POST
  key: [id]
  columns: {id: int}
  when_stored: {method: PUT, path: "/batches/{{ record.id }}", json: {count: "{{ record.count }}"}}
items:
  for_each: {resource: batches, path: id}
  path: /batches/{{ each }}/items
  key: [id]
  columns: {id: int}
"""


class Batches:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.open: list[int] = [1, 2]
        self.broken: set[str] = set()
        source.answer = self.answer

    def answer(self, seen: Seen) -> Reply:
        if f"{seen.method} {seen.path}" in self.broken:
            return Reply(status=400)
        match seen.method, seen.path.strip("/").split("/"):
            case "POST", _:
                return Reply([{"id": one, "count": one * 10} for one in self.open])
            case "PUT", [_, number]:
                self.open.remove(int(number))
                return Reply({})
            case _, [_, number, _]:
                return Reply([{"id": int(number)}])
        return Reply(status=404)

    def receipts(self) -> list[tuple[str, str]]:
        found = [(seen.path, seen.body) for seen in self.source.seen if seen.method == "PUT"]
        self.source.seen.clear()
        return found


def test_a_receipt_is_sent_once_the_record_and_all_that_hangs_on_it_is_stored(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, QUEUE)
    api = Batches(source)
    assert call("run", "made").code == 0
    order = [f"{seen.method} {seen.path}" for seen in source.seen]
    assert order.index("PUT /batches/1") > order.index("GET /batches/2/items")
    assert api.receipts() == [("/batches/1", '{"count":10}'), ("/batches/2", '{"count":20}')]
    assert ask(database_url, "SELECT id FROM made_raw.items ORDER BY 1") == [1, 2]
    assert call("run", "made").code == 0
    assert api.receipts() == []


def test_no_receipt_is_sent_for_what_could_not_be_fetched(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, QUEUE)
    api = Batches(source)
    api.broken = {"GET /batches/1/items"}
    assert call("run", "made").code == 1
    assert [path for path, _ in api.receipts()] == ["/batches/2"]
    assert call("run", "made", "batches").code in (0, 1)
    assert api.receipts() == []
    api.broken = set()
    assert call("run", "made").code == 0
    assert [path for path, _ in api.receipts()] == ["/batches/1"]


def test_a_receipt_that_had_to_wait_is_sent_once(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, QUEUE)
    api = Batches(source)
    api.broken = {"GET /batches/2/items"}  # the last one: nothing after it moves on what was done
    assert call("run", "made").code == 1
    assert [path for path, _ in api.receipts()] == ["/batches/1"]
    api.broken = set()
    assert call("run", "made").code == 0
    assert [path for path, _ in api.receipts()] == ["/batches/2"]
    assert ask(database_url, "SELECT count(*) FROM meta.owed_records") == [0]


def test_a_receipt_that_failed_is_sent_again(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, QUEUE)
    api = Batches(source)
    api.broken = {"PUT /batches/1"}
    told = call("run", "made")
    assert told.code == 1
    assert "the receipt of record 1" in told.out
    assert [path for path, _ in api.receipts()] == ["/batches/1", "/batches/2"]
    api.broken = set()
    assert call("run", "made").code == 0
    assert [path for path, _ in api.receipts()] == ["/batches/1"]
    assert ask(database_url, "SELECT count(*) FROM meta.owed_records") == [0]


NEWEST = """
posts:
  path: /posts
  params: {page: "{{ page.number }}"}
  records: posts
  pagination: {kind: page}
  window: {time: at, order: newest_first, settle: 1d}
  key: [id]
  columns: {id: int, at: timestamptz}
"""


def test_newest_first_stops_at_the_first_page_that_is_wholly_older(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, NEWEST)
    now = datetime.now(UTC)
    posts = [{"id": at, "at": (now - at * DAY).isoformat()} for at in range(40)]

    def answer(seen: Seen) -> Reply:
        first = (int(seen.query["page"]) - 1) * 5
        return Reply({"posts": posts[first : first + 5]})

    source.answer = answer
    assert call("run", "made").code == 0
    assert len(source.seen) == 9, "all there is, up to the empty page"
    source.seen.clear()
    posts.insert(0, {"id": 100, "at": now.isoformat()})
    assert call("run", "made").code == 0
    assert [seen.query["page"] for seen in source.seen] == ["1", "2"]
    assert ask(database_url, "SELECT stopped_because FROM meta.windows ORDER BY id DESC LIMIT 1") == ["wholly older"]
    assert ask(database_url, "SELECT count(*) FROM made_raw.posts") == [41]


def test_by_change_brings_old_records_that_changed_and_takes_no_part_in_a_daily_refresh(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(
        tmp_path,
        """
        visits:
          path: /visits
          params: {updated_since: "{{ window.start }}"}
          window: {by: change, time: at, settle: 0d, format: epoch}
          key: [id]
          columns: {id: int, at: timestamptz}
        """,
    )
    source.answer = lambda seen: Reply([{"id": 1, "at": "2001-01-01T00:00:00Z"}])
    assert call("run", "made").code == 0
    assert call("run", "made").code == 0
    assert "updated_since" not in source.seen[0].query
    assert abs(int(source.seen[1].query["updated_since"]) - datetime.now(UTC).timestamp()) < 600
    told = call("run", "made", "--daily-refresh")
    assert told.code == 2
    assert "visits" in told.err


def test_a_hash_is_the_key_of_records_that_have_none(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        """
        notes:
          path: /notes
          key: hash
          missing: delete
          volatile: [served]
          columns: {text: text}
        """,
    )
    notes = [{"text": "a", "n": 1, "served": 1}, {"text": "b"}, {"text": "b"}]
    source.answer = lambda seen: Reply(notes)
    assert call("run", "made").code == 0
    keys = ask(database_url, "SELECT text, _key FROM made_raw.notes ORDER BY 1")
    assert [text for text, _ in keys] == ["a", "b"]
    notes[:] = [{"served": 2, "n": 1, "text": "a"}, {"text": "c"}]
    assert call("run", "made").code == 0
    again = ask(database_url, "SELECT text, _key FROM made_raw.notes ORDER BY 1")
    assert [text for text, _ in again] == ["a", "c"]
    assert again[0] == keys[0], "neither the order of members nor what is volatile makes another record"


def test_the_sources_own_warnings_are_told_and_kept(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        "things: {path: /things, records: items, warnings: 'notices[].text', key: [id], columns: {id: int}}",
    )
    source.answer = lambda seen: Reply({"items": [{"id": 1}], "notices": [{"text": "Some were\nleft out."}, {"n": 1}]})
    told = call("run", "made")
    assert told.code == 0
    assert "things: the source says: Some were left out." in told.said.replace("\n", " ")
    assert ask(database_url, "SELECT warnings FROM meta.windows") == [["Some were left out."]]


@pytest.mark.parametrize("start", [timedelta(0), timedelta(days=3)])
def test_a_window_in_the_path_asks_for_each_day(
    source: Source, tmp_path: Path, database_url: str, start: timedelta
) -> None:
    write_made(
        tmp_path,
        """
        days:
          path: /days/{{ window.start }}
          key: [day]
          window: {step: 1d, settle: 1d, from: 5d, format: date}
          columns: {day: {type: text, path: $window.start}, v: int}
        """,
    )
    source.answer = lambda seen: Reply({"v": 1})
    since = ["--since", f"{datetime.now(UTC) - start:%Y-%m-%d}"] if start else []
    assert call("run", "made", *since).code == 0
    asked = [seen.path.rpartition("/")[2] for seen in source.seen]
    days = start.days if start else 5
    assert sorted(asked) == [f"{datetime.now(UTC) - at * DAY:%Y-%m-%d}" for at in range(days, -1, -1)]
    assert ask(database_url, "SELECT count(*) FROM made_raw.days") == [days + 1]


def test_times_that_are_not_rfc_3339_let_a_day_be_refreshed(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        """
        steps:
          path: /steps
          params: {from: "{{ window.start }}", to: "{{ window.end }}"}
          key: [startTimeMs]
          window: {time: startTimeMs, settle: 1d, format: epoch_ms, from: 9d}
          columns: {startTimeMs: {type: timestamptz, time: epoch_ms}, stepCount: int}
        """,
    )
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    steps = [{"startTimeMs": int((midnight - at * DAY / 4).timestamp() * 1000), "stepCount": at} for at in range(1, 9)]
    source.answer = lambda seen: Reply([one for one in steps if one["startTimeMs"] >= int(seen.query["from"])])
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT min(start_time_ms), sum(step_count) FROM made_raw.steps") == [
        (midnight - 2 * DAY, 36)
    ]
    del steps[0]
    assert call("run", "made", "--daily-refresh").code == 0
    assert ask(database_url, "SELECT step_count FROM made_raw.steps ORDER BY 1") == [2, 3, 4, 5, 6, 7, 8]


def test_what_is_made_of_a_secret_is_shown_as_little_as_the_secret(
    source: Source, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_made(
        tmp_path,
        "things: {path: /things, key: [id], columns: {id: int}}",
        http='headers: {api-secret: "{{ settings.key | sha1 }}"}',
    )
    file.write_text(file.read_text().replace("{url: {}}", "{url: {}, key: {secret: true}}"))
    monkeypatch.setenv("MADE_KEY", "open sesame")
    source.answer = lambda seen: Reply([{"id": 1}])
    assert call("run", "made").code == 0
    hashed = source.seen[0].headers["api-secret"]
    assert hashed == sha1(b"open sesame").hexdigest()
    told = call("preview", "made", "things")
    assert told.code == 0, told.err
    assert hashed not in told.said
    assert "open sesame" not in told.said
