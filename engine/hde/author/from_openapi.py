"""From an OpenAPI 3 document to the draft of a whole connector: every GET that gives records becomes a resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from hde.author.document import Document, read_document
from hde.author.files import Draft
from hde.author.from_sample import connector_part
from hde.author.part import Part, look
from hde.author.resource import ResourceDraft
from hde.author.resources import Left, resources_of
from hde.author.security import security_part
from hde.author.shared import hoist
from hde.errors import WrongUse

MOST_NAMED = 5


def draft_from_openapi(name: str, file: Path, base_url: str) -> Draft:
    """The draft; WrongUse where the document cannot be read or holds nothing to fetch."""
    document = read_document(file)
    base = _base_url(document, base_url)
    signing, remarks = security_part(document, base)
    resources, left = resources_of(name, document)
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


def _remarks(left: Sequence[Left], resources: Sequence[ResourceDraft]) -> Iterator[str]:
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
