"""The simulated provider as a whole, without a network: takes one request at a time, keeps limits, tokens, records and
the log of what was asked, and lets a test or a person move its clock."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hde.sandbox.clock import Clock, RateLimit
from hde.sandbox.exchange import HTML, JSON, Call, Reply, Request
from hde.sandbox.whoop import api, consent, oauth
from hde.sandbox.whoop.member import PROFILE, Life
from hde.sandbox.whoop.records import Snapshot, snapshot

AUTHORIZE, TOKEN = "/oauth/oauth2/auth", "/oauth/oauth2/token"
ADVANCE = "/sandbox/advance"
NO_STORE = {"Cache-Control": "no-store"}


@dataclass
class World:
    clock: Clock
    life: Life
    oauth: oauth.OAuth
    limit: RateLimit
    auto_consent: bool = False
    deleted: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    log: list[Call] = field(default_factory=list)
    faults: deque[int] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.refresh_snapshot()

    def refresh_snapshot(self) -> None:
        self.snapshot: Snapshot = snapshot(self.life, self.clock.now, self.deleted)

    def advance(self, step: timedelta) -> datetime:
        """Lets `step` pass; returns the new date. Raises ValueError for a step backwards."""
        with self._lock:
            self.clock.advance(step)
            self.refresh_snapshot()
            return self.clock.date()

    def delete(self, name: str, key: str) -> None:
        """Deletes a sleep (with its recovery) or a workout as the member would. Raises KeyError if there is none."""
        with self._lock:
            if name not in ("sleep", "workout") or key not in self.snapshot.records[name]:
                raise KeyError(f"no {name} with this id")
            self.deleted.add(key)
            self.refresh_snapshot()

    def end_access(self) -> None:
        """The access tokens that are out end now, as they do after their hour."""
        with self._lock:
            self.oauth.end_access()

    def serve(self, request: Request) -> Reply:
        with self._lock:
            reply = self._reply(request)
            self.requests[request.path] += 1
            self.log.append(Call(self.clock.seconds(), request.path, request.method, request.query, reply.status))
            return reply

    def _reply(self, request: Request) -> Reply:
        match request.method, request.path:
            case (("GET" | "POST"), path) if path == AUTHORIZE:
                return self._consent(request)
            case "POST", path if path == TOKEN:
                return self._token(request)
            case "POST", path if path == ADVANCE:
                return self._advance(request)
            case _, path if path.startswith(api.BASE + "/"):
                return self._api(request)
        return _json(404, {"error": "not_found"})

    def _consent(self, request: Request) -> Reply:
        form = dict(request.query if request.method == "GET" else request.form or {})
        decision = form.pop("decision", "allow" if self.auto_consent else "")
        if reason := oauth.unsafe_request(form):
            return Reply(400, consent.refusal(reason).encode(), HTML)
        if refused := oauth.refused_request(form):
            return _redirect(oauth.redirect(form, refused))
        if decision == "allow":
            return _redirect(oauth.redirect(form, {"code": self.oauth.grant(form), "scope": form["scope"]}))
        if decision == "deny":
            denied = oauth.failure("request_forbidden", "The member denied the request.")
            return _redirect(oauth.redirect(form, denied))
        headers = NO_STORE | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Reply(200, consent.page(form, str(PROFILE["email"])).encode(), HTML, headers)

    def _token(self, request: Request) -> Reply:
        if request.form is None:
            return _json(400, oauth.failure("invalid_request", "Send a form: application/x-www-form-urlencoded."))
        status, answer = self.oauth.token(request.form)
        return _json(status, answer, NO_STORE)

    def _advance(self, request: Request) -> Reply:
        """Not the provider's: lets a person with curl see what a later sync finds."""
        try:
            date = self.advance(timedelta(hours=float(request.query.get("hours", "24"))))
        except (ValueError, OverflowError):
            return _json(400, {"error": "hours must be a number, not below 0"})
        return _json(200, {"now": date.isoformat()})

    def _api(self, request: Request) -> Reply:
        allowed, headers = self.limit.spend()
        answer = self._member_data(request) if allowed else api.problem(429, "Too many requests")
        return Reply(answer.status, answer.body, JSON, headers)

    def _member_data(self, request: Request) -> api.Answer:
        if self.faults:
            return api.problem(self.faults.popleft(), "Failing as told")
        path = request.path.removeprefix(api.BASE)
        scopes = self.oauth.scopes(request.authorization)
        if path == "/v2/user/access" and request.method == "DELETE" and scopes is not None:
            self.oauth.revoke_all()
            return api.Answer(204)
        found = api.find(path)
        if found is None and path != "/v2/user/access":
            return api.problem(404, "No resource found")
        # A missing scope is 401 too: the documents know no 403 here.
        if scopes is None or (found and found[0].scope not in scopes):
            return api.problem(401, "Authorization was not valid")
        if found is None or request.method != "GET":
            return api.problem(405, "Method not allowed")
        return api.respond(found[0], self.snapshot, found[1], request.query)


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] = {}) -> Reply:
    return Reply(status, json.dumps(body).encode(), JSON, headers)


def _redirect(target: str) -> Reply:
    return Reply(302, headers=NO_STORE | {"Location": target})
