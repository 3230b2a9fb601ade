#!/usr/bin/env python3
"""hde beside what people would otherwise use: the same records, the same machine, one after the other.

    python3 benchmarks/run.py                        every scenario, into benchmarks/results.md (about an hour)
    python3 benchmarks/run.py load --size 1000       one of them; --only hde_raw,hand_fast for some contestants

`load`: a first load, large and small pages. `latency`: 50 ms before each answer, eight windows of time. `again`: the
same once more, and only what is new. `growth`: ever more records, drawn in docs/growth.svg.

Needs Linux, and Python 3.11 or later.
"""

from __future__ import annotations

import argparse
import platform
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent / "engine"), str(HERE.parent)]
from benchmarks import venvs  # noqa: E402 - found by the line above

if __name__ == "__main__" and not venvs.engine_at_hand():
    venvs.begin_again_with_the_engine()

import hde  # noqa: E402
from benchmarks import chart, results, shapes  # noqa: E402
from benchmarks.entries import ENTRIES  # noqa: E402
from benchmarks.race import Course, Outcome, race  # noqa: E402


@dataclass(frozen=True)
class Scenario:
    records: tuple[int, ...]
    sizes: tuple[int, ...]
    latency: float = 0.0
    windows: bool = False
    phases: tuple[str, ...] = ("load",)


SCENARIOS = {
    "load": Scenario((100_000,), (1_000, 25)),
    "latency": Scenario((10_000,), (25,), 0.05, windows=True),
    "again": Scenario((100_000,), (1_000,), phases=("load", "again", "new")),
    "growth": Scenario((10_000, 100_000, 1_000_000), (1_000,)),
}
GROWING = ("hde_raw", "hde_canonical")
"""Who takes part in `growth` when nobody is named."""


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--records", type=numbers, help="how many; several with commas")
    parser.add_argument("--size", type=numbers, help="records a page; several with commas")
    parser.add_argument("--latency", type=float, help="seconds before each answer")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="sleep", help="of the records")
    parser.add_argument("--runs", type=int, default=3, help="rounds, each contestant once in each")
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"of {', '.join(ENTRIES)}")
    parser.add_argument("--results", type=Path, default=HERE / "results.md")
    parser.add_argument("--chart", type=Path, default=HERE.parent / "docs" / "growth.svg", help="where growth is drawn")
    parser.add_argument("--here", action="store_true", help="everybody with this interpreter, nothing is installed")
    options = parser.parse_args()
    for name in options.scenarios:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name!r}: {', '.join(SCENARIOS)}")
    for name in options.only or ():
        if name not in ENTRIES:
            parser.error(f"no contestant {name!r}: {', '.join(ENTRIES)}")
    return options


def main() -> None:
    options = parsed()
    failed = [one for name in options.scenarios or SCENARIOS for one in run(name, options)]
    if failed:
        sys.exit(f"Not everybody arrived: {', '.join(failed)}")


def run(name: str, options: argparse.Namespace) -> list[str]:
    """All courses of a scenario, and what came of them into the results. Returns who failed."""
    names = options.only or (GROWING if name == "growth" else ENTRIES)
    entries = [entry for entry in ENTRIES.values() if entry.name in names and options.shape in entry.shapes]
    installed = {entry.venv for entry in entries if entry.venv and not options.here}
    pythons = {entry.venv: sys.executable for entry in entries} | {one: venvs.python_of(one) for one in installed}
    outcomes = []
    for course in courses(SCENARIOS[name], options):
        print(f"\n{results.title(course)}", flush=True)
        outcome = race(course, entries, pythons, options.runs, lambda line: print(line, flush=True))
        outcomes.append(outcome)
        if name != "growth":
            tell(results.section(outcome, entries, versions(outcome, pythons)), options.results)
    if name == "growth":
        tell(results.growth(outcomes, versions(outcomes[0], pythons)), options.results)
        options.chart.write_text(chart.svg(results.lines(outcomes)), encoding="utf-8")
    return [one for outcome in outcomes for one in outcome.failed]


def tell(text: str, file: Path) -> None:
    results.write(file, text)
    print(text, flush=True)


def courses(scenario: Scenario, options: argparse.Namespace) -> list[Course]:
    """What to read, with the options in place of the scenario's own numbers."""
    latency = scenario.latency if options.latency is None else options.latency
    return [
        Course(records, size, latency, options.shape, scenario.windows, scenario.phases)
        for records, size in product(options.records or scenario.records, options.size or scenario.sizes)
    ]


def versions(outcome: Outcome, pythons: dict[str, str]) -> str:
    """One line of what ran where."""
    found = {"hde": hde.__version__, "Python": platform.python_version(), "PostgreSQL": outcome.postgres_version}
    for name, python in pythons.items():
        found |= venvs.versions(name, python)
    return f"{results.told(found)}; {results.machine()}."


if __name__ == "__main__":
    main()
