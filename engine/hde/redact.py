"""Secrets cannot be printed: what goes into a log record passes through here first.

Holds no secret longer than the process lives and writes none anywhere.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Shorter texts are in every other word; hiding them would hide the log."""
MOST = 2000
HIDDEN = "***"

_URL = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}://)(?:[^\s/?#@\"'<>]*@)?(?P<rest>[^\s?#\"'<>]*)(?:[?#][^\s\"'<>]*)?", re.I
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_secrets: dict[str, frozenset[str]] = {}
"""Each with all the ways in which it may be spelled."""
_changing = threading.Lock()


def register_secret(value: str | None) -> None:
    """From now on `value` is shown as `***` wherever `clean` is asked, log records included."""
    if value is None or len(value) < SHORTEST:
        return
    with _changing:
        _secrets.pop(value, None)
        _secrets[value] = _spellings(value)
        while len(_secrets) > MOST:
            del _secrets[next(iter(_secrets))]


def without_secrets(text: str) -> str:
    """`text` with registered secrets hidden, and nothing else."""
    for secret in sorted(_known(), key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def clean(text: str) -> str:
    """`text` without registered secrets, credentials, and the query strings and user names of URLs."""
    text = without_secrets(text)
    text = _URL.sub(lambda match: match["scheme"] + match["rest"], text)
    return _BEARER.sub(lambda match: f"{match[1]} {HIDDEN}", text)


def _known() -> set[str]:
    with _changing:
        return set().union(*_secrets.values())


def _spellings(secret: str) -> frozenset[str]:
    """As it is, as it stands in an address, and within JSON: a source may give back what it was given."""
    in_addresses = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_json = json.dumps(secret)[1:-1]
    small = {_ESCAPE.sub(lambda match: match[0].lower(), one) for one in in_addresses}
    return frozenset({secret, in_json, in_json.replace("/", r"\/"), *in_addresses, *small})


class Redaction(logging.Filter):
    """Rewrites a record's message, and the traceback it carries, without secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            record.msg = clean(record.getMessage())
        except (TypeError, ValueError):
            record.msg = f"{clean(str(record.msg))} (arguments do not fit)"
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = clean(record.exc_text)
        return True


_redaction = Redaction()


def install() -> None:
    """Every log record of this process is cleaned as it is made. May be called again.

    A filter on the root logger would not see the records of other loggers (httpx's, which hold whole URLs), and one
    on handlers would miss those added later: so the filter stands where records are made.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "cleans", False):
        return

    def make_clean(*args: object, **kwargs: object) -> logging.LogRecord:
        record: logging.LogRecord = make(*args, **kwargs)
        _redaction.filter(record)
        return record

    make_clean.cleans = True  # type: ignore[attr-defined]  # functions take attributes, mypy does not know them
    logging.setLogRecordFactory(make_clean)
    for of_headers in ("httpcore", "hpack"):  # at DEBUG they log every header, with tokens nobody has registered yet
        logging.getLogger(of_headers).setLevel(logging.INFO)
