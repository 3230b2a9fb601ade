"""Who takes part: how each is called, what it needs before the clock starts, and where its rows are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import hde_files
from benchmarks.measure import python_path
from benchmarks.postgres import Server
from benchmarks.shapes import SHAPES

HERE = Path(__file__).resolve().parent
Phase = str
"""`load`: into nothing. `again`: the same, nothing has changed. `new`: what is new, and nothing is."""


@dataclass(frozen=True)
class Source:
    """The page server, as it told."""

    url: str
    begin: str
    step_days: int
    in_windows: bool


@dataclass(frozen=True)
class Entry:
    """One contestant. `venv` names what must be installed for it; nothing: the interpreter that has hde."""

    name: str
    about: str
    table: str
    venv: str = ""
    phases: tuple[Phase, ...] = ("load", "again", "new")
    files: hde_files.Kind | None = None
    """Of hde: which connector and mapping."""
    arguments: tuple[str, ...] = ()
    script: str = ""
    shapes: tuple[str, ...] = tuple(SHAPES)
    """Which records it can read."""

    @property
    def starts_empty_handed(self) -> bool:
        """Whether all it does is within its time, so that one may ask when its first row is there."""
        return len(self.phases) > 1

    def environment(self, work: Path, server: Server) -> Mapping[str, str]:
        if self.files is None:
            return {**python_path(), "DLT_DATA_DIR": str(work / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
        engine = python_path(HERE.parent / "engine")
        return {**engine, "HDE_HOME": str(work / "home"), "HDE_DATABASE_URL": server.url}

    def install(self, work: Path, server: Server) -> None:
        """What its database holds before every load: of hde the tables of `hde migrate`, of others nothing."""
        if self.files is not None:
            migrate = [sys.executable, "-m", "hde", "migrate"]
            subprocess.run(migrate, env=self.environment(work, server), check=True, stdout=subprocess.DEVNULL)
        server.keep_as_beginning()

    def prepare(self, work: Path, server: Server, source: Source) -> None:
        """What is there before anybody starts: a database without records, and of hde its files."""
        server.empty()
        if self.files is not None:
            hde_files.write(work, self.files, source.url, source.begin, source.step_days, source.in_windows)

    def command(self, python: str, phase: Phase, work: Path, server: Server, source: Source) -> Sequence[str]:
        if self.files is not None:
            full = ["--full"] if phase == "again" else []
            return [python, "-m", "hde", "run", str(work / "connectors" / "bench.yaml"), *self.arguments, *full]
        script = HERE / "contestants" / f"{self.script or self.name}.py"
        new = ["--new"] if phase == "new" else []
        return [python, str(script), source.url, server.url, *self.arguments, *new]


RAW = "bench_raw.sleeps"
SLEEPS = "canonical.sleep_sessions"
HAND = "records"
DLT = "bench.sleeps"
ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("hde_raw", "hde, raw only: five typed columns, as the hand-made loaders have", RAW,
              files="plain", arguments=("--raw-only",)),
        Entry("hde_raw_whoop", "hde, raw only: the 27 typed columns of the bundled connector", RAW,
              files="whoop", arguments=("--raw-only",), shapes=("sleep",)),
        Entry("hde_canonical", "hde, raw and canonical: a mapping of 14 columns, one row a record", SLEEPS,
              files="mapped", shapes=("sleep",)),
        Entry("hde_whoop", "hde, raw and canonical: the bundled mapping, 34 columns, two rows a record", SLEEPS,
              files="whoop", shapes=("sleep",)),
        Entry("hand_fast", "a loader tuned to the end: pycurl, slices, COPY, anti-join", HAND, venv="hand"),
        Entry("hand_copy", "a good loader by hand: httpx, orjson, COPY, ON CONFLICT", HAND, venv="hand"),
        Entry("sqlalchemy_loop", "the plain loop: httpx, an upsert a page by SQLAlchemy", HAND, venv="hand"),
        Entry("dlt_tuned", "dlt's REST source: upsert, COPY of csv, 2 workers, files of 25,000, no child tables", DLT,
              venv="dlt", script="dlt_rest", arguments=("--tuned",)),
        Entry("dlt_default", "dlt's REST source: merge", DLT, venv="dlt", script="dlt_rest"),
        Entry("copy_floor", "the floor: COPY of texts that are in memory", HAND, phases=("load",)),
    )
}  # fmt: skip
