"""A request as it went out, taken apart to be compared or shown: secrets are hidden wherever it becomes text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from hde.errors import Unreadable
from hde.redact import HIDDEN, without_secrets
from hde.source.exact import decode_exactly, exact_text

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
ACCEPT = "application/json, */*;q=0.5"
OURS = frozenset({"host", "accept-encoding", "connection", "user-agent", "content-length"})
"""Headers that every request has and no author wrote."""
LONGEST_BODY = 2000


@dataclass(frozen=True)
class Sent:
    """One request, as the source saw it."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """By name in small letters."""
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, request: httpx.Request) -> Sent:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return cls(request.method, str(request.url), headers, request.read())

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.url).path)

    @cached_property
    def params(self) -> Mapping[str, list[str]]:
        return _listed(urlsplit(self.url).query)

    @cached_property
    def form(self) -> Mapping[str, list[str]]:
        kind = self.headers.get("content-type", "")
        return _listed(self.body.decode("utf-8", "replace")) if kind.startswith("application/x-www-form") else {}

    @cached_property
    def json(self) -> object:
        """The JSON body; None where there is none."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return None
        try:
            return decode_exactly(self.body)
        except (ValueError, RecursionError):
            raise Unreadable("a request was made whose body is not JSON") from None

    def line(self, below: str = "") -> str:
        """`GET /v2/sleep?limit=25`, without secrets; the path below a base path where it lies there."""
        path = self.path.removeprefix(below.rstrip("/")) if below else self.url.partition("?")[0]
        query = "&".join(f"{name}={value}" for name, values in self.params.items() for value in values)
        return without_secrets(f"{self.method} {path}{'?' if query else ''}{query}")

    def shown_headers(self) -> Iterator[tuple[str, str]]:
        """What the author or the sign-in put there, credentials hidden."""
        for name, value in self.headers.items():
            if name not in OURS and (name, value) != ("accept", ACCEPT):
                scheme, _, rest = value.partition(" ")
                hidden = f"{scheme} {HIDDEN}" if rest and name != "cookie" else HIDDEN
                yield name, hidden if name in CREDENTIALS else without_secrets(value)

    def shown_body(self) -> str:
        """The body as text, secrets hidden, cut short."""
        if self.form:
            text = "&".join(f"{name}={value}" for name, values in self.form.items() for value in values)
        elif self.json is not None:
            text = exact_text(self.json)
        else:
            text = self.body.decode("utf-8", "replace")
        return without_secrets(text)[:LONGEST_BODY]


def _listed(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found
