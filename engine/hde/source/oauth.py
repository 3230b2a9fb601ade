"""A sign-in that renews itself: the token from a store on every request, one refresh per expiry whoever shares it.

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

from hde.errors import SignInNeeded, Unreachable
from hde.source.grant import NotSent, Settings, Spent, request_token, signs_in
from hde.spec.connector import Connector
from hde.tokens import Stored, Token, TokenStore

EARLY = 60.0
"""Seconds before its end at which a token is renewed."""
GENERATION = "hde_token_generation"

T = TypeVar("T")
_log = logging.getLogger(__name__)


class SignedIn(httpx.Auth):
    """A token just got, not stored yet: good for asking whose it is. Never renewed."""

    def __init__(self, token: Token) -> None:
        self._token = token

    @property
    def answer(self) -> Mapping[str, object]:
        return self._token.answer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.access}"
        yield request


class StoredSignIn(httpx.Auth):
    """OAuth2 over a token store; thread-safe, and safe across processes and machines that share the store.

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
        timeout: httpx.Timeout | None = None,
    ) -> None:
        signs_in(connector)
        self._refresh = _Refresh(connector, settings, store, account, timeout)
        self._current: Stored | None = None

    @property
    def answer(self) -> Mapping[str, object]:
        return self._stored().token.answer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        stored = self._stored()
        if _is_near_its_end(stored):
            stored = self._renewed_early(stored)
        request.headers["Authorization"] = f"Bearer {stored.token.access}"
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
        if stored.token.refresh is None and not has_ended:
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
    """One refresh, so that a killed process, a lost answer or a second process costs as little as can be.

    1. Lock, read again: a higher generation means that somebody else was first. 2. Write a mark at full size: the store
    is proven writable before the old token is spent. 3. Send. No clear answer: the same token once more, for if it was
    spent, its successor is lost anyway. 4. Store durably, then use.
    """

    def __init__(
        self, connector: Connector, settings: Settings, store: TokenStore, account: str, timeout: httpx.Timeout | None
    ) -> None:
        self._connector = connector
        self._settings = settings
        self._store = store
        self._account = account
        self._timeout = {} if timeout is None else {"timeout": timeout}

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
            if held.token.refresh is None:
                raise self._sign_in("the token has ended and the provider gave none to renew it with")
            self._store.write(name, self._account, replace(held, refreshing_since=time.time()))
            try:
                token = self._ask(held.token.refresh)
            except NotSent:
                self._store.write(name, self._account, held)
                raise
            except Spent:
                return self._after_spent(held), False
            fresh = Stored(_completed(token, held.token), held.generation + 1)
            self._store.write(name, self._account, fresh)
            return fresh, True

    def _ask(self, refresh: str) -> Token:
        values = {"grant_type": "refresh_token", "refresh_token": refresh}
        to = signs_in(self._connector).refresh
        try:
            return request_token(self._connector, self._settings, to, values, **self._timeout)
        except NotSent:
            raise
        except Unreachable:
            _log.warning("%s: a token refresh got no clear answer; asking once more", self._connector.name)
        try:
            return request_token(self._connector, self._settings, to, values, **self._timeout)
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
    expires_at = stored.token.expires_at
    return expires_at is not None and expires_at - EARLY <= time.time()


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
