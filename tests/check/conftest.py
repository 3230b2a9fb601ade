"""A small sound source, `pulse`, that each test breaks in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hde.check.source import check_paths

FILES = {
    "connectors/pulse.yaml": """\
name: pulse
settings:
  key: {secret: true}
  host: {default: https://api.pulse.example}
http:
  base_url: "{{ settings.host }}/v1"
  headers: {Authorization: "Bearer {{ settings.key }}"}
account: {path: /me, id: id, keep: {zone: timezone}}
shared:
  listing:
    params: {from: "{{ window.start }}", to: "{{ window.end }}", after: "{{ page.cursor }}"}
    records: items
    pagination: {kind: cursor, next: next}
    window: {time: begin, step: 30d, settle: 3d}
resources:
  nights:
    like: listing
    path: /nights
    key: [id]
    missing: delete
    columns:
      id: uuid
      begin: timestamptz
      score.total: float
  readings:
    like: listing
    path: /readings
    key: [id]
    window: {time: {from: nights, key: night_id, column: begin}}
    columns:
      id: bigint
      night_id: uuid
      values.hrv: float
    volatile: [served_at]
  body:
    path: /users/{{ account.id }}/body
    key: []
    observe: true
    columns:
      kilograms: float
      zone: {type: text, path: $account.zone}
  streams:
    path: /streams
    records: items
    key: [id]
    columns:
      id: bigint
      begin: timestamptz
""",
    "mappings/pulse/lookups.yaml": """\
status: {done: final, open: pending}
""",
    "mappings/pulse/nights.yaml": """\
from: nights
columns:
  start_time: begin
  state: {path: status, lookup: status}
to:
  sleep_sessions:
    columns:
      end_time: end
      utc_offset: offset
      is_nap: {const: false}
      asleep: {path: score.asleep, unit: min}
      efficiency: {path: score.total, unit: "%"}
      cycles: score.cycles
ignore: {score.raw: for the maker only}
""",
    "mappings/pulse/readings.yaml": """\
from: readings
with:
  night: {from: nights, key: night_id}
columns:
  start_time: $night.begin
  state: {const: final}
to:
  biometrics_vitals:
    when: values
    rows:
      hrv_sdnn:
        method: {const: SDNN}
        value: {path: values.hrv, unit: ms}
      spo2: {value: {first: [values.oxygen, values.spo2], unit: "%", optional: true}}
      noted:
        when: kind
        metric: {path: kind, lookup: {skin: skin_temperature, core: body_temperature}, unknown: skip}
        value: {path: values.degrees, unit: Cel}
ignore: {served_at: when the answer was made, device: not a measurement}
""",
    "mappings/pulse/body.yaml": """\
from: body
columns: {start_time: $row.observed_at}
to:
  biometrics_vitals:
    rows:
      weight: {value: {path: kilograms, unit: kg}}
""",
    "mappings/pulse/streams.yaml": """\
from: streams
columns: {start_time: begin}
to:
  biometrics_vitals:
    rows:
      heart_rate:
        each: beats
        start_time: {path: $parent.begin, plus: {path: $parent.step, unit: s, times: $index}}
        value: {path: "@", unit: {path: $parent.unit}}
      weight:
        each: {zip: {at: scale.times, kg: scale.values}}
        key: at
        start_time: {path: at, time: epoch}
        value: {path: kg, unit: g, exponent: $parent.scale.power}
  workouts:
    each: {entries: laps}
    when: value.energy
    columns:
      source_sport: key
      energy: {path: value.energy, unit: kJ}
""",
    "mappings/pulse/tests/nights.yaml": """\
mapping: nights
tests:
  - title: a night is a sleep
    given: night
    expect:
      sleep_sessions: [{asleep: 26400, is_nap: false}]
""",
    "mappings/pulse/fixtures/nights/night.json": """\
{"id": "0d0e6c1a-0000-4000-8000-000000000001", "begin": "2026-01-01T22:00:00Z",
 "end": "2026-01-02T06:00:00Z", "offset": "+01:00", "status": "done",
 "score": {"total": 88.5, "asleep": 440, "cycles": 4, "raw": [1, 2]}}
""",
    "mappings/pulse/fixtures/nights/pending.json": """\
{"id": "0d0e6c1a-0000-4000-8000-000000000002", "begin": "2026-01-02T22:00:00Z",
 "end": null, "offset": "+01:00", "status": "open", "score": null}
""",
    "mappings/pulse/fixtures/readings/full.json": """\
{"id": 7, "night_id": "0d0e6c1a-0000-4000-8000-000000000001",
 "kind": "skin", "served_at": "2026-01-02T07:00:00Z", "device": [{"serial": "a"}],
 "values": {"hrv": 61.5, "oxygen": 97, "spo2": 97, "degrees": 33.1}}
""",
    "mappings/pulse/fixtures/streams/run.json": """\
{"id": 3, "begin": "2026-01-02T10:00:00+00:00", "step": 60, "unit": "bpm", "beats": [60, null, 62],
 "scale": {"times": [1767348000, 1767348060], "values": [705, 706], "power": 2},
 "laps": {"up": {"energy": 100}, "down": {"energy": 50}}}
""",
    "mappings/pulse/fixtures/body/measured.json": """\
{"kilograms": 70.5}
""",
}


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sound source in it, the current folder of the test."""
    for name, content in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def complaints(pulse: Path) -> Callable[[str, str | None, str], list[str]]:
    """All complaints after `old` became `new` in one file; without `old`, after a file became `new` as a whole."""

    def change(name: str, old: str | None, new: str) -> list[str]:
        file = pulse / name
        if old is None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(new, encoding="utf-8")
            return [str(problem) for problem in check_paths([])]
        content = file.read_text(encoding="utf-8")
        assert old in content, f"{old!r} is not in {name}"
        file.write_text(content.replace(old, new, 1), encoding="utf-8")
        found = check_paths([])
        return [str(problem) for problem in found]

    return change
