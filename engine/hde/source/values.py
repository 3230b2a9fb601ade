"""Strict parsers: one JSON value in, the text of a Postgres value out, or a Misfit. Nothing is guessed or coerced.

Postgres' own input functions are not asked: they take 'now', 'yes', '1_000' and times without a zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NoReturn

from hde.rows import RawType
from hde.source.exact import Exact, Literal, decode_exactly, exact_text, is_storable_number

Fit = Callable[[object], str]

SMALLEST4, LARGEST4 = -(2**31), 2**31 - 1
SMALLEST8, LARGEST8 = -(2**63), 2**63 - 1
EXACT_FLOAT = 2**53
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})\Z")
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,100}))?([Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)\Z",
    re.ASCII,
)


_USUAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


class Misfit(ValueError):
    """A value that does not fit. `rule` is `type` (of JSON), `form` (of the text), `range` or ANOTHER_ACCOUNT."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


ANOTHER_ACCOUNT = "names another account"


def of_account(id: str, fit: Fit) -> Fit:
    """Takes nothing but this account's id, or a reference that ends in it (`Patient/123`)."""
    ending = f"/{id}"

    def own(value: object) -> str:
        found = fit(value)
        if found != id and not found.endswith(ending):
            raise Misfit(ANOTHER_ACCOUNT)
        return found

    return own


def text(value: object) -> str:
    if type(value) is str:
        return value
    raise Misfit("type")


def boolean(value: object) -> str:
    if value is True:
        return "t"
    if value is False:
        return "f"
    raise Misfit("type")


def int4(value: object) -> str:
    if type(value) is int:
        if SMALLEST4 <= value <= LARGEST4:
            return str(value)
        raise Misfit("range")
    return int4(_integral(value))


def bigint(value: object) -> str:
    if type(value) is int:
        if SMALLEST8 <= value <= LARGEST8:
            return str(value)
        raise Misfit("range")
    if type(value) is str:
        return bigint(int(value)) if _WHOLE.match(value) else _refuse("form")
    return bigint(_integral(value))


def _integral(value: object) -> int:
    if isinstance(value, Literal):
        value = Exact(value)
    if not isinstance(value, float):
        raise Misfit("type")
    if not math.isfinite(value) or abs(value) >= EXACT_FLOAT:
        raise Misfit("range")
    if isinstance(value, Exact) and Decimal(value.literal) != int(value):
        raise Misfit("form")
    return int(value) if value.is_integer() else _refuse("form")


def _refuse(rule: str) -> NoReturn:
    raise Misfit(rule)


def float8(value: object) -> str:
    if type(value) is Literal:
        if len(value) < 20 and "e" not in value and "E" not in value:
            return str(value)
        return float8(float(value))
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else _refuse("range")
    if type(value) is int:
        try:
            return repr(float(value))
        except OverflowError:
            raise Misfit("range") from None
    raise Misfit("type")


def numeric(value: object) -> str:
    if type(value) is int:
        return str(value)
    if isinstance(value, Exact):
        literal = value.literal
    elif isinstance(value, str):
        literal = str(value)
    else:
        raise Misfit("type")
    if is_storable_number(literal):
        return literal
    raise Misfit("form" if type(value) is str else "range")


def timestamptz(value: object) -> str:
    """RFC 3339 with an offset; the usual spelling passes as it came, others are rewritten in UTC."""
    if type(value) is not str:
        raise Misfit("type")
    # The usual spellings are told by the marks at every third place: a pattern costs twice as much.
    marks = value[4:20:3]
    if (marks == "--T::." and value[-1] == "Z" and 20 < len(value) < 28) or (marks == "--T::Z" and len(value) == 20):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise Misfit("form") from None
        return value
    return timestamptz_key(value)


def timestamptz_key(value: object) -> str:
    """As Postgres prints it in UTC: `2026-01-01 00:00:00.5+00`."""
    match = _RFC3339.match(value) if type(value) is str else _refuse("type")
    if match is None:
        raise Misfit("form")
    day, time, fraction, offset = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{time}{'+00:00' if offset in 'Zz' else offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misfit("form") from None
    digits = (fraction or "")[:6].rstrip("0")
    return f"{instant:%H:%M:%S}".join((f"{instant.date().isoformat()} ", f"{'.' if digits else ''}{digits}+00"))


def day(value: object) -> str:
    if type(value) is not str:
        raise Misfit("type")
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        raise Misfit("form")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise Misfit("form") from None
    return value


def uuid(value: object) -> str:
    if type(value) is not str:
        raise Misfit("type")
    if _USUAL_UUID.match(value):
        return value
    digits = value.replace("-", "")
    try:
        is_one = len(bytes.fromhex(digits)) == 16 and len(digits) == 32
    except ValueError:
        is_one = False
    if not is_one:
        raise Misfit("form")
    if len(value) == 36 and value[8] == value[13] == value[18] == value[23] == "-":
        return value.lower()
    if len(value) != 32:
        raise Misfit("form")
    digits = digits.lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def jsonb(value: object) -> str:
    try:
        return exact_text(value)
    except RecursionError:
        raise Misfit("depth") from None


def float8_key(value: object) -> str:
    """As Postgres prints it: without `.0`."""
    return float8(value).removesuffix(".0")


FITS: dict[RawType, Fit] = {
    "text": text,
    "int": int4,
    "bigint": bigint,
    "float": float8,
    "numeric": numeric,
    "boolean": boolean,
    "date": day,
    "timestamptz": timestamptz,
    "uuid": uuid,
    "jsonb": jsonb,
}
KEY_FITS: dict[RawType, Fit] = FITS | {"timestamptz": timestamptz_key, "float": float8_key}

_NUMBER = re.compile(r"([+-]?)0*([0-9]+)?(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z", re.ASCII)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def from_text(type_: RawType, fit: Fit) -> Fit:
    """The same parser for a source whose every value is text: what is wholly of the type is read as such."""
    read = _READ.get(type_)
    if read is None:
        return fit

    def text_fit(value: object) -> str:
        return fit(read(value.strip()) if isinstance(value, str) else value)

    return text_fit


def _as_number(value: str) -> object:
    """As JSON would write it: `+5` and `007` are numbers as well, `1,5` is none."""
    match = _NUMBER.match(value)
    if match is None or not re.match(r"[+-]?\.?[0-9]", value):
        raise Misfit("form")
    sign, whole, fraction, exponent = match.groups()
    literal = f"{'-' if sign == '-' else ''}{whole or '0'}{fraction or ''}{exponent or ''}"
    if fraction is None and exponent is None:
        return int(literal) if len(literal) < 4000 else Exact(literal)
    return Exact(literal)


def _as_truth(value: str) -> object:
    if (found := _TRUTHS.get(value.lower())) is None:
        raise Misfit("form")
    return found


def _as_json(value: str) -> object:
    """A text that holds JSON is what it holds; any other is a text."""
    try:
        return decode_exactly(value.encode()) if value[:1] in ("{", "[") else value
    except ValueError:
        return value


def _as_it_is(value: str) -> object:
    return value


_READ: dict[RawType, Callable[[str], object]] = {
    "int": _as_number,
    "bigint": _as_number,
    "float": _as_number,
    "numeric": _as_number,
    "boolean": _as_truth,
    "jsonb": _as_json,
    "date": _as_it_is,
    "timestamptz": _as_it_is,
    "uuid": _as_it_is,
}
