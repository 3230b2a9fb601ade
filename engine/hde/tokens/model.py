"""A token, a token at rest, and what a store of tokens must do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """What the provider answered. Cannot be printed."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    """Seconds since the epoch, by our clock; None: not said."""
    answer: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The rest of the token answer (scope, patient, ...), without the tokens themselves."""
    issued_at: float | None = None
    """When it came, as `expires_at`; None: not known."""


@dataclass(frozen=True)
class Stored:
    token: Token
    generation: int = 1
    """Grows with every token that replaces this one."""
    refreshing_since: float | None = None
    """Set before a refresh request goes out; found again at a start, an answer may have been lost."""


@dataclass(frozen=True)
class Resealed:
    """What became of the tokens of a store when a new key came."""

    changed: int = 0
    already: int = 0
    left: tuple[tuple[str, str, str], ...] = ()
    """Connector, account and why: no key at hand opens these, and they are as they were."""


class TokenStore(Protocol):
    """Tokens by (connector, account), encrypted. `account` is the provider's own id for it."""

    @property
    def where(self) -> str:
        """The store in words a person knows, for messages."""

    def accounts(self, connector: str) -> list[str]: ...

    def read(self, connector: str, account: str) -> Stored | None: ...

    def write(self, connector: str, account: str, stored: Stored) -> None:
        """Durable when it returns; a failure leaves what was there."""

    def remove(self, connector: str, account: str) -> None: ...

    def reseal(self) -> Resealed:
        """Every token sealed with the store's own key, all at once or none."""

    def locked(self, connector: str, account: str) -> AbstractContextManager[None]:
        """Held across processes and machines that share the store."""
