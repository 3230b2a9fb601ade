"""What the simulated laboratory measures, and how untidily it writes that down: the table of its analytes. Data only.

Codes are LOINC's where they are numbers with a check digit; one analyte has only a local code, one a LOINC code that
lost its dash on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal[
    "quantity", "text", "text with unit", "in the reason", "missing", "coded", "ratio", "range", "boolean", "below"
]


@dataclass(frozen=True)
class Analyte:
    """`mean` and `spread` of this person, `drift` a year; `unit` as it is written, `ucum` where the code is given too.

    `reference` is the range's text; `low` and `high` its numbers. `numbered` says whether the numbers stand in the
    resource as well: most laboratories write the text alone. `further` are other ranges, for whom each is.
    """

    code: str
    name: str
    mean: float = 0.0
    spread: float = 0.0
    digits: int = 0
    unit: str = ""
    ucum: str = ""
    low: float | None = None
    high: float | None = None
    reference: str = ""
    numbered: bool = False
    drift: float = 0.0
    style: Style = "quantity"
    words: tuple[str, ...] = ()
    """What a result may be that is no number."""
    further: tuple[tuple[str, float | None, float | None], ...] = ()


@dataclass(frozen=True)
class Panel:
    """A report and what is in it; it is done every so many visits, from the visit that is `first` on."""

    code: str
    name: str
    every: int
    first: int
    analytes: tuple[Analyte, ...]
    specimen: str = "Serum or plasma"


METABOLIC = Panel("24323-8", "COMPREHENSIVE METABOLIC PANEL", 2, 0, (
    Analyte("2345-7", "GLUCOSE", 96, 6, 0, "mg/dL", "mg/dL", 70, 99, "70-99 mg/dL", True, drift=1.5),
    Analyte("3094-0", "UREA NITROGEN (BUN)", 15, 2.5, 0, "mg/dL", "mg/dL", 7, 25, "7-25", True),
    Analyte("2160-0", "CREATININE", 0.92, 0.06, 2, "mg/dL", "mg/dL", 0.5, 1.05, "0.50-1.05 mg/dL"),
    Analyte("98979-8", "EGFR", 88, 5, 0, "mL/min/1.73m2", "", 60, None, "> OR = 60 mL/min/1.73m2"),
    Analyte("2951-2", "SODIUM", 140, 1.5, 0, "mmol/L", "mmol/L", 135, 146, "135-146 mmol/L", True),
    Analyte("2823-3", "POTASSIUM", 4.3, 0.25, 1, "mmol/L", "mmol/L", 3.5, 5.3, "3.5-5.3 mmol/L", True),
    Analyte("2075-0", "CHLORIDE", 103, 1.6, 0, "mEq/L", "", 98, 110, "98-110"),
    Analyte("2028-9", "CARBON DIOXIDE", 25, 1.5, 0, "mmol/L", "", 20, 32, "20 - 32 mmol/L", style="text with unit"),
    Analyte("17861-6", "CALCIUM", 9.5, 0.2, 1, "mg/dl", "", 8.6, 10.4, "8.6-10.4"),
    Analyte("2885-2", "PROTEIN, TOTAL", 7.0, 0.25, 1, "g/dL", "g/dL", 6.1, 8.1, "6.1-8.1 g/dL", True),
    Analyte("1751-7", "ALBUMIN", 4.4, 0.15, 1, "gm/dL", "", 3.6, 5.1, "3.6-5.1"),
    Analyte("1975-2", "BILIRUBIN, TOTAL", 0.6, 0.12, 1, "mg/dL", "mg/dL", 0.2, 1.2, "0.2-1.2 mg/dL"),
    Analyte("6768-6", "ALKALINE PHOSPHATASE", 68, 6, 0, "U/L", "U/L", 31, 125, "31-125 U/L", True),
    Analyte("1920-8", "AST", 22, 4, 0, "IU/L", "", 10, 35, "10-35"),
    Analyte("1742-6", "ALT", 24, 5, 0, "U/L", "U/L", 6, 29, "<=29", True),
))  # fmt: skip

BLOOD_COUNT = Panel("58410-2", "CBC (INCLUDES DIFF/PLT)", 2, 1, (
    Analyte("6690-2", "WHITE BLOOD CELL COUNT", 6.2, 0.9, 1, "K/uL", "", 3.8, 10.8, "3.8-10.8 K/uL"),
    Analyte("789-8", "RED BLOOD CELL COUNT", 4.62, 0.12, 2, "M/mm3", "", 3.8, 5.1, "3.80-5.10", style="text with unit"),
    Analyte("718-7", "HEMOGLOBIN", 13.6, 0.4, 1, "g/dL", "g/dL", 11.7, 15.5, "11.7-15.5 g/dL", True),
    Analyte("4544-3", "HEMATOCRIT", 40.8, 1.1, 1, "%", "%", 35, 45, "35.0-45.0 %", True),
    Analyte("787-2", "MCV", 88.4, 1.0, 1, "fl", "", 80, 100, "80.0-100.0"),
    Analyte("785-6", "MCH", 29.5, 0.4, 1, "pg", "pg", 27, 33, "27.0-33.0", True),
    Analyte("786-4", "MCHC", 33.4, 0.4, 1, "g/dl", "", 32, 36, "32.0-36.0"),
    Analyte("777-3", "PLATELET COUNT", 246, 22, 0, "Thousand/uL", "", 140, 400, "140-400"),
    Analyte("751-8", "ABSOLUTE NEUTROPHILS", 3.5, 0.6, 1, "10*3/\u00b5L", "", 1.5, 7.8, "1.5-7.8"),
    Analyte("731-0", "ABSOLUTE LYMPHOCYTES", 1.9, 0.3, 1, "x10E3/\u03bcL", "", 0.85, 3.9, "0.85-3.90"),
), "Whole blood")  # fmt: skip

LIPIDS = Panel("57698-3", "LIPID PANEL", 4, 1, (
    Analyte("2093-3", "CHOLESTEROL, TOTAL", 212, 9, 0, "mg/dL", "mg/dL", None, 200, "<=200", drift=-11),
    Analyte("2085-9", "HDL CHOLESTEROL", 56, 4, 0, "mg/dL", "mg/dL", 50, None, "> OR = 50 mg/dL"),
    Analyte("2571-8", "TRIGLYCERIDES", 128, 22, 0, "mg/dL", "mg/dL", None, 150, "<150 mg/dL"),
    Analyte("13457-7", "LDL-CHOLESTEROL", 134, 8, 0, "mg/dL (calc)", "", None, 100, "<100 mg/dL (calc)", drift=-11),
))  # fmt: skip

SINGLES = (
    Panel("4548-4", "HEMOGLOBIN A1C", 2, 0, (
        Analyte("4548-4", "HEMOGLOBIN A1C", 5.5, 0.08, 1, "", "", 4.0, 5.6, "4.0 - 5.6", drift=0.08),
    ), "Whole blood"),
    Panel("3016-3", "TSH", 4, 0, (
        Analyte("3016-3", "TSH", 2.1, 0.5, 2, "uIU/mL", "", 0.4, 4.5, "0.40-4.50 mIU/L", style="text"),
    )),
    Panel("62292-8", "VITAMIN D, 25-OH, TOTAL", 3, 0, (
        Analyte("62292-8", "VITAMIN D, 25-OH, TOTAL", 28, 4, 0, "ng/mL", "ng/mL", 30, 100, "30-100", True,
                further=(("deficient", None, 20), ("insufficient", 20, 29))),
    )),
    Panel("2276-4", "FERRITIN", 4, 2, (
        Analyte("2276-4", "FERRITIN", 34, 9, 0, "NG/ML", "", 16, 154, "16-154", True,
                further=(("male", 38, 380),)),
        Analyte("2498-4", "IRON, TOTAL", 82, 16, 0, "mcg/dL", "", 40, 190, "40-190 mcg/dL (calc)"),
    )),
    Panel("30522-7", "HS CRP", 4, 3, (
        Analyte("30522-7", "HS CRP", 0.3, 0.0, 1, "mg/L", "", None, 1.0, "<1.0 mg/L", style="below"),
    )),
    Panel("5902-2", "PROTHROMBIN TIME", 6, 1, (
        Analyte("5902-2", "PROTHROMBIN TIME", 12.0, 0.5, 5, "seconds", "", 9.0, 11.5, "9.0-11.5 sec",
                style="in the reason"),
    ), "Plasma"),
    Panel("24356-8", "URINALYSIS, COMPLETE", 3, 1, (
        Analyte("5778-6", "COLOR", style="text", words=("YELLOW", "DARK YELLOW"), reference="YELLOW"),
        Analyte("5811-5", "SPECIFIC GRAVITY", 1.015, 0.004, 3, "", "", 1.001, 1.035, "1.001-1.035"),
        Analyte("5792-7", "GLUCOSE, URINE", style="text", words=("NEGATIVE", "TRACE"), reference="NEGATIVE"),
        Analyte("5821-4", "WBC, URINE", 0, 0, 0, "/HPF", "", None, 5, "< OR = 5 /HPF", style="range"),
    ), "Urine"),
    Panel("94500-6", "SARS COV 2 RNA, QL NAAT", 5, 1, (
        Analyte("94500-6", "SARS COV 2 RNA", style="coded", words=("260415000", "260373001"),
                reference="NOT DETECTED"),
    ), "Nasopharyngeal swab"),
    Panel("5048-4", "ANA SCREEN", 9, 2, (
        Analyte("5048-4", "ANA TITER", style="ratio", words=("1:40", "1:80"), reference="<1:40 NEGATIVE"),
        Analyte("49541-6", "FASTING", style="boolean"),
    )),
    Panel("20933", "CHOLESTEROL (POINT OF CARE)", 7, 2, (
        Analyte("20933", "CHOLESTEROL (POINT OF CARE)", 205, 12, 0, "mg/dL", "mg/dL", None, 200, "<200"),
        Analyte("", "HEMOLYSIS INDEX", style="text", words=("NONE", "SLIGHT"), reference="NONE"),
        Analyte("14979-9", "APTT", style="missing", unit="sec", reference="23-32"),
    ), "Whole blood"),
)  # fmt: skip

PANELS = (METABOLIC, BLOOD_COUNT, LIPIDS, *SINGLES)

CODED = {"260415000": "Not detected", "260373001": "Detected"}
"""SNOMED CT's words for what was looked for."""
