"""The connectors and mappings that hde takes part with: sleeps of the page server, made from the bundled ones."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Literal

Kind = Literal["plain", "mapped", "whoop"]
TOP = Path(__file__).resolve().parents[1]
BUNDLED = "whoop"
PER_MINUTE = 100_000
"""The budget that is declared: every request is counted ahead against it."""
PLAIN = """\
      id: uuid
      start: timestamptz
      end: timestamptz
      updated_at: timestamptz
      timezone_offset: text
"""
CONNECTOR = """\
name: bench
http:
  base_url: "{url}"
  rate_limits: [{{requests: {per_minute}, per: 1m}}]
  parallel: 8
account: {{path: /me, id: user_id}}
resources:
  sleeps:
    path: /sleeps
    params: {{cursor: "{{{{ page.cursor }}}}", start: "{{{{ window.start }}}}", end: "{{{{ window.end }}}}"}}
    records: records
    pagination: {{kind: cursor, next: next_token}}
    window: {{time: start, settle: 7d{steps}}}
    key: [id]
    columns:
{columns}
"""
MAPPING = """\
from: sleeps
columns:
  start_time: start
  end_time: end
  utc_offset: timezone_offset
  state: {path: score_state, lookup: score_state}
to:
  sleep_sessions:
    columns:
      is_nap: nap
      in_bed: {path: score.stage_summary.total_in_bed_time_milli, unit: ms}
      awake: {path: score.stage_summary.total_awake_time_milli, unit: ms}
      light: {path: score.stage_summary.total_light_sleep_time_milli, unit: ms}
      deep: {path: score.stage_summary.total_slow_wave_sleep_time_milli, unit: ms}
      rem: {path: score.stage_summary.total_rem_sleep_time_milli, unit: ms}
      cycles: score.stage_summary.sleep_cycle_count
      disturbances: score.stage_summary.disturbance_count
      efficiency: {path: score.sleep_efficiency_percentage, unit: "%"}
      respiratory_rate: {path: score.respiratory_rate, unit: /min}
"""


def write(folder: Path, kind: Kind, url: str, begin: str, step_days: int, in_windows: bool) -> None:
    """`connectors/bench.yaml` and `mappings/bench` in `folder`."""
    connector, mappings = folder / "connectors" / "bench.yaml", folder / "mappings" / "bench"
    connector.parent.mkdir(parents=True)
    mappings.mkdir(parents=True)
    steps = f', from: "{begin}", step: {step_days}d' if in_windows else ""
    columns = _bundled_columns() if kind == "whoop" else PLAIN
    connector.write_text(CONNECTOR.format(url=url, per_minute=PER_MINUTE, steps=steps, columns=columns))
    if kind == "mapped":
        (mappings / "sleeps.yaml").write_text(MAPPING)
    elif kind == "whoop":
        shutil.copy(TOP / "mappings" / BUNDLED / "sleeps.yaml", mappings)
    if kind != "plain":
        shutil.copy(TOP / "mappings" / BUNDLED / "lookups.yaml", mappings)


def _bundled_columns() -> str:
    text = (TOP / "connectors" / f"{BUNDLED}.yaml").read_text()
    found = re.search(r"  sleeps:.*?    columns:\n(.*?)\n\n", text, re.DOTALL)
    assert found, "the bundled connector has sleeps with columns"
    return found[1]
