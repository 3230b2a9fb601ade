"""docs/files.md: its connectors are valid, its commands run, and its files become the payloads that it shows."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from run_made import ask, call

from hde.check.source import check_paths

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the current folder of the test."""
    for kind, name, block in BLOCKS:
        if kind not in ("sh", "json"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(printed(block) if kind == "pdf" else block.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(text: str) -> bytes:
    """A PDF of one page with this text, in letters that are all of one width."""
    file = io.BytesIO()
    canvas = Canvas(file, invariant=True)
    canvas.setFont("Courier", 8)
    for number, line in enumerate(text.splitlines()):
        for part in re.finditer(r"\S+( \S+)*", line):
            canvas.drawString(40 + 4.8 * part.start(), 780 - 12 * number, part[0])
    canvas.save()
    return file.getvalue()


def test_the_connectors_of_the_page_are_valid(folder: Path) -> None:
    (folder / "mappings").mkdir()
    assert [problem for problem in check_paths([]) if problem.level == "error"] == []


def test_the_files_of_the_page_become_what_it_shows(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [commands] = [block for kind, _, block in BLOCKS if kind == "sh"]
    for line in commands.splitlines():
        words = shlex.split(line)
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        assert words[0] == "hde"
        call(*words[1:])
    call("run", "practice")
    shown = {name: json.loads(block) for kind, name, block in BLOCKS if kind == "json"}
    assert set(shown) == {"results", "notes", "readings", "reports"}
    for table, records in shown.items():
        found = ask(database_url, f"SELECT payload FROM {'practice' if table == 'reports' else 'lab'}_raw.{table}")
        assert by_text(found) == by_text(records), table
    assert ask(database_url, "SELECT value::text, export FROM lab_raw.results ORDER BY code DESC") == [
        ("13.90", "2026-01.csv"),
        (None, "2026-01.csv"),
    ]
    assert ask(database_url, "SELECT path, rule FROM meta.issues ORDER BY path") == [
        ("page 1, line 8", "no row of the template understands this line"),
        ("value", "numeric: form"),
    ]


def by_text(records: list[object]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)
