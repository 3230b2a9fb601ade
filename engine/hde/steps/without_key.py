"""What is wrong with records that cannot be told apart and so are not stored: an issue of the window they came in.

It stays open until all of that window has been read again without it: another window knows nothing of those records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from hde.issues import Issue
from hde.source.pages import Page
from hde.steps.plan import Reading
from hde.store import issues
from hde.store.ledger import Span
from hde.store.merge import Cursor, Merged

MARK = "?"
"""In place of a record's key; behind it stand the window and the element, where there are such."""
_NO_WINDOW, _NO_START = "-", ".."


def found_in(
    cursor: Cursor, account: int, table: str, pages: Sequence[tuple[Reading, Page]], merged: Merged
) -> dict[str, Iterable[Issue]]:
    """What a batch found and what it settles, as `issues.record` takes it. Each reading keeps what it found so far."""
    found: dict[str, Iterable[Issue]] = {}
    for reading, page in pages:
        wrong = page.unkeyed + [issue for row in page.rows for issue in merged.refused.get(row.key, ())]
        reading.unkeyed.update({(issue.path, issue.rule): issue for issue in wrong})
        if wrong:
            found[name_of(reading)] = reading.unkeyed.values()
    return _settled(cursor, account, table, pages) | found


def _settled(
    cursor: Cursor, account: int, table: str, pages: Sequence[tuple[Reading, Page]]
) -> dict[str, Iterable[Issue]]:
    """The windows whose issues are of no concern any more. One that was gone on with has not been read as a whole."""
    ended = [
        reading
        for reading, page in pages
        if page.stopped is not None and page.outcome != "skip" and not reading.window.resumed
    ]
    known = issues.open_records(cursor, account, "raw", table, MARK) if ended else []
    still = {name_of(reading) for reading in ended if reading.unkeyed}
    return {name: () for name in known if name not in still and any(_settles(reading, name) for reading in ended)}


def name_of(reading: Reading) -> str:
    """`?`, or `? 2026-01-01T00:00:00+00:00/2026-04-01T00:00:00+00:00 element`; `? - FILE` of a file in a folder."""
    span, element = reading.window.span, _element(reading)
    if span is None:
        return f"{MARK} {_NO_WINDOW} {element}" if element else MARK
    start = span.start.isoformat() if span.start else _NO_START
    name = f"{MARK} {start}/{span.end.isoformat()}"
    return f"{name} {element}" if element else name


def place_of(record: str) -> str | None:
    """Where records without a key came from, in words to stand behind others; None for a record's own key."""
    mark, _, rest = record.partition(" ")
    window, _, element = rest.partition(" ")
    if mark != MARK or (window == _NO_WINDOW and not element):
        return None
    of = f" in {element}" if element else ""
    if window in ("", _NO_WINDOW):
        return of
    start, _, end = window.partition("/")
    try:
        begin = "" if start == _NO_START else f" from {datetime.fromisoformat(start).isoformat()}"
        return f"{of}, asked for{begin} to {datetime.fromisoformat(end).isoformat()}"
    except ValueError:  # as in _settles
        return None


def settle_files_gone(cursor: Cursor, account: int, table: str, present: Sequence[str]) -> None:
    """What was wrong in files that are not in the folder any more is of no concern."""
    begin = f"{MARK} {_NO_WINDOW} "
    known = issues.open_records(cursor, account, "raw", table, begin)
    if gone := [name for name in known if name.removeprefix(begin) not in present]:
        issues.close(cursor, account, "raw", table, gone)


def _element(reading: Reading) -> str:
    """What a reading is of, beside its window."""
    if reading.file is not None:
        return reading.file.name
    return reading.element.key if reading.element else ""


def _settles(reading: Reading, name: str) -> bool:
    """Whether all of what an issue is about has been read again."""
    mark, _, rest = name.partition(" ")
    window, _, element = rest.partition(" ")
    if mark != MARK or element != _element(reading):
        return False
    span = reading.window.span
    if span is None or window in ("", _NO_WINDOW):
        return True
    try:
        return _holds(span, *window.split("/"))
    except (ValueError, TypeError):  # a record's own key that happens to begin like this
        return False


def _holds(span: Span, start: str, end: str) -> bool:
    begins = span.start is None or (start != _NO_START and span.start <= datetime.fromisoformat(start))
    return begins and datetime.fromisoformat(end) <= span.end
