"""Small connectors of every kind of pagination and window, each with a fixture or two, to be kept or broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESOURCES = {
    "by_offset": """
    path: /offset
    params: {skip: "{{ page.offset }}", after: "{{ window.start }}", before: "{{ window.end }}"}
    records: data.items
    pagination: {kind: offset, total: {header: X-Total}}
    window: {time: at, settle: 1d, step: 60d, from: 2020-01-01, format: epoch_ms}
    key: [id]
    columns: {id: bigint, at: timestamptz, day: date, v: float}
""",
    "by_link": """
    path: "/people/{{ account.id }}/link"
    params: {from: "{{ window.start }}", to: "{{ window.end }}"}
    pagination: {kind: link_header}
    window: {time: day, settle: 1d, step: 30d, format: date, end: inclusive}
    key: [id]
    columns: {id: text, day: date, v: float}
""",
    "by_body": """
    path: /search
    method: POST
    json: {filter: {since: "{{ window.start }}", until: "{{ window.end }}"}, cursor: "{{ page.cursor }}", size: 40}
    records: "result[].resource"
    pagination: {kind: cursor, next: meta.next}
    window: {time: at, settle: 1d, step: 90d, widen: {before: 2d, after: 1d}}
    key: [id]
    columns: {id: uuid, at: timestamptz, v: float}
""",
    "by_page": """
    path: /numbered
    params: {page: "{{ page.number }}", per: "{{ page.size }}"}
    records: rows
    pagination: {kind: page, first: 0, size: 20, stop: short}
    key: [id, kind]
    columns: {id: int, kind: text, at: timestamptz, v: float}
""",
    "by_url": """
    path: /linked
    params: {updated: "between {{ window.start }} and {{ window.end }}"}
    records: entry
    pagination: {kind: url, next: links.next}
    window: {time: at, settle: 0d, step: 45d, from: 2021-01-01}
    key: [id]
    columns: {id: bigint, at: timestamptz, v: float}
""",
    "by_day": """
    path: /days
    params: {date: "{{ window.start }}"}
    records: records
    window: {time: day, settle: 1d, step: 1d, from: 2025-01-01, format: date}
    key: [day]
    columns: {day: date, v: float}
""",
    "by_element": """
    for_each: [red, green]
    path: "/shelves/{{ each }}"
    records: records
    pagination: {kind: cursor, next: next}
    params: {at: "{{ page.cursor }}"}
    key: [id, shelf]
    columns: {id: int, at: timestamptz, v: float, shelf: {type: text, path: $each}}
""",
    "by_bookmark": """
    path: /changes
    params: {since: "{{ bookmark }}", page: "{{ page.cursor }}"}
    records: changed
    bookmark: {next: mark}
    pagination: {kind: cursor, next: next}
    key: [id]
    columns: {id: int, at: timestamptz, v: float}
""",
    "newest_first": """
    path: /feed
    params: {page: "{{ page.cursor }}"}
    records: items
    pagination: {kind: cursor, next: next}
    window: {time: at, settle: 1d, order: newest_first}
    key: [id]
    columns: {id: int, at: timestamptz, v: float}
""",
    "by_line": """
    path: /lines
    format: ndjson
    params: {from: "{{ window.start }}", to: "{{ window.end }}"}
    window: {time: at, settle: 1d, step: 90d}
    key: hash
    missing: delete
    columns: {at: timestamptz, v: float}
""",
}
IDS: dict[str, list[Any]] = {
    "by_link": ["a", "b"],
    "by_url": [2**40, 2**40 + 1],
    "by_day": [1],
    "by_body": ["6f1c1c1e-0000-4000-8000-000000000001", "6f1c1c1e-0000-4000-8000-000000000002"],
}
MAPPING = """
from: {resource}
to:
  biometrics_vitals:
    rows:
      weight: {{start_time: {time}, value: {{path: v, unit: kg}}}}
ignore: {{{ignored}}}
"""


def write_source(folder: Path, *resources: str, change: tuple[str, str] = ("", ""), name: str = "made") -> Path:
    """A connector with these resources, changed in one place, and its mappings and fixtures."""
    text = "\n".join(f"  {resource}:{RESOURCES[resource]}" for resource in resources)
    assert change[0] in text
    file = folder / "connectors" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"name: {name}\nsettings: {{key: {{secret: true}}}}\n"
        'http: {base_url: "https://made.example", headers: {X-Key: "{{ settings.key }}"}}\n'
        f"account: {{path: /me, id: id}}\nresources:\n{text.replace(*change, 1)}"
    )
    for resource in resources:
        write_records(folder / "mappings" / name, resource)
    return file


def write_records(mappings: Path, resource: str) -> None:
    fixtures = mappings / "fixtures" / resource
    fixtures.mkdir(parents=True, exist_ok=True)
    for number, identity in enumerate(IDS.get(resource, [11, 12])):
        at = f"2024-03-0{number + 1}T0{number + 6}:30:00+02:00"
        record = {"id": identity, "at": at, "day": at[:10], "v": 70.5 + number, "kind": "x"}
        used = {name: value for name, value in record.items() if f"{name}:" in RESOURCES[resource].split("columns:")[1]}
        (fixtures / f"record_{number}.json").write_text(json.dumps(used))
    names = RESOURCES[resource].split("columns: {")[1].split("}")[0]
    time = "at" if "at:" in names else "{path: day, time: '%Y-%m-%d', zone: $account.zone}"
    ignored = ", ".join(f"{name}: no place" for name in ("id", "kind", "day") if f"{name}:" in names and name != time)
    if "at:" in names:
        (mappings / f"{resource}.yaml").write_text(MAPPING.format(resource=resource, time=time, ignored=ignored))
