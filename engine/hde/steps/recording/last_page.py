"""Making the last page of a recording say that it is the last, whatever way the source has of saying so."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hde.errors import Unreadable
from hde.mapping.expression import is_plain
from hde.source.exact import exact_text
from hde.source.records import Body
from hde.spec.connector import Cursor, LinkHeader, NextUrl, Offset, PageNumber, Resource, Where

Told = tuple[Any, dict[str, str]]
"""A page's document and headers."""


def last_pages(resource: Resource, page: Told, received: int) -> list[Told]:
    """The page that nothing follows; where only an empty page says so, that page after it.

    `received`: records there were up to and with this page.
    """
    document, headers = copy.deepcopy(page[0]), dict(page[1])
    match resource.pagination:
        case Cursor(next=where) | NextUrl(next=where):
            return [(_without(document, headers, where), headers)]
        case LinkHeader():
            return [(document, _but(headers, "link"))]
        case PageNumber() | Offset() as counted:
            if counted.more is not None:
                return [(_without(document, headers, counted.more), headers)]
            if counted.total is not None:
                return [_with_total(document, headers, counted.total, received)]
            return [page, (_emptied(document, resource.records), headers)]
    return [page]


def _without(document: Any, headers: dict[str, str], where: Where) -> Any:
    if where.header is not None:
        headers.pop(where.header.lower(), None)
        return document
    if where.body is not None and is_plain(where.body):
        _set(document, where.body, None)
        return document
    found = Body(exact_text(document).encode()).value(where.body or "")
    return _nulled(document, found) if isinstance(found, str) else document


def _with_total(document: Any, headers: dict[str, str], where: Where, received: int) -> Told:
    if where.header is not None:
        headers[where.header.lower()] = str(received)
    elif where.body is not None and is_plain(where.body):
        _set(document, where.body, received)
    return document, headers


def _emptied(document: Any, records: str | None) -> Any:
    if records is None:
        return []
    if not is_plain(records):
        raise Unreadable(f"records: {records!r} cannot be emptied to make a last page; record until the end (--pages)")
    _set(document, records, [])
    return document


def _set(document: Any, path: str, value: object) -> None:
    *above, last = path.split(".")
    for name in above:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, dict) and last in document:
        document[last] = value


def _nulled(document: Any, found: str) -> Any:
    """The document with null wherever this text stands: a next link behind a search through a list."""
    if isinstance(document, dict):
        return {name: _nulled(value, found) for name, value in document.items()}
    if isinstance(document, list):
        return [_nulled(item, found) for item in document]
    return None if document == found else document


def _but(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: value for other, value in headers.items() if other != name}
