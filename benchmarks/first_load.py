"""How fast a first load is: `hde run` as a process against a page server, raw alone and raw + canonical, and again.

    python benchmarks/first_load.py --records 100000 --size 1000

Prints records per second, the peak memory of `hde run`, and what the same run costs when nothing has changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONNECTORS, MAPPINGS = HERE.parent / "connectors", HERE.parent / "mappings"
CONNECTOR = "whoop"


def prepare(folder: Path, port: int) -> Path:
    """The bundled connector's sleeps alone, without sign-in, from the page server."""
    text = (CONNECTORS / f"{CONNECTOR}.yaml").read_text()
    columns = re.search(r"  sleeps:.*?    columns:\n(.*?)\n\n", text, re.DOTALL)
    assert columns
    connector = folder / "connectors" / "bench.yaml"
    connector.parent.mkdir(parents=True)
    connector.write_text(
        f"""name: bench
http: {{base_url: "http://127.0.0.1:{port}"}}
account: {{path: /me, id: user_id}}
resources:
  sleeps:
    path: /sleeps
    params: {{cursor: "{{{{ page.cursor }}}}", start: "{{{{ window.start }}}}", end: "{{{{ window.end }}}}"}}
    records: records
    pagination: {{kind: cursor, next: next_token}}
    window: {{time: start, settle: 7d}}
    key: [id]
    columns:
{columns[1]}
"""
    )
    mappings = folder / "mappings" / "bench"
    mappings.mkdir(parents=True)
    for name in ("sleeps.yaml", "lookups.yaml"):
        shutil.copy(MAPPINGS / CONNECTOR / name, mappings / name)
    return connector


def hde(home: Path, *arguments: str) -> tuple[float, float]:
    """Seconds and peak MB of one command."""
    environment = {**os.environ, "HDE_HOME": str(home)}
    environment.pop("HDE_DATABASE_URL", None)
    began = time.monotonic()
    command = [sys.executable, "-m", "hde", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"hde {arguments[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    size = ["--records", str(arguments.records), "--size", str(arguments.size)]
    server = subprocess.Popen([sys.executable, str(HERE / "page_server.py"), *size], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = int(server.stdout.readline())
        for _ in range(arguments.runs):
            for options in (["--raw-only"], []):
                measure(arguments.records, port, options)
    finally:
        server.terminate()
        server.wait()


def measure(count: int, port: int, options: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="hde-bench-"))
    folder.chmod(0o755)
    try:
        connector = prepare(folder, port)
        hde(folder / "home", "migrate")  # the database exists before the clock starts
        first, memory = hde(folder / "home", "run", str(connector), *options)
        again, _ = hde(folder / "home", "run", str(connector), "--full", *options)
        what = "raw" if options else "raw + canonical"
        print(f"{what:16} {count / first:8,.0f}/s {first:6.1f} s {memory:5.0f} MB   unchanged again {again:5.1f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
