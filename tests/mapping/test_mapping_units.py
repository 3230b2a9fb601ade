"""Units: the table that needs no library says what the library says, and what cannot be converted is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hde.canonical import METRICS, TABLES
from hde.mapping.unit_table import ALIASES, CONVERSIONS, WORDS
from hde.mapping.units import UnitError, canonical, computed_rule, conversion


def converted(number, rule):
    times, over, minus, plus = rule
    return (number - minus) * times / over + plus


@pytest.mark.parametrize(("source", "target"), CONVERSIONS)
def test_the_table_says_what_the_unit_library_says(source, target):
    computed = computed_rule(source, target)
    for number in (0.0, 1.0, 37.5, 1e6):
        assert converted(number, CONVERSIONS[source, target]) == pytest.approx(
            converted(number, computed), rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize("code", sorted({*ALIASES.values(), *WORDS.values()}))
def test_every_alias_means_a_real_unit(code):
    computed_rule(code, code)


@pytest.mark.parametrize(
    "unit", sorted({m.unit for m in METRICS.values()} | {c.unit for t in TABLES.values() for c in t.columns if c.unit})
)
def test_every_canonical_unit_is_ucum(unit):
    computed_rule(unit, unit)


@pytest.mark.parametrize(
    ("number", "source", "target", "expected"),
    [
        (27_600_000, "ms", "s", 27600.0),
        (1, "kJ", "kcal", 1 / 4.184),
        (8368, "kJ", "kcal", 2000.0),
        (250, "[Cal]", "kcal", 250.0),
        (98.6, "[degF]", "Cel", 37.0),
        (98.6, "°F", "Cel", 37.0),
        (310.15, "K", "Cel", 37.0),
        (0.97, "1", "%", 97.0),
        (97, "%", "1", 0.97),
        (1, "Hz", "/min", 60.0),
        (60, "bpm", "/min", 60.0),
        (60, "BEATS PER MINUTE", "/min", 60.0),
        (60, "{beats}/min", "/min", 60.0),
        (3.1, "[mi_i]", "m", 4988.9664),
        (3.1, "mi", "m", 4988.9664),
        (154, "lbs", "kg", 69.85322498),
        (60, "count/min", "/min", 60.0),
        (250, "Cal", "kcal", 250.0),
        (900, "steps", "{steps}", 900.0),
        (5, "{score}", "{score}", 5.0),
        (5, "1", "{score}", 5.0),
        (120, "mmHg", "mm[Hg]", 120.0),
        (5, "µg", "mg", 0.005),
        (5, "μg", "mg", 0.005),
        (5, "K/uL", "10*3/uL", 5.0),
        (5, "M/mm3", "10*3/uL", 5000.0),
        (5, "mcg/dL", "ug/L", 50.0),
        (2, "st", "kg", None),
    ],
)
def test_conversions(number, source, target, expected):
    if expected is None:
        with pytest.raises(UnitError):
            conversion(source, target)
    else:
        assert conversion(source, target)(number) == pytest.approx(expected, rel=1e-12)


def test_results_are_the_nicest_floats():
    assert conversion("ms", "s")(7200500) == 7200.5
    assert repr(conversion("kJ", "kcal")(8368.0)) == "2000.0"
    assert repr(conversion("dL", "L")(3)) == "0.3"


@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        ("km", "s", "km cannot become s: length is not time"),
        ("kJ", "kg", "energy is not mass"),
        ("mg/dL", "mmol/L", "mass concentration is not molar concentration"),
        ("{score}", "{steps}", "they count different things"),
        ("{score}", "%", "they count different things"),
        ("[IU]/L", "/L", "an arbitrary unit"),
        ("furlong", "m", "'furlong' is not a UCUM unit"),
        ("[pH]", "1", "is not a UCUM unit"),
        ("", "m", "is not a UCUM unit"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(source, target, complaint):
    with pytest.raises(UnitError, match=r"cannot become|is not a UCUM") as caught:
        conversion(source, target)
    assert complaint in str(caught.value)


def test_canonical_is_itself_for_a_ucum_code():
    assert [canonical(code) for code in ("ms", "%", "/min", "10*3/uL")] == ["ms", "%", "/min", "10*3/uL"]


def test_common_units_do_not_load_the_unit_library():
    script = (
        "import sys\n"
        "from hde.mapping.compiled import compile_mapping\n"
        "from hde.mapping.units import conversion\n"
        "[conversion(*pair) for pair in [('ms', 's'), ('kJ', 'kcal'), ('bpm', '/min'), ('{score}', '{score}')]]\n"
        "sys.exit('pint' in sys.modules or 'ucumvert' in sys.modules)"
    )
    path = ["-c", f"import sys; sys.path[:0] = {sys.path!r}\n{script}"]
    assert subprocess.run([sys.executable, *path], check=False).returncode == 0
