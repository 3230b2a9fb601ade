"""What has been read and what is owed: streams hold the covered time as a set, windows the history of reading it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hde.store.merge import Counts

Cursor = psycopg.Cursor[Any]
CURSOR_TTL = timedelta(hours=1)
MOST_WARNINGS = 20
"""Of one window; more of them say nothing new."""
KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Stream:
    """One resource of one account: the unit of coverage."""

    account: int
    resource: str
    request_hash: str
    parent: str = ""
    begin: datetime | None = None
    """Where history begins, as the connector declares it."""


@dataclass(frozen=True)
class Span:
    """Half-open, UTC. No start: everything before `end`."""

    start: datetime | None
    end: datetime


@dataclass
class WindowRecord:
    """A row of the ledger while its window is being read. `span` is None for a snapshot."""

    stream: Stream
    span: Span | None
    asked_at: datetime
    id: int | None = None
    """None until its first batch is stored: nothing is written for a planned window."""
    cursor: dict[str, object] | None = None
    resumed: bool = False
    bookmark: object = None
    """What this reading was given to ask for changes with next time."""


@dataclass(frozen=True)
class Progress:
    """What one batch adds to a window."""

    requests: int
    pages: int
    counts: Counts
    seconds: float
    cursor: dict[str, object] | None
    received_at: datetime | None
    stopped_because: str | None
    warnings: tuple[str, ...] = ()

    def then(self, later: Progress) -> Progress:
        """Both as one: what is counted is summed, where the window stands is what the later one says."""
        counts = replace(self.counts)
        counts.add(later.counts)
        return replace(
            later,
            requests=self.requests + later.requests,
            pages=self.pages + later.pages,
            counts=counts,
            seconds=self.seconds + later.seconds,
            warnings=self.warnings if len(self.warnings) >= MOST_WARNINGS else self.warnings + later.warnings,
        )


def owed(cursor: Cursor, stream: Stream, begin: datetime | None, now: datetime, settle: timedelta) -> list[Span]:
    """Target minus what is covered before `now - settle`, minus windows that are open; oldest first."""
    if begin is not None and begin >= now:
        return []
    cursor.execute(
        "SELECT lower(gap), upper(gap) FROM unnest("
        " tstzmultirange(tstzrange(%(begin)s, %(now)s))"
        " - COALESCE((SELECT covered * tstzmultirange(tstzrange(NULL, %(settled)s)) FROM meta.streams"
        "   WHERE account = %(account)s AND resource = %(resource)s AND parent = %(parent)s), '{}')"
        " - COALESCE((SELECT range_agg(tstzrange(start_at, end_at)) FROM meta.windows WHERE state = 'open'"
        "   AND account = %(account)s AND resource = %(resource)s AND parent = %(parent)s"
        "   AND end_at IS NOT NULL), '{}')) AS gap",
        {"begin": begin, "now": now, "settled": now - settle, **_of(stream)},
    )
    return [Span(start, end) for start, end in cursor.fetchall()]


def open_windows(cursor: Cursor, stream: Stream, now: datetime) -> list[WindowRecord]:
    """Windows to be gone on with from their cursor. Those whose request changed or whose cursor is old are dropped."""
    cursor.execute(
        "UPDATE meta.windows SET state = 'dropped', ended_at = %(now)s, cursor = NULL, error = CASE"
        " WHEN request_hash <> %(hash)s THEN 'the request changed' ELSE 'the cursor is too old' END"
        " WHERE state = 'open' AND account = %(account)s AND resource = %(resource)s AND parent = %(parent)s"
        " AND (request_hash <> %(hash)s OR cursor IS NULL OR cursor_at < %(oldest)s)",
        {"now": now, "hash": stream.request_hash, "oldest": now - CURSOR_TTL, **_of(stream)},
    )
    cursor.execute(
        "SELECT id, start_at, end_at, asked_at, cursor FROM meta.windows WHERE state = 'open'"
        " AND account = %(account)s AND resource = %(resource)s AND parent = %(parent)s ORDER BY id",
        _of(stream),
    )
    return [
        WindowRecord(stream, Span(start, end) if end else None, asked_at, id, state, resumed=True)
        for id, start, end, asked_at, state in cursor.fetchall()
    ]


def drop_open_windows(cursor: Cursor, stream: Stream, why: str) -> None:
    cursor.execute(
        "UPDATE meta.windows SET state = 'dropped', ended_at = now(), cursor = NULL, error = %(why)s"
        " WHERE state = 'open' AND account = %(account)s AND resource = %(resource)s AND parent = %(parent)s",
        {"why": why, **_of(stream)},
    )


def drop_open_windows_of(cursor: Cursor, account: int, resource: str, why: str) -> None:
    """Those of all elements of a resource."""
    cursor.execute(
        "UPDATE meta.windows SET state = 'dropped', ended_at = now(), cursor = NULL, error = %s"
        " WHERE state = 'open' AND account = %s AND resource = %s",
        (why, account, resource),
    )


def request_changed(cursor: Cursor, stream: Stream) -> bool:
    """Whether what was read so far was asked with another request (path, parameters, records)."""
    cursor.execute(
        "SELECT request_hash <> %(hash)s FROM meta.streams"
        " WHERE account = %(account)s AND resource = %(resource)s AND parent = %(parent)s",
        {"hash": stream.request_hash, **_of(stream)},
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def advance_all(cursor: Cursor, steps: Iterable[tuple[WindowRecord, Progress]], run: int) -> None:
    """Write the progress of a batch of pages, one statement a window: a page may cost less than writing about it."""
    sums: dict[int, tuple[WindowRecord, Progress]] = {}
    for window, progress in steps:
        former = sums.get(id(window))
        sums[id(window)] = window, former[1].then(progress) if former else progress
    for window, progress in sums.values():
        advance(cursor, window, progress, run)


def advance(cursor: Cursor, window: WindowRecord, progress: Progress, run: int) -> None:
    """Write a batch's progress. Belongs into the transaction that stores the batch's rows."""
    if window.id is None:
        _begin(cursor, window, run, progress)
        return
    cursor.execute(
        "UPDATE meta.windows SET requests = requests + %(requests)s, pages = pages + %(pages)s, new = new + %(new)s,"
        " changed = changed + %(changed)s, unchanged = unchanged + %(unchanged)s, vanished = vanished + %(vanished)s,"
        " seconds = seconds + %(seconds)s, asked_at = %(asked_at)s, cursor = %(cursor)s, cursor_at = %(received_at)s,"
        " warnings = CASE WHEN cardinality(warnings) < %(most)s THEN warnings || %(warnings)s::text[]"
        " ELSE warnings END,"
        " stopped_because = %(stopped)s, state = %(state)s,"
        " ended_at = CASE WHEN %(stopped)s::text IS NULL THEN NULL ELSE now() END WHERE id = %(id)s",
        {"most": MOST_WARNINGS, "id": window.id, **_written(window, progress)},
    )


def cover(cursor: Cursor, window: WindowRecord, settle: timedelta) -> None:
    """A window read to its natural end counts as covered, up to `asked_at - settle`; what is younger never does."""
    span = window.span
    cursor.execute(
        "INSERT INTO meta.streams AS s"
        " (account, resource, parent, covered, snapshot_at, request_hash, begins_at, bookmark)"
        " VALUES (%(account)s, %(resource)s, %(parent)s,"
        " CASE WHEN %(end)s::timestamptz IS NULL THEN '{}'::tstzmultirange"
        " ELSE tstzmultirange(tstzrange(%(start)s, %(end)s)) * tstzmultirange(tstzrange(NULL, %(settled)s)) END,"
        " CASE WHEN %(end)s::timestamptz IS NULL THEN %(asked_at)s::timestamptz END, %(hash)s, %(begin)s, %(bookmark)s)"
        " ON CONFLICT (account, resource, parent) DO UPDATE SET covered = s.covered + EXCLUDED.covered,"
        " begins_at = EXCLUDED.begins_at, bookmark = COALESCE(EXCLUDED.bookmark, s.bookmark),"
        " snapshot_at = COALESCE(EXCLUDED.snapshot_at, s.snapshot_at),"
        " request_hash = CASE WHEN %(whole)s THEN EXCLUDED.request_hash"
        " ELSE COALESCE(s.request_hash, EXCLUDED.request_hash) END",
        {
            "start": span.start if span else None, "end": span.end if span else None, "asked_at": window.asked_at,
            "settled": window.asked_at - settle, "hash": window.stream.request_hash, "whole": span is None,
            "begin": window.stream.begin,
            "bookmark": None if window.bookmark is None else Jsonb(window.bookmark),
            **_of(window.stream),
        },
    )  # fmt: skip


def bookmark(cursor: Cursor, stream: Stream) -> object:
    """What the last complete pass was given to ask for changes with; None: nothing yet."""
    cursor.execute(
        "SELECT bookmark FROM meta.streams"
        " WHERE account = %(account)s AND resource = %(resource)s AND parent = %(parent)s",
        _of(stream),
    )
    row = cursor.fetchone()
    return row[0] if row else None


def element_marks(cursor: Cursor, account: int, resource: str) -> dict[str, tuple[object, str]]:
    """The bookmark of every element of a resource that was read to its end, and the hash of the request then."""
    cursor.execute(
        "SELECT parent, bookmark, request_hash FROM meta.streams WHERE account = %s AND resource = %s",
        (account, resource),
    )
    return {parent: (bookmark, made) for parent, bookmark, made in cursor.fetchall()}


def forget_bookmark(cursor: Cursor, stream: Stream) -> None:
    """The source does not know it any more: the next pass reads everything."""
    cursor.execute(
        "UPDATE meta.streams SET bookmark = NULL"
        " WHERE account = %(account)s AND resource = %(resource)s AND parent = %(parent)s",
        _of(stream),
    )


def forget_elements(cursor: Cursor, account: int, resource: str, present: Sequence[str]) -> None:
    """Elements of a fan-out that are gone owe nothing any more."""
    cursor.execute(
        "DELETE FROM meta.streams WHERE account = %s AND resource = %s AND NOT parent = ANY(%s)",
        (account, resource, list(present)),
    )


def accept_request(cursor: Cursor, stream: Stream) -> None:
    """After a complete `--full` read, the present request is the one coverage was read with."""
    cursor.execute(
        "UPDATE meta.streams SET request_hash = %(hash)s"
        " WHERE account = %(account)s AND resource = %(resource)s AND parent = %(parent)s",
        {"hash": stream.request_hash, **_of(stream)},
    )


def fail(cursor: Cursor, window: WindowRecord, error: str, run: int) -> None:
    """A window that ended in an error is no longer open: its time stays owed."""
    if window.id is None:
        _begin(cursor, window, run, Progress(0, 0, Counts(), 0.0, None, None, None))
    cursor.execute(
        "UPDATE meta.windows SET state = 'failed', error = %s, ended_at = now(), cursor = NULL WHERE id = %s",
        (error[:500], window.id),
    )


def prune(cursor: Cursor) -> None:
    """Away with what is older than 90 days, what killed runs left open included: their time is owed again."""
    oldest = datetime.now(UTC) - KEPT_FOR
    cursor.execute("DELETE FROM meta.windows WHERE COALESCE(ended_at, cursor_at) < %s", (oldest,))
    cursor.execute("DELETE FROM meta.issues WHERE closed_at < %s", (oldest,))
    cursor.execute("DELETE FROM meta.runs WHERE COALESCE(finished_at, started_at) < %s", (oldest,))


def _begin(cursor: Cursor, window: WindowRecord, run: int, progress: Progress) -> None:
    span = window.span
    cursor.execute(
        "INSERT INTO meta.windows (account, run_id, resource, parent, start_at, end_at, request_hash, asked_at,"
        " requests, pages, new, changed, unchanged, vanished, seconds, cursor, cursor_at, warnings, stopped_because,"
        " state, ended_at)"
        " VALUES (%(account)s, %(run)s, %(resource)s, %(parent)s, %(start)s, %(end)s, %(hash)s, %(asked_at)s,"
        " %(requests)s, %(pages)s, %(new)s, %(changed)s, %(unchanged)s, %(vanished)s, %(seconds)s, %(cursor)s,"
        " %(received_at)s, %(warnings)s, %(stopped)s, %(state)s,"
        " CASE WHEN %(stopped)s::text IS NOT NULL THEN now() END) RETURNING id",
        {
            "run": run, "start": span.start if span else None, "end": span.end if span else None,
            "hash": window.stream.request_hash, **_of(window.stream), **_written(window, progress),
        },
    )  # fmt: skip
    row = cursor.fetchone()
    assert row is not None
    window.id = row[0]


def _written(window: WindowRecord, progress: Progress) -> dict[str, object]:
    counts = progress.counts
    return {
        "requests": progress.requests, "pages": progress.pages, "new": counts.new, "changed": counts.changed,
        "unchanged": counts.unchanged, "vanished": counts.vanished, "seconds": progress.seconds,
        "asked_at": window.asked_at, "cursor": None if progress.cursor is None else Jsonb(progress.cursor),
        "received_at": progress.received_at, "warnings": list(progress.warnings),
        "stopped": progress.stopped_because, "state": "open" if progress.stopped_because is None else "done",
    }  # fmt: skip


def _of(stream: Stream) -> dict[str, object]:
    return {"account": stream.account, "resource": stream.resource, "parent": stream.parent}
