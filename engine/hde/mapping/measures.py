"""Numbers with a unit that is not known before the record is read, and numbers with a power of ten beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from hde.errors import WrongUse
from hde.issues import Issue
from hde.mapping.at import Make
from hde.mapping.lookups import key_text
from hde.mapping.paths import Documents, compile_path
from hde.mapping.scope import Scope
from hde.mapping.times import span_seconds
from hde.mapping.units import UnitError, conversion
from hde.mapping.values import finite, integer, number, refuse
from hde.spec.mapping import UnitRead

OF_METRIC: Final = "the unit of its metric"
"""In place of a canonical unit: the record says the metric, so the unit is known when the row is finished."""

LARGEST_EXPONENT = 400
_MOST_BITS = 1400

UnitOf = Callable[[Documents], tuple[object, str]]
"""The unit of a number, and the path it was read at."""


class Measured(NamedTuple):
    """A number as it was read, and the unit it is in: stands in a row until its metric is known."""

    value: Any
    unit: object
    path: str
    unit_path: str

    def converted(self, target: str) -> float:
        """The number in the unit `target`. Raises Finding."""
        if target == "s" and isinstance(self.value, str):
            seconds = span_seconds(self.value)
            if seconds is not None:
                return finite(self.value, seconds, self.path)
        found = number(self.value, self.path)
        convert = known_conversion(self.unit, target) if isinstance(self.unit, str) else None
        if convert is None:
            refuse(self.unit, self.unit_path, "unit")
        try:
            return finite(self.value, convert(found), self.path)
        except OverflowError:
            refuse(self.value, self.path, "number")


@lru_cache(maxsize=4096)
def known_conversion(source: str, target: str) -> Callable[[float], float] | None:
    """`conversion`, remembered; None where there is none. `source` is what a record says."""
    try:
        return conversion(source, target)
    except UnitError:
        return None


def measured(source: str | UnitRead | None, target: str, path: str, scope: Scope) -> Make:
    """A reader of numbers in a unit the record says; where the metric is not known yet (`OF_METRIC`), of `Measured`."""
    unit_of = _unit_of(source, target, scope) if isinstance(source, UnitRead) else _always(source, path)

    def later(value: Any, documents: Documents, issues: list[Issue]) -> Measured:
        unit, unit_path = unit_of(documents)
        return Measured(value, unit, path, unit_path)

    def now(value: Any, documents: Documents, issues: list[Issue]) -> float:
        return later(value, documents, issues).converted(target)

    return later if target == OF_METRIC else now


def scaled(exponent: str, make: Make, path: str, scope: Scope) -> Make:
    """The reader of a number that is to be multiplied by a power of ten first."""
    power_at = compile_path(exponent, scope)

    def read(value: Any, documents: Documents, issues: list[Issue]) -> Any:
        found = number(value, path)
        said = power_at.value(documents)
        if said is None:
            refuse(said, power_at.text, "required")
        power = integer(said, power_at.text)
        if abs(power) > LARGEST_EXPONENT:
            refuse(said, power_at.text, "exponent")
        return make(_times_ten_to(found, power, path), documents, issues)

    return read


def _times_ten_to(found: int | float, power: int, path: str) -> int | float:
    """Rounded once, as if the number had been written with its point in the right place."""
    if isinstance(found, int):
        if found.bit_length() > _MOST_BITS:
            refuse(found, path, "number")
        if power >= 0:
            return int(found * 10**power)
    digits, _, own = repr(found).partition("e")
    result = float(f"{digits}e{int(own or 0) + power}")
    if not result and found:
        refuse(found, path, "number")  # too small to be told from zero
    return finite(found, result, path)


def _always(unit: str | None, path: str) -> UnitOf:
    return lambda documents: (unit, path)


def _unit_of(unit: UnitRead, target: str, scope: Scope) -> UnitOf:
    paths = [compile_path(path, scope) for path in unit.first or (unit.path or "",)]
    lookup = unit.lookup
    for source in set(lookup.values()) if lookup and target != OF_METRIC else ():
        try:
            conversion(source, target)
        except UnitError as error:
            raise WrongUse(f"unit: lookup: {error}") from None

    def read(documents: Documents) -> tuple[object, str]:
        for path in paths:
            found = path.value(documents)
            if found is not None:
                return (found if lookup is None else lookup.get(key_text(found) or "")), path.text
        return None, paths[0].text

    return read
