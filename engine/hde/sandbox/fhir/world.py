"""The simulated hospital as a whole, without a network: takes one request at a time, keeps tokens, searches, exports
and the log of what was asked, and lets a test or a person move its clock."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hde.sandbox import markup
from hde.sandbox.clock import Clock
from hde.sandbox.exchange import HTML, Call, Reply, Request
from hde.sandbox.exchange import JSON as PLAIN_JSON
from hde.sandbox.fhir import described, oauth
from hde.sandbox.fhir.bulk import Bulk
from hde.sandbox.fhir.bundles import Bundles
from hde.sandbox.fhir.chart import Chart, Resource
from hde.sandbox.fhir.life import FAMILY, GIVEN
from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.record import Json, Version
from hde.sandbox.fhir.scopes import meaning

ADVANCE = "/sandbox/advance"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
WELL_KNOWN = "/.well-known/smart-configuration"


@dataclass
class World:
    """`api` answers what is below the base; it is given apart, so that this file knows no search."""

    clock: Clock
    manners: Manners
    chart: Chart
    oauth: oauth.OAuth
    bundles: Bundles
    bulk: Bulk
    api: Callable[[World, Request], Reply]
    auto_consent: bool = False
    origin: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    log: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.look()

    def open(self, origin: str) -> str:
        """Says where it listens; returns the base of its FHIR server."""
        self.origin = origin
        base = f"{origin}{self.manners.path}"
        self.oauth.base = self.bundles.base = self.bulk.base = base
        self.oauth.clients.token_url = f"{origin}{described.TOKEN}"
        return base

    def look(self) -> None:
        self.resources: dict[str, dict[str, Resource]] = self.chart.at(self.clock.date())

    def advance(self, step: timedelta) -> datetime:
        """Lets `step` pass; returns the new date. Raises ValueError for a step backwards."""
        with self._lock:
            self.clock.advance(step)
            self.look()
            return self.clock.date()

    def change(self, kind: str, key: str, fields: Mapping[str, object]) -> None:
        """Changes elements of a resource, None removing one. Raises KeyError if there is none."""
        with self._lock:
            self.chart.changed.setdefault(self.resources[kind][key][:2], []).append(
                Version(self.clock.date(), dict(fields))
            )
            self.look()

    def delete(self, kind: str, key: str) -> None:
        """Raises KeyError if there is none."""
        with self._lock:
            self.chart.deleted[self.resources[kind][key][:2]] = self.clock.date()
            self.look()

    def end_access(self) -> None:
        """The access tokens that are out end now, as they do after their hour."""
        with self._lock:
            self.oauth.end_access()

    def end_sessions(self, status: int) -> None:
        with self._lock:
            self.bundles.gone = status
            self.bundles.end_sessions()

    def serve(self, request: Request) -> Reply:
        with self._lock:
            reply = self._reply(request)
            self.requests[request.path] += 1
            self.log.append(Call(self.clock.seconds(), request.path, request.method, request.query, reply.status))
            return reply

    def _reply(self, request: Request) -> Reply:
        match request.method, request.path.removeprefix(self.manners.path):
            case (("GET" | "POST"), path) if path == described.AUTHORIZE and self.manners.signs_in:
                return self._consent(request)
            case "POST", path if path == described.TOKEN and self.manners.signs_in:
                return self._token(request)
            case "POST", path if path == ADVANCE:
                return self._advance(request)
            case "GET", path if path == WELL_KNOWN and self.manners.signs_in:
                return _json(200, described.smart_configuration(self.origin, self.manners))
            case _ if request.path.startswith(f"{self.manners.path}/"):
                return self.api(self, request)
        return Reply(404, b"<!doctype html><title>Not found</title>", HTML)

    def _consent(self, request: Request) -> Reply:
        form = dict(request.query if request.method == "GET" else request.form or {})
        decision = form.pop("decision", "allow" if self.auto_consent else "")
        if reason := self.oauth.unsafe(form):
            return Reply(400, markup.refusal("Hospital sandbox", reason).encode(), HTML)
        if refused := self.oauth.refused(form):
            return _redirect(oauth.redirect(form, refused))
        if decision == "allow":
            return _redirect(oauth.redirect(form, {"code": self.oauth.consent(form)}))
        if decision == "deny":
            return _redirect(oauth.redirect(form, oauth.failure("access_denied", "The patient denied the request.")))
        wishes = list(dict.fromkeys(map(meaning, self.oauth.granted(form))))
        page = markup.question(
            "Hospital sandbox: allow access?",
            who=f"{GIVEN} {FAMILY}",
            client=form["client_id"],
            wishes=wishes,
            form=form,
            action=described.AUTHORIZE,
        )
        headers = NO_STORE | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Reply(200, page.encode(), HTML, headers)

    def _token(self, request: Request) -> Reply:
        if request.form is None:
            return _json(400, oauth.failure("invalid_request", "Send a form: application/x-www-form-urlencoded."))
        status, answer = self.oauth.token(request.form, request.authorization)
        return _json(status, answer, NO_STORE)

    def _advance(self, request: Request) -> Reply:
        """Not a hospital's: lets a person with curl see what a later sync finds."""
        try:
            date = self.advance(timedelta(hours=float(request.query.get("hours", "24"))))
        except (ValueError, OverflowError):
            return _json(400, {"error": "hours must be a number, not below 0"})
        return _json(200, {"now": date.isoformat()})


def _json(status: int, body: Json | Mapping[str, object], headers: Mapping[str, str] = {}) -> Reply:
    return Reply(status, json.dumps(body).encode(), PLAIN_JSON, headers)


def _redirect(target: str) -> Reply:
    return Reply(302, headers=NO_STORE | {"Location": target})
