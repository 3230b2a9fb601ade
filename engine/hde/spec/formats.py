"""What JSON Schema cannot say about a text: that a template, a path or a span of time is one. Runs nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hde.errors import WrongUse
from hde.mapping.expression import LONGEST_TEXT, NAMED, ExpressionError, TooMuch, parse
from hde.spec.jmespath_words import not_a_function, not_a_path, not_jmespath
from hde.spec.problem import quoted
from hde.spec.regex import check_regex
from hde.spec.template import compile_template

if TYPE_CHECKING:
    from jsonschema import FormatChecker

NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
CONNECTOR_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*\Z")
LONGEST_NAME: Final = 63
"""Bytes of an identifier in PostgreSQL."""
RESERVED_CONNECTORS: Final = ("canonical", "hde", "information_schema", "meta", "public")

_SPAN: Final = re.compile(r"([0-9]{1,5})([smhdw])\Z", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str) -> timedelta:
    """`90d`, `12h`, `30m`, `45s`, `2w` as a timedelta; WrongUse for anything else."""
    match = _SPAN.match(text)
    if match is None:
        raise WrongUse(f"{quoted(text)} is not a span of time (90d, 12h, 30m, 45s or 2w)")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def check_jmespath(text: str) -> None:
    """WrongUse for what does not compile, or calls a function there is not."""
    try:
        parse(text)
        fault = not_a_function(text)
    except TooMuch:
        raise
    except ExpressionError as error:
        raise WrongUse(not_jmespath(text, error.__context__)) from None
    except RecursionError:
        raise WrongUse(f"{quoted(text)} is nested too deeply") from None
    if fault:
        raise WrongUse(fault)


def check_path(text: str) -> None:
    """A JMESPath on the record, or `$name` and one below it; WrongUse for what does not compile."""
    if not text.startswith("$") or len(text) > LONGEST_TEXT:
        check_jmespath(text)
        return
    match = NAMED.match(text)
    if match is None:
        raise WrongUse(not_a_path(text))
    if below := match[2] or match[3]:
        check_jmespath(below)


def check_begin(text: str) -> None:
    """Where history begins: a date, a span, or a template."""
    if "{{" in text:
        compile_template(text)
    elif not _SPAN.match(text):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise WrongUse(f"{quoted(text)} is not a date (2015-01-31), a span (90d) or a template") from None


def check_instant(text: str) -> None:
    """A date or an instant."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{quoted(text)} is no date or time (2026-01-31 or 2026-01-31T22:00:00Z)") from None


def check_connector_name(text: str) -> None:
    """The name becomes `NAME_raw` in PostgreSQL and `NAME_...` in the environment."""
    if not CONNECTOR_NAME.match(text):
        raise WrongUse(f"{quoted(text)} is not a name of a connector (a-z, 0-9, - and _, a letter first)")
    if text in RESERVED_CONNECTORS or text.startswith("pg_"):
        raise WrongUse(f"{quoted(text)} is taken; give the connector another name")
    if len(f"{text}_raw") > LONGEST_NAME:
        raise WrongUse(f"a name of {len(text)} characters; {LONGEST_NAME - len('_raw')} are the most")


def check_encoding(text: str) -> None:
    """The name of a text encoding, as Python knows them."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=text)
    except (LookupError, ValueError):
        raise WrongUse(f"{quoted(text)} is not an encoding (utf-8, latin-1, windows-1252, utf-16)") from None


CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "template": compile_template,
    "jmespath": check_jmespath,
    "path": check_path,
    "span": span,
    "begin": check_begin,
    "instant": check_instant,
    "encoding": check_encoding,
    "regex": check_regex,
    "connector-name": check_connector_name,
}
"""By the name of a format in our schemas. Each raises WrongUse for a text that is none."""


def format_checker() -> FormatChecker:
    """The same for jsonschema. Values that are no text are another keyword's business."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, check in CHECKS.items():
        checker.checks(name, raises=WrongUse)(_of_text(check))
    return checker


def _of_text(check: Callable[[str], object]) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        if isinstance(value, str):
            check(value)
        return True

    return holds
