"""Between the units of one analyte: by UCUM, and between mass and substance by that analyte's molar mass alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from hde.canonical import Analyte
from hde.mapping import units
from hde.mapping.units import UnitError

_MASS, _SUBSTANCE, _EQUIVALENT = "g/L", "mol/L", "eq/L"


@lru_cache(maxsize=4096)
def conversion(source: str, analyte: Analyte) -> Callable[[float], float] | None:
    """From a UCUM unit to the analyte's; None where nothing certain leads there."""
    if source in analyte.same:
        return float
    if source in analyte.apart:
        return None
    try:
        return units.conversion(source, analyte.unit)
    except UnitError:
        pass
    factor = _per_mole(source, analyte)
    to_mole = _per_mole(analyte.unit, analyte)
    if factor is None or to_mole is None:
        return None
    # rounded, since reference ranges and results are compared as people write them
    return lambda number: float(f"{number * factor / to_mole:.6g}")


def _per_mole(unit: str, analyte: Analyte) -> float | None:
    """How many mol/L one `unit` is."""
    for base, size in ((_SUBSTANCE, 1), (_MASS, analyte.molar_mass), (_EQUIVALENT, analyte.charge)):
        if size is None:
            continue
        try:
            return units.conversion(unit, base)(1.0) / size
        except UnitError:
            continue
    return None
