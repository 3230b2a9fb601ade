"""One connector's requests, signed in as one account: rendered, counted, sent, and repeated until they are answered.

Knows nothing of windows, pages and records.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Literal

import httpx
import msgspec

from hde.errors import Refused, SignInNeeded, SourceError, Stopped, Unreachable, Unreadable
from hde.redact import register_secret
from hde.source.address import origin, redirected
from hde.source.budget import Budget, Patience, Turns, Unlimited, in_words, next_period
from hde.source.course import Answer, Answered, Course, Renewable
from hde.source.identity import NOT_SAID, account_in
from hde.source.outgoing import Outgoing, register_made_secrets, rendered
from hde.source.records import Body
from hde.source.rules import action, asked_wait, check_kind, source_message
from hde.source.transport import Line, Reply
from hde.spec.connector import JSON, Connector, ErrorRule, Format, Request
from hde.spec.sign_in import Basic
from hde.spec.template import Scope

__all__ = ["Answer", "Answered", "Budget", "Patience", "Renewable", "Session", "Unlimited"]

MOST_REDIRECTS = 5


class Session:
    """Thread-safe. `settings` holds a value for every setting of the connector; `account` what `identify` gave.

    `transport` answers in place of the network; `watch` sees every request as it was sent, and what came back.
    """

    def __init__(
        self,
        connector: Connector,
        settings: Mapping[str, str],
        *,
        auth: httpx.Auth | None,
        budget: Budget,
        stop: threading.Event,
        account: Mapping[str, object] | None = None,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        watch: Callable[[httpx.Request, Reply], None] | None = None,
    ) -> None:
        for name, setting in connector.settings.items():
            if setting.secret:
                register_secret(settings.get(name))
        register_made_secrets(connector, settings)
        self.connector = connector
        self.account = account
        self.settings = settings
        self._auth = auth
        self._budget = budget
        self._stop = stop
        self.patience = patience or Patience()
        limits = in_words((limit.requests.value(self.scope({})), limit.per) for limit in connector.http.rate_limits)
        self._turns = Turns(budget, self.patience, connector.name, limits, pause=self._pause)
        self.base_url = connector.http.base_url.render({"settings": settings})
        if self.base_url or connector.files is None:
            origin(self.base_url)
        self._line = Line(stop, transport=transport)
        self._watch = watch

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._line.close()

    def scope(self, scope: Scope) -> dict[str, object]:
        """`scope` with what every request may name: settings, and the account once it is known."""
        return {"settings": self.settings, "account": self.account, **scope}

    def identify(self) -> Mapping[str, object]:
        """Whose data this is: `{"id": "10129", **kept}`; `{"id": "default"}` where the connector does not say.

        Becomes `account` of this session. Unreadable where the id is not in the answer.
        """
        spec, name = self.connector.account, self.connector.name
        said = spec.value.render(self.scope({})) if spec and spec.value else None
        self.account = account_in(self._identity(spec.request), spec, name, said) if spec else {"id": NOT_SAID}
        return self.account

    def _identity(self, request: Request | None) -> Body:
        if request is not None:
            answer = self.answer(request, {})
            if answer.outcome != "read":
                raise Refused(f"{self.connector.name}: the account cannot be read ({answer.status})", answer.status)
            return Body(answer.body)
        given: Mapping[str, object] = self._auth.answer if isinstance(self._auth, Answered) else {}
        return Body(msgspec.json.encode(dict(given)))

    def answer(
        self,
        request: Request,
        scope: Scope,
        errors: tuple[ErrorRule, ...] = (),
        *,
        url: str | None = None,
        format: Format = JSON,
    ) -> Answer:
        """The answer to a request. `url` goes there as it stands, without the request's own path and params.

        `format` is what its body must be.

        Raises Refused, Unreadable, Unreachable, SignInNeeded, Stopped; WrongUse where the request cannot be made.
        """
        rules = errors + self.connector.http.errors
        where = f"{self.connector.name}: {request.method} {request.path.text.partition('?')[0]}"
        course = Course(where, format, self._auth)
        outgoing = self._outgoing(rendered(self.connector.http, self.base_url, request, self.scope(scope), url))
        do, rule, reply = self._settled(outgoing, course, rules)
        return self._answered(do, reply, course, rule)

    def opened(self, outgoing: Outgoing, where: str, *, signed_in: bool) -> tuple[Reply, int]:
        """A successful answer whose body is yet to be read (`rest`, for the caller to close), and the requests it took.

        A redirect is the caller's to follow. Raises as `answer` does.
        """
        course = Course(where, JSON, self._auth if signed_in else None, unread=True)
        _, _, reply = self._settled(self._outgoing(outgoing), course, self.connector.http.errors)
        return reply, course.requests

    def pause(self, seconds: float) -> None:
        """Stopped where a person wants it meanwhile. However little is asked for, a source is not asked in a loop."""
        self._pause(max(seconds, self.patience.first))

    def _settled(
        self, outgoing: httpx.Request, course: Course, rules: tuple[ErrorRule, ...]
    ) -> tuple[Literal["read", "empty", "skip", "restart"], ErrorRule | None, Reply]:
        """The answer after which nothing is to be repeated, and what it means."""
        while True:
            reply = self._sent(outgoing, course)
            if reply is None:
                continue
            if reply.rest is not None:
                return "read", None, reply
            if 300 <= reply.status < 400 and "location" in reply.headers:
                if course.unread:
                    return "read", None, reply
                outgoing = self._redirected(outgoing, reply, course)
                continue
            do, rule = action(reply, rules, course.format)
            match do:
                case "retry":
                    self._retry(reply, course, source_message(reply, rule, course.format))
                case "wait":
                    self._wait(reply, course)
                case "refresh":
                    self._renew(outgoing, reply, course)
                case "fail":
                    words = source_message(reply, rule, course.format)
                    if 200 <= reply.status < 300 and not words:
                        words = "its body is what the connector calls a failure"
                    raise Refused(_line(course.where, f"answers {reply.status}", words), reply.status)
                case _:
                    return do, rule, reply

    def _answered(
        self, do: Literal["read", "empty", "skip", "restart"], reply: Reply, course: Course, rule: ErrorRule | None
    ) -> Answer:
        if do == "read":
            try:
                check_kind(reply, course.format)
            except Unreadable as error:
                raise Unreadable(f"{course.where}: {error}") from None
        return Answer(
            outcome=do,
            status=reply.status,
            headers=reply.headers,
            body=reply.body.removeprefix(b"\xef\xbb\xbf") if do == "read" else b"",
            received_at=reply.received_at,
            server_time=reply.server_time,
            requests=course.requests,
            url=reply.url,
            by_rule=rule is not None,
            words=source_message(reply, rule, course.format) if do == "skip" else "",
        )

    def _outgoing(self, made: Outgoing) -> httpx.Request:
        return self._line.request(made.method, made.url, made.headers, made.content)

    def _sent(self, outgoing: httpx.Request, course: Course) -> Reply | None:
        """One try; None where it broke and another one is due."""
        course.waited = self._turns.wait(course.waited)
        if self._stop.is_set():
            raise Stopped(f"{course.where}: stopped")
        course.requests += 1
        try:
            reply = self._line.send(outgoing, course.auth, unread=course.unread)
            if self._watch is not None:
                self._watch(outgoing, reply)
            return reply
        except (httpx.RequestError, Unreachable) as error:
            course.failures += 1
            if course.failures >= self.patience.tries:
                what = str(error) if isinstance(error, SourceError) else type(error).__name__
                raise Unreachable(f"{course.where}: no answer after {course.failures} tries ({what})") from None
        except Unreadable as error:
            raise Unreadable(f"{course.where}: {error}") from None
        self._pause(self.patience.backoff(course.failures))
        return None

    def _redirected(self, outgoing: httpx.Request, reply: Reply, course: Course) -> httpx.Request:
        course.redirects += 1
        if outgoing.method != "GET" or course.redirects > MOST_REDIRECTS:
            raise Refused(f"{course.where}: answers {reply.status}, a redirect that is not followed", reply.status)
        try:
            target = redirected(reply.url, reply.headers["location"])
        except Refused as error:
            raise Refused(f"{course.where}: {error}", reply.status) from None
        headers = {name: value for name, value in outgoing.headers.items() if name != "host"}
        return self._line.request("GET", target, headers, None)

    def _retry(self, reply: Reply, course: Course, message: str) -> None:
        if asked_wait(reply, ()) is not None:
            return self._wait(reply, course)
        course.failures += 1
        if course.failures >= self.patience.tries:
            what = f"still answers {reply.status} after {course.failures} tries"
            raise Refused(_line(course.where, what, message), reply.status)
        self._pause(self.patience.backoff(course.failures))

    def _wait(self, reply: Reply, course: Course) -> None:
        course.waits += 1
        asked = asked_wait(reply, self.connector.http.wait)
        if asked is None:
            # A source that counts by the clock and does not say when is asked again when its clock has struck.
            asked = next_period(limit.per for limit in self.connector.http.rate_limits if limit.aligned)
        seconds = self.patience.backoff(course.waits) if asked is None else max(asked, self.patience.first)
        if course.waits > self.patience.waits or course.waited + seconds > self.patience.all_waits:
            raise Refused(
                f"{course.where}: answers {reply.status} and still asks to wait after {course.waited:.0f} s; "
                "what is owed stays owed, run again later",
                reply.status,
            )
        self._budget.wait(seconds)
        self._turns.tell(seconds, f"the source answers {reply.status} and asks for it")
        self._pause(seconds)
        course.waited += seconds

    def _renew(self, outgoing: httpx.Request, reply: Reply, course: Course) -> None:
        """Once by us; more often only where others, who share the token, had renewed it meanwhile."""
        if course.auth is None and self._auth is not None:
            raise Refused(f"{course.where}: answers {reply.status}, and was asked without the sign-in", reply.status)
        if not isinstance(self._auth, Renewable):
            raise SignInNeeded(
                f"{course.where}: answers {reply.status}: {self.connector.name} does not accept the credentials; "
                f"{_what_to_check(self.connector)}"
            )
        if course.renewals:
            raise SignInNeeded(
                f"{course.where}: answers {reply.status} even with a new token; run `hde auth {self.connector.name}`"
            )
        try:
            if self._auth.renew(outgoing):
                course.renewals += 1
            else:
                course.failures += 1
        except Unreachable:
            course.failures += 1
            if course.failures >= self.patience.tries:
                raise
            self._pause(self.patience.backoff(course.failures))
        if course.failures >= self.patience.tries:
            raise SignInNeeded(f"{course.where}: no token is accepted; run `hde auth {self.connector.name}`")

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped(f"{self.connector.name}: stopped while waiting")


def _line(where: str, what: str, message: str) -> str:
    return f"{where} {what}: {message}" if message else f"{where} {what}"


def _what_to_check(connector: Connector) -> str:
    if isinstance(connector.auth, Basic):
        return f"check {connector.variables(connector.auth.username, connector.auth.password) or 'auth'}"
    secrets = [setting.variable(connector.name) for setting in connector.settings.values() if setting.secret]
    return f"check {', '.join(secrets)}" if secrets else "check its settings"
