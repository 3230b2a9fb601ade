"""A sign-in that renews itself: the token from a store on every request, one renewal per expiry whoever shares it.

The refresh token rotates: its answer must never be lost and never be asked for twice. See `_Refresh`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

import httpx

from hde.errors import HdeError, Refused, SignInNeeded, Unreachable, WrongUse
from hde.source.carry import carry, send_of
from hde.source.exchange import TIMEOUT
from hde.source.grant import Ask, NotSent, Settings, Spent, send
from hde.source.renewal import renewal
from hde.spec.connector import Connector
from hde.spec.sign_in import BEARER, OAuth2Code, Send
from hde.tokens import Stored, Token, TokenStore

EARLY = 60.0
"""Seconds before its end at which a token is renewed; of a token that lasts minutes only, a quarter of its life."""
AGAIN = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts to store an answer."""
GENERATION = "hde_token_generation"

T = TypeVar("T")
_log = logging.getLogger(__name__)


class SignedIn(httpx.Auth):
    """A token just got, not stored yet: good for asking whose it is. Never renewed."""

    def __init__(self, token: Token, send: Send = BEARER) -> None:
        self._token = token
        self._send = send

    @property
    def answer(self) -> Mapping[str, object]:
        return self._token.answer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        carry(request, self._token.access, self._send)
        yield request


class StoredSignIn(httpx.Auth):
    """A token out of a store; thread-safe, and safe across processes and machines that share the store.

    Raises SignInNeeded where no token is stored or the provider has ended the grant, Unreachable where it cannot be
    asked (the token is kept).
    """

    def __init__(
        self,
        connector: Connector,
        settings: Settings,
        store: TokenStore,
        account: str,
        *,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._send = send_of(connector)
        self._renews_itself = not isinstance(connector.auth, OAuth2Code)
        self._refresh = _Refresh(connector, settings, store, account, timeout)
        self._current: Stored | None = None

    @property
    def answer(self) -> Mapping[str, object]:
        return self._stored().token.answer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        stored = self._stored()
        if _is_near_its_end(stored):
            stored = self._renewed_early(stored)
        carry(request, stored.token.access, self._send)
        request.extensions[GENERATION] = stored.generation
        yield request

    def renew(self, refused: httpx.Request) -> bool:
        """After the source refused this request's token: True where a new one was asked for, False if one was there."""
        generation = int(refused.extensions.get(GENERATION, 0))
        if self._stored().generation > generation:
            return False
        self._current, asked = uninterrupted(lambda: self._refresh.newer_than(generation))
        return asked

    def _renewed_early(self, stored: Stored) -> Stored:
        has_ended = (stored.token.expires_at or 0.0) <= time.time()
        if stored.token.refresh is None and not self._renews_itself and not has_ended:
            return stored
        try:
            self._current, _ = uninterrupted(lambda: self._refresh.newer_than(stored.generation))
        except Unreachable:
            if has_ended:
                raise
        return self._stored()

    def _stored(self) -> Stored:
        if self._current is None:
            self._current = self._refresh.stored()
        return self._current


class _Refresh:
    """One renewal, so that a killed process, a lost answer or a second process costs as little as can be.

    1. Lock, read again: a higher generation means that somebody else was first. 2. Write a mark at full size: the store
    is proven writable before the old token is spent. 3. Send. No clear answer: the same token once more, for if it was
    spent, its successor is lost anyway. 4. Store durably, then use.
    """

    def __init__(
        self, connector: Connector, settings: Settings, store: TokenStore, account: str, timeout: httpx.Timeout
    ) -> None:
        self._connector = connector
        self._settings = settings
        self._store = store
        self._account = account
        self._timeout = timeout

    def stored(self) -> Stored:
        found = self._store.read(self._connector.name, self._account)
        if found is None:
            raise self._sign_in("there is no token")
        return found

    def newer_than(self, generation: int) -> tuple[Stored, bool]:
        """A token of a higher generation, and whether it was asked for here."""
        name = self._connector.name
        with self._store.locked(name, self._account):
            held = self.stored()
            if held.generation > generation:
                return held, False
            if held.token.refresh is None and isinstance(self._connector.auth, OAuth2Code):
                raise self._sign_in("the token has ended and the provider gave none to renew it with")
            first = renewal(self._connector, self._settings, held.token)  # what cannot be asked leaves no mark
            self._store.write(name, self._account, replace(held, refreshing_since=time.time()))
            try:
                token = self._answer(first, held.token)
            except Spent:
                return self._after_spent(held), False
            except (NotSent, Refused, WrongUse):  # nothing was seen, or a clear no: the token is as good as before
                self._store.write(name, self._account, held)
                raise
            fresh = Stored(_completed(token, held.token), held.generation + 1)
            self._keep(fresh)
            return fresh, True

    def _keep(self, fresh: Stored) -> None:
        """The answer is nowhere else, and its predecessor spent: a store that is away for a moment is tried again."""
        for pause in AGAIN:
            try:
                return self._store.write(self._connector.name, self._account, fresh)
            except HdeError as error:
                _log.warning("%s: the new token is not stored yet, trying again: %s", self._connector.name, error)
                time.sleep(pause)
        self._store.write(self._connector.name, self._account, fresh)

    def _answer(self, first: Ask, held: Token) -> Token:
        try:
            return send(first, timeout=self._timeout)
        except NotSent:
            raise
        except Unreachable:
            _log.warning("%s got no clear answer; asking once more", first.where)
        try:
            return send(renewal(self._connector, self._settings, held), timeout=self._timeout)
        except NotSent as error:
            # The first request may have been seen: the mark stays.
            raise Unreachable(str(error)) from None

    def _after_spent(self, held: Stored) -> Stored:
        """The store once more: somebody who does not honour the lock may have been first."""
        again = self.stored()
        if again.generation > held.generation:
            return again
        if held.refreshing_since is not None:
            raise self._sign_in("an earlier refresh was interrupted and its answer lost, which ended the grant")
        raise self._sign_in("the provider has ended the grant")

    def _sign_in(self, why: str) -> SignInNeeded:
        return SignInNeeded(
            f"{self._connector.name}: {why} ({self._store.where}); run `hde auth {self._connector.name}` to sign in"
        )


def _completed(token: Token, former: Token) -> Token:
    """A refresh answer may leave out what did not change: the refresh token, the fields beside it."""
    return replace(token, refresh=token.refresh or former.refresh, answer={**former.answer, **token.answer})


def _is_near_its_end(stored: Stored) -> bool:
    token = stored.token
    if token.expires_at is None:
        return False
    early = EARLY if token.issued_at is None else min(EARLY, (token.expires_at - token.issued_at) / 4)
    return token.expires_at - early <= time.time()


def uninterrupted(work: Callable[[], T]) -> T:
    """The result of `work`, done in a thread of its own; an interrupt that arrives meanwhile is raised after it.

    Python gives signals to the main thread only, so a refresh in another one is never cut between answer and store. A
    SIGTERM must have been given a handler that raises or sets an event: its default ends every thread at once.
    """
    interrupt: KeyboardInterrupt | SystemExit | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="hde-refresh") as pool:
        future = pool.submit(work)
        while not future.done():
            try:
                wait([future])
            except (KeyboardInterrupt, SystemExit) as error:
                interrupt = error
    if interrupt is not None:
        raise interrupt
    return future.result()
