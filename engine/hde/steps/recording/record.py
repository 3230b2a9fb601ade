"""Real answers become pages and records that can be shown to anyone: read, replaced, thinned out. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import httpx

from hde.errors import WrongUse
from hde.mapping.expression import is_plain
from hde.source.elements import Element, constant_elements
from hde.source.exact import decode_exactly, exact_text
from hde.source.pages import Page
from hde.source.records import Body
from hde.source.session import Session
from hde.source.transport import Reply
from hde.spec.connector import Connector, Format, Resource, Where
from hde.spec.elements import parents_of
from hde.spec.load import Source
from hde.spec.mapping import Target
from hde.steps.plan import Reading, connector_scope
from hde.steps.recording.last_page import Told, last_pages
from hde.steps.recording.pseudonyms import Pseudonyms
from hde.steps.recording.shapes import of_every_shape
from hde.steps.trying.preview import Wanted, element_of
from hde.steps.trying.rehearsal import Open, first_readings, read
from hde.store.cuts import cut
from hde.store.ledger import Span

MOST_FIXTURES = 8
MOST_OF_A_PAGE = 5
"""Records kept of a page, where leaving some out changes nothing about paging."""


@dataclass(frozen=True)
class Wish:
    """What to record, and how."""

    resource: Resource
    pages: int
    now: datetime
    key: bytes = field(repr=False)
    told_origin: str
    since: datetime | None = None
    until: datetime | None = None
    keep: tuple[str, ...] = ()
    scramble_numbers: bool = False


@dataclass(frozen=True)
class Recording:
    """What may be written down."""

    pages: tuple[Told, ...]
    records: tuple[bytes, ...]
    """Few, and every path that was seen is in one of them."""
    account: Mapping[str, object]
    now: datetime
    since: datetime | None
    pseudonyms: Pseudonyms
    is_whole: bool
    """Whether it can be read again: not where other records say what is asked for."""


def record(source: Source, wish: Wish, open_session: Open) -> Recording:
    """Reads some pages of the youngest window and replaces in them who they are about."""
    if wish.resource.format != Format():
        raise WrongUse(f"{wish.resource.name}: only JSON answers can be recorded; write its fixtures by hand")
    calls: list[Reply] = []

    def watch(request: httpx.Request, reply: Reply) -> None:
        calls.append(reply)

    with open_session(watch) as session:
        account = dict(session.account or {})
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(session.connector.http.base_url.render(session.scope({}))))
        readings = _readings(session, wish)
        groups: list[list[tuple[Page, Reply]]] = []
        for reading in readings:
            calls.clear()  # what was asked to find an element, or for another one
            groups.append([(page, calls[-1]) for _, page in islice(read(session, [reading]), wish.pages)])
    pseudonyms = _pseudonyms(source, wish, account, origin)
    answered = [_answered(group, wish.resource) for group in groups]
    if not any(pages for _, pages in answered):
        raise WrongUse(f"{wish.resource.name}: the source has nothing here ({groups[0][-1][0].stopped}): widen --since")
    for _, pages in answered:
        for _, document, _ in pages:
            pseudonyms.learn(document)
    thin = [page for group, pages in answered for page in _told(group, pages, wish.resource, pseudonyms)]
    records = [one for document, _ in thin for one in _records(document, wish.resource)]
    return Recording(
        pages=tuple(thin),
        records=tuple(records[at] for at in of_every_shape(records, MOST_FIXTURES)) if records else (),
        account=pseudonyms.replaced(account, "account"),
        now=pseudonyms.moved(wish.now.replace(microsecond=0)),
        since=_since(readings[0], wish, pseudonyms),
        pseudonyms=pseudonyms,
        is_whole=parents_of(wish.resource.for_each) is None
        and all(len(pages) == len(group) for group, pages in answered),
    )


Pages = list[tuple[Page, Any, Reply]]


def _answered(group: list[tuple[Page, Reply]], resource: Resource) -> tuple[list[tuple[Page, Reply]], Pages]:
    """The pages of a window, and of those the ones that hold something to keep, decoded."""
    return group, [(page, _document(reply, resource), reply) for page, reply in group if page.outcome == "read"]


def _told(group: list[tuple[Page, Reply]], pages: Pages, resource: Resource, pseudonyms: Pseudonyms) -> list[Told]:
    """The pages of one window as they are told: replaced, thinned out, the last one saying that it is."""
    told = [(pseudonyms.replaced(document), _headers(resource, reply, pseudonyms)) for _, document, reply in pages]
    if told and group[-1][0].next is not None:
        received = sum(len(page.rows) + len(page.unkeyed) for page, _, _ in pages)
        told[-1:] = last_pages(resource, told[-1], received)
    return [(_thinned(document, resource), headers) for document, headers in told]


def _readings(session: Session, wish: Wish) -> list[Reading]:
    """The youngest window: of every constant element, or of the first that a record gives."""
    resource, connector = wish.resource, session.connector
    if resource.export is not None:
        raise WrongUse(
            f"{resource.name} is read from an export: nothing is ordered for a recording; write its exchanges"
        )
    if resource.for_each is not None and parents_of(resource.for_each) is None:
        chosen: list[Element | None] = list(constant_elements(resource.for_each))
    else:
        chosen = [element_of(session, resource, Wanted(resource, 1, wish.now, wish.since, wish.until))]
    scope = connector_scope(connector, session.settings, session.account or {})
    found = [
        first_readings(connector, resource, now=wish.now, scope=scope, since=wish.since, until=wish.until, element=one)
        for one in chosen
    ]
    if not all(found):
        raise WrongUse("there is no window to ask for: --since is not before --until, or history begins later")
    return [readings[0] for readings in found]


def _since(reading: Reading, wish: Wish, pseudonyms: Pseudonyms) -> datetime | None:
    """Where the told window begins: within the youngest step, so that one window is all that a test asks for."""
    span, window = reading.window.span, wish.resource.window
    if span is None or window is None:
        return None
    now = pseudonyms.moved(wish.now.replace(microsecond=0))
    start = pseudonyms.moved(span.start) if span.start else None
    return cut([Span(start, now)], window.step, now)[0].start


def _document(reply: Reply, resource: Resource) -> Any:
    try:
        return decode_exactly(reply.body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        raise WrongUse(f"{resource.name}: the answer is not JSON") from None


def _headers(resource: Resource, reply: Reply, pseudonyms: Pseudonyms) -> dict[str, str]:
    """Those that paging reads."""
    pagination = resource.pagination
    wheres = [getattr(pagination, name, None) for name in ("next", "more", "total")]
    names = {where.header.lower() for where in wheres if isinstance(where, Where) and where.header}
    names |= {"link"} if pagination is not None and pagination.kind == "link_header" else set()
    return {name: pseudonyms.header(value) for name, value in reply.headers.items() if name.lower() in names}


def _thinned(document: Any, resource: Resource) -> Any:
    """Fewer records of a page; not where their number tells when paging ends."""
    counted = resource.pagination is not None and resource.pagination.kind in ("page", "offset")
    path = resource.records
    if counted or (path is not None and not is_plain(path)):
        return document
    records = _records(document, resource)
    kept = of_every_shape(records, MOST_OF_A_PAGE, least=2) if len(records) > 2 else range(len(records))
    if path is None:
        return [document[at] for at in kept] if isinstance(document, list) else document
    *above, last = path.split(".")
    inner = document
    for name in above:
        inner = inner[name]
    if isinstance(inner[last], list):
        inner[last] = [inner[last][at] for at in kept]
    return document


def _records(document: Any, resource: Resource) -> list[bytes]:
    found = Body(exact_text(document).encode()).records(resource.records)
    return [one for one in found if isinstance(one, bytes)]


def _pseudonyms(source: Source, wish: Wish, account: Mapping[str, object], origin: str) -> Pseudonyms:
    resource, connector = wish.resource, source.connector
    prefix = _prefix(resource.records)
    own = [mapping for mapping in source.mappings if mapping.from_ == resource.name]
    keys = {*resource.key, *(reference.key for mapping in own for reference in mapping.with_.values())}
    columns = [column.path for column in resource.columns if column.name in keys]
    looked_up = [one for mapping in own for target in mapping.to.values() for one in _looked_up(target)]
    told = Pseudonyms(
        wish.key,
        ids=({prefix + _bare(path) for path in columns} - _times_in(resource, prefix)) | _cursors(resource),
        categories={prefix + path for path, _ in looked_up},
        words={word for _, words in looked_up for word in words} | _words_of(connector),
        keep={one for path in wish.keep for one in (path, prefix + path)},
        origin=origin,
        told_origin=wish.told_origin,
        scramble_numbers=wish.scramble_numbers,
    )
    external = str(account.get("id", ""))
    if external not in ("", "default"):
        told.known |= {external} | ({int(external)} if external.isdecimal() else set())
    return told


def _looked_up(target: Target) -> Iterator[tuple[str, Collection[str]]]:
    """Paths that a mapping looks up, and the words it knows there."""
    for rows in target.rows:
        every = [one for each in (target.each, rows.each) if each is not None for one in each.chain]
        above = [_bare(each.path) for each in every if each.path]
        for reading in rows.columns.values():
            for one in (reading, *reading.first):
                if one.lookup is not None and one.path:
                    yield ".".join([*above, _bare(one.path)]), one.lookup.entries


def _cursors(resource: Resource) -> set[str]:
    """Where an answer names what comes after it: two of these must not become one."""
    named = [getattr(one, "next", None) for one in (resource.pagination, resource.bookmark)]
    return {_bare(where.body) for where in named if isinstance(where, Where) and where.body}


def _times_in(resource: Resource, prefix: str) -> set[str]:
    """A time may be part of a key, and stays a time."""
    return {prefix + _bare(column.path) for column in resource.columns if column.type in ("timestamptz", "date")}


def _prefix(records: str | None) -> str:
    """The names above a record in the answer."""
    found = _bare(records or "")
    return f"{found}." if found else ""


def _bare(path: str) -> str:
    """A path without brackets and what follows a pipe: the names that `Pseudonyms` knows."""
    path = re.split(r"\|", path)[0].strip()
    return re.sub(r"\[[^\]]*\]|\"", "", path).removeprefix("$").strip(".")


def _words_of(connector: Connector) -> set[str]:
    """Parts of the connector's own paths: a link keeps them."""
    texts = [connector.http.base_url.text, *(one.request.path.text for one in connector.resources.values())]
    return {part for text in texts for part in re.split(r"[/?&=]", text) if part and "{" not in part}


def shown_paths(pseudonyms: Pseudonyms) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Every path with what was done to it, and the texts that were kept."""
    for path, how in pseudonyms.treated.items():
        yield path, sorted(how), sorted(pseudonyms.kept_words.get(path, ()))
