"""Searchsets and the pages of them: three ways in which a server leads from one to the next."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from hde.sandbox.fhir.chart import Resource
from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.record import Json
from hde.sandbox.fhir.search import Pairs, Refused

PARAMETER = {"offset": "_offset", "session": "sessionID", "context": "-pageContext"}
OBSERVATIONS_AT_ONCE = 50
"""The default of a server whose default is smaller: there are so many of them."""


class _Session(NamedTuple):
    """What is left of a search: frozen when it began."""

    kind: str
    found: Sequence[Resource]
    at: int
    most: int
    token: str


@dataclass
class Bundles:
    """`base` is the server's own address, `included` finds what a search shall bring along."""

    manners: Manners
    base: str = ""
    gone: int = 410
    """What is said of a session that has ended."""
    _sessions: dict[str, _Session] = field(default_factory=dict)

    def end_sessions(self) -> None:
        self._sessions.clear()

    def first(self, kind: str, found: Sequence[Resource], pairs: Pairs, token: str, along: Sequence[Resource]) -> Json:
        """The page that `pairs` ask for: with a session the first one, else whatever they name. Raises Refused."""
        asked = dict(pairs)
        count = self._count(kind, asked.get("_count", ""))
        at = self._place(asked)
        own = [(name, value) for name, value in pairs if name not in ("_offset", "-pageContext", "-pageDirection")]
        return self._page(_Session(kind, found, at, count, token), own, f"{kind}?{urlencode(pairs)}", along)

    def later(self, session: str, token: str) -> Json:
        """The next page of a session. Raises Refused where it has ended."""
        known = self._sessions.get(session)
        if known is None or (self.manners.session_of_token and known.token != token):
            raise Refused(self.gone, "expired", "This session has ended. Search again.", "59188")
        return self._page(known, [], f"{known.kind}?sessionID={session}", [])

    def _count(self, kind: str, text: str) -> int:
        few = kind == "Observation" and self.manners.default_count < OBSERVATIONS_AT_ONCE
        default = OBSERVATIONS_AT_ONCE if few else self.manners.default_count
        if not text:
            return default
        if not text.isdecimal() or int(text) < 1:
            raise Refused(400, "value", "_count must be a whole number from 1")
        return min(int(text), self.manners.largest_count)

    def _place(self, asked: dict[str, str]) -> int:
        text = asked.get(PARAMETER[self.manners.paging], "") if self.manners.paging != "session" else ""
        try:
            if self.manners.paging == "context" and text:
                text = base64.b64decode(text, b"-_", validate=True).decode().removeprefix("at:")
            return int(text or "0")
        except ValueError:
            raise Refused(400, "value", "the next page's token is not one of ours") from None

    def _page(self, search: _Session, own: list[tuple[str, str]], here: str, along: Sequence[Resource]) -> Json:
        page = search.found[search.at : search.at + search.most]
        links = [{"relation": "self", "url": f"{self.base}/{here}"}]
        if search.at + search.most < len(search.found):
            links.append({"relation": "next", "url": f"{self.base}/{search.kind}?{self._further(search, own)}"})
        total = {"all": len(search.found), "page": len(page), "none": None}[self.manners.total]
        entries = [self._entry(resource, "match") for resource in page]
        needed = _references(page)
        entries += [self._entry(one, "include") for one in along if f"{one.kind}/{one.id}" in needed]
        entries += [_outcome_entry(bool(page))] if self.manners.outcome_in_bundles else []
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            **({} if total is None else {"total": total}),
            "link": links,
            **({"entry": entries} if entries else {}),
        }

    def _further(self, search: _Session, own: list[tuple[str, str]]) -> str:
        at = search.at + search.most
        match self.manners.paging:
            case "session":
                name = f"34-{secrets.token_hex(16).upper()}"
                self._sessions[name] = search._replace(at=at)
                return urlencode({"sessionID": name})
            case "context":
                place = base64.urlsafe_b64encode(f"at:{at:06d}".encode()).decode()
                return urlencode([*own, ("-pageContext", place), ("-pageDirection", "NEXT")])
        return urlencode([*own, ("_offset", str(at))])

    def _entry(self, resource: Resource, mode: str) -> Json:
        url = f"{self.base}/{resource.kind}/{resource.id}"
        return {"fullUrl": url, "resource": resource.body, "search": {"mode": mode}}


def _references(page: Sequence[Resource]) -> set[str]:
    return {str(one.body.get("medicationReference", {}).get("reference")) for one in page}


def _outcome_entry(found: bool) -> Json:
    said = "This may not be everything that there is." if found else "Nothing was found."
    return {"resource": outcome("warning", "suppressed" if found else "not-found", said, "4119" if found else "4101"),
            "search": {"mode": "outcome"}}  # fmt: skip


def outcome(severity: str, code: str, text: str, local: str = "") -> Json:
    """An OperationOutcome with one issue."""
    issue: Json = {"severity": severity, "code": code, "diagnostics": text, "details": {"text": text}}
    if local:
        issue["details"]["coding"] = [{"system": "urn:oid:1.2.840.99999.1.13.5.737384.2", "code": local}]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
