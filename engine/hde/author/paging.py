"""Pages and windows, guessed from how a request is asked and from what stands beside the records of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hde.author.names import is_sayable, path_text, word_set
from hde.author.part import Map, Part, guessed, look
from hde.spec.problem import snake

Role = Literal["start", "end", "cursor", "page", "offset", "size"]
Looks = Literal["url", "text", "number", "flag", "nothing"]

_ROLES: dict[Role, frozenset[str]] = {
    "start": word_set(
        """start from since begin start_time start_date start_datetime startdate starttime start_at from_date
    from_time date_from begin_date after_date min_time min_date updated_since modified_since
    updated_after since_date updated_at_min start_date_time fromdate last_updated lastupdate start_day"""
    ),
    "end": word_set(
        """end to until finish end_time end_date end_datetime enddate endtime end_at to_date to_time date_to
    before_date max_time max_date updated_until updated_before until_date end_date_time todate end_day"""
    ),
    "cursor": word_set(
        """cursor next_token page_token next_cursor next_page_token continuation_token starting_after scroll_id
    pagination_token page_cursor after_cursor next_page continuation pagetoken nexttoken"""
    ),
    "page": word_set("page page_number page_no pageno page_num pagenumber page_index"),
    "offset": word_set("offset skip start_index start_at_index page_offset startindex"),
    "size": word_set(
        """limit page_size per_page pagesize perpage size max_results maxresults top page_limit
    results_per_page"""
    ),
}
FIXED = look("this looks like a time, and is now fixed")
BY_CHANGE = re.compile(r"updated|modified|lastupdate|last_updated")
_URLS = word_set(
    """next next_url next_link next_page_url next_href odata_next_link next_page href
"""
)
_CURSORS = word_set(
    """next_token next_cursor next_page_token next_page_cursor page_token cursor continuation
    continuation_token end_cursor scroll_id next_page after next pagination_token"""
)
_SENT_AS = {"next": "cursor", "next_cursor": "cursor", "end_cursor": "cursor", "next_page_token": "page_token"}
"""What a cursor is usually called when it is sent back."""
_MORE = word_set("has_more hasmore more has_next has_next_page is_more")
_TOTALS = word_set(
    """total total_count total_results totalcount total_items total_records odata_count count
"""
)
_BESIDE_URL = word_set("prev previous previous_url prev_url first last self")


@dataclass(frozen=True)
class Param:
    """A parameter of the request, as it was called or as a document describes it."""

    name: str
    value: Any = None
    """What it was called with; None: not said."""
    form: str | None = None
    """`date`, `rfc3339`, `epoch`, `epoch_ms` where that is known."""
    required: bool = False
    note: str = ""

    @property
    def role(self) -> Role | None:
        name = snake(self.name)
        return next((role for role, names in _ROLES.items() if name in names), None)


@dataclass(frozen=True)
class Leaf:
    """Something in an answer beside its records."""

    names: tuple[str, ...]
    looks: Looks
    value: object = None

    @property
    def last(self) -> str:
        return snake(self.names[-1])


def leaves_beside(answer: object, at: tuple[str, ...]) -> list[Leaf]:
    """What stands in an answer beside the records `at` a path: values of objects, no lists."""
    return list(_leaves(answer, (), at)) if isinstance(answer, dict) else []


def form_of(value: object) -> str | None:
    """How a time is written, by its look; None where it is none."""
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return "date"
    if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ].*", text):
        return "rfc3339"
    if re.fullmatch(r"1\d{9}", text):
        return "epoch"
    return "epoch_ms" if re.fullmatch(r"1\d{12}", text) else None


def params_part(params: Sequence[Param], bounds: Part, leaves: Sequence[Leaf], count: int) -> Part:
    """`params` and `pagination` of a resource. `bounds`: the parameters that are ends of a window."""
    paging, page = _pagination(params, leaves, count)
    changing = {**bounds.said, **page.said}
    said: Map = {}
    for param in params:
        if param.name in changing:
            said[param.name] = changing[param.name]
        elif param.role == "size" or (param.value is not None and param.role not in ("cursor", "page", "offset")):
            said[param.name] = param.value if param.value is not None else 100
    said |= {name: value for name, value in changing.items() if name not in said}
    notes = {("params", *path): note for one in (bounds, page) for path, note in one.notes.items()}
    for param in params:
        if param.name in said and (param.note or (param.form and said[param.name] == param.value)):
            notes["params", param.name] = param.note or FIXED
    return Part({"params": said} if said else {}, notes) + paging


def _pagination(params: Sequence[Param], leaves: Sequence[Leaf], count: int) -> tuple[Part, Part]:
    """`pagination`, and the parameters it needs."""
    roles = {role: param for param in params if (role := param.role) in ("cursor", "page", "offset", "size")}
    url = next((leaf for leaf in leaves if _is_url(leaf, leaves, roles)), None)
    if url is not None:
        note = guessed("an address") if url.looks == "url" else look("nothing in the sample: is it an address?")
        return _paging({"kind": "url", "next": path_text(url.names)}, note), Part()
    cursor = next(
        (leaf for leaf in leaves if leaf.last in _CURSORS and leaf.looks in ("text", "number", "nothing")), None
    )
    if cursor is not None and ("cursor" in roles or not ("page" in roles or "offset" in roles)):
        return _by_cursor(cursor, roles)
    for role in ("page", "offset"):
        if role in roles:
            return _counted(role, roles[role], roles.get("size"), leaves)
    more = next((leaf for leaf in leaves if leaf.last in _MORE), None)
    total = next((leaf for leaf in leaves if leaf.last in _TOTALS and _exceeds(leaf, count)), None)
    if more is None and total is None:
        return Part(), Part()
    role = "offset" if any(leaf.last == "offset" for leaf in leaves) else "page"
    paging, page = _counted(role, Param(role), roles.get("size"), leaves)
    return paging, replace(page, notes={(role,): look("is the parameter called so?")})


def _by_cursor(leaf: Leaf, roles: Mapping[Any, Param]) -> tuple[Part, Part]:
    paging = _paging({"kind": "cursor", "next": path_text(leaf.names)}, guessed("from the name of `next`"))
    known = roles.get("cursor")
    if known is not None:
        return paging, Part({known.name: "{{ page.cursor }}"})
    name = _SENT_AS.get(leaf.last, leaf.names[-1])
    if leaf.names[-1] != leaf.last:  # the source writes camelCase
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
    return paging, Part({name: "{{ page.cursor }}"}, {(name,): look("is the parameter called so?")})


def _counted(role: str, param: Param, size: Param | None, leaves: Sequence[Leaf]) -> tuple[Part, Part]:
    said: Map = {"kind": role}
    if role == "page" and str(param.value) == "0":
        said["first"] = 0
    page: Map = {param.name: "{{ page.number }}" if role == "page" else "{{ page.offset }}"}
    if size is not None:
        said["size"] = _whole(size.value) or 100
        page[size.name] = "{{ page.size }}"
    more = next((leaf for leaf in leaves if leaf.last in _MORE), None)
    total = next((leaf for leaf in leaves if leaf.last in _TOTALS - {"count"}), None)
    if more is not None:
        said["more"] = path_text(more.names)
    elif total is not None:
        said["total"] = path_text(total.names)
    ends = "" if more or total else "; it ends at an empty page"
    return _paging(said, guessed(f"from the parameter {param.name}{ends}")), Part(page)


def _paging(said: Map, note: str) -> Part:
    return Part({"pagination": said}, {("pagination",): note})


def _is_url(leaf: Leaf, leaves: Sequence[Leaf], roles: Mapping[Any, Param]) -> bool:
    if leaf.last not in _URLS or (leaf.last == "href" and snake(leaf.names[-2] if leaf.names[1:] else "") != "next"):
        return False
    if leaf.looks == "url":
        return True
    beside = {other.last for other in leaves if other.names[:-1] == leaf.names[:-1]}
    likely = beside & _BESIDE_URL or "link" in leaf.last or "url" in leaf.last or leaf.names[:1] == ("links",)
    return leaf.looks == "nothing" and "cursor" not in roles and bool(likely)


def _leaves(value: Mapping[str, Any], above: tuple[str, ...], at: tuple[str, ...]) -> Iterator[Leaf]:
    for name, below in value.items():
        here = (*above, name)
        if not is_sayable(name) or isinstance(below, list) or (at and here == at):
            continue
        if isinstance(below, dict):
            yield from _leaves(below, here, at) if len(here) < 3 else ()
        else:
            yield Leaf(here, _looks(below), below)


def _looks(value: object) -> Looks:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return "url" if re.match(r"https?://|/|\?", str(value)) else "text"


def _exceeds(leaf: Leaf, count: int) -> bool:
    return isinstance(leaf.value, int) and not isinstance(leaf.value, bool) and leaf.value > count


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) else None
