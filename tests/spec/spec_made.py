"""A small sound source, `demo`, and what the spec wing says when it is broken in one place."""

from __future__ import annotations

from pathlib import Path

from hde.spec.load import Source, read_source
from hde.spec.problem import Problems
from hde.spec.yaml_file import YamlFile, parse_yaml

CONNECTOR = """\
name: demo
settings:
  key: {secret: true}
http:
  base_url: https://api.example.com
  headers: {Authorization: "Bearer {{ settings.key }}"}
  rate_limits: [{requests: 100, per: 1m}]
shared:
  list:
    records: items
    pagination: {kind: cursor, next: next}
    window: {time: start, settle: 7d}
resources:
  sleeps:
    like: list
    path: /sleeps
    params: {from: "{{ window.start }}", cursor: "{{ page.cursor }}"}
    key: [id]
    columns:
      id: uuid
      start: timestamptz
  naps:
    like: list
    path: /naps
    params: {from: "{{ window.start }}", cursor: "{{ page.cursor }}"}
    key: [id]
    columns: {id: uuid, start: timestamptz}
  body:
    path: /body
    key: []
    columns: {weight: float}
"""
MAPPING = """\
from: sleeps
with: {other: {from: body, key: other.id}}
columns:
  start_time: start
  state: {path: score_state, lookup: state}
to:
  sleep_sessions:
    columns:
      is_nap: nap
      asleep: {sum: [a, b], unit: ms}
  biometrics_vitals:
    rows:
      spo2:
        when: score
        value: {path: score.spo2, unit: "%", optional: true}
ignore: {id: the key}
"""
LOOKUPS = "state: {A: final}\n"


def write(folder: Path, *, connector: str = CONNECTOR, mapping: str = MAPPING, lookups: str = LOOKUPS) -> Path:
    """The source below `folder`; returns the connector's file."""
    files = {
        "connectors/demo.yaml": connector,
        "mappings/demo/sleeps.yaml": mapping,
        "mappings/demo/lookups.yaml": lookups,
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "connectors" / "demo.yaml"


def read(folder: Path, **texts: str) -> tuple[Source | None, list[str]]:
    """The source and its complaints, without the folder and with the file's name only."""
    source, problems = read_source(write(folder, **texts), folder / "mappings" / "demo")
    return source, [str(problem).replace(f"{Path(problem.file).parent}/", "") for problem in problems]


def read_yaml(file: Path) -> YamlFile:
    """Read one file; Problems has everything that is wrong with it as YAML."""
    found, problems = parse_yaml(file)
    if found is None or problems:
        raise Problems(problems)
    return found


def changed(text: str, old: str, new: str) -> str:
    assert old in text, f"{old!r} is not there"
    return text.replace(old, new, 1)
