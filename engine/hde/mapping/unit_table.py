"""Units as plain data: what sources write for a UCUM code, and the conversions that need no unit library.

A test holds every factor equal to what ucumvert computes.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """`(x - minus) * times / over + plus`; of `times` and `over` the one that is written shorter is used."""

    times: float = 1.0
    over: float = 1.0
    minus: float = 0.0
    plus: float = 0.0


SAME = Rule()

ALIASES = {
    "[Cal]": "kcal",
    "K/uL": "10*3/uL",
    "Thousand/uL": "10*3/uL",
    "THOUS/MCL": "10*3/uL",
    "K/mcL": "10*3/uL",
    "M/uL": "10*6/uL",
    "Million/uL": "10*6/uL",
    "M/mm3": "10*6/uL",
    "M/mm^3": "10*6/uL",
    "K/mm3": "10*3/mm3",
    "K/mm^3": "10*3/mm3",
    "IU/L": "[IU]/L",
    "IU/mL": "[IU]/mL",
    "uIU/mL": "u[IU]/mL",
    "mIU/L": "m[IU]/L",
    "mIU/mL": "m[IU]/mL",
    "NG/dL": "ng/dL",
    "NG/mL": "ng/mL",
    "MG/dL": "mg/dL",
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "gm/L": "g/L",
    "gm/dL": "g/dL",
    "fl": "fL",
    "mcg": "ug",
    "mcg/dL": "ug/dL",
    "mcg/mL": "ug/mL",
    "mcg/L": "ug/L",
    "mL/min/1.73(m2)": "mL/min/{1.73_m2}",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73": "mL/min/{1.73_m2}",
    "mL/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "MG/DL": "mg/dL",
    "G/DL": "g/dL",
    "NG/DL": "ng/dL",
    "NG/ML": "ng/mL",
    "PG/ML": "pg/mL",
    "UG/DL": "ug/dL",
    "MCG/DL": "ug/dL",
    "MCG/ML": "ug/mL",
    "mcg/dl": "ug/dL",
    "ug/dl": "ug/dL",
    "ng/ml": "ng/mL",
    "pg/ml": "pg/mL",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "MMOL/L": "mmol/L",
    "mEq/L": "meq/L",
    "MEQ/L": "meq/L",
    "U/l": "U/L",
    "IU/l": "[IU]/L",
    "mIU/l": "m[IU]/L",
    "mU/L": "m[IU]/L",
    "uU/mL": "u[IU]/mL",
    "mm/hr": "mm/h",
    "mm/Hr": "mm/h",
    "MM/HR": "mm/h",
    "cells/uL": "{cells}/uL",
    "cells/mcL": "{cells}/uL",
    "CELLS/MCL": "{cells}/uL",
    "THOUS/UL": "10*3/uL",
    "THOUSAND/UL": "10*3/uL",
    "MILL/MCL": "10*6/uL",
    "MILLION/UL": "10*6/uL",
    "PG": "pg",
    "FL": "fL",
    "Pg": "pg",
    "/HPF": "/[HPF]",
    "/hpf": "/[HPF]",
    "/LPF": "/[LPF]",
    "/lpf": "/[LPF]",
    "% of total Hgb": "%",
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "°C": "Cel",
    "°F": "[degF]",
    "degC": "Cel",
    "degF": "[degF]",
    "C": "Cel",
    "F": "[degF]",
    "Cal": "kcal",
}
"""As seen in real data. Never a guess between two meanings, with one exception that says itself: a body is not
measured in coulomb or farad, nor blood cells in kelvin."""

WORDS = {
    "bpm": "/min",
    "rpm": "/min",
    "beats/min": "/min",
    "beats per minute": "/min",
    "breaths/min": "/min",
    "breaths per minute": "/min",
    "per minute": "/min",
    "count/min": "/min",
    "steps": "{steps}",
    "percent": "%",
    "pct": "%",
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "secs": "s",
    "millisecond": "ms",
    "milliseconds": "ms",
    "msec": "ms",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "hrs": "h",
    "day": "d",
    "days": "d",
    "kilogram": "kg",
    "kilograms": "kg",
    "kgs": "kg",
    "gram": "g",
    "grams": "g",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pound": "[lb_av]",
    "pounds": "[lb_av]",
    "oz": "[oz_av]",
    "meter": "m",
    "meters": "m",
    "metre": "m",
    "metres": "m",
    "kilometer": "km",
    "kilometers": "km",
    "centimeter": "cm",
    "centimeters": "cm",
    "mi": "[mi_i]",
    "mile": "[mi_i]",
    "miles": "[mi_i]",
    "foot": "[ft_i]",
    "feet": "[ft_i]",
    "ft": "[ft_i]",
    "in": "[in_i]",
    "inch": "[in_i]",
    "inches": "[in_i]",
    "yd": "[yd_i]",
    "yard": "[yd_i]",
    "yards": "[yd_i]",
    "kilojoule": "kJ",
    "kilojoules": "kJ",
    "kilocalorie": "kcal",
    "kilocalories": "kcal",
    "kcals": "kcal",
    "celsius": "Cel",
    "fahrenheit": "[degF]",
}
"""Read whatever their case."""

CONVERSIONS = {
    ("ns", "s"): Rule(over=1e9),
    ("us", "s"): Rule(over=1e6),
    ("ms", "s"): Rule(over=1000.0),
    ("min", "s"): Rule(60.0),
    ("h", "s"): Rule(3600.0),
    ("d", "s"): Rule(86400.0),
    ("wk", "s"): Rule(604800.0),
    ("s", "ms"): Rule(1000.0),
    ("s", "min"): Rule(over=60.0),
    ("J", "kcal"): Rule(over=4184.0),
    ("kJ", "kcal"): Rule(over=4.184),
    ("MJ", "kcal"): Rule(over=0.004184),
    ("cal", "kcal"): Rule(over=1000.0),
    ("mm", "m"): Rule(over=1000.0),
    ("cm", "m"): Rule(over=100.0),
    ("km", "m"): Rule(1000.0),
    ("[in_i]", "m"): Rule(0.0254),
    ("[ft_i]", "m"): Rule(0.3048),
    ("[yd_i]", "m"): Rule(0.9144),
    ("[mi_i]", "m"): Rule(1609.344),
    ("g", "kg"): Rule(over=1000.0),
    ("[lb_av]", "kg"): Rule(0.45359237),
    ("[oz_av]", "kg"): Rule(0.028349523125),
    ("[stone_av]", "kg"): Rule(6.35029318),
    ("[degF]", "Cel"): Rule(over=1.8, minus=32.0),
    ("K", "Cel"): Rule(minus=273.15),
    ("Cel", "K"): Rule(plus=273.15),
    ("%", "1"): Rule(over=100.0),
    ("1", "%"): Rule(100.0),
    ("/s", "/min"): Rule(60.0),
    ("Hz", "/min"): Rule(60.0),
    ("/h", "/min"): Rule(over=60.0),
    ("/min", "/s"): Rule(over=60.0),
    ("kPa", "mm[Hg]"): Rule(over=0.133322387415),
    ("cm[Hg]", "mm[Hg]"): Rule(10.0),
}

VOLUMES = {"ul": "uL", "mcl": "uL", "ml": "mL", "dl": "dL", "l": "L", "mm3": "mm3"}
"""How volumes are written behind a power of ten (`x10E3/uL`), in lower case."""

_EVERYDAY = (
    "mg/dL g/dL ug/dL ng/dL pg/dL mg/L g/L ug/L ng/L ng/mL pg/mL ug/mL mg/mL mmol/L umol/L nmol/L pmol/L mol/L meq/L "
    "mmol/mol mg/g ug/g mg/mmol U/L U/mL [IU]/L [IU]/mL m[IU]/L m[IU]/mL u[IU]/mL k[IU]/L 10*3/uL 10*6/uL 10*9/L "
    "10*12/L 10*3/mL 10*3/mm3 /uL /mm3 {cells}/uL /[HPF] /[LPF] fL pg % 1 {ratio} [pH] mm/h s min h d ms "
    "mL/min/{1.73_m2} mL/min mg/(24.h) g/(24.h) mosm/kg mm[Hg] Cel [degF] kg g m cm mm kg/m2 /min [lb_av] [in_i] "
    "{copies}/mL {score} {titer} {index} mL L ug mg ng"
)
COMMON = frozenset(_EVERYDAY.split())
"""UCUM codes of everyday results, which need no unit library to be known."""

ANY_CASE = {
    spelt.lower(): code
    for spelt, code in (*ALIASES.items(), *((code, code) for code in _EVERYDAY.split()))
    if "/" in spelt
}
"""Everyday ratios in letters of any case: `MG/L` is no megagauss. Single units are not here: `mM` is no millimetre."""
