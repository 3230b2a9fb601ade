"""How fast a large file is read, and in how much memory: `python benchmarks/read_files.py --kind xml`.

A file is made, read by `hde run` into a database of its own, and read again as it was; the peak is the engine's own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = {
    "json": (
        '{"r": [{"id": -1}',
        ', {{"id": {0}, "at": "2026-01-01T00:00:00Z", "value": {0}.50, "note": "{1}"}}',
        "]}",
    ),
    "ndjson": ("", '{{"id": {0}, "at": "2026-01-01T00:00:00Z", "value": {0}.50, "note": "{1}"}}\n', ""),
    "csv": ("id,at,value,note\n", '{0},2026-01-01T00:00:00Z,{0}.50,"{1}"\n', ""),
    "xml": ("<x>", '<r id="{0}" at="2026-01-01T00:00:00Z" value="{0}.50"><note>{1}</note></r>\n', "</x>"),
}
CONNECTOR = """
name: large
files: {{folder: exports}}
resources:
  records:
    files: "*"
    format: {kind}
    {records}
    key: [id]
    columns: {{id: bigint, at: timestamptz, value: numeric}}
"""


def make(folder: Path, kind: str, megabytes: int, note: int) -> int:
    """The connector and its file; how many records are in it."""
    head, record, tail = SHAPES[kind]
    (folder / "connectors").mkdir()
    (folder / "exports").mkdir()
    records = "records: r" if kind in ("json", "xml") else ""
    (folder / "connectors" / "large.yaml").write_text(CONNECTOR.format(kind=kind, records=records))
    text, count, size = "x" * note, 0, 0
    with (folder / "exports" / "large").open("w") as stream:
        stream.write(head)
        while size < megabytes * 1_000_000:
            size += stream.write(record.format(count, text))
            count += 1
        stream.write(tail)
    return count


def run(folder: Path) -> tuple[float, int]:
    """Seconds, and the peak of memory in MB."""
    began = time.monotonic()
    command = [sys.executable, "-m", "hde", "run", "large", "--raw-only", "--json"]
    with subprocess.Popen(command, cwd=folder, env={**os.environ, "HDE_HOME": str(folder / "home")}) as process:
        peak = 0
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
            time.sleep(0.2)
    return time.monotonic() - began, peak // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--kind", choices=SHAPES, default="ndjson")
    parser.add_argument("--note", type=int, default=800, help="characters of a record beside the rest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the database runs as somebody else
        count = make(folder, options.kind, options.megabytes, options.note)
        print(f"{options.kind}: {options.megabytes} MB, {count} records")
        for what in ("first", "again"):
            seconds, peak = run(folder)
            print(f"{what}: {seconds:.1f} s, {count / seconds:.0f} records/s, peak {peak} MB")


if __name__ == "__main__":
    main()
