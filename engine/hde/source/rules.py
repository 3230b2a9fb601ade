"""What an answer means: the first error rule that matches it, else custom. Sends nothing, waits for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol

from hde.errors import Unreadable
from hde.redact import clean
from hde.source.decoded import told_body
from hde.source.records import Body
from hde.source.transport import Reply
from hde.spec.connector import JSON, ErrorAction, ErrorRule, Format, Wait
from hde.spec.sign_in import TokenError

GONE = (404, 410)
"""What a source says of what it has named itself and does not know any more: a next page, an export, its files."""
LONGEST_BLANK = 16
LONGEST_MESSAGE = 200
LONGEST_WAIT = 3600.0
NOT_BELIEVED = 86_400.0
"""Seconds; a longer wait is a header misread (an epoch where seconds were declared), not a wish."""


def action(
    reply: Reply, rules: Sequence[ErrorRule], format: Format = JSON
) -> tuple[ErrorAction | Literal["read"], ErrorRule | None]:
    """What to do with an answer, and the rule that says so (None where it is custom)."""
    body = told_body(reply.body, format)
    for rule in rules:
        if matches(rule, reply, body):
            return rule.do, rule
    return _custom(reply), None


def matches(rule: ErrorRule | TokenError, reply: Reply, body: Body) -> bool:
    if rule.status and reply.status not in rule.status:
        return False
    if rule.body is None:
        return True
    try:
        return is_true(body.value(rule.body))
    except Unreadable:
        return False


def is_true(value: object) -> bool:
    """JMESPath's own idea of truth: null, false and what is empty are not; 0 is."""
    return value is not None and value is not False and value not in ("", [], {})


def _is_blank(body: bytes) -> bool:
    """A line break or two are nothing; pages of blanks are rather an answer that was eaten on the way."""
    return len(body) <= LONGEST_BLANK and not body.strip()


def _custom(reply: Reply) -> ErrorAction | Literal["read"]:
    if 200 <= reply.status < 300:
        return "empty" if reply.status == 204 or _is_blank(reply.body) else "read"
    match reply.status:
        case 401:
            return "refresh"
        case 429:
            return "wait"
        case 408:
            return "retry"
    return "retry" if reply.status >= 500 else "fail"


def source_message(reply: Reply, rule: ErrorRule | TokenError | None, format: Format = JSON) -> str:
    """The source's own words, where the rule says in which part of the answer they stand: one line, bounded."""
    if rule is None or rule.message is None:
        return ""
    try:
        found = told_body(reply.body, format).value(rule.message)
    except Unreadable:
        return ""
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        return ""
    return one_line(str(found))


def one_line(text: str) -> str:
    """Of what a source says in its own words: a single line, bounded, without secrets."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:1000]).split())
    return clean(line)[:LONGEST_MESSAGE]


def check_kind(reply: Reply, format: Format) -> None:
    """Unreadable for an error page that says 200: names the content type and the first tag, never the text."""
    start = reply.body[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if _begins_right(start, reply, format):
        return
    expected = "a ZIP" if format.zip is not None else format.kind.upper()
    kind = _content_type(reply)
    kind = "".join(char for char in kind[:60] if char.isalnum() or char in "/+-.") or "no content type"
    raise Unreadable(f"the answer is not {expected} but {kind}{_beginning(start)}")


def _begins_right(start: bytes, reply: Reply, format: Format) -> bool:
    if format.zip is not None:
        return start[:2] == b"PK"
    is_page = start[:15].lower().startswith((b"<!doctype html", b"<html", b"<head"))
    match format.kind:
        case "xml":
            return start[:1] in (b"<", b"") and not is_page
        case "pdf":
            return start.startswith(b"%PDF")
        case "csv":
            is_json = start[:1] in (b"{", b"[") and _content_type(reply).endswith("json")
            return (
                not is_page and not is_json and not start.startswith(b"<?xml") and _content_type(reply) != "text/html"
            )
        case _:
            return start[:1] not in (b"<", b"")


def _content_type(reply: Reply) -> str:
    return str(reply.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _beginning(start: bytes) -> str:
    if start[:1] != b"<":
        return f", beginning with {start[:1].decode()}" if start[:1] in (b"{", b"[") else ""
    name = start[1:].split(b">")[0].split()[0] if start[1:].split(b">")[0].split() else b""
    tag = "".join(char for char in name.decode("ascii", "ignore")[:20] if char.isalnum() or char in "!?/-")
    return f", beginning with <{tag}>"


class Told(Protocol):
    """What an answer says about time."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def received_at(self) -> datetime: ...

    @property
    def server_time(self) -> datetime | None: ...


def asked_wait(reply: Told, waits: Sequence[Wait]) -> float | None:
    """Seconds the source asks to wait: its own headers, then Retry-After; None where none can be believed."""
    now = reply.server_time or reply.received_at
    said = (_in_header(reply.headers, wait.header, wait.is_, now) for wait in waits)
    found = next((seconds for seconds in said if seconds is not None), None)
    if found is None:
        found = _retry_after(reply.headers.get("retry-after"), now)
    return None if found is None else min(found, LONGEST_WAIT)


def _in_header(headers: Mapping[str, str], name: str, kind: str, now: datetime) -> float | None:
    text = headers.get(name, "").strip()
    if kind == "timestamp":
        return _believed(_until(text, now))
    number = _number(text)
    if number is not None and kind == "epoch":
        # Milliseconds are told by their size: seconds reach 1e11 in the year 5138.
        return _believed((number / 1000 if number > 1e11 else number) - now.timestamp())
    return _believed(number)


def _retry_after(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    number = _number(text)
    return _believed(number if number is not None else _until(text, now))


def _until(text: str, now: datetime) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            instant = read(text)
        except (ValueError, TypeError):
            continue
        return ((instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - now).total_seconds()
    return None


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip().replace(".", "", 1).isdecimal() else None
    except ValueError:
        return None


def _believed(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 <= seconds <= NOT_BELIEVED else None
