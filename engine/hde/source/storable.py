"""What jsonb cannot hold, replaced: a record with one odd character must not stop its page, let alone its table."""

from __future__ import annotations

import re

from hde.issues import Issue
from hde.source.exact import is_storable_number

REPLACEMENT = "\ufffd"
DEEPEST = 200

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}\[\]:,]+', re.DOTALL)
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000|\\.", re.DOTALL
)
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*\Z")
_PAIR = len(r"\ud83d\ude00")
_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)


def storable(text: bytes) -> tuple[bytes, tuple[Issue, ...]]:
    """The text with U+FFFD for NUL, lone surrogates and invalid UTF-8, and numbers beyond jsonb as text.

    The issues say which of these was found; none, and the text is returned as it came.
    """
    rules: set[str] = set()
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        decoded = text.decode("utf-8", "replace")
        rules.add("invalid UTF-8")

    def escape(match: re.Match[str]) -> str:
        found = match[0]
        if len(found) in (2, _PAIR):
            return found
        rules.add("NUL character" if found == "\\u0000" else "lone surrogate")
        return REPLACEMENT

    def token(match: re.Match[str]) -> str:
        found = match[0]
        if found[0] == '"':
            return _ESCAPE.sub(escape, found) if "\\u" in found else found
        if _is_unstorable(found):
            rules.add("number out of range")
            return f'"{found}"'
        return found

    changed = _TOKEN.sub(token, decoded)
    if not rules:
        return text, ()
    return changed.encode(), tuple(Issue("", rule, json_type="object") for rule in sorted(rules))


def _is_unstorable(token: str) -> bool:
    if token in ("NaN", "Infinity", "-Infinity"):
        return True
    # Up to here no number can be out of jsonb's range, however it is written.
    if len(token) < 6 or not _NUMBER.match(token):
        return False
    return _is_number(token) and not is_storable_number(token)


def _is_number(token: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", token) is not None


def is_too_deep(text: bytes) -> bool:
    """Whether brackets are nested beyond DEEPEST."""
    if len(text) < 2 * DEEPEST:
        return False
    arrays = text.count(b"[") if b"[" in text else 0
    if arrays == 0 and len(text) < 5 * DEEPEST:
        return False
    if arrays + text.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in (b"{", b"["):
            depth += 1
            if depth > DEEPEST:
                return True
        elif match[0] in (b"}", b"]"):
            depth -= 1
    return False
