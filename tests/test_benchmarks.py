"""The benchmark's harness: everybody stores every record, and the table says what was measured. Nothing about time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
sys.path.append(str(TOP))
from benchmarks import chart, results, shapes  # noqa: E402
from benchmarks.entries import ENTRIES  # noqa: E402
from benchmarks.measure import Measured  # noqa: E402
from benchmarks.page_server import Book  # noqa: E402
from benchmarks.race import Course, Outcome, race  # noqa: E402
from benchmarks.resume import resume  # noqa: E402
from hde.steps.side_by_side import ROWS_AHEAD  # noqa: E402
from hde.steps.store_pages import BATCH_ROWS  # noqa: E402

ENTRANTS = ("hde_raw", "hde_canonical", "hand_copy", "copy_floor")


def cells(text: str) -> dict[str, list[str]]:
    """The lines of a table by their first cell."""
    lines = (re.findall(r" ([^|]*) (?=\|)", line) for line in text.splitlines() if line.startswith("| "))
    return {first: rest for first, *rest in lines}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a small run of the whole harness wrote; it fails by itself where a record is missing."""
    file = tmp_path_factory.mktemp("bench") / "results.md"
    command = [sys.executable, str(TOP / "benchmarks" / "run.py"), "load", "--records=200", "--size=25", "--runs=1"]
    command += ["--here", f"--only={','.join(ENTRANTS)}", f"--results={file}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return file.read_text()


def test_every_contestant_has_a_whole_line(written: str) -> None:
    table = cells(written)
    assert set(ENTRANTS) <= set(table)
    for name in ENTRANTS:
        assert len(table[name]) == len(table[""])
        assert all(table[name][:-1])


def test_the_source_was_asked_for_each_page_once(written: str) -> None:
    table = cells(written)
    requests = table[""].index("requests")
    # hde asks whose records they are first
    assert [table[name][requests] for name in ENTRANTS] == ["9", "9", "8", "8"]


def test_what_ran_where_is_told(written: str) -> None:
    assert re.search(r"1 rounds\. hde \S+, Python \S+, PostgreSQL 18\S*,? .*; .+ cores, \d+ GB", written)


def outcome() -> Outcome:
    def of(*seconds: float) -> list[Measured]:
        return [Measured(one, peak=80_000_000, client_cpu=1.5, postgres_cpu=0.5, wal=2_500_000) for one in seconds]

    asked = {"requests": 4, "most_in_flight": 1, "most_in_a_minute": 4}
    measured = {("hde_raw", "load"): of(9.0, 2.0, 1.0), ("hand_copy", "load"): of(4.0, 8.0, 3.0)}
    return Outcome(Course(1_000, 250), 3, measured, dict.fromkeys(measured, asked))


def test_ratios_are_of_medians() -> None:
    assert results.ratio(outcome(), "hde_raw", "hand_copy", "load") == 2.0
    assert results.ratio(outcome(), "hde_raw", "hde_raw", "load") == 1.0


def test_a_line_holds_the_medians_and_the_extremes() -> None:
    table = cells(results.table(outcome(), list(ENTRIES.values()), "load"))
    assert table["hand_copy"] == ["250", "2.00", "4.00 (3.00 to 8.00)", "80", "1.50", "0.50", "2.50", "4", "1", "4"]


def test_a_course_that_is_run_again_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "results.md"
    for text in ("## one\n\nfirst\n", "## two\n\nsecond\n", "## one\n\nthird\n"):
        results.write(file, text)
    assert re.findall(r"^(## \w+|first|second|third)$", file.read_text(), re.MULTILINE) == [
        *("## one", "third"),
        *("## two", "second"),
    ]


def test_whoever_does_not_store_everything_is_out() -> None:
    said: list[str] = []
    forgetful = replace(
        ENTRIES["copy_floor"], name="forgetful", script="copy_floor", table="pg_catalog.pg_auth_members"
    )
    found = race(Course(10, 5), [forgetful], {"": sys.executable}, 2, said.append)
    assert found.failed == ["forgetful"]
    assert not found.measured
    (line,) = said
    assert re.fullmatch(r"FAILED forgetful stored \d+ of 10 records", line)


NOW = datetime(2026, 3, 5, 7, tzinfo=UTC)


@pytest.fixture
def book() -> Book:
    return Book(shapes.records("flat", 50, NOW), shapes.starts(50, NOW), size=3, windows=True, now=NOW)


def read(book: Book, query: str) -> list[str]:
    """The starts of all records from that first page on."""
    found = []
    while query:
        page = json.loads(book.page(f"/sleeps?{query}").partition(b"\r\n\r\n")[2])
        found += [record["start"] for record in page["records"]]
        query = f"cursor={page['next_token']}" if page["next_token"] else ""
    return found


def test_windows_hold_every_record_once_and_each_its_own(book: Book) -> None:
    every = read(book, "all")
    assert len(every) == len(set(every)) == 50
    first, step = shapes.first_start(NOW), timedelta(days=shapes.step_days(NOW))
    bounds = [shapes.iso(first + number * step) for number in range(shapes.SPANS + 1)]
    by_window = [read(book, f"start={begin}") for begin in bounds[:-1]]
    assert [one for window in by_window for one in window] == every
    for window, begin, end in zip(by_window, bounds, bounds[1:], strict=False):
        assert window
        assert all(begin <= one < end for one in window)


def test_after_the_last_record_there_is_nothing(book: Book) -> None:
    last = shapes.starts(50, NOW)[-1]
    assert read(book, f"start={shapes.iso(last)}") == [shapes.iso(last)]
    assert read(book, f"start={shapes.iso(last + timedelta(seconds=1))}") == []


def test_the_most_requests_of_any_minute_are_counted(book: Book) -> None:
    book.asked = [0.0, 50.0, 59.9, 60.0, 109.0, 200.0]
    assert book.stats() == {"requests": 6, "most_in_flight": 0, "most_in_a_minute": 4}


def test_growth_is_drawn_with_a_line_for_each_in_both_panels() -> None:
    drawn = {
        "hde_raw": [chart.Point(10_000, 1.1, 90), chart.Point(1_000_000, 44.0, 99)],
        "hand_copy": [chart.Point(10_000, 0.5, 60), chart.Point(1_000_000, 41.0, 61)],
    }
    picture = ElementTree.fromstring(chart.svg(drawn))
    lines = [one.get("points", "") for one in picture.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 4
    for line in lines:
        (left, low), (right, high) = ((float(part) for part in point.split(",")) for point in line.split())
        assert (left, right) == (0, chart.PLOT_WIDTH)
        assert 0 <= high < low <= chart.PLOT_HEIGHT


def test_a_load_that_is_killed_goes_on_and_asks_again_for_no_more_than_was_under_way() -> None:
    found = resume(ENTRIES["hde_raw"], records=40_000, size=100, kill_at=15_000)
    assert (found.stored, found.pages) == (40_000, 400)
    assert 15_000 <= found.killed_at < 40_000
    assert 0 <= found.again * 100 <= BATCH_ROWS + ROWS_AHEAD + 100
