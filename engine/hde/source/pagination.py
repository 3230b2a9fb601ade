"""What comes after a page: one pure function per kind of pagination. Sends nothing, remembers nothing.

A state is what the next request needs, as JSON: `{"cursor": ..}`, `{"number": ..}`, `{"offset": ..}` or `{"url": ..}`,
with the pages and records there were before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hde.errors import Unreadable
from hde.source.address import next_url
from hde.source.records import Body
from hde.source.session import Answer
from hde.spec.connector import Bookmark, Cursor, LinkHeader, NextUrl, Offset, PageNumber, Pagination, Where

State = dict[str, object]
Following = tuple[State | None, str | None]
"""The next state, or why paging stopped."""

LONGEST_CURSOR = 16_000
LONGEST_LINK = 8_000
# Possessive throughout: with anything to try twice, a hostile header takes for ever.
_LINK = re.compile(
    r'<([^<>]*+)>((?:\s*+;\s*+[\w!#$&+.^`|~*-]++\s*+(?:=\s*+(?:"(?:[^"\\]|\\.)*+"|[^\s;,"]++))?+)*+)\s*+(?:,|\Z)'
)
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)


def first(spec: Pagination | None) -> State:
    """The state before the first page."""
    match spec:
        case PageNumber():
            return {"number": spec.first, "pages": 0, "received": 0}
        case Offset():
            return {"offset": 0, "pages": 0, "received": 0}
    return {"pages": 0}


def page_scope(spec: Pagination | None, state: State) -> Mapping[str, object]:
    """What a request may name as `page`."""
    match spec:
        case PageNumber():
            return {"number": state.get("number"), "size": spec.size}
        case Offset():
            return {"offset": state.get("offset"), "size": spec.size}
    return {"cursor": state.get("cursor")}


def progress(state: State) -> tuple[str, object]:
    """What tells two states apart: the same again means that paging goes round in circles."""
    for name in ("cursor", "number", "offset", "url"):
        if name in state:
            return name, state[name]
    return "", None


def after(spec: Pagination | None, state: State, answer: Answer, body: Body, count: int) -> Following:
    """What follows a page of `count` records. Unreadable where the page does not say it in a way that can be used."""
    if spec is None:
        return None, "single page"
    following, stopped = _KINDS[spec.kind](spec, state, answer, body, count)
    if following is not None:
        following["pages"] = _whole(state.get("pages")) + 1
    return following, stopped


def bookmark_in(spec: Bookmark, answer: Answer, body: Body) -> object:
    """The bookmark an answer holds, a text or a whole number; None where it holds none."""
    found = _found(spec.next, answer, body)
    if found is None or found in ("", [], {}):
        return None
    if isinstance(found, bool) or not isinstance(found, str | int) or len(str(found)) > LONGEST_CURSOR:
        raise Unreadable(f"bookmark.next gives {_kind_of(found)}, where a text or a whole number was expected")
    return found


def _cursor(spec: Cursor, state: State, answer: Answer, body: Body, count: int) -> Following:
    found = _found(spec.next, answer, body)
    if _is_nothing(found):
        return None, "no next"
    if isinstance(found, bool) or not isinstance(found, str | int) or len(str(found)) > LONGEST_CURSOR:
        raise Unreadable(f"pagination.next gives {_kind_of(found)}, where a cursor was expected")
    return {"cursor": found}, None


def _url(spec: NextUrl, state: State, answer: Answer, body: Body, count: int) -> Following:
    found = _found(spec.next, answer, body)
    if _is_nothing(found):
        return None, "no next"
    if not isinstance(found, str):
        raise Unreadable(f"pagination.next gives {_kind_of(found)}, where a URL was expected")
    return {"url": next_url(answer.url, found)}, None


def _link_header(spec: LinkHeader, state: State, answer: Answer, body: Body, count: int) -> Following:
    header = answer.headers.get("link", "")
    if len(header) > LONGEST_LINK:
        raise Unreadable(f"a Link header of {len(header)} characters; {LONGEST_LINK} are the most that is read")
    for match in _LINK.finditer(header):
        relations = [relation for pair in _REL.findall(match[2]) for relation in (pair[0] or pair[1]).lower().split()]
        if "next" in relations:
            return {"url": next_url(answer.url, match[1])}, None
    return None, "no next"


def _page_number(spec: PageNumber, state: State, answer: Answer, body: Body, count: int) -> Following:
    received = _whole(state.get("received")) + count
    if stopped := _counted_end(spec, answer, body, count, received):
        return None, stopped
    return {"number": _whole(state.get("number")) + 1, "received": received}, None


def _offset(spec: Offset, state: State, answer: Answer, body: Body, count: int) -> Following:
    received = _whole(state.get("received")) + count
    if stopped := _counted_end(spec, answer, body, count, received):
        return None, stopped
    # Grown by what came, not by what was asked for: a source that caps the page would lose records otherwise.
    return {"offset": _whole(state.get("offset")) + count, "received": received}, None


def _counted_end(spec: PageNumber | Offset, answer: Answer, body: Body, count: int, received: int) -> str | None:
    if spec.more is not None and _is_nothing(_found(spec.more, answer, body)):
        return "no more"
    if spec.total is not None and (total := _total(_found(spec.total, answer, body))) is not None and received >= total:
        return "total reached"
    if count == 0 and spec.more is None:
        return "empty page"
    if spec.stop == "short" and spec.size is not None and count < spec.size:
        return "short page"
    return None


def _total(found: object) -> int | None:
    if isinstance(found, str) and found.strip().isascii() and found.strip().isdecimal():
        return int(found)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unreadable(f"pagination.total gives {_kind_of(found)}, where a number of records was expected")
    return found


def _found(where: Where, answer: Answer, body: Body) -> object:
    if where.header is not None:
        text = answer.headers.get(where.header, "").strip()
        return "" if text.lower() in ("0", "false", "null", "none") else text
    return body.value(where.body) if where.body is not None else None


def _is_nothing(found: object) -> bool:
    if isinstance(found, int | float):
        return found == 0
    return found is None or found in ("", [], {})


def _kind_of(value: object) -> str:
    return {bool: "true", list: "a list", dict: "an object"}.get(type(value), f"a {type(value).__name__}")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


_KINDS: dict[str, Callable[[Any, State, Answer, Body, int], Following]] = {
    "cursor": _cursor,
    "page": _page_number,
    "offset": _offset,
    "url": _url,
    "link_header": _link_header,
}
