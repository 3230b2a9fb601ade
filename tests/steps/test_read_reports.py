"""Runs of a connector whose source is a folder of printed reports: what is stored, what is wrong, what heals."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from run_made import Outcome, ask, call

CONNECTOR = r"""
name: lab
files: {folder: .}
resources:
  reports:
    files: "*.pdf"
    key: [id]
    columns: {id: text, pages: int, report.taken: date, file: {type: text, path: $file.name}}
    format:
      kind: pdf
      templates:
        example:
          detect: {all: [Example]}
          header: {sample: 'No (\S+)', taken: 'taken (\S+)'}
          id: [sample]
          skip: [Example]
          unmatched: {most: 2}
          table: {key: [name], rows: [{kind: result, match: {line: '(?P<name>[A-Z]+) (?P<value>[0-9.]+)'}}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors/lab.yaml").write_text(CONNECTOR)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, *pages: str) -> None:
    file = io.BytesIO()
    canvas = Canvas(file)
    for page in pages:
        for number, line in enumerate(page.splitlines()):
            canvas.drawString(40, 700 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    Path(name).write_bytes(file.getvalue())


def run(*arguments: str) -> Outcome:
    return call("run", "lab", "--json", *arguments)


def issues(url: str) -> list[tuple[str, ...]]:
    return ask(url, "SELECT record, path, rule, level FROM meta.issues WHERE closed_at IS NULL ORDER BY path, rule")  # type: ignore[no-any-return]


def test_a_report_is_a_record_and_what_nobody_understood_is_an_issue_until_somebody_does(
    folder: Path, database_url: str
) -> None:
    put("a.pdf", "Example\nNo 17 taken 2026-01-31\nHB 13.9\nSECRET (7)\nhello", "By hand")
    put("b.pdf", "Example\nNo 18 taken 2026-02-28\nHB 14.1")
    found = run()
    assert (found.code, found.of("reports")["new"]) == (1, 2)
    assert ask(database_url, "SELECT id, pages, report_taken::text, file FROM lab_raw.reports ORDER BY id") == [
        ("17", 1, "2026-01-31", "a.pdf"),
        ("18", 1, "2026-02-28", "b.pdf"),
    ]
    assert issues(database_url) == [
        ("17", "page 1, line 4", "no row of the template understands this line", "error"),
        ("17", "page 1, line 5", "no row of the template understands this line", "warning"),
        ("17", "page 2", "no template recognises this page", "error"),
    ]
    assert ask(database_url, "SELECT payload->'unmatched'->0->>'text' FROM lab_raw.reports WHERE id = '17'") == [
        "SECRET (7)"
    ], "its text is where the report is"
    said = (
        found.out
        + found.err
        + call("status").out
        + call("why", "--issues").out
        + json.dumps(ask(database_url, "SELECT row_to_json(i)::text FROM meta.issues i"), default=str)
    )
    assert "SECRET" not in said, "and nowhere else"
    assert run().of("reports")["unchanged"] == 0, "a file that is as it was is not read again"

    better = CONNECTOR.replace("skip: [Example]", "skip: [Example, hello]").replace(
        "(?P<value>[0-9.]+)", r"\(?(?P<value>[0-9.]+)\)?"
    )
    Path("connectors/lab.yaml").write_text(better)
    assert run().of("reports")["changed"] == 1
    assert [one[1] for one in issues(database_url)] == ["page 2"]
    assert ask(database_url, "SELECT jsonb_array_length(payload->'rows') FROM lab_raw.reports WHERE id = '17'") == [2]
    put("a.pdf", "Example\nNo 17 taken 2026-01-31\nHB 13.9\nSECRET (7)")
    assert (run().code, issues(database_url)) == (0, [])


def test_a_file_that_is_refused_is_owed_and_named_and_the_others_are_stored(folder: Path, database_url: str) -> None:
    put("a.pdf", "Example\nNo 17\nHB 13.9\n? 1\n? 2\n? 3")
    put("b.pdf", "Another laboratory")
    put("c.pdf", "Example\nNo 18\nHB 14.1")
    Path("d.pdf").write_bytes(b"%PDF-1.4 cut off")
    for _ in range(2):
        found = run()
        assert found.code == 1
        assert sorted(found.of("reports")["failures"]) == [
            "a.pdf: page 1: recognised as example, but 3 lines with numbers fit none of its rows, the first on page 1,"
            " line 4; 2 may be (unmatched.most)",
            "b.pdf: its page is not recognised by a template (example): docs/files.md says how to describe it"
            ' ("Reports in PDF")',
            "d.pdf: is damaged, or written in a way that is not understood",
        ]
    assert ask(database_url, "SELECT id FROM lab_raw.reports") == ["18"]


def test_an_author_sees_a_report_and_is_told_what_does_not_go(folder: Path, database_url: str) -> None:
    put("a.pdf", "Example\nNo 17\nHB 13.9\n? 1")
    shown = call("preview", "lab", "reports").out
    assert "page 1, line 4" in shown
    assert '"text":"HB 13.9"' in shown
    assert call("record", "lab", "reports").err.startswith("hde: reports: only JSON answers can be recorded")
    new = call("new", "other", "--sample", "a.pdf", "--base-url", "https://x.example", "--path", "/a", "-y")
    assert new.err == "hde: The sample a.pdf is a PDF: what it looks like must be said by a person (docs/files.md)\n"
