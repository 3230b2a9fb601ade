"""A request as a simulation sees it, its reply, and how the reply's bytes leave. Plain data; no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"


class Request(NamedTuple):
    """`form` is None unless the body was sent as application/x-www-form-urlencoded."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str = ""
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    """Names in small letters."""
    pairs: tuple[tuple[str, str], ...] = ()
    """The query in its order, with names that come twice; `query` has the first of each."""


class Call(NamedTuple):
    """One served request. `time` is in the clock's monotonic seconds; tokens are not kept."""

    time: float
    path: str
    method: str
    query: Mapping[str, str]
    status: int


class Delivery(NamedTuple):
    """How a reply leaves: whole and at once, unless it says otherwise."""

    delay: float = 0.0
    """Seconds before the first byte."""
    spread: float = 0.0
    """Seconds over which the body is spread."""
    sent: float | None = None
    """The share of the body after which the connection is reset; 0: before any byte, status line included."""


class Reply(NamedTuple):
    status: int
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = {}
    delivery: Delivery = Delivery()
