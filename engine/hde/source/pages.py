"""The pages of a resource, one after the other, until the source says that there are no more.

A page is asked for when the consumer asks; an end that is not natural is an error, never an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

from hde.errors import Refused, SourceError, Unreadable
from hde.issues import Issue
from hde.rows import RawRow, Row
from hde.source.carry import without_token
from hde.source.decoded import body_of
from hde.source.formats import Record
from hde.source.pagination import State, after, bookmark_in, first, page_scope, progress
from hde.source.reader import RowReader
from hde.source.records import Body
from hde.source.rules import GONE, one_line
from hde.source.session import Answer, Session
from hde.source.windows import Bounds, shown
from hde.spec.connector import Resource
from hde.spec.template import Scope

__all__ = ["Bounds", "Page", "WindowLost", "read_pages"]


MOST_WARNINGS = 20


class WindowLost(SourceError):
    """The source wants this window begun anew: a cursor or session that has ended, or a `restart` rule."""


@dataclass(frozen=True)
class Page:
    """One answer. `next` resumes after it, `stopped` says why nothing comes after it; both None: an error follows."""

    rows: list[Row] = field(repr=False)
    """In the order of the answer; read no further than their keys where the store may hold them already."""
    unkeyed: list[Issue]
    """Of records that have no readable key and cannot be stored."""
    next: Mapping[str, object] | None = field(repr=False)
    """JSON-able."""
    stopped: str | None
    outcome: Literal["read", "empty", "skip"]
    ordinal: int
    """Orders pages by arrival, across windows read side by side."""
    received_at: datetime
    server_time: datetime | None
    requests: int
    bookmark: object = field(default=None, repr=False)
    """What the answer says to send as bookmark next time; None: nothing."""
    warnings: tuple[str, ...] = ()
    """The source's own."""
    gone: tuple[tuple[str, ...], ...] = ()
    """Keys of records that the source says are no more."""

    def read(self) -> tuple[list[RawRow], list[Issue]]:
        """All rows, read as a whole, and the issues of what cannot be stored."""
        rows, refused = [], []
        for found in [row.read() for row in self.rows]:
            if isinstance(found, RawRow):
                rows.append(found)
            else:
                refused += found
        return rows, self.unkeyed + refused


def read_pages(
    session: Session,
    resource: Resource,
    bounds: Bounds | None,
    *,
    scope: Scope = MappingProxyType({}),
    resume: Mapping[str, object] | None = None,
    arrived: Callable[[], int],
) -> Iterator[Page]:
    """The pages of one window (or of the whole resource, without bounds), from the beginning or from a page's `next`.

    `scope` holds what this reading is for: `each`, `bookmark`.
    `arrived` is called once per page, when its answer has been read to the end; its number becomes the page's ordinal.
    WindowLost where the window must be begun anew; else SourceError as `Session.answer` raises it.
    """
    window = None if bounds is None or resource.window is None else shown(resource.window, bounds)
    reader = RowReader(resource, session.scope({"window": window, **scope}))
    where = f"{session.connector.name}: {resource.name}"
    state = first(resource.pagination) if resume is None else dict(resume)
    # A bookmark may be unknown by now, just as a cursor may: then this reading begins anew.
    is_resumed = resume is not None or scope.get("bookmark") is not None
    seen = {progress(state)}
    bodies: set[bytes] = set()
    while True:
        answer = _answer(session, resource, {"window": window, **scope}, state, is_resumed, where)
        ordinal = arrived()
        is_resumed = False
        body = body_of(answer.body, resource.format)
        texts = _texts(body, resource, answer, where)
        _refuse_repeated(resource, answer, texts, bodies, where)
        following, stopped = _following(session, resource, state, answer, body, len(texts), where)
        # Where a page's times decide whether to go on, its records are read as a whole at once.
        by_time = resource.window is not None and resource.window.order == "newest_first"
        rows, unkeyed = _rows(reader.read if by_time else reader.identify, texts)
        if following is not None and _is_wholly_older(resource, bounds, rows):
            following, stopped = None, "wholly older"
        repeated = following is not None and progress(following) in seen
        yield Page(
            rows=rows,
            unkeyed=unkeyed,
            next=None if repeated else following,
            stopped=stopped,
            outcome=answer.outcome if answer.outcome != "restart" else "read",
            ordinal=ordinal,
            received_at=answer.received_at,
            server_time=answer.server_time,
            requests=answer.requests,
            bookmark=_bookmark(resource, answer, body, where),
            warnings=_warnings(resource, answer, body),
        )
        if following is None:
            return
        if repeated:
            raise Unreadable(f"{where}: the source repeats a page: its next one was read before")
        seen.add(progress(following))
        state = following


def _answer(
    session: Session,
    resource: Resource,
    scope: Scope,
    state: State,
    is_resumed: bool,
    where: str,
) -> Answer:
    scope = {**scope, "page": page_scope(resource.pagination, state)}
    is_named = progress(state)[0] in ("cursor", "url") and state != first(resource.pagination)
    url = state.get("url")
    try:
        answer = session.answer(
            resource.request, scope, resource.errors, url=url if isinstance(url, str) else None, format=resource.format
        )
    except Refused as error:
        if (is_resumed and 400 <= error.status < 500) or (is_named and error.status in GONE):
            raise WindowLost(f"{where}: the source does not know where to go on any more ({error.status})") from None
        raise
    if answer.outcome == "skip" and state != first(resource.pagination):
        # "Not for you" is said to a question; after a page it is a cursor or a session that ended: the rest is owed.
        raise WindowLost(f"{where}: the source refuses a page that it named itself ({answer.status})")
    if answer.outcome == "restart":
        raise WindowLost(f"{where}: the source asks to begin anew ({answer.status})")
    return answer


def _texts(body: Body, resource: Resource, answer: Answer, where: str) -> Sequence[Record]:
    if answer.outcome != "read":
        return []
    try:
        return body.records(resource.records)
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None


def _following(
    session: Session, resource: Resource, state: State, answer: Answer, body: Body, count: int, where: str
) -> tuple[State | None, str | None]:
    """What comes after this page, or why nothing does."""
    match answer.outcome:
        case "skip":
            return None, f"skipped: {answer.status}{answer.words and f' {answer.words}'}"
        case "empty" if not answer.by_rule and progress(state)[0] in ("cursor", "url"):
            raise Unreadable(f"{where}: the source names a next page and answers it with nothing ({answer.status})")
        case "empty":
            return None, f"empty: {answer.status}"
    try:
        following, stopped = after(resource.pagination, state, answer, body, count)
        if following is not None and isinstance(url := following.get("url"), str):
            following["url"] = without_token(url, session.connector)  # it is stored, and must not hold a token
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None
    except Refused as error:
        raise Refused(f"{where}: {error}", answer.status) from None
    most = resource.pagination.max_pages if resource.pagination is not None else None
    if following is not None and most is not None and _whole(following.get("pages")) >= most:
        raise Unreadable(f"{where}: more than the {most} pages that max_pages allows; the rest was not read")
    return following, stopped


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _refuse_repeated(
    resource: Resource, answer: Answer, texts: Sequence[Record], bodies: set[bytes], where: str
) -> None:
    """A source that ignores page numbers would be read for ever."""
    if resource.pagination is None or resource.pagination.kind not in ("page", "offset") or not texts:
        return
    digest = sha256(answer.body).digest()[:16]
    if digest in bodies:
        raise Unreadable(f"{where}: the source repeats a page: the same records came twice")
    bodies.add(digest)


def _is_wholly_older(resource: Resource, bounds: Bounds | None, rows: list[Row]) -> bool:
    """Whether a page of a source that lists the newest first has left the window behind."""
    window = resource.window
    if window is None or window.order != "newest_first" or bounds is None or bounds.start is None or not rows:
        return False
    at = [column.name for column in resource.columns].index(str(window.time))
    times = [row.values[at] for row in rows if isinstance(row, RawRow)]
    return all(time is not None and _instant(time) < bounds.start for time in times)


def _instant(value: str) -> datetime:
    """Of a column's text, a timestamptz or a date: what has passed the raw reader."""
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bookmark(resource: Resource, answer: Answer, body: Body, where: str) -> object:
    if resource.bookmark is None or answer.outcome != "read":
        return None
    try:
        return bookmark_in(resource.bookmark, answer, body)
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None


def _warnings(resource: Resource, answer: Answer, body: Body) -> tuple[str, ...]:
    """The source's own words: single lines, bounded; what is no text says nothing."""
    if resource.warnings is None or answer.outcome != "read":
        return ()
    try:
        return told(body.value(resource.warnings))
    except Unreadable:
        return ()


def told(found: object) -> tuple[str, ...]:
    """What a JMESPath found of the source's own words, as single lines."""
    texts = [text for text in (found if isinstance(found, list) else [found]) if isinstance(text, str)]
    return tuple(dict.fromkeys(line for text in texts if (line := one_line(text))))[:MOST_WARNINGS]


def _rows(read: Callable[[bytes], Row | list[Issue]], texts: Sequence[Record]) -> tuple[list[Row], list[Issue]]:
    rows: list[Row] = []
    unkeyed: list[Issue] = []
    for text in texts:
        found = [text] if isinstance(text, Issue) else read(text)
        if isinstance(found, list):
            unkeyed += found
        else:
            rows.append(found)
    return rows, unkeyed
