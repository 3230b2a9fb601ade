"""The filters of templates: null stays null, what is no number is never 0, and no output grows without bound."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha1, sha256
from typing import Any, Final

from jinja2 import Undefined

LONGEST_OUTPUT: Final = 1_000_000
_MOST_BITS: Final = 10_000
"""Python takes its time to write larger numbers in digits, and refuses to from 4,300 of them on."""
Filter = Callable[..., Any]


class FilterError(ValueError):
    """What a filter cannot do. The message holds no value."""


def as_text(value: object) -> str:
    """A value as it stands in a URL or header: true and false in JSON's spelling."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise FilterError("a number of too many digits")
    bounded(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def concatenated(values: Iterable[object]) -> str:
    """`a ~ b`: null inside a longer text is an error."""
    return _joined(_operands(values))


def _operands(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        if _is_nothing(value):
            raise FilterError("null inside a text; `default` or a condition says what stands there instead")
        yield as_text(value)


def bounded(value: object, most: int = LONGEST_OUTPUT) -> None:
    """FilterError where the texts and parts of a value are too many. One that stands in it twice counts twice."""
    todo: list[Any] = [value]
    while todo:
        match todo.pop():
            case str() as text:
                most -= len(text)
            case list() | tuple() as items:
                most -= len(items)
                todo += items if most >= 0 else ()
            case dict() as entries:
                most -= len(entries)
                todo += (*entries, *entries.values()) if most >= 0 else ()
            case int() as number if number.bit_length() > _MOST_BITS:
                most -= number.bit_length()
        if most < 0:
            raise FilterError(f"more than {LONGEST_OUTPUT} characters")


def _default(value: object, instead: object = "") -> object:
    return instead if _is_nothing(value) else value


def _int(value: Any) -> int | None:
    if _is_nothing(value):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise FilterError("`int` of what is no whole number") from None


def _join(value: Any, between: str = "") -> str | None:
    if _is_nothing(value):
        return None
    return _joined((as_text(item) for item in value if item is not None), between)


def _joined(texts: Iterable[str], between: str = "") -> str:
    """Counted as they come: what is too long is never held."""
    held: list[str] = []
    room = LONGEST_OUTPUT
    for text in texts:
        room -= len(text) + len(between)
        _bounded(LONGEST_OUTPUT - room)
        held.append(text)
    return between.join(held)


def _replace(value: object, old: str, new: str) -> str | None:
    if _is_nothing(value):
        return None
    text = as_text(value)
    _bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _trim(value: object, characters: str | None = None) -> str | None:
    return None if _is_nothing(value) else as_text(value).strip(characters)


def _of_text(change: Callable[[str], str]) -> Filter:
    def filtered(value: object) -> str | None:
        return None if _is_nothing(value) else change(as_text(value))

    return filtered


def _is_nothing(value: object) -> bool:
    return value is None or isinstance(value, Undefined)


def _bounded(length: int) -> None:
    if length > LONGEST_OUTPUT:
        raise FilterError(f"more than {LONGEST_OUTPUT} characters")


FILTERS: Final[Mapping[str, Filter]] = {
    "base64": _of_text(lambda text: b64encode(text.encode()).decode()),
    "default": _default,
    "int": _int,
    "join": _join,
    "lower": _of_text(str.lower),
    "replace": _replace,
    "sha1": _of_text(lambda text: sha1(text.encode(), usedforsecurity=False).hexdigest()),
    "sha256": _of_text(lambda text: sha256(text.encode()).hexdigest()),
    "string": _of_text(str),
    "trim": _trim,
    "upper": _of_text(str.upper),
}
