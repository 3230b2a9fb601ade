"""Times as a source writes them where it is not RFC 3339, for raw columns that say how: `time: epoch`, a pattern."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from hde.source.exact import Exact
from hde.source.values import Fit, Misfit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"epoch": 1_000_000, "epoch_ms": 1_000}


def timed(written: str, fit: Fit) -> Fit:
    """`fit` of a timestamptz or a date, for a value written as `epoch`, `epoch_ms` or a strptime pattern.

    A pattern without %z is in UTC: the connector says so, nothing guesses a zone.
    """
    unit = _MICROSECONDS.get(written)
    return (lambda value: fit(_counted(value, unit))) if unit else (lambda value: fit(_parsed(value, written)))


def _counted(value: object, microseconds: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Misfit("type")
    text = value.literal if isinstance(value, Exact) else str(value)
    try:
        since = Decimal(text) * microseconds
        return (_EPOCH + timedelta(microseconds=int(since))).isoformat()
    except InvalidOperation:
        raise Misfit("form") from None
    except (OverflowError, ValueError):
        raise Misfit("range") from None


def _parsed(value: object, pattern: str) -> str:
    """An instant; of a pattern without a time of day, the date alone."""
    if not isinstance(value, str):
        raise Misfit("type")
    try:
        found = datetime.strptime(value, pattern)  # noqa: DTZ007 - without %z it is in UTC, as is said
        if not any(sign in pattern for sign in ("%H", "%I", "%M")):
            return found.date().isoformat()
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
    except (ValueError, OverflowError, re.error):  # a pattern that says one thing twice is none
        raise Misfit("form") from None
