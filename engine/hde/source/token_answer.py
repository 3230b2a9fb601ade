"""A token out of an answer: what it is, how long it lasts, what came with it. Sends nothing, stores nothing."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from hde.errors import Unreadable
from hde.mapping.expression import compile
from hde.redact import register_secret
from hde.source.transport import Reply
from hde.spec.sign_in import Expires
from hde.tokens import Token

LONGEST = 20_000
"""Characters of a token."""


def as_object(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def found(answer: object, path: str) -> object:
    """What a JMESPath gives on a decoded answer."""
    try:
        return compile(path)(answer)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(f"{path!r} cannot be read from the answer ({type(error).__name__})") from None


def oauth_token(answer: Mapping[str, object], expires: Expires, reply: Reply) -> Token:
    """The token of RFC 6749, section 5.1, with what stands beside it."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not is_token(access):
        raise Unreadable("the token answer holds no access_token that could be sent")
    if refresh is not None and not is_token(refresh):
        raise Unreadable("the token answer holds a refresh_token that could not be sent")
    kind = answer.get("token_type")
    if kind is not None and str(kind).lower() != "bearer":
        raise Unreadable("the token answer holds a token that is not a bearer token")
    rest = {name: value for name, value in answer.items() if name != "id_token"}
    return token(str(access), None if refresh is None else str(refresh), rest, expires, reply)


def token(
    access: str, refresh: str | None, answer: Mapping[str, object], expires: Expires | None, reply: Reply
) -> Token:
    """A token that lasts as `expires` says, with its answer but for the tokens themselves: an account's fields are read
    from there, and no token may get into one."""
    register_secret(access)
    register_secret(refresh)
    now = time.time()
    rest = _without(answer, {access, refresh})
    return Token(
        access=access,
        refresh=refresh,
        expires_at=_ends_at(answer, expires, reply, now),
        answer={name: value for name, value in rest.items() if value is not None} if isinstance(rest, dict) else {},
        issued_at=now,
    )


def is_token(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and all("!" <= char <= "~" for char in value)


def _without(value: object, tokens: set[str | None]) -> object:
    match value:
        case Mapping():
            return {name: _without(item, tokens) for name, item in value.items() if not _is_one_of(item, tokens)}
        case list():
            return [_without(item, tokens) for item in value if not _is_one_of(item, tokens)]
    return value


def _is_one_of(value: object, tokens: set[str | None]) -> bool:
    return isinstance(value, str | int) and str(value) in tokens


def _ends_at(answer: object, expires: Expires | None, reply: Reply, now: float) -> float | None:
    """By our clock: the provider's may differ from it, the span until the end does not."""
    if expires is None:
        return None
    if expires.after is not None:
        return now + expires.after.total_seconds()
    value = found(answer, expires.path)
    if value is None:
        return None
    if expires.is_ == "seconds":
        span = _number(value, expires)
        return now + span if span > 0 else None  # zero: it does not end
    theirs = reply.server_time.timestamp() if reply.server_time else now
    end = _instant(value, expires) if expires.is_ == "timestamp" else _number(value, expires)
    if expires.is_ == "epoch" and end > 1e11:
        end /= 1000  # milliseconds are told by their size: seconds reach 1e11 in the year 5138
    if expires.is_ == "epoch" and end <= 0:
        return None
    if end <= theirs:
        raise Unreadable(f"the token answer holds a token that has ended already, as {expires.path!r} says")
    return now + end - theirs


def _number(value: object, expires: Expires) -> float:
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f"the token answer holds at {expires.path!r} no number of seconds")
    return value


def _instant(value: object, expires: Expires) -> float:
    try:
        instant = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Unreadable(f"the token answer holds at {expires.path!r} no timestamp (2026-01-31T22:00:00Z)") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
