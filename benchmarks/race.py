"""Contestants side by side: the same source, a PostgreSQL each, one after the other in every round."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from benchmarks import postgres
from benchmarks.entries import Entry, Phase, Source
from benchmarks.measure import Failed, Measured, first_row, measure

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Course:
    """What is read: `latency` in seconds before every answer; `windows`: eight spans of time, which hde is told of."""

    records: int
    size: int
    latency: float = 0.0
    shape: str = "sleep"
    windows: bool = False
    phases: tuple[Phase, ...] = ("load",)


@dataclass
class Outcome:
    """What was measured, a value a round, by contestant and phase; requests as the page server counted them."""

    course: Course
    rounds: int
    measured: dict[tuple[str, Phase], list[Measured]] = field(default_factory=dict)
    asked: dict[tuple[str, Phase], dict[str, int]] = field(default_factory=dict)
    first_rows: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Contestants that ended with an error or did not store everything; nothing of them is told."""
    postgres_version: str = ""


def race(
    course: Course,
    entries: Sequence[Entry],
    pythons: Mapping[str, str],
    rounds: int,
    say: Callable[[str], None],
) -> Outcome:
    """Every round each contestant once, from nothing; one that fails is out."""
    outcome = Outcome(course, rounds)
    with ExitStack() as stack:
        source = stack.enter_context(page_server(course))
        lanes = [Lane(entry, pythons[entry.venv], stack.enter_context(postgres.running()), source) for entry in entries]
        outcome.postgres_version = lanes[0].server.version()
        for lane in lanes:
            lane.entry.install(lane.work, lane.server)
        for number in range(rounds + 1):
            for lane in lanes:
                if lane.entry.name in outcome.failed:
                    continue
                try:
                    if number < rounds:
                        lane.run(outcome, say, f"{number + 1}/{rounds}")
                    elif lane.entry.starts_empty_handed:
                        outcome.first_rows[lane.entry.name] = lane.first_row()
                except Failed as error:
                    say(f"FAILED {error}")
                    outcome.failed.append(lane.entry.name)
    outcome.measured = {key: found for key, found in outcome.measured.items() if key[0] not in outcome.failed}
    return outcome


@dataclass(frozen=True)
class Lane:
    entry: Entry
    python: str
    server: postgres.Server
    source: Source

    @property
    def work(self) -> Path:
        return self.server.home / "work"

    def run(self, outcome: Outcome, say: Callable[[str], None], which: str) -> None:
        self._prepare()
        for phase in outcome.course.phases:
            if phase not in self.entry.phases:
                continue
            _ask(self.source, "/reset")
            found = measure(*self._call(phase), self.server)
            self._check(outcome.course.records)
            key = (self.entry.name, phase)
            outcome.measured.setdefault(key, []).append(found)
            most = outcome.asked.setdefault(key, {})
            for name, number in _ask(self.source, "/stats").items():
                most[name] = max(number, most.get(name, 0))
            self.server.settle()  # not while the next one runs
            say(f"{which} {self.entry.name:14} {phase:6} {found.seconds:8.2f} s")

    def first_row(self) -> float:
        self._prepare()
        return first_row(*self._call("load"), self.server, self.entry.table)

    def _prepare(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self.entry.prepare(self.work, self.server, self.source)

    def _call(self, phase: Phase) -> tuple[Sequence[str], Mapping[str, str]]:
        command = self.entry.command(self.python, phase, self.work, self.server, self.source)
        return command, self.entry.environment(self.work, self.server)

    def _check(self, records: int) -> None:
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*self.entry.table.split(".")))
        if (stored := self.server.value(count)) != records:
            raise Failed(f"{self.entry.name} stored {stored} of {records} records")


@contextmanager
def page_server(course: Course) -> Iterator[Source]:
    """A page server with the course's records, for as long as the block lasts."""
    options = {"records": course.records, "size": course.size, "latency": course.latency, "shape": course.shape}
    arguments = [f"--{name}={value}" for name, value in options.items()] + ["--windows"] * course.windows
    command = [sys.executable, str(HERE / "page_server.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            yield Source(told["url"], told["from"], told["step_days"], course.windows)
        finally:
            process.terminate()


def _ask(source: Source, path: str) -> dict[str, int]:
    with urllib.request.urlopen(source.url + path) as answer:
        found: dict[str, int] = json.load(answer)
    return found
