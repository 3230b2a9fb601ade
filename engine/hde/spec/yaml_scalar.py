"""What an unquoted YAML value is: YAML 1.2's core types; what two readers would read differently is refused."""

from __future__ import annotations

import math
import re
from typing import Final

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_ZEROS: Final = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?\Z", re.ASCII)
_BASE: Final = re.compile(r"[-+]?0([xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)\Z", re.ASCII)
_UNDERSCORES: Final = re.compile(r"[-+]?(?=[0-9_.]*_)[0-9][0-9_]*(\.[0-9_]*)?\Z", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_CURLY: Final = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb"
_MOST_DIGITS: Final = 30


class ScalarError(ValueError):
    """A value that is not what it looks like; the message says how to write what was meant."""


def scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted text. `no`, `on`, `1:30` and dates are text; ScalarError for `0123`, `1_000`, `0x1F`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _CURLY:
        raise ScalarError(f"{text[0]} is no quote here: write \" or '")
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.match(text):
        raise ScalarError(f"{text!r} is no number here; in quotes it is a text")
    if _ZEROS.match(text) or _BASE.match(text) or _UNDERSCORES.match(text):
        if len(text) > _MOST_DIGITS:
            raise ScalarError(f"a number of {len(text)} digits; in quotes it is a text")
        raise ScalarError(f"write {text!r} in quotes, or as a plain number ({_plain(text)})")
    if _INTEGER.match(text):
        if len(text) > _MOST_DIGITS:
            raise ScalarError(f"a number of {len(text)} digits; in quotes it is a text")
        return int(text)
    if _FLOAT.match(text):
        return _finite(text)
    return text


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ScalarError(f"{text[:40]!r} is too large for a number; in quotes it is a text")
    return number


def _plain(text: str) -> str:
    digits = text.replace("_", "")
    if _BASE.match(digits):
        return str(int(digits, 0))
    sign = digits[0] if digits[0] in "+-" else ""
    stripped = digits.removeprefix(sign).lstrip("0")
    return sign + (stripped if stripped[:1].isdigit() else "0" + stripped)
