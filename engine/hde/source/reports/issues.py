"""What is wrong with a report that was read: pages and lines that no template understands. Where, not what they say."""

from __future__ import annotations

from collections.abc import Iterator

from hde.issues import Issue, Level

NO_ROW = "no row of the template understands this line"
NO_TEMPLATE = "no template recognises this page"
MOST_NAMED = 50
"""Issues of one report; the record holds every line."""


def report_issues(document: object) -> tuple[Issue, ...]:
    """The issues of a record of a report. A line without a digit is hardly a result: a warning."""
    found = list(_issues(document)) if isinstance(document, dict) else []
    more = len(found) - MOST_NAMED
    rest = [Issue("unmatched", f"{more} more lines or pages like these", length=more)] if more > 0 else []
    return tuple(found[:MOST_NAMED] + rest)


def _issues(document: dict[str, object]) -> Iterator[Issue]:
    for page, _, text in _places(document.get("unrecognised")):
        yield Issue(f"page {page}", NO_TEMPLATE, json_type="string", length=len(text))
    lines = sorted(_places(document.get("unmatched")), key=lambda one: not _has_digits(one[2]))
    for page, line, text in lines:
        level: Level = "error" if _has_digits(text) else "warning"
        yield Issue(f"page {page}, line {line}", NO_ROW, level, "string", len(text))


def _places(listed: object) -> Iterator[tuple[object, object, str]]:
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield one.get("page"), one.get("line"), str(one.get("text"))


def _has_digits(text: str) -> bool:
    return any(char.isdigit() for char in text)
