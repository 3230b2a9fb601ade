"""What a preview shows of a request, an answer and a record: plain data, secrets hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from hde.issues import Issue
from hde.mapping.expression import is_plain
from hde.redact import without_secrets
from hde.rows import RawRow
from hde.source.asked import Sent
from hde.source.exact import decode_exactly, exact_text
from hde.source.transport import Reply
from hde.spec.connector import RawColumn, Resource
from hde.steps.trying.rehearsal import OfMapping

LONGEST_BODY = 20_000
_TELLING = re.compile(r"rate|limit|retry|link|total|page|cursor|next|count", re.IGNORECASE)


@dataclass(frozen=True)
class Leaf:
    """One place in a record, and the raw column that reads it; None: it stands in the payload only."""

    path: str
    value: str
    column: RawColumn | None = None
    stored: str | None = None
    issue: str = ""


@dataclass(frozen=True)
class RequestView:
    """A request, secrets hidden."""

    method: str
    address: str
    params: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class AnswerView:
    """An answer, secrets hidden; of its headers those that tell something about limits, pages and kind."""

    status: int
    kind: str
    size: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class RecordView:
    key: str
    leaves: tuple[Leaf, ...]
    issues: tuple[Issue, ...]
    mapped: tuple[OfMapping, ...]


def request_view(sent: Sent) -> RequestView:
    params = tuple((name, without_secrets(value)) for name, values in sent.params.items() for value in values)
    address = without_secrets(sent.url.partition("?")[0])
    return RequestView(sent.method, address, params, tuple(sent.shown_headers()), sent.shown_body())


def answer_view(reply: Reply) -> AnswerView:
    headers = [(name, without_secrets(value)) for name, value in reply.headers.items() if _TELLING.search(name)]
    with suppress(msgspec.DecodeError, RecursionError):
        return _answer(reply, headers, msgspec.json.format(reply.body, indent=2))
    return _answer(reply, headers, reply.body)


def _answer(reply: Reply, headers: Sequence[tuple[str, str]], body: bytes) -> AnswerView:
    text = without_secrets(body[:LONGEST_BODY].decode("utf-8", "replace"))
    kind = reply.headers.get("content-type", "no content type")
    return AnswerView(reply.status, kind, len(reply.body), tuple(headers), text)


def leaves_of(content: bytes, row: RawRow | None, resource: Resource) -> Iterator[Leaf]:
    """Every place of a record in its order with its column, then the columns that read no plain place of it."""
    values = row.values if row else (None,) * len(resource.columns)
    issues = {issue.path: issue.rule for issue in row.issues} if row else {}
    columns = {column.path: (column, stored) for column, stored in zip(resource.columns, values, strict=True)}
    try:
        document = decode_exactly(content)
    except (ValueError, RecursionError):
        document = {}
    for path, value in _places(document, "", set(columns)):
        column, stored = columns.pop(path, (None, None))
        yield Leaf(path, exact_text(value), column, stored, issues.get(path, ""))
    for path, (column, stored) in columns.items():
        absent = "absent" if is_plain(path) else ""
        yield Leaf(path, absent, column, stored, issues.get(path, ""))


def _places(value: object, path: str, columns: set[str]) -> Iterator[tuple[str, object]]:
    """The leaves of an object, and what a column takes whole; a list is one value."""
    if isinstance(value, dict) and value and (not path or path not in columns):
        for name, below in value.items():
            plain = name if name.isidentifier() else f'"{name}"'
            yield from _places(below, f"{path}.{plain}" if path else plain, columns)
    else:
        yield path, value
