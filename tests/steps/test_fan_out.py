"""`for_each`: what is asked for whom, how often, and what happens to whom when something fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from loopback_made import Reply, Seen, Source, write_made
from run_made import ask, call, do

from hde.store.database import Database

CHILDREN = """
people: {path: /people, records: people, key: [id], missing: delete, columns: {id: int, name: text}}
readings:
  for_each: {resource: people, path: id}
  path: /people/{{ each }}/readings
  records: readings
  key: [person, id]
  columns: {person: {type: int, path: $each}, id: int, v: int}
"""


class People:
    """People, and the readings of each; whoever is in `broken` cannot be read."""

    def __init__(self, source: Source, *ids: int) -> None:
        self.source = source
        self.people: list[dict[str, Any]] = [{"id": one, "name": f"n{one}"} for one in ids]
        self.readings: dict[int, list[dict[str, Any]]] = {one: [{"id": 1, "v": one}] for one in ids}
        self.broken: set[int] = set()
        source.answer = self.answer

    def answer(self, seen: Seen) -> Reply:
        parts = seen.path.strip("/").split("/")
        if parts == ["people"]:
            return Reply({"people": self.people})
        number = int(parts[1])
        if number in self.broken:
            return Reply({"error": "no"}, status=400)
        return Reply({parts[2]: self.readings[number]})

    def asked(self) -> list[str]:
        """Paths of children since the last look, sorted."""
        found = sorted(seen.path for seen in self.source.seen if seen.path != "/people")
        self.source.seen.clear()
        return found


def paths(*ids: int) -> list[str]:
    return [f"/people/{one}/readings" for one in ids]


def test_a_child_is_fetched_once_per_new_or_changed_parent(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CHILDREN)
    api = People(source, 1, 2, 3)
    assert call("run", "made").code == 0
    assert api.asked() == paths(1, 2, 3)
    assert ask(database_url, "SELECT person, v FROM made_raw.readings ORDER BY 1") == [(1, 1), (2, 2), (3, 3)]
    assert call("run", "made").code == 0
    assert api.asked() == []
    api.people[1]["name"] = "another"
    api.people.append({"id": 4, "name": "n4"})
    api.readings[4] = [{"id": 1, "v": 4}]
    assert call("run", "made").code == 0
    assert api.asked() == paths(2, 4)
    assert call("run", "made", "--full").code == 0
    assert api.asked() == paths(1, 2, 3, 4)


def test_a_parent_that_fails_holds_up_nobody_and_is_asked_for_again(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, CHILDREN)
    api = People(source, 1, 2, 3)
    api.broken = {2}
    first = call("run", "made")
    assert first.code == 1
    assert "readings" in first.out
    assert api.asked() == paths(1, 2, 3)
    assert ask(database_url, "SELECT queue FROM meta.owed_records") == ["for_each:readings"]
    assert call("run", "made").code == 1
    assert api.asked() == paths(2)
    api.broken = set()
    assert call("run", "made").code == 0
    assert api.asked() == paths(2)
    assert ask(database_url, "SELECT count(*) FROM meta.owed_records") == [0]
    assert call("run", "made").code == 0
    assert api.asked() == []


def test_a_parent_that_vanished_owes_nothing(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CHILDREN)
    api = People(source, 1, 2)
    api.broken = {2}
    assert call("run", "made").code == 1
    api.people.pop()
    api.asked()
    assert call("run", "made").code == 0
    assert api.asked() == []
    assert ask(database_url, "SELECT count(*) FROM meta.owed_records") == [0]


def test_an_interrupted_run_goes_on_where_it_was(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CHILDREN, http="parallel: 1")
    api = People(source, *range(1, 31))
    usual = api.answer

    def signed_out_after_ten(seen: Seen) -> Reply:
        count = sum(one.path != "/people" for one in source.seen)
        return Reply(status=401) if count > 10 else usual(seen)

    source.answer = signed_out_after_ten
    assert call("run", "made").code == 3
    assert 11 <= len(api.asked()) < 20
    source.answer = usual
    assert call("run", "made").code == 0
    again = api.asked()
    assert 20 <= len(again) < 30, "what was stored is not fetched again"
    assert ask(database_url, "SELECT count(*) FROM made_raw.readings") == [30]


def test_children_of_children_and_every_combination(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        """
        people: {path: /people, records: people, key: [id], columns: {id: int}}
        devices:
          for_each: {resource: people, path: id}
          path: /people/{{ each }}/devices
          records: devices
          key: [serial]
          columns: {serial: text, owner: {type: int, path: $each}}
        samples:
          for_each: {device: {resource: devices, path: serial}, kind: [pulse, steps]}
          path: /devices/{{ each.device }}
          params: {kind: "{{ each.kind }}"}
          records: samples
          key: [device, kind, n]
          columns: {device: {type: text, path: $each.device}, kind: {type: text, path: $each.kind}, n: int}
        """,
    )

    def answer(seen: Seen) -> Reply:
        match seen.path.strip("/").split("/"):
            case ["people"]:
                return Reply({"people": [{"id": 1}, {"id": 2}]})
            case ["people", number, "devices"]:
                return Reply({"devices": [{"serial": f"s{number}"}]})
        return Reply({"samples": [{"n": 1}, {"n": 2}]})

    source.answer = answer
    assert call("run", "made").code == 0
    found = ask(database_url, "SELECT DISTINCT device, kind FROM made_raw.samples ORDER BY 1, 2")
    assert found == [("s1", "pulse"), ("s1", "steps"), ("s2", "pulse"), ("s2", "steps")]
    assert ask(database_url, "SELECT count(*) FROM made_raw.samples") == [8]


def test_a_reference_is_followed_once_however_many_records_hold_it(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(
        tmp_path,
        """
        orders: {path: /orders, records: orders, key: [id], columns: {id: int}}
        drugs:
          for_each: {resource: orders, path: "[drug.reference][?@] | [?!starts_with(@, '#')]"}
          path: "{{ each }}"
          key: [reference]
          columns: {reference: {type: text, path: $each}, name: text}
        """,
    )
    references = [
        "Drug/a",
        "Drug/b",
        "Drug/a",
        "#inside",
        None,
        f"{source.url}/Drug/c",
        "http://elsewhere.example/Drug/d",
    ]
    orders = [{"id": at, "drug": {"reference": one}} for at, one in enumerate(references)]

    def answer(seen: Seen) -> Reply:
        return Reply({"orders": orders}) if seen.path == "/orders" else Reply({"name": seen.path[-1]})

    source.answer = answer
    told = call("run", "made")
    assert told.code == 1, "a reference to another origin is refused, and owed"
    assert "another origin" in told.out
    assert sorted(seen.path for seen in source.seen) == ["/Drug/a", "/Drug/b", "/Drug/c", "/orders"]
    found = ask(database_url, "SELECT reference, name FROM made_raw.drugs ORDER BY 2")
    assert found == [("Drug/a", "a"), ("Drug/b", "b"), (f"{source.url}/Drug/c", "c")]


def test_the_record_itself_is_the_element_without_a_path(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        """
        people: {path: /people, records: people, key: [id], columns: {id: int}}
        readings:
          for_each: {resource: people}
          method: POST
          path: /of/{{ each.where.country }}
          json: {person: "{{ each.id }}"}
          key: [person]
          columns: {person: {type: int, path: $each.id}, v: int}
        """,
    )
    people = [{"id": 1, "where": {"country": "at"}}, {"id": 2, "where": {"country": "a/b"}}]
    source.answer = lambda seen: Reply({"people": people} if seen.path == "/people" else {"v": len(seen.path)})
    assert call("run", "made").code == 0
    asked = sorted((seen.path, json.loads(seen.body)["person"]) for seen in source.seen if seen.method == "POST")
    assert asked == [("/of/a%2Fb", 2), ("/of/at", 1)]
    assert ask(database_url, "SELECT person FROM made_raw.readings ORDER BY 1") == [1, 2]


CONSTANTS = """
marks:
  for_each: [low, high]
  path: /marks
  params: {kind: "{{ each }}", start: "{{ window.start }}", end: "{{ window.end }}"}
  records: marks
  key: [id]
  window: {time: at, step: 30d, settle: 1d, from: 50d}
  columns: {id: int, kind: {type: text, path: $each}, at: timestamptz}
"""


def test_coverage_is_kept_for_each_element(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CONSTANTS)
    source.answer = lambda seen: Reply({"marks": []})
    assert call("run", "made").code == 0
    first = [seen.query["kind"] for seen in source.seen]
    assert first.count("low") == first.count("high") > 1
    source.seen.clear()
    assert call("run", "made").code == 0
    assert sorted(seen.query["kind"] for seen in source.seen) == ["high", "low"], "only what is unsettled"
    write_made(tmp_path, CONSTANTS.replace("[low, high]", "[low, middle]"))
    source.seen.clear()
    assert call("run", "made").code == 0
    kinds = [seen.query["kind"] for seen in source.seen]
    assert (kinds.count("low"), kinds.count("middle")) == (1, first.count("low")), "history of the new element only"
    assert ask(database_url, "SELECT parent FROM meta.streams ORDER BY 1") == ["low", "middle"]


def test_maps_of_constants(source: Source, tmp_path: Path, database_url: str) -> None:
    each = "[{kind: low, unit: mg}, {kind: high, unit: null}]"
    text = CONSTANTS.replace("[low, high]", each).replace('"{{ each }}"', '"{{ each.kind }}", unit: "{{ each.unit }}"')
    write_made(tmp_path, text.replace("$each", "$each.kind"))
    source.answer = lambda seen: Reply({"marks": []})
    assert call("run", "made").code == 0
    assert {(seen.query["kind"], seen.query.get("unit")) for seen in source.seen} == {("low", "mg"), ("high", None)}


WINDOWED = """
people: {path: /people, records: people, key: [id], columns: {id: int}}
days:
  for_each: {resource: people, path: id}
  path: /people/{{ each }}/days
  params: {start: "{{ window.start }}", end: "{{ window.end }}"}
  records: days
  key: [person, id]
  window: {time: at, step: 30d, settle: 1d, from: 20d}
  columns: {person: {type: int, path: $each}, id: int, at: timestamptz}
"""


def test_with_a_window_every_parent_is_asked_each_time_for_what_it_owes(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, WINDOWED)
    api = People(source, 1, 2)
    api.readings = {one: [] for one in range(9)}
    assert call("run", "made").code == 0
    assert set(api.asked()) == {"/people/1/days", "/people/2/days"}
    api.people.append({"id": 3})
    api.broken = {1}
    assert call("run", "made").code == 1
    assert set(api.asked()) == {"/people/1/days", "/people/2/days", "/people/3/days"}
    spans = ask(
        database_url, "SELECT parent, now() - lower(covered) > '19 days' FROM meta.streams WHERE resource = 'days'"
    )
    assert sorted(spans) == [("1", True), ("2", True), ("3", True)]
    do(database_url, "DELETE FROM made_raw.people WHERE id = 2")
    assert call("run", "made", "days").code == 1
    kept = ask(database_url, "SELECT parent FROM meta.streams WHERE resource = 'days' ORDER BY 1")
    assert kept == ["1", "3"], "an element that is gone owes nothing"


def test_a_daily_refresh_replaces_the_day_of_every_element(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, WINDOWED)
    api = People(source, 1, 2)
    (noon,) = ask(
        database_url, "SELECT to_char(date_trunc('day', now()) - interval '12 hours', 'YYYY-MM-DD\"T\"HH24:MI:SSZ')"
    )
    api.readings = {one: [{"id": 1, "at": noon}, {"id": 2, "at": noon}] for one in (1, 2)}
    assert call("run", "made").code == 0
    api.readings[2].pop()
    assert call("run", "made", "--daily-refresh").code == 0
    assert ask(database_url, "SELECT person, id FROM made_raw.days ORDER BY 1, 2") == [(1, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize("missing", ["low", "high", "both"])
def test_constants_are_one_scope_of_deletion(source: Source, tmp_path: Path, database_url: str, missing: str) -> None:
    write_made(
        tmp_path,
        """
        marks:
          for_each: [low, high]
          path: /marks/{{ each }}
          key: [id]
          missing: delete
          columns: {id: int}
        """,
    )
    held = {"low": [{"id": 1}, {"id": 2}], "high": [{"id": 2}, {"id": 3}]}
    source.answer = lambda seen: Reply(held[seen.path.split("/")[-1]])
    assert call("run", "made").code == 0
    for kind in ("low", "high") if missing == "both" else (missing,):
        held[kind] = [one for one in held[kind] if one["id"] != 2]
    assert call("run", "made").code == 0
    left = [1, 3] if missing == "both" else [1, 2, 3]
    assert ask(database_url, "SELECT id FROM made_raw.marks ORDER BY 1") == left, "one that another element holds stays"


def test_an_element_that_could_not_be_read_deletes_nothing(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(
        tmp_path,
        "marks: {for_each: [low, high], path: '/{{ each }}', key: [id], missing: delete, columns: {id: int}}",
    )
    held = {"/low": Reply([{"id": 1}]), "/high": Reply([{"id": 2}])}
    source.answer = lambda seen: held[seen.path]
    assert call("run", "made").code == 0
    held["/low"], held["/high"] = Reply([]), Reply(status=400)
    assert call("run", "made").code == 1
    assert ask(database_url, "SELECT id FROM made_raw.marks ORDER BY 1") == [1, 2]


@pytest.mark.parametrize("broken", ["low", "high"])
def test_a_span_of_which_one_element_failed_is_judged_when_all_of_it_was_read(
    source: Source, tmp_path: Path, database_url: str, broken: str
) -> None:
    write_made(
        tmp_path,
        CONSTANTS.replace("key: [id]", "key: [id]\n  missing: delete").replace("step: 30d, settle: 1d", "settle: 0d"),
        http="parallel: 1",
    )
    (at,) = ask(database_url, "SELECT to_char(now() - interval '9 days', 'YYYY-MM-DD\"T\"HH24:MI:SSZ')")
    held = {"low": [{"id": 1, "at": at}], "high": [{"id": 2, "at": at}]}
    failing: set[str] = set()
    source.answer = lambda seen: (
        Reply(status=400) if seen.query["kind"] in failing else Reply({"marks": held[seen.query["kind"]]})
    )
    assert call("run", "made").code == 0
    held["high" if broken == "low" else "low"].clear()
    failing.add(broken)
    assert call("run", "made", "--full").code == 1
    do(database_url, "UPDATE meta.streams SET covered = '{}'")  # as after a first run that failed so
    assert call("run", "made").code == 1
    failing.clear()
    assert call("run", "made").code == 0
    left = ask(database_url, "SELECT kind FROM made_raw.marks")
    assert left == [broken], "what vanished meanwhile is gone, whichever failed"


def test_what_a_parent_no_longer_holds_is_deleted_by_its_key(source: Source, tmp_path: Path, database_url: str) -> None:
    write_made(tmp_path, CHILDREN.replace("records: readings", "records: readings\n  missing: delete"))
    api = People(source, 1, 2)
    api.readings = {one: [{"id": 1, "v": 1}, {"id": 2, "v": 2}] for one in (1, 2)}
    assert call("run", "made").code == 0
    api.readings[1].pop()
    api.people[0]["name"] = "changed"
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT person, id FROM made_raw.readings ORDER BY 1, 2") == [(1, 1), (2, 1), (2, 2)]


def test_elements_are_read_in_batches_and_marked_as_they_are_done(
    source: Source, tmp_path: Path, database_url: str, database: Database
) -> None:
    write_made(tmp_path, CHILDREN)
    api = People(source, *range(1, 1201))
    assert call("run", "made").code == 0
    assert len(api.asked()) == 1200
    with database.connection() as connection:
        marks = connection.execute(
            "SELECT seq = (SELECT max(_seq) FROM made_raw.people) FROM meta.consumers"
            " WHERE mapping = 'for_each:readings'"
        ).fetchall()
    assert marks == [(True,)]
    assert ask(database_url, "SELECT count(*) FROM meta.streams WHERE resource = 'readings'") == [1], "one for all"


def test_a_child_whose_answer_changes_by_itself_is_read_again_in_every_run(
    source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, CHILDREN.replace("path: id}", "path: id, again: true}"))
    api = People(source, 1, 2)
    assert call("run", "made").code == 0
    api.readings[2] = [{"id": 2, "v": 9}]
    api.asked()
    assert call("run", "made").code == 0
    assert api.asked() == paths(1, 2)
    assert ask(database_url, "SELECT person, id FROM made_raw.readings ORDER BY 1, 2") == [(1, 1), (2, 1), (2, 2)]
    api.people.pop()
    assert call("run", "made").code == 0
    assert ask(database_url, "SELECT parent FROM meta.streams WHERE resource = 'readings'") == ["1"]
