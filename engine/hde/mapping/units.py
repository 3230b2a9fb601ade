"""From the source's unit to the canonical one, or a refusal. Knows no tables and no metrics.

Most conversions are in `unit_table`; the unit library takes half a second to load and is asked only for the others.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from hde.errors import WrongUse
from hde.mapping.unit_table import ALIASES, ANY_CASE, COMMON, CONVERSIONS, SAME, VOLUMES, WORDS, Rule

_ANNOTATION = re.compile(r"\{[^{}]*\}\Z")
_ARBITRARY = re.compile(r"\[(?:iU|IU|arb'U|USP'U)\]")
_CALCULATED = re.compile(r"\s*\(calc(?:ulated)?\)\Z", re.IGNORECASE)
_POWER_OF_TEN = re.compile(r"[xX]?\s?10\s?(?:\*\*|\*|\^|[eE]|\()\s?([0-9]{1,2})\)?\s?/\s?([A-Za-z]+3?)\Z")
_LONGEST = 60
_HUGE = re.compile(r"[0-9]{5}")
"""Records say units as well: a power with so many digits would take the library forever."""

_SIZES = {
    "": "a plain number",
    "[length]": "length",
    "[time]": "time",
    "[mass]": "mass",
    "[temperature]": "temperature",
    "[substance]": "amount of substance",
    "1 / [time]": "frequency",
    "[mass] * [length] ** 2 / [time] ** 2": "energy",
    "[mass] / [length] / [time] ** 2": "pressure",
    "[length] / [time]": "speed",
    "[mass] / [length] ** 3": "mass concentration",
    "[substance] / [length] ** 3": "molar concentration",
}


class UnitError(WrongUse):
    """A unit that is not known, or that cannot become the other one."""


def canonical(unit: str) -> str:
    """The UCUM code meant by what a source writes: `bpm` is `/min`, both micro signs are `u`."""
    plain = _CALCULATED.sub("", unit.strip().replace("\u00b5", "u").replace("\u03bc", "u"))
    known = ALIASES.get(plain) or WORDS.get(plain.lower())
    if known is None and "/" in plain and plain not in COMMON:
        known = ANY_CASE.get(plain.replace(" ", "").lower())
    if known or not (power := _POWER_OF_TEN.match(plain)):
        return known or plain
    return f"10*{power[1]}/{VOLUMES.get(power[2].lower(), power[2])}"


@functools.lru_cache(maxsize=4096)
def ucum(unit: str) -> str | None:
    """The UCUM code meant by what a source writes; None where it is no unit this program knows."""
    found = canonical(unit)
    if found in COMMON:
        return found
    if not found or len(found) > _LONGEST or _HUGE.search(found) or not found.isascii() or " " in found:
        return None
    try:
        _quantity(found)
    except UnitError:
        return None
    return found


def conversion(source_unit: str, target_unit: str) -> Callable[[float], float]:
    """A function from numbers in `source_unit` to numbers in `target_unit`. UnitError where there is none."""
    times, over, minus, plus = rule(source_unit, target_unit)
    if minus or plus:
        return lambda number: (number - minus) * times / over + plus
    if over != 1.0:
        return lambda number: number / over
    if times != 1.0:
        return lambda number: number * times
    return float


@functools.lru_cache(maxsize=1024)
def rule(source_unit: str, target_unit: str) -> Rule:
    """The numbers behind `conversion`."""
    source, target = canonical(source_unit), canonical(target_unit)
    if source == target:
        return SAME
    if len(source) > _LONGEST or _HUGE.search(source):
        raise UnitError(f"{source[:_LONGEST]!r} is not a UCUM unit this program knows")
    if _ANNOTATION.match(source) or _ANNOTATION.match(target):
        if "1" in (source, target):
            return SAME
        raise UnitError(f"{source_unit} cannot become {target_unit}: they count different things")
    if (source, target) in CONVERSIONS:
        return CONVERSIONS[source, target]
    return computed_rule(source, target)


def computed_rule(source: str, target: str) -> Rule:
    """What the unit library says about two UCUM codes, with its floating-point noise taken off."""
    left, right = _quantity(source), _quantity(target)
    if left.dimensionality != right.dimensionality:
        sizes = f"{_size(left)} is not {_size(right)}"
        raise UnitError(f"{source} cannot become {target}: {sizes}")
    if len(_ARBITRARY.findall(source)) != len(_ARBITRARY.findall(target)):
        raise UnitError(f"{source} cannot become {target}: an arbitrary unit has no size in others")
    try:
        at = [float(_scaled(left, one).to(right.units).magnitude) / float(right.magnitude) for one in (0, 1, 1000)]
    except ArithmeticError:
        raise UnitError(f"{source} cannot become {target}: no number is large or small enough") from None
    scale, plus = _rounded((at[2] - at[0]) / 1000), _rounded(at[0])
    if plus:
        # A small difference of large numbers: the slope is exact only to about twelve digits.
        scale = float(f"{scale:.12g}")
        return Rule(times=scale, plus=plus)
    scale = _rounded(at[1])
    inverse = _rounded(1 / scale)
    return Rule(over=inverse) if len(f"{inverse:.15g}") < len(f"{scale:.15g}") else Rule(times=scale)


def _scaled(quantity: Any, number: float) -> Any:
    registry = _registry()
    return registry.Quantity(number * float(quantity.magnitude), quantity.units)


def _rounded(number: float) -> float:
    return float(f"{number:.15g}")


def _size(quantity: Any) -> str:
    dimension = str(quantity.dimensionality)
    return _SIZES.get("" if dimension == "dimensionless" else dimension, dimension)


def _quantity(unit: str) -> Any:
    from lark.exceptions import LarkError
    from pint.errors import PintError

    if _ANNOTATION.match(unit):
        unit = "1"
    try:
        found = _registry().from_ucum(unit)
        found.dimensionality  # noqa: B018 - a text of annotations alone gives no quantity
        return found
    except (LarkError, PintError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnitError(
            f"{unit!r} is not a UCUM unit this program knows (examples: ms, kJ, /min, [lb_av], {{steps}})"
        ) from error


@functools.cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
