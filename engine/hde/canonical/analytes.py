"""The analytes of `lab_results`: laboratory codes close enough to be compared, and the one unit they are compared in.

The methods of an analyte may differ (calculated or measured LDL, the equations of eGFR): `code` says which it was.

Mass and molar concentrations become each other only by the molar mass given here, never by a guess. LOINC codes are
those of the common panels, each with its check digit tested; codes copyright (c) LOINC, used under its licence
(loinc.org/license).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Analyte:
    name: str
    unit: str
    """UCUM."""
    loinc: tuple[str, ...]
    molar_mass: float | None = None
    """g/mol of what is counted: glucose, nitrogen in urea nitrogen, phosphorus in phosphate."""
    charge: int | None = None
    """Equivalents per mole, of an ion."""
    apart: tuple[str, ...] = ()
    """Units that UCUM would convert and that are on another scale: HbA1c in mmol/mol is not that in %."""
    same: tuple[str, ...] = ()
    """Units that mean the same of this analyte, though not of others: of an enzyme an international unit is a unit."""


_LIST = (
    Analyte("cholesterol", "mg/dL", ("2093-3", "14647-2"), 386.65),
    Analyte("hdl_cholesterol", "mg/dL", ("2085-9", "14646-4"), 386.65),
    Analyte("ldl_cholesterol", "mg/dL", ("13457-7", "2089-1", "18262-6", "22748-8"), 386.65),
    Analyte("non_hdl_cholesterol", "mg/dL", ("43396-1",), 386.65),
    Analyte("triglycerides", "mg/dL", ("2571-8", "14927-8"), 885.7),
    Analyte("glucose", "mg/dL", ("2345-7", "14749-6", "2339-0", "1558-6"), 180.156),
    Analyte("urea_nitrogen", "mg/dL", ("3094-0",), 28.014),
    Analyte("creatinine", "mg/dL", ("2160-0", "14682-9"), 113.12),
    Analyte("egfr", "mL/min/{1.73_m2}", ("98979-8", "62238-1", "33914-3")),
    Analyte("sodium", "mmol/L", ("2951-2",), 22.98977, 1),
    Analyte("potassium", "mmol/L", ("2823-3",), 39.0983, 1),
    Analyte("chloride", "mmol/L", ("2075-0",), 35.453, 1),
    Analyte("carbon_dioxide", "mmol/L", ("2028-9",), charge=1),
    Analyte("calcium", "mg/dL", ("17861-6", "2000-8"), 40.078, 2),
    Analyte("magnesium", "mg/dL", ("19123-9",), 24.305, 2),
    Analyte("phosphate", "mg/dL", ("2777-1",), 30.974),
    Analyte("alt", "U/L", ("1742-6",), same=("[IU]/L",)),
    Analyte("ast", "U/L", ("1920-8",), same=("[IU]/L",)),
    Analyte("alkaline_phosphatase", "U/L", ("6768-6",), same=("[IU]/L",)),
    Analyte("bilirubin_total", "mg/dL", ("1975-2", "14631-6"), 584.66),
    Analyte("albumin", "g/dL", ("1751-7",)),
    Analyte("total_protein", "g/dL", ("2885-2",)),
    Analyte("urate", "mg/dL", ("3084-1",), 168.11),
    Analyte("leukocytes", "10*3/uL", ("6690-2",)),
    Analyte("erythrocytes", "10*6/uL", ("789-8",)),
    Analyte("hemoglobin", "g/dL", ("718-7",)),
    Analyte("hematocrit", "%", ("4544-3",)),
    Analyte("mcv", "fL", ("787-2",)),
    Analyte("mch", "pg", ("785-6",)),
    Analyte("mchc", "g/dL", ("786-4",)),
    Analyte("platelets", "10*3/uL", ("777-3",)),
    Analyte("rdw", "%", ("788-0",)),
    Analyte("neutrophils", "10*3/uL", ("751-8",)),
    Analyte("lymphocytes", "10*3/uL", ("731-0",)),
    Analyte("monocytes", "10*3/uL", ("742-7",)),
    Analyte("eosinophils", "10*3/uL", ("711-2",)),
    Analyte("basophils", "10*3/uL", ("704-7",)),
    Analyte("hba1c", "%", ("4548-4",), apart=("mmol/mol",)),
    Analyte("tsh", "m[IU]/L", ("3016-3",)),
    Analyte("free_t4", "ng/dL", ("3024-7",), 776.87),
    Analyte("vitamin_d", "ng/mL", ("62292-8",), 400.64),
    Analyte("vitamin_b12", "pg/mL", ("2132-9",), 1355.37),
    Analyte("ferritin", "ng/mL", ("2276-4",)),
    Analyte("iron", "ug/dL", ("2498-4",), 55.845),
    Analyte("crp_high_sensitivity", "mg/L", ("30522-7",)),
    Analyte("crp", "mg/L", ("1988-5",)),
    Analyte("testosterone", "ng/dL", ("2986-8",), 288.42),
)

ANALYTES: dict[str, Analyte] = {code: analyte for analyte in _LIST for code in analyte.loinc}
"""By LOINC code."""
