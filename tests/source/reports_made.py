"""Look-alikes of three laboratories' reports, drawn from nothing: no person's report is in them. Truth stands beside.

Every trap that such reports set is in one of them: flags in a column of their own, units behind the range or wrapped to
the next line, ranges on a line of their own, `<0.3`, thousands separators, prose that looks like a range, ranges by sex
and phase, former results, headings that come again on each page.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

Truth = tuple[str, str, str | None, str | None, str | None, str | None]
"""panel, name, value, flag, range (or ranges, by sex, age and phase), unit"""
FIELDS = ("panel", "name", "value", "flag", "range", "unit")
Cell = tuple[float, str]
"""Points from the left edge, and what is printed there."""
LEADING = 12.0
ROWS_OF_A_PAGE = 40


@dataclass(frozen=True)
class Look:
    """A layout: what stands on top of each page, the rows of its table, what stands at the foot and after the end."""

    top: Sequence[Sequence[Cell]]
    body: Sequence[Sequence[Cell]]
    foot: str
    end: Sequence[str]
    truth: Sequence[Truth]


def pdf(look: Look, *, added: Iterable[tuple[int, Sequence[Cell]]] = (), times: int = 1) -> bytes:
    """The report as PDF; `added` are rows put before the row of that number, `times` repeats its table."""
    body = [list(row) for row in look.body]
    for at, row in sorted(added, key=lambda one: -one[0]):
        body.insert(at, list(row))
    body = body * times
    pages = [body[start : start + ROWS_OF_A_PAGE] for start in range(0, len(body), ROWS_OF_A_PAGE)]
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=letter, invariant=True)
    for number, rows in enumerate(pages, 1):
        is_last = number == len(pages)
        tail = [[(40.0, text)] for text in look.end] if is_last else []
        _page(canvas, [*look.top, *rows, *tail], look.foot.format(page=number, pages=len(pages)))
    canvas.save()
    return file.getvalue()


def _page(canvas: Canvas, rows: Sequence[Sequence[Cell]], foot: str) -> None:
    y = 750.0
    for row in rows:
        for x, text in row:
            canvas.setFont("Helvetica-Bold" if text.endswith((" H", " L", " High", " Low")) else "Helvetica", 8)
            canvas.drawString(x, y, text)
        y -= LEADING
    canvas.setFont("Helvetica", 7)
    canvas.drawString(40, 30, foot)
    canvas.showPage()


def _row(edges: Sequence[float], *cells: str) -> list[Cell]:
    return [(x, text) for x, text in zip(edges, cells, strict=False) if text]


_T = (40.0, 215.0, 290.0, 370.0, 550.0)


def _q(*cells: str) -> list[Cell]:
    return _row(_T, *cells)


QUEST_TABLE = Look(
    top=[
        [(40, "Quest Diagnostics Incorporated"), (300, "CLIENT SERVICES: 800.555.0100")],
        [(40, "PATIENT INFORMATION"), (300, "Report Status: Final")],
        [(40, "SAMPLE, PERSON"), (300, "DOB: 01/02/1970 Age: 54")],
        [(40, "Specimen: XX123456Z"), (300, "Collected: 03/14/2024 / 08:12 EDT")],
        [(40, "Requisition: 0001234"), (300, "Received: 03/15/2024 / 01:40 EDT")],
        [(40, "12 Example Street, Springfield 00501"), (300, "Reported: 03/16/2024 / 06:31 EDT")],
        _q("Test Name", "In Range", "Out Of Range", "Reference Range", "Lab"),
    ],
    body=[
        _q("LIPID PANEL, STANDARD"),
        _q("CHOLESTEROL, TOTAL", "", "212 H", "<200 mg/dL", "NL1"),
        _q("HDL CHOLESTEROL", "", "38 L", "> OR = 40 mg/dL", "NL1"),
        _q("TRIGLYCERIDES", "120", "", "<150 mg/dL", "NL1"),
        _q("LDL-CHOLESTEROL", "", "131 H", "mg/dL (calc)", "NL1"),
        [(52, "Reference range: <100")],
        [(52, "Desirable range <100 mg/dL for primary prevention; <70 mg/dL for patients with CHD or")],
        [(52, "diabetic patients with more than two risk factors.")],
        _q("CHOL/HDLC RATIO", "", "5.6 H", "<5.0 (calc)", "NL1"),
        _q("COMPREHENSIVE METABOLIC PANEL"),
        _q("GLUCOSE", "92", "", "65-99 mg/dL", "NL1"),
        [(52, "Fasting reference interval for adults without known disease")],
        _q("UREA NITROGEN (BUN)", "14", "", "7-25 mg/dL", "NL1"),
        _q("CREATININE", "0.98", "", "0.70-1.30 mg/dL", "NL1"),
        _q("EGFR", "91", "", "> OR = 60 mL/min/1.", "NL1"),
        [(370, "73m2")],
        _q("BUN/CREATININE RATIO", "SEE NOTE:", "", "6-22 (calc)", "NL1"),
        [(52, "Not reported when both the nitrogen and the creatinine are within their range 7-25.")],
        _q("SODIUM", "139", "", "135-146 mmol/L", "NL1"),
        _q("CBC (INCLUDES DIFF/PLT)"),
        _q("WHITE BLOOD CELL COUNT", "5.4", "", "3.8-10.8 Thousand/uL", "AMD"),
        _q("RED BLOOD CELL COUNT", "4.71", "", "4.20-5.80 Million/uL", "AMD"),
        _q("PLATELET COUNT", "251", "", "140-400 Thousand/uL", "AMD"),
        _q("ABSOLUTE NEUTROPHILS", "3,105", "", "1,500-7,800 cells/uL", "AMD"),
        _q("BASOPHILS", "0.6", "", "%", "AMD"),
        _q("OTHER TESTS"),
        _q("HEMOGLOBIN A1c", "", "5.8 H", "<5.7 % of total Hgb", "EZ"),
        [(52, "For someone without known diabetes, a value between 5.7% and 6.4% is consistent with prediabetes")],
        _q("FERRITIN", "", "1,204 H", "38-380 ng/mL", "EZ"),
        _q("HS CRP", "<0.3", "", "<1.0 mg/L", "Z4M"),
        _q("TSH", "1.85", "", "0.40-4.50 mIU/L", "EZ"),
        _q("VITAMIN D, 25-OH, TOTAL", "", "22 L", "30-100 ng/mL"),
        [(550, "Z4M")],
        _q("HIV AG/AB, 4TH GEN", "NON-REACTIVE", "", "NON-REACTIVE", "EZ"),
        _q("ESTRADIOL", "44", "", "pg/mL", "EZ"),
        [(52, "Follicular Phase: 19-144")],
        [(52, "Mid-Cycle: 64-357")],
        [(52, "Postmenopausal: < OR = 31")],
        [(52, "Reference range established on post-pubertal patient population, no pre-pubertal limits")],
        _q("VANCOMYCIN", "12.1", "", "mcg/mL", "EZ"),
        [(52, "Peak: 20-40")],
        [(52, "Trough: 10-20")],
        _q("CORTISOL, TOTAL", "DNR", "", "", "EZ"),
    ],
    foot="Page {page} of {pages}",
    end=["PERFORMING SITE:", "AMD EXAMPLE LABORATORY, 14225 NEWBROOK DRIVE, CHANTILLY, VA 20151"],
    truth=[
        ("LIPID PANEL, STANDARD", "CHOLESTEROL, TOTAL", "212", "H", "<200", "mg/dL"),
        ("LIPID PANEL, STANDARD", "HDL CHOLESTEROL", "38", "L", "> OR = 40", "mg/dL"),
        ("LIPID PANEL, STANDARD", "TRIGLYCERIDES", "120", None, "<150", "mg/dL"),
        ("LIPID PANEL, STANDARD", "LDL-CHOLESTEROL", "131", "H", "<100", "mg/dL"),
        ("LIPID PANEL, STANDARD", "CHOL/HDLC RATIO", "5.6", "H", "<5.0", None),
        ("COMPREHENSIVE METABOLIC PANEL", "GLUCOSE", "92", None, "65-99", "mg/dL"),
        ("COMPREHENSIVE METABOLIC PANEL", "UREA NITROGEN (BUN)", "14", None, "7-25", "mg/dL"),
        ("COMPREHENSIVE METABOLIC PANEL", "CREATININE", "0.98", None, "0.70-1.30", "mg/dL"),
        ("COMPREHENSIVE METABOLIC PANEL", "EGFR", "91", None, "> OR = 60", "mL/min/1.73m2"),
        ("COMPREHENSIVE METABOLIC PANEL", "BUN/CREATININE RATIO", "SEE NOTE:", None, "6-22", None),
        ("COMPREHENSIVE METABOLIC PANEL", "SODIUM", "139", None, "135-146", "mmol/L"),
        ("CBC (INCLUDES DIFF/PLT)", "WHITE BLOOD CELL COUNT", "5.4", None, "3.8-10.8", "Thousand/uL"),
        ("CBC (INCLUDES DIFF/PLT)", "RED BLOOD CELL COUNT", "4.71", None, "4.20-5.80", "Million/uL"),
        ("CBC (INCLUDES DIFF/PLT)", "PLATELET COUNT", "251", None, "140-400", "Thousand/uL"),
        ("CBC (INCLUDES DIFF/PLT)", "ABSOLUTE NEUTROPHILS", "3105", None, "1500-7800", "cells/uL"),
        ("CBC (INCLUDES DIFF/PLT)", "BASOPHILS", "0.6", None, None, "%"),
        ("OTHER TESTS", "HEMOGLOBIN A1c", "5.8", "H", "<5.7", "%"),
        ("OTHER TESTS", "FERRITIN", "1204", "H", "38-380", "ng/mL"),
        ("OTHER TESTS", "HS CRP", "<0.3", None, "<1.0", "mg/L"),
        ("OTHER TESTS", "TSH", "1.85", None, "0.40-4.50", "mIU/L"),
        ("OTHER TESTS", "VITAMIN D, 25-OH, TOTAL", "22", "L", "30-100", "ng/mL"),
        ("OTHER TESTS", "HIV AG/AB, 4TH GEN", "NON-REACTIVE", None, "NON-REACTIVE", None),
        ("OTHER TESTS", "ESTRADIOL", "44", None,
         "Follicular Phase: 19-144; Mid-Cycle: 64-357; Postmenopausal: < OR = 31", "pg/mL"),
        ("OTHER TESTS", "VANCOMYCIN", "12.1", None, "Peak: 20-40; Trough: 10-20", "mcg/mL"),
        ("OTHER TESTS", "CORTISOL, TOTAL", "DNR", None, None, None),
    ],
)  # fmt: skip


def _i(text: str) -> list[Cell]:
    return [(40.0, text)]


QUEST_INLINE = Look(
    top=[
        _i("Quest - MyQuest"),
        _i("Sample, Person (54 years)"),
        [(40, "Specimen: YY987654A"), (300, "Collected: 05/02/2024")],
        [(40, "Report Status: Final"), (300, "Reported: 05/03/2024")],
        _i("Test Results"),
    ],
    body=[
        _i("Panel: Lipid Panel, Standard"),
        _i("CHOLESTEROL, TOTAL 170 Reference Range: <200 mg/dL"),
        _i("HDL CHOLESTEROL 41 Reference Range: > OR = 40 mg/dL"),
        _i("TRIGLYCERIDES 171 H Reference Range: <150 mg/dL"),
        _i("LDL-CHOLESTEROL 101 H Reference Range: mg/dL (calc)"),
        _i("CHOL/HDLC RATIO 4.1 Reference Range: <5.0 (calc)"),
        _i("NON HDL CHOLESTEROL 129 Reference Range: <130 mg/dL (calc)"),
        _i("For patients with diabetes plus one major risk factor a goal of <100 mg/dL is an option."),
        _i("Panel: Comprehensive Metabolic Panel"),
        _i("GLUCOSE 65 Reference Range: 65-99 mg/dL"),
        _i("CREATININE 1.02 Reference Range: 0.70-1.30 mg/dL"),
        _i("EGFR 88 Reference Range: > OR = 60 mL/min/1."),
        _i("73m2"),
        _i("BUN/CREATININE RATIO NOT APPLICABLE Reference Range: 6-22 (calc)"),
        _i("SODIUM 140 Reference Range: 135-146 mmol/L"),
        _i("POTASSIUM 4.4 Reference Range: 3.5-5.3 mmol/L"),
        _i("CALCIUM 9.4 Reference Range: 8.6-10.3 mg/dL"),
        _i("ALT 52 H Reference Range: 9-46 U/L"),
        _i("Panel: Others"),
        _i("FERRITIN 1,030 H Reference Range: 38-380 ng/mL"),
        _i("PSA, TOTAL <0.04 Reference Range: < OR = 4.00 ng/mL"),
        _i("COVID-19 RNA NOT DETECTED Reference Range: NOT DETECTED"),
        _i("TSH"),
        [(40, "4.9"), (60, "High")],
        _i("Desired Range 0 0.4 4.5 10"),
        _i("Reference Range: 0.40-4.50"),
        _i("mIU/L"),
        _i("HEMOGLOBIN A1c 5.4 Reference Range: <5.7 % of total Hgb"),
        _i("VITAMIN B12"),
        _i("<150 Low"),
        _i("Reference Range: 200-1,100 pg/mL"),
    ],
    foot="Page {page} of {pages}",
    end=["Performing Sites:", "EZ Example Laboratory, 33608 Ortega Highway, San Juan Capistrano, CA 92675"],
    truth=[
        ("Lipid Panel, Standard", "CHOLESTEROL, TOTAL", "170", None, "<200", "mg/dL"),
        ("Lipid Panel, Standard", "HDL CHOLESTEROL", "41", None, "> OR = 40", "mg/dL"),
        ("Lipid Panel, Standard", "TRIGLYCERIDES", "171", "H", "<150", "mg/dL"),
        ("Lipid Panel, Standard", "LDL-CHOLESTEROL", "101", "H", None, "mg/dL"),
        ("Lipid Panel, Standard", "CHOL/HDLC RATIO", "4.1", None, "<5.0", None),
        ("Lipid Panel, Standard", "NON HDL CHOLESTEROL", "129", None, "<130", "mg/dL"),
        ("Comprehensive Metabolic Panel", "GLUCOSE", "65", None, "65-99", "mg/dL"),
        ("Comprehensive Metabolic Panel", "CREATININE", "1.02", None, "0.70-1.30", "mg/dL"),
        ("Comprehensive Metabolic Panel", "EGFR", "88", None, "> OR = 60", "mL/min/1.73m2"),
        ("Comprehensive Metabolic Panel", "BUN/CREATININE RATIO", "NOT APPLICABLE", None, "6-22", None),
        ("Comprehensive Metabolic Panel", "SODIUM", "140", None, "135-146", "mmol/L"),
        ("Comprehensive Metabolic Panel", "POTASSIUM", "4.4", None, "3.5-5.3", "mmol/L"),
        ("Comprehensive Metabolic Panel", "CALCIUM", "9.4", None, "8.6-10.3", "mg/dL"),
        ("Comprehensive Metabolic Panel", "ALT", "52", "H", "9-46", "U/L"),
        ("Others", "FERRITIN", "1030", "H", "38-380", "ng/mL"),
        ("Others", "PSA, TOTAL", "<0.04", None, "< OR = 4.00", "ng/mL"),
        ("Others", "COVID-19 RNA", "NOT DETECTED", None, "NOT DETECTED", None),
        ("Others", "TSH", "4.9", "High", "0.40-4.50", "mIU/L"),
        ("Others", "HEMOGLOBIN A1c", "5.4", None, "<5.7", "%"),
        ("Others", "VITAMIN B12", "<150", "Low", "200-1100", "pg/mL"),
    ],
)

_HEADER = ("Test", "Current Result and Flag", "Previous Result and Date", "Units", "Reference Interval")
_L = (40.0, 200.0, 310.0, 425.0, 490.0)


def _l(*cells: str) -> list[Cell]:
    return _row(_L, *cells)


LABCORP = Look(
    top=[
        [(40, "labcorp"), (300, "Patient Report")],
        [(40, "Sample, Person"), (300, "Patient ID: 000111 Age: 54")],
        [(40, "Specimen ID: 073-555-0001-0"), (300, "Date Collected: 03/14/2024 0812 Local")],
        [(40, "Account Number: 00000000"), (300, "Date Received: 03/14/2024")],
        [(40, "Ordered Items: CBC, CMP, Lipid Panel"), (300, "Date Reported: 03/15/2024 0736 ET")],
    ],
    body=[
        _l("CBC With Differential/Platelet"),
        _l(*_HEADER),
        _l("WBC 01", "5.4", "6.1 01/02/2023", "x10E3/uL", "3.4-10.8"),
        _l("RBC 01", "4.71", "4.68 01/02/2023", "x10E6/uL", "4.14-5.80"),
        _l("Hemoglobin 01", "12.9 Low", "13.2 01/02/2023", "g/dL", "13.0-17.7"),
        _l("MCV 01", "94", "", "fL", "79-97"),
        _l("Platelets 01", "251", "", "x10E3/uL", "150-450"),
        _l("Neutrophils 01", "58", "", "%", "Not Estab."),
        _l("Neutrophils (Absolute) 01", "3.1", "", "x10E3/uL", "1.4-7.0"),
        _l("Comp. Metabolic Panel (14)"),
        _l(*_HEADER),
        _l("Glucose 01", "104 High", "", "mg/dL", "70-99"),
        _l("BUN 01", "14", "22 High 01/02/2023", "mg/dL", "6-24"),
        _l("Creatinine 01", "0.98", "", "mg/dL", "0.76-1.27"),
        _l("eGFR 01", "91", "", "mL/min/1.", ">59"),
        [(425, "73")],
        _l("Potassium 01", "6.6 Critical High", "", "mmol/L", "3.5-5.2"),
        _l("ALT (SGPT) 01", "22", "", "IU/L", "0-44"),
        _l("Lipid Panel"),
        _l("Cholesterol, Total 01", "212 High", "198 01/02/2023", "mg/dL", "100-199"),
        _l("LDL Chol Calc (NIH) 01", "131 High", "", "mg/dL", "0-99"),
        _l("T. Chol/HDL Ratio 01", "5.6 High", "", "ratio", "0.0-5.0"),
        [(52, "Please note that the ratio is relative to a risk of 1.0 for men with average values")],
        _l("Hemoglobin A1c"),
        _l("Hemoglobin A1c 01", "5.8 High", "", "%", "4.8-5.6"),
        [(52, "Prediabetes: 5.7 - 6.4")],
        [(52, "Diabetes: >6.4")],
        _l("Other Tests"),
        _l("Ferritin 02", "1,204 High", "", "ng/mL", "30-400"),
        _l("C-Reactive Protein, Cardiac 01", "<0.3", "0.44 01/02/2023", "mg/L", "0.00-3.00"),
        _l("HCV Ab 01", "Non Reactive", "", "", "Non Reactive"),
        _l("Occult Blood 01", "Positive Abnormal", "Negative 01/02/2023", "", "Negative"),
    ],
    foot="Date Created and Stored 03/15/24 0736 ET Final Report Page {page} of {pages}",
    end=["Disclaimer", "© 2024 Laboratory Corporation of America Holdings", "This is page text of 2 offices."],
    truth=[
        ("CBC With Differential/Platelet", "WBC", "5.4", None, "3.4-10.8", "x10E3/uL"),
        ("CBC With Differential/Platelet", "RBC", "4.71", None, "4.14-5.80", "x10E6/uL"),
        ("CBC With Differential/Platelet", "Hemoglobin", "12.9", "Low", "13.0-17.7", "g/dL"),
        ("CBC With Differential/Platelet", "MCV", "94", None, "79-97", "fL"),
        ("CBC With Differential/Platelet", "Platelets", "251", None, "150-450", "x10E3/uL"),
        ("CBC With Differential/Platelet", "Neutrophils", "58", None, "Not Estab.", "%"),
        ("CBC With Differential/Platelet", "Neutrophils (Absolute)", "3.1", None, "1.4-7.0", "x10E3/uL"),
        ("Comp. Metabolic Panel (14)", "Glucose", "104", "High", "70-99", "mg/dL"),
        ("Comp. Metabolic Panel (14)", "BUN", "14", None, "6-24", "mg/dL"),
        ("Comp. Metabolic Panel (14)", "Creatinine", "0.98", None, "0.76-1.27", "mg/dL"),
        ("Comp. Metabolic Panel (14)", "eGFR", "91", None, ">59", "mL/min/1.73"),
        ("Comp. Metabolic Panel (14)", "Potassium", "6.6", "Critical High", "3.5-5.2", "mmol/L"),
        ("Comp. Metabolic Panel (14)", "ALT (SGPT)", "22", None, "0-44", "IU/L"),
        ("Lipid Panel", "Cholesterol, Total", "212", "High", "100-199", "mg/dL"),
        ("Lipid Panel", "LDL Chol Calc (NIH)", "131", "High", "0-99", "mg/dL"),
        ("Lipid Panel", "T. Chol/HDL Ratio", "5.6", "High", "0.0-5.0", "ratio"),
        ("Hemoglobin A1c", "Hemoglobin A1c", "5.8", "High", "4.8-5.6", "%"),
        ("Other Tests", "Ferritin", "1204", "High", "30-400", "ng/mL"),
        ("Other Tests", "C-Reactive Protein, Cardiac", "<0.3", None, "0.00-3.00", "mg/L"),
        ("Other Tests", "HCV Ab", "Non Reactive", None, "Non Reactive", None),
        ("Other Tests", "Occult Blood", "Positive", "Abnormal", "Negative", None),
    ],
)
LOOKS = {"quest_table": QUEST_TABLE, "quest_inline": QUEST_INLINE, "labcorp": LABCORP}
