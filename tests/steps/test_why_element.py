"""`hde why` of what a fan-out brought: the request is shown as it was made for the record's own element."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback_made import Reply, Seen, Source, write_made
from run_made import call

RESOURCES = """
people: {path: /people, records: rows, key: [id], columns: {id: bigint, name: text}}
by_value:
  for_each: {resource: people, path: id}
  path: /value/{{ each }}
  records: rows
  key: [person, n]
  columns: {person: {type: bigint, path: $each}, n: int}
by_record:
  for_each: {resource: people}
  path: /record/{{ each.id }}/{{ each.name }}
  records: rows
  key: [name, n]
  columns: {n: int, name: {type: text, path: $each.name}}
by_constant:
  for_each: [{name: a, code: 1}, {name: b, code: 2}]
  path: /constant/{{ each.code }}
  records: rows
  key: [kind, n]
  columns: {n: int, kind: {type: text, path: $each.name}}
by_axes:
  for_each: {who: {resource: people, path: id}, kind: [x, y]}
  path: /axes/{{ each.who }}/{{ each.kind }}
  records: rows
  key: [who, kind, n]
  columns: {n: int, who: {type: bigint, path: $each.who}, kind: {type: text, path: $each.kind}}
by_window:
  for_each: {resource: people, path: name}
  path: /window/{{ each }}
  params: {start: "{{ window.start }}"}
  window: {time: at, settle: 1d, from: 2026-01-01, step: 1000d}
  records: rows
  key: [n]
  columns: {n: int, at: timestamptz, whose: {type: text, path: $each}}
unsaid:
  for_each: {resource: people, path: id}
  path: /unsaid/{{ each }}
  records: rows
  key: [n]
  columns: {n: int}
"""
PEOPLE = [{"id": 1, "name": "ada"}, {"id": 2, "name": "grace"}]


def answer(seen: Seen) -> Reply:
    if seen.path == "/people":
        return Reply({"rows": PEOPLE})
    number = 5 if seen.path.endswith("ada") else 6
    return Reply({"rows": [{"n": number, "at": "2026-01-02T00:00:00Z"}]})


@pytest.mark.parametrize(
    ("record", "each", "request_"),
    [
        ('by_value \'["2","6"]\'', "2", "/value/2"),
        ('by_record \'["grace","6"]\'', '{"id": 2, "name": "grace"}', "/record/2/grace"),
        ('by_constant \'["b","6"]\'', '{"code": 2, "name": "b"}', "/constant/2"),
        ('by_axes \'["1","y","6"]\'', '{"kind": "y", "who": "1"}', "/axes/1/y"),
        ("by_window 6", "grace", "/window/grace?start=2026-01-01T00%3A00%3A00Z"),
        ("unsaid 6", None, "/unsaid/{{ each }}"),
    ],
)
def test_the_request_is_shown_for_the_records_own_element(
    record: str, each: str | None, request_: str, source: Source, tmp_path: Path, database_url: str
) -> None:
    write_made(tmp_path, RESOURCES)
    source.answer = answer
    assert call("run", "made").code == 0
    resource, _, key = record.partition(" ")
    found = call("why", f"made_raw.{resource}", key.strip("'"))
    assert found.code == 0, found.said
    lines = dict(line.split(maxsplit=1) for line in found.out.splitlines() if not line.startswith(" "))
    assert lines["request"].removeprefix(f"GET {source.url}").removeprefix("GET ") == request_
    shown = lines.get("each")
    assert (shown and sorted(shown)) == (each and sorted(each))
