"""Printed reports: look-alikes of three laboratories read whole, and what becomes of what no template understands."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas
from reports_made import FIELDS, LABCORP, LOOKS, QUEST_INLINE, QUEST_TABLE, Cell, Look, pdf

from hde.errors import Unreadable
from hde.issues import Issue
from hde.source.formats import streamed
from hde.source.formats.shape import Path as RecordPath
from hde.source.reports.documents import documents
from hde.source.reports.issues import NO_ROW, NO_TEMPLATE, report_issues
from hde.source.reports.lines import Word, lines_of
from hde.source.reports.numbers import plain_numbers
from hde.spec.connector import Format
from hde.spec.freeze_report import freeze_template
from hde.spec.load import load_source

TOP = Path(__file__).parents[2]
REPORTS = load_source(TOP / "connectors" / "labs.yaml", TOP / "mappings" / "labs").connector.resources["reports"]


def read(text: bytes, format: Format = REPORTS.format) -> list[dict[str, Any]]:
    found = list(streamed(io.BytesIO(text), format, RecordPath()))
    return [json.loads(one) for one in found if isinstance(one, bytes)]


def truth_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple({**row, "range": row.get("range", row.get("ranges"))}.get(field) for field in FIELDS)


def refused(text: bytes, format: Format = REPORTS.format) -> str:
    with pytest.raises(Unreadable) as raised:
        read(text, format)
    return str(raised.value)


@pytest.mark.parametrize("name", LOOKS)
def test_every_value_flag_range_and_unit_of_a_report_is_read(name: str) -> None:
    [report] = read(pdf(LOOKS[name]))
    assert report["template"] == name
    assert [truth_of(row) for row in report["rows"]] == LOOKS[name].truth
    assert (report["unmatched"], report["unrecognised"], report_issues(report)) == ([], [], ())
    assert len({row["key"] for row in report["rows"]}) == len(LOOKS[name].truth) >= 20


def test_a_panel_that_goes_on_below_another_letterhead_is_read_as_well() -> None:
    [report] = read(pdf(LABCORP, times=3))
    assert report["pages"] == 3
    assert report["unmatched"] == []
    assert [truth_of(row) for row in report["rows"]] == LABCORP.truth * 3
    assert len({row["key"] for row in report["rows"]}) == len(LABCORP.truth) * 3


def test_what_a_report_says_of_all_its_results_and_of_one_stands_where_it_belongs() -> None:
    [table], [inline], [labcorp] = (read(pdf(look)) for look in (QUEST_TABLE, QUEST_INLINE, LABCORP))
    assert (table["id"], table["pages"], table["report"]["collected"]) == ("XX123456Z", 2, "03/14/2024")
    assert (
        table["report"] | {"status": "Final", "reported": "03/16/2024", "collected_at": "08:12 EDT"} == table["report"]
    )
    by_name = {row["name"]: row for row in table["rows"]}
    assert by_name["VITAMIN D, 25-OH, TOTAL"]["lab"] == "Z4M", "the code of the laboratory is on the next line"
    assert by_name["LDL-CHOLESTEROL"]["note"].endswith("with CHD or diabetic patients with more than two risk factors.")
    assert by_name["CHOL/HDLC RATIO"]["method"] == "calc"
    assert (by_name["CHOLESTEROL, TOTAL"]["page"], by_name["CORTISOL, TOTAL"]["page"]) == (1, 2)
    assert (inline["id"], inline["report"]["status"]) == ("YY987654A", "Final")
    wbc = labcorp["rows"][0]
    assert (by_name["FERRITIN"]["value"], by_name["FERRITIN"]["text"]) == ("1204", "FERRITIN 1,204 H 38-380 ng/mL EZ")
    assert by_name["EGFR"]["text"].endswith("mL/min/1. NL1\n73m2")
    [a1c] = [row for row in labcorp["rows"] if row["name"] == "Hemoglobin A1c"]
    assert a1c["ranges"] == "Prediabetes: 5.7 - 6.4; Diabetes: >6.4"
    assert (wbc["previous"], wbc["previous_on"], wbc["lab"]) == ("6.1", "01/02/2023", "01")
    assert labcorp["id"] == "073-555-0001-0"
    assert any("14225 NEWBROOK DRIVE" in one["text"] for one in table["outside"]), "nothing printed is lost"


@pytest.mark.parametrize(
    ("look", "row"),
    [
        (QUEST_TABLE, [(40.0, "GLUCOSE 5.1 mmol/L")]),
        (QUEST_TABLE, [(40.0, "MYSTERY MARKER"), (215.0, "7.3"), (300.0, "7.9 H"), (370.0, "1-2 mg/dL")]),
        (QUEST_TABLE, [(40.0, "Mystery marker"), (215.0, "7.3"), (370.0, "1-2 mg/dL")]),
        (QUEST_TABLE, [(40.0, "MYSTERY MARKER"), (215.0, "about 7"), (370.0, "1-2 mg/dL")]),
        (QUEST_TABLE, [(215.0, "7.3")]),
        (QUEST_INLINE, [(40.0, "Mystery marker = 7.3 (1-2)")]),
        (QUEST_INLINE, [(40.0, "7.3 17.1 2")]),
        (LABCORP, [(40.0, "Mystery marker 7.3")]),
        (LABCORP, [(40.0, "Mystery marker"), (200.0, "7.3"), (425.0, "mg per dL"), (490.0, "1-2")]),
    ],
)
@pytest.mark.parametrize("at", [3, 12])
def test_a_line_that_no_template_knows_is_an_issue_and_takes_nothing_along(
    look: Look, row: Sequence[Cell], at: int
) -> None:
    [report] = read(pdf(look, added=[(at, row)]))
    text = " ".join(text for _, text in row)
    [place] = report["unmatched"]
    assert (place["page"], place["line"], place["text"]) == (1, len(look.top) + at + 1, text)
    assert report_issues(report) == (Issue(f"page 1, line {place['line']}", NO_ROW, "error", "string", len(text)),)
    values = [truth_of(one) for one in report["rows"]]
    assert [one[1:4] for one in values] == [one[1:4] for one in look.truth]


def test_a_result_outside_of_the_table_is_an_issue_as_well() -> None:
    late = Look(QUEST_TABLE.top, QUEST_TABLE.body[:9], "", ["PERFORMING SITE:"], QUEST_TABLE.truth)
    [report] = read(pdf(late, added=[(9, [(40.0, "PERFORMING SITE: X")]), (9, QUEST_TABLE.body[10])]))
    assert [one["text"] for one in report["unmatched"]] == [], "before the end it is a result"
    [report] = read(pdf(late, added=[(9, QUEST_TABLE.body[10]), (9, [(40.0, "PERFORMING SITE: X")])]))
    assert [one["text"] for one in report["unmatched"]] == ["GLUCOSE 92 65-99 mg/dL NL1"]


def pages(*texts: str | None, encrypt: StandardEncryption | None = None) -> bytes:
    """A PDF with so many pages, the lines of each; None: a picture."""
    file = io.BytesIO()
    canvas = Canvas(file, invariant=True, encrypt=encrypt)
    for text in texts:
        if text is None:
            from PIL import Image

            canvas.drawInlineImage(Image.new("RGB", (9, 9)), 0, 0)
        for number, line in enumerate((text or "").splitlines()):
            canvas.drawString(40, 780 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def simple(**said: Any) -> Format:
    """Reports of the Example Laboratory: `NAME VALUE` on a line."""
    rows = [
        {"kind": "result", "match": {"line": r"(?P<name>[A-Z]+) (?P<value>[0-9.]+)"}},
        {"kind": "append", "match": {"line": r"\+ (?P<note>.+)"}},
        {"kind": "group", "match": {"line": r"# (?P<panel>.+)"}},
    ]
    template = {
        "detect": {"all": ["Example"]}, "header": {"number": r"No\. (\S+)"}, "id": ["number"], "skip": ["Example.*"],
        "table": {"key": ["panel", "name"], "rows": rows}, **said,
    }  # fmt: skip
    return Format("pdf", templates=(freeze_template("example", template),))


def test_pages_of_several_reports_in_one_file_become_a_record_each() -> None:
    first, more = "Example\nNo. 1\n# P\nA 1\nA 2", "Example\n# Q\nA 3\n+ x\n+ y"
    reports = read(
        pages("A letter of 12 words", first, more, "", "Another laboratory\nB 7", "Example\nNo. 2\nB 8"), simple()
    )
    assert [(one["id"], one["pages"], [row["key"] for row in one["rows"]]) for one in reports] == [
        ("1", 2, ["P / A", "P / A (2)", "Q / A"]),
        ("2", 1, ["B"]),
    ]
    assert reports[0]["rows"][2]["note"] == "x y"
    assert [one["page"] for one in reports[0]["unrecognised"]] == [1, 5]
    assert [(one.path, one.rule) for one in report_issues(reports[0])] == [
        ("page 1", NO_TEMPLATE),
        ("page 5", NO_TEMPLATE),
    ]


STARTED = {
    "key": ["panel", "name"],
    "require": ["value"],
    "start": "Results|[A-Z]+ [0-9.]+",
    "rows": [
        {"kind": "result", "match": {"line": "(?P<name>[A-Z]+)(?: (?P<value>[0-9.]+))?"}},
        {"kind": "append", "match": {"line": "(?P<value>[0-9.]+)"}},
        {"kind": "group", "above": True, "match": {"line": "# (?P<panel>.+)"}},
    ],
}


@pytest.mark.parametrize(
    ("texts", "keys", "unmatched"),
    [
        pytest.param(["Dear A\n# P\nResults\nA 1\nB\n2"], ["P / A", "P / B"], [], id="a heading above the start"),
        pytest.param(["Dear A\n# P\nA 1\nB 2"], ["P / A", "P / B"], [], id="results begin with a result"),
        pytest.param(["A\n1\nB 2"], ["B"], ["1"], id="a value above the start"),
        pytest.param(["A 1\nB", "2\nC 3"], ["A", "B", "C"], [], id="a result over two pages"),
        pytest.param(["A 1", "Dear A\nResults\nC 3"], ["A", "C"], [], id="letterhead again"),
        pytest.param(["A 1\n# P\nwhat 7\nB 2"], ["A", "B"], ["what 7"], id="a heading above something unknown"),
        pytest.param(["A 1\nB\n# P\nC 2"], ["A", "P / C"], ["B"], id="a name without a value"),
    ],
)  # fmt: skip
def test_where_results_begin(texts: list[str], keys: list[str], unmatched: list[str]) -> None:
    [report] = read(pages(*(f"Example\n{text}" for text in texts)), simple(table=STARTED))
    assert [row["key"] for row in report["rows"]] == keys
    assert [one["text"] for one in report["unmatched"]] == unmatched


def test_a_report_without_its_number_is_known_by_what_it_says() -> None:
    one, same, other = (read(pages(f"Example\nA {value}"), simple())[0]["id"] for value in (1, 1, 2))
    assert one == same != other
    assert len(one) == 32


DESCRIBED = 'docs/files.md says how to describe it ("Reports in PDF")'


@pytest.mark.parametrize(
    ("text", "format", "said"),
    [
        (b"", simple(), "empty, where a PDF was expected"),
        (b"<html>", simple(), "is no PDF"),
        (b"%PDF-1.7\nnothing more", simple(), "is damaged, or written in a way that is not understood"),
        (pages("Example\nA 1")[:600], simple(), "is damaged, or written in a way that is not understood"),
        (pages("x", encrypt=StandardEncryption("secret", "other")), simple(),
         "is encrypted: save it without its password"),
        (pages("Something else 1"), simple(),
         f"its page is not recognised by a template (example): {DESCRIBED}"),
        (pages(""), simple(), f"its page is not recognised by a template (example): {DESCRIBED}"),
        (pages("Something", "else"), simple(),
         f"none of its 2 pages is recognised by a template (example): {DESCRIBED}"),
        (pages("Example\nno result"), simple(), "page 1: recognised as example, but no line of it is a result"),
        (
            pages("Example\nA 1\n" + "? 7\n" * 3 + "words"),
            simple(unmatched={"most": 2}),
            "page 1: recognised as example, but 3 lines with numbers fit none of its rows, the first on page 1, line 3;"
            " 2 may be (unmatched.most)",
        ),
        (pages("Example\nA 1", None), simple(),
         "page 2 is a picture without text: let a program read it first (ocrmypdf)"),
        (pages(*[""] * 501), simple(), "has 501 pages; 500 are the most"),
        (pages("Example\n" + "x" * 2001), simple(), "page 1: a line of more than 2000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_a_line(text: bytes, format: Format, said: str) -> None:
    assert refused(text, format) == said


def job(text: bytes, format: Format, **bounds: int) -> tuple[int, bytes]:
    """How the process that reads ends, within other bounds, and what it says last."""
    given = msgspec.json.encode({"templates": format.templates, "patterns": {}, **bounds}) + b"\n" + text
    done = subprocess.run(
        [sys.executable, "-m", "hde.source.reports.child"], input=given, capture_output=True, check=False
    )
    assert done.stderr == b""
    return done.returncode, done.stdout.splitlines()[-1]


def packed(content: bytes) -> bytes:
    """A page whose content unpacks to this."""
    stream = zlib.compress(content, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + table + b"trailer<</Root 1 0 R/Size 5>>startxref\n%d\n%%%%EOF" % len(text)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to an address space")
def test_a_file_or_a_pattern_that_wants_all_time_or_memory_takes_only_its_own_process_along() -> None:
    slow = simple(skip=["(a|aa)+b"])
    assert job(pages("Example\n" + "a" * 90), slow, seconds=1) == (-24, b'{"page":1}')
    code, said = job(packed(bytes(300 << 20)), simple(), memory=400 << 20)
    assert (code, said) == (0, b'{"error":"takes more than 400 MB of memory"}')
    assert job(packed(b"q " * 5_000_000), simple(), seconds=1) == (-24, b'{"page":1}')


@pytest.mark.parametrize(
    ("numbers", "printed", "found"),
    [
        ({"thousands": ","}, "1,204", "1204"),
        ({"thousands": ","}, "<1,204.50", "<1204.50"),
        ({"thousands": ","}, "1,500-7,800", "1500-7800"),
        ({"thousands": ","}, "1,234,567 of 12,34", "1234567 of 12,34"),
        ({"thousands": ",", "decimal": "."}, "0.40 - 4.50", "0.40 - 4.50"),
        ({"thousands": ".", "decimal": ","}, "1.204,5 > 5,1", "1204.5 > 5.1"),
        ({"decimal": ","}, "5,1", "5.1"),
        ({"decimal": ","}, "1.204", "1.204"),
        ({"thousands": "'"}, "1'204", "1204"),
    ],
)
def test_numbers_are_written_anew_where_their_print_is_declared(
    numbers: dict[str, str], printed: str, found: str
) -> None:
    said = freeze_template("a", {"detect": {}, "table": {"rows": [], "key": [], "numbers": {"in": ["v"], **numbers}}})
    assert plain_numbers(said.table.numbers)({"v": printed, "w": printed}) == {"v": found, "w": printed}


def test_lines_are_put_together_by_where_words_stand() -> None:
    words = [Word("b", 20, 25, 101.5, 109), Word("a", 10, 15, 100, 108), Word("c", 10, 15, 112, 120)]
    assert [line.text for line in lines_of(3, words)] == ["a b", "c"]
    assert [(line.page, line.number) for line in lines_of(3, words)] == [(3, 1), (3, 2)]


def test_issues_of_a_report_are_bounded_and_hold_no_text() -> None:
    lines = [{"page": 1, "line": number, "text": "secret" + ("" if number % 2 else " 7")} for number in range(99)]
    issues = report_issues({"unmatched": lines})
    assert len(issues) == 51
    assert issues[0].level == "error"
    assert issues[-1].rule == "49 more lines or pages like these"
    assert "secret" not in str(issues)
    assert report_issues([]) == ()


def test_documents_keep_no_page_that_has_been_read() -> None:
    seen: list[int] = []

    def forever() -> Any:
        for number in range(1, 4):
            seen.append(number)
            lines = enumerate(["Example", f"No. {number}", "A 1"])
            words = [Word(one, 10.0 * at, 10.0 * at + 9, 14.0 * row, 14.0 * row + 9)
                     for row, line in lines for at, one in enumerate(line.split())]  # fmt: skip
            yield number, lines_of(number, words)

    found = documents(forever(), simple().templates, {})
    assert next(found)["id"] == "1"
    assert seen == [1, 2]
