"""What was measured as Markdown: a section a course, in a file where sections of other courses stay."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.chart import Point
from benchmarks.entries import Entry, Phase
from benchmarks.hde_files import PER_MINUTE
from benchmarks.measure import Measured
from benchmarks.race import Course, Outcome

HEAD = f"""# Results

Written by `python3 benchmarks/run.py`; what is measured and who takes part: README.md. Medians of the rounds;
seconds with the fastest and the slowest round. `hde_raw ÷` is hde_raw's records per second divided by that line's:
above 1 hde is faster. Compare ratios within one table: seconds depend on the machine. Requests are what the page server
counted, the most of all rounds; hde's connector declares {PER_MINUTE:,} a minute.
"""
REFERENCES = ("hde_raw", "hde_canonical")
PHASES = {"load": "First load", "again": "The same again, nothing changed", "new": "What is new, and nothing is"}
MB = 1_000_000


def section(outcome: Outcome, entries: Sequence[Entry], versions: str) -> str:
    """A course's tables, one a phase, under a heading that says what the course was."""
    parts = [f"## {title(outcome.course)}", _when(outcome, versions)]
    for phase in outcome.course.phases:
        if len(outcome.course.phases) > 1:
            parts.append(f"### {PHASES[phase]}")
        parts.append(table(outcome, entries, phase))
    return "\n\n".join(parts) + "\n"


GROWTH = "Growth: the same first load of more and more records"


def growth(outcomes: Sequence[Outcome], versions: str) -> str:
    """One table of a first load of ever more records."""
    rows = [["", "records", "records/s", "seconds", "peak MB"]]
    for name, points in lines(outcomes).items():
        for point in points:
            rate = f"{point.records / point.seconds:,.0f}"
            rows.append([name, f"{point.records:,}", rate, f"{point.seconds:.2f}", f"{point.megabytes:.0f}"])
    return f"## {GROWTH}\n\n{_when(outcomes[0], versions)}\n\n{_markdown(rows)}\n"


def lines(outcomes: Sequence[Outcome]) -> dict[str, list[Point]]:
    """By contestant the medians of its first loads, in the order of `outcomes`."""
    found: dict[str, list[Point]] = {}
    for outcome in outcomes:
        for (name, _), rounds in outcome.measured.items():
            point = Point(outcome.course.records, _median(rounds, "seconds"), _median(rounds, "peak") / MB)
            found.setdefault(name, []).append(point)
    return found


def _when(outcome: Outcome, versions: str) -> str:
    return f"{datetime.now(UTC).date()}, {outcome.rounds} rounds. {versions}"


def title(course: Course) -> str:
    latency = f"{course.latency * 1000:.0f} ms before each answer" if course.latency else "no latency"
    latency += ", eight windows of time" if course.windows else ""
    what = "First load" if course.phases == ("load",) else "First load and again"
    return f"{what}: {course.records:,} {course.shape} records, {course.size:,} a page, {latency}"


def table(outcome: Outcome, entries: Sequence[Entry], phase: Phase) -> str:
    """Every contestant that has that phase, in the order given."""
    taking_part = [entry for entry in entries if (entry.name, phase) in outcome.measured]
    references = [name for name in REFERENCES if (name, phase) in outcome.measured]
    head = [
        "",
        *(["records/s"] if phase != "new" else []),
        *(f"{name} ÷" for name in references),
        "seconds",
        "peak MB",
        "client CPU s",
    ]
    head += ["Postgres CPU s", "WAL MB", "requests", "most in flight", "most in a minute"]
    with_first_row = phase == "load" and bool(outcome.first_rows)
    rows = [[*head, "first row s"] if with_first_row else head]
    for entry in taking_part:
        row = [entry.name, *_line(outcome, entry.name, phase, references)]
        first = outcome.first_rows.get(entry.name)
        rows.append([*row, f"{first:.2f}" if first is not None else ""] if with_first_row else row)
    return _markdown(rows)


def _line(outcome: Outcome, name: str, phase: Phase, references: Sequence[str]) -> list[str]:
    rounds = outcome.measured[name, phase]
    seconds = [one.seconds for one in rounds]
    asked = outcome.asked[name, phase]
    return [
        *([f"{outcome.course.records / median(seconds):,.0f}"] if phase != "new" else []),
        *(f"{ratio(outcome, reference, name, phase):.2f}" for reference in references),
        f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})",
        f"{_median(rounds, 'peak') / MB:.0f}",
        f"{_median(rounds, 'client_cpu'):.2f}",
        f"{_median(rounds, 'postgres_cpu'):.2f}",
        f"{_median(rounds, 'wal') / MB:.2f}",
        *(f"{asked[number]:,}" for number in ("requests", "most_in_flight", "most_in_a_minute")),
    ]


def ratio(outcome: Outcome, reference: str, name: str, phase: Phase) -> float:
    """How many times as fast as `name` the `reference` was, by the medians of their seconds."""
    return _median(outcome.measured[name, phase], "seconds") / _median(outcome.measured[reference, phase], "seconds")


def _median(rounds: Sequence[Measured], what: str) -> float:
    return median(float(getattr(one, what)) for one in rounds)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def write(file: Path, text: str) -> None:
    """Put a section in its place: instead of the one with the same heading, else at the end."""
    known = file.read_text(encoding="utf-8") if file.is_file() else HEAD
    heading = text.partition("\n")[0]
    before, *sections = re.split(r"^(?=## )", known, flags=re.MULTILINE)
    kept = [text if one.partition("\n")[0] == heading else one for one in sections]
    if text not in kept:
        kept.append(text)
    joined = "\n\n".join(one.strip() for one in (before, *kept))
    file.write_text(joined + "\n", encoding="utf-8")


def machine() -> str:
    """The processor, its cores in reach, and the memory."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = model[1].strip() if model else platform.machine()
    return f"{processor}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, Linux {platform.release()}"


def told(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
