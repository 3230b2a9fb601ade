"""From an OpenAPI 3 document to the draft of a whole connector: every GET that gives records becomes a resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hde.author.described import Described, described
from hde.author.document import Document, read_document
from hde.author.files import Draft
from hde.author.from_sample import connector_part
from hde.author.names import name_of
from hde.author.part import Part, look
from hde.author.resource import ResourceDraft, draft_resource
from hde.author.security import security_part
from hde.author.shared import hoist
from hde.errors import WrongUse

MOST_RESOURCES = 100
MOST_COLUMNS = 8000
"""Of all resources together: a connector is a file that is read."""
MOST_NAMED = 5
_VERSION = re.compile(r"v\d+(\.\d+)*\Z|api\Z")


@dataclass(frozen=True)
class _Left:
    """A GET that did not become a resource."""

    path: str
    why: str


def draft_from_openapi(name: str, file: Path, base_url: str) -> Draft:
    """The draft; WrongUse where the document cannot be read or holds nothing to fetch."""
    document = read_document(file)
    base = _base_url(document, base_url)
    signing, remarks = security_part(document, base)
    resources, left = _resources(name, document)
    if not resources:
        why = "".join(f"\nGET {one.path} {one.why}" for one in left[:MOST_NAMED])
        raise WrongUse(f"{file} describes no GET whose answer holds records and that needs nothing but parameters{why}")
    shared, resources = hoist(resources)
    part = connector_part(name, base, _head(document) + signing + _waits(document) + shared, resources)
    return Draft(name, part, resources, [*remarks, *_remarks(left, resources)])


def _base_url(document: Document, said: str) -> str:
    servers = document.data.get("servers")
    server = document.resolved(servers[0]) if isinstance(servers, list) and servers else {}
    url = said or str(server.get("url", ""))
    for variable, known in document.resolved(server.get("variables")).items():
        url = url.replace(f"{{{variable}}}", str(document.resolved(known).get("default", "")))
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in url or not url.isprintable():
        raise WrongUse("The document does not say where the source is (`servers`); say it with --base-url")
    return url.rstrip("/")


def _head(document: Document) -> Part:
    title = document.at("info", "title")
    docs = document.at("externalDocs", "url")
    said = {"title": " ".join(title.split())[:80]} if isinstance(title, str) and title.strip() else {}
    if isinstance(docs, str) and re.match(r"https?://\S+\Z", docs) and docs.isprintable():
        said["docs"] = docs
    return Part(said)


def _waits(document: Document) -> Part:
    """The header of a 429 that says how long to wait, where one is described."""
    for _, operation, _ in document.operations():
        said = document.resolved(operation.get("responses"))
        busy = document.resolved({str(status): one for status, one in said.items()}.get("429"))
        headers = document.resolved(busy.get("headers"))
        for name in headers:
            if re.match(r"[A-Za-z0-9-]+reset[A-Za-z0-9-]*\Z", name, re.IGNORECASE):
                return Part(
                    {"http": {"wait": {"header": name}}}, {("http", "wait"): look("does it hold seconds? else `is:`")}
                )
    return Part()


def _resources(source: str, document: Document) -> tuple[list[ResourceDraft], list[_Left]]:
    drafted: list[ResourceDraft] = []
    left: list[_Left] = []
    names: set[str] = set()
    columns = 0
    for path, operation, parameters in document.operations():
        if operation.get("deprecated") is True:
            left.append(_Left(path, "is deprecated"))
        elif len(drafted) >= MOST_RESOURCES or columns > MOST_COLUMNS:
            left.append(_Left(path, "would make the file too long"))
        elif "{" in path:
            left.append(_Left(path, "needs a value in its path"))
        else:
            try:
                one = described(document, path, operation, parameters)
                resource = draft_resource(source, one.seen(_name(path, one, names)))
            except WrongUse as error:
                left.append(_Left(path, f"gives no records ({str(error).splitlines()[0].rstrip('.')})"))
                continue
            names.add(resource.name)
            columns += len(resource.part.said["columns"])
            drafted.append(resource)
    return drafted, left


def _name(path: str, one: Described, taken: set[str]) -> str:
    """The last part of the path; of one object, and where the name is taken, more of them."""
    parts = [part for part in path.split("/") if part and not part.startswith("{") and not _VERSION.match(part)]
    start = 1 if one.is_list else min(len(parts), 3)
    for length in (*range(start, len(parts) + 1),):
        name = name_of("_".join(parts[-length:]), "records")
        if name not in taken:
            return name
    name = name_of("_".join(parts) or "records", "records", 50)
    return next(again for again in (name, *(f"{name}_{number}" for number in range(2, 10_000))) if again not in taken)


def _remarks(left: Sequence[_Left], resources: Sequence[ResourceDraft]) -> Iterator[str]:
    raw = [one.name for one in resources if one.mapping is None]
    if raw:
        yield f"no field is certain to be a canonical one, so the records stay raw, in {_listed(raw)}"
    reasons: Mapping[str, list[str]] = {
        why: [one.path for one in left if one.why == why] for why in (x.why for x in left)
    }
    for why, paths in reasons.items():
        yield f"left out, because it {why}: {_listed([f'GET {path}' for path in paths])}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
