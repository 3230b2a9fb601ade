"""Regular expressions in a connector: compiled when it is read, with the parts that have names put in.

What takes one of them long is stopped where it is used: a line has bounded length there, and a process of its own.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Final

from hde.errors import WrongUse
from hde.spec.problem import quoted, with_hint

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
LONGEST: Final = 1000
"""Characters, as written; with parts put in four times as many."""
_PART: Final = re.compile(r"\(\?&([^)]*)\)")
_LONGEST_FIELD: Final = 63


def check_regex(text: str) -> None:
    """A regular expression whose named groups can be fields; WrongUse for anything else. Parts are not looked at."""
    if len(text) > LONGEST:
        raise WrongUse(f"a pattern of {len(text)} characters; {LONGEST} are the most")
    fields_of(_PART.sub("(?:)", text))


def with_parts(text: str, parts: Mapping[str, str]) -> str:
    """The pattern with each `(?&name)` replaced. WrongUse where there is no such part, or what comes of it is none."""

    def part(match: re.Match[str]) -> str:
        name = match[1]
        if name not in parts:
            raise WrongUse(with_hint(f"{quoted(f'(?&{name})')}: there is no such part in `patterns`", name, parts))
        return f"(?:{parts[name]})"

    whole = _PART.sub(part, text)
    if len(whole) > 4 * LONGEST:
        raise WrongUse(f"a pattern of {len(whole)} characters with its parts; {4 * LONGEST} are the most")
    return whole


def fields_of(text: str) -> list[str]:
    """The named groups of a pattern. WrongUse where it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        why = error.msg if isinstance(error, re.error) else type(error).__name__
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        raise WrongUse(f"{quoted(text)} is not a regular expression: {why[:100]}{at}") from None
    for name in compiled.groupindex:
        if not _NAME.match(name) or len(name) > _LONGEST_FIELD:
            raise WrongUse(f"{quoted(name)} is not a name of a field (a-z, 0-9 and _, a letter first)")
    return list(compiled.groupindex)
