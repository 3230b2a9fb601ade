"""A first load that is killed near its end, and what the run after it asks for again.

    python3 -m benchmarks.resume --records 1000000 --kill-at 900000

Prints when it was killed, how many pages were asked for twice, and whether every record is there.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(TOP / "engine"), str(TOP)]
from benchmarks import postgres  # noqa: E402 - found by the line above
from benchmarks.entries import ENTRIES, Entry  # noqa: E402
from benchmarks.race import Course, page_server  # noqa: E402

STORED = "SELECT coalesce(sum(new), 0)::bigint FROM meta.windows"


@dataclass(frozen=True)
class Resumed:
    """Records stored when it was killed and in the end; pages that were asked for, of how many there are."""

    killed_at: int
    stored: int
    pages: int
    asked: int

    @property
    def again(self) -> int:
        """Pages asked for more than once."""
        return self.asked - self.pages


def resume(entry: Entry, records: int, size: int, kill_at: int) -> Resumed:
    """Load, kill at `kill_at` stored records, load on."""
    pages = (records + size - 1) // size
    with page_server(Course(records, size)) as source, postgres.running() as server:
        work = server.home / "work"
        entry.install(work, server)
        entry.prepare(work, server, source)
        command = entry.command(sys.executable, "load", work, server, source)
        environment = entry.environment(work, server)
        killed_at = _killed(command, environment, server, kill_at)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with urllib.request.urlopen(f"{source.url}/stats") as answer:
            asked = int(json.load(answer)["requests"])
        stored = int(str(server.value("SELECT count(*) FROM bench_raw.sleeps")))
    return Resumed(killed_at, stored, pages, asked - 2)  # each of the two asks once whose records they are


def _killed(command: Sequence[str], environment: Mapping[str, str], server: postgres.Server, at: int) -> int:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while int(str(server.value(STORED))) < at:
            if process.poll() is not None:
                sys.exit("it ended before it was killed: give it more records")
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return int(str(server.value(STORED)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--kill-at", type=int, default=900_000)
    options = parser.parse_args()
    found = resume(ENTRIES["hde_raw"], options.records, options.size, options.kill_at)
    print(f"killed with {found.killed_at:,} of {options.records:,} records stored; in the end {found.stored:,}")
    print(f"{found.pages:,} pages, {found.again} of them asked for twice")


if __name__ == "__main__":
    main()
