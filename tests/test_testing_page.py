"""docs/testing-a-connector.md is run: its files are written, its commands called, their output compared."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "steps"))  # what tests of a run are made with

from loopback_made import Reply, Source
from run_made import call

PAGE = Path(__file__).parents[1] / "docs" / "testing-a-connector.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NIGHT = {
    "id": 700_041, "begin": "2026-01-12T13:00:00Z", "end": "2026-01-12T13:30:00Z", "offset": "+01:00", "kind": "nap",
    "minutes": 25, "comment": "Rosalinde was tired",
}  # fmt: skip


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """The source of the page, on loopback; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKER_KEY", "a-key-of-no-use")
    source = Source()
    source.answer = lambda seen: Reply({"nights": [NIGHT], "next": None})
    yield source
    source.close()


def commands(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """`$ hde ...` and the lines that must come of it; `...` stands for any."""
    for part in text.split("$ hde ")[1:]:
        command, *lines = part.rstrip("\n").split("\n")
        yield command.split(), lines


def follow(wanted: list[str], found: list[str]) -> list[str]:
    """The wanted lines that do not come in their order: at once, or after any others where `...` stands before."""
    left, skipping = iter(found), False
    missing = []
    for line in wanted:
        if line == "...":
            skipping = True
            continue
        for other in left:
            if other == line:
                break
            if not skipping:
                missing.append(f"{line!r} wanted, {other!r} found")
                break
        else:
            missing.append(f"{line!r} wanted, nothing left")
        skipping = False
    return missing


def test_the_page_does_what_it_says(tracker: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = 0
    for language, text in BLOCKS:
        if language != "console":
            name, _, content = text.partition("\n")
            file = Path(name.removeprefix("# "))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
            continue
        for arguments, lines in commands(text):
            if arguments[0] == "record":
                monkeypatch.setenv("TRACKER_URL", tracker.url)
            found = call(*arguments)
            monkeypatch.delenv("TRACKER_URL", raising=False)
            assert found.code == int(lines[-1].endswith("error")), found.said
            said = [line.rstrip() for line in found.said.splitlines()]
            assert follow(lines, said) == [], found.said
            ran += 1
    assert ran == 5
    assert [seen.path for seen in tracker.seen] == ["/v1/nights"]
    assert call("test", "tracker").out == "6 passed, 0 failed\n"
    written = "".join(file.read_text() for file in Path("mappings").rglob("*recorded*"))
    assert "Rosalinde" not in written
    assert "700041" not in written


def test_the_page_is_short() -> None:
    assert len(PAGE.read_text().splitlines()) <= 200
