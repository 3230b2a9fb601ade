"""What the answers about an export say: what to ask with, whether it is ready, how far it is, which files it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Event
from urllib.parse import urljoin, urlsplit

from hde.errors import Refused, Unreadable
from hde.source.carry import without_token
from hde.source.decoded import body_of
from hde.source.download import Download, Kind, checked, is_own
from hde.source.rules import asked_wait, is_true, one_line
from hde.source.session import Answer, Session
from hde.spec.connector import JSON, Connector, Resource
from hde.spec.export import Export
from hde.spec.request import Where

ADDRESSES = ("location", "content-location")
"""Headers that hold an address, which may be a relative one."""
LONGEST = 4000
"""Characters of what is kept."""
PREPARING = 202


def ordered(session: Session, export: Export, bookmark: object) -> tuple[Answer, dict[str, object]]:
    """The answer to the request that orders it, and what it says that later requests need.

    Refused where something that `status` needs is not there, unless the answer says `skip`.
    """
    answer = session.answer(export.request, {"bookmark": bookmark}, export.errors)
    if answer.outcome == "skip":
        return answer, {}
    kept = kept_in(export, answer, session.connector)
    named = {name[1] for name in export.status.request.names if name[0] == "export" and name[1:]}
    if lacking := sorted(named - set(kept)):
        where = f"{session.connector.name}: the answer to {export.request.method} {export.request.path.text}"
        raise Refused(f"{where} ({answer.status}) does not say {', '.join(lacking)}, which `keep` reads", answer.status)
    return answer, kept


def looked(session: Session, export: Export, kept: Mapping[str, object]) -> Answer:
    """The answer to the request that asks whether it is ready."""
    return session.answer(export.status.request, {"export": dict(kept)}, export.status.errors)


def pause_after(session: Session, export: Export, answer: Answer) -> float:
    """Seconds until the next look: as the source asks for, within bounds."""
    asked = asked_wait(answer, session.connector.http.wait)
    wanted = export.poll.every.total_seconds() if asked is None else asked
    return min(wanted, export.poll.most.total_seconds())


def listing(session: Session, export: Export, kept: Mapping[str, object], answer: Answer) -> tuple[Answer, int]:
    """The answer that lists the files, where that of `status` (`answer`) does not, and the requests it took."""
    if export.result is None:
        return answer, 0
    whole = {**kept_in(export, answer, session.connector), **kept}
    found = session.answer(export.result.request, {"export": whole}, export.result.errors)
    return found, found.requests


def in_where(where: Where, answer: Answer) -> object:
    """What a part of an answer holds: a text or a number; None where nothing is there."""
    if where.header is not None:
        text = answer.headers.get(where.header, "").strip()
        return (urljoin(answer.url, text) if where.header.lower() in ADDRESSES else text) if text else None
    found = body_of(answer.body, JSON).value(str(where.body)) if answer.body else None
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, str | int) or len(str(found)) > LONGEST:
        raise Unreadable(f"{where.body!r} gives a {type(found).__name__}, where a text or a whole number was expected")
    return found


def kept_in(export: Export, answer: Answer, connector: Connector) -> dict[str, object]:
    """What an answer holds of `keep`. It is stored, and must hold no token."""
    found = {name: in_where(where, answer) for name, where in export.keep.items()}
    return {
        name: without_token(value, connector) if isinstance(value, str) and "://" in value else value
        for name, value in found.items()
        if value is not None
    }


def is_ready(export: Export, answer: Answer) -> bool:
    """Whether the answer to `status` says so."""
    if answer.status == PREPARING:
        return False
    if export.done is None or answer.outcome != "read":
        return answer.outcome == "read"
    return is_true(body_of(answer.body, JSON).value(export.done))


def has_words(export: Export, answer: Answer) -> bool:
    """Whether the answer lists files in which the source says what went wrong."""
    return export.warnings is not None and is_true(body_of(answer.body, JSON).value(export.warnings.files))


def progress_in(export: Export, answer: Answer) -> str:
    """In the source's words; empty where it has none."""
    if export.progress is None:
        return ""
    try:
        found = in_where(export.progress, answer)
    except Unreadable:
        return ""
    return "" if found is None else one_line(str(found))[:60]


def files_of(
    session: Session, export: Export, resource: Resource, answer: Answer, lost: Event, *, with_words: bool
) -> list[Download]:
    """The files of a resource, what is gone first. Unreadable or Refused where the answer does not list them well.

    `with_words`: those in which the source has something to say as well.
    """
    assert resource.export is not None
    body = body_of(answer.body, JSON)
    signed_in = None if export.signed_in is None else is_true(body.value(export.signed_in))
    where = f"{session.connector.name}: {resource.name}"

    def listed(path: str, kind: Kind) -> Iterator[Download]:
        found = list(_addresses(body.value(path), path, where))
        urls = [checked(session, export, urljoin(answer.url, url), where) for url, _ in found]
        paths = [urlsplit(url).path for url in urls]
        for at, (url, (_, count)) in enumerate(zip(urls, found, strict=True)):
            # A signed address changes with every look: its query tells files apart only where nothing else does.
            name = paths[at] if paths.count(paths[at]) == 1 else f"{paths[at]} {at + 1}"
            signs = is_own(session, url) if signed_in is None else signed_in
            yield Download(f"{kind} {name}"[:500], url, signs, count, kind, export, lost)

    deleted = resource.export.deleted
    files = [
        *(listed(deleted.files, "deleted") if deleted else ()),
        *(listed(resource.export.files, "records")),
    ]
    if not any(file.kind == "records" for file in files):
        files.append(Download("nothing"))
    if with_words and export.warnings is not None:
        files += listed(export.warnings.files, "told")
    return files


def _addresses(found: object, path: str, where: str) -> Iterator[tuple[str, int | None]]:
    """Each address and how many records are said to be there."""
    if found is None:
        return
    for one in found if isinstance(found, list) else [found]:
        said: Mapping[str, object] = one if isinstance(one, Mapping) else {"url": one}
        url, count = said.get("url"), said.get("count")
        if not isinstance(url, str) or not url:
            raise Unreadable(f"{where}: {path!r} gives no addresses, and no objects with `url`")
        yield url, count if isinstance(count, int) and not isinstance(count, bool) else None
