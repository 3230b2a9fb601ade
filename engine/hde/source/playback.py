"""Recorded answers in place of the network: each request is answered by the exchange that fits it best, or by none.

Opens no connection and asks no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import unquote

import httpx
import msgspec

from hde.errors import HdeError
from hde.redact import without_secrets
from hde.source.asked import Sent
from hde.spec.resource_test import Answer, Asked, Exchange
from hde.spec.resource_test import Sent as Said
from hde.spec.template_filters import as_text

LONGEST_VALUE = 60


class Unanswered(HdeError):
    """A request that no exchange answers. The message has several lines: the request, and what is nearest to it."""


class Playback(httpx.BaseTransport):
    """Answers requests from exchanges, each used as often as it says. `base` is the path of the base URL."""

    def __init__(self, exchanges: Sequence[Exchange], base: str, now: datetime) -> None:
        self._exchanges = exchanges
        self._base = base
        self._date = format_datetime(now, usegmt=True)
        self._used: Counter[int] = Counter()
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = Sent.of(request)
        exchange = self.fitting(sent)
        if exchange is None:
            raise Unanswered("\n".join(self._unanswered(sent)))
        self._used[exchange.number] += 1
        self.requests += 1
        return _response(exchange.answer, self._date)

    def fitting(self, sent: Sent) -> Exchange | None:
        """Of the exchanges that are left, the one that fits and says most."""
        left = [one for one in self._exchanges if self._used[one.number] < one.times]
        fitting = [one for one in left if not differences(one.request, sent, self._base)]
        return max(fitting, key=lambda one: _weight(one.request), default=None)

    def unasked(self) -> Iterator[str]:
        """Exchanges that were not asked for, or not as often as they say."""
        for one in self._exchanges:
            used = self._used[one.number]
            if used < one.times:
                how = "was never asked for" if not used else f"was asked for {used} of {one.times} times"
                yield f"exchange {one.number} ({_place(one)}) {how}: {_written(one.request)}"

    def _unanswered(self, sent: Sent) -> Iterator[str]:
        yield f"no exchange answers {sent.line(self._base)}"
        if sent.body:
            yield f"  with the body {sent.shown_body()}"
        used_up = [one for one in self._exchanges if not differences(one.request, sent, self._base)]
        if used_up:
            one = used_up[0]
            times = "once" if one.times == 1 else f"{one.times} times"
            yield f"  exchange {one.number} ({_place(one)}) fits and was used {times} already; `times` says how often"
            return
        found = [(differences(one.request, sent, self._base), one) for one in self._exchanges]
        if not found:
            yield "  the test has no exchanges"
            return
        lines, nearest = min(found, key=lambda pair: self._distance(*pair))
        yield f"  nearest is exchange {nearest.number} ({_place(nearest)}), but for"
        yield from (f"    {without_secrets(line)}" for line in lines)

    def _distance(self, lines: Sequence[str], exchange: Exchange) -> tuple[bool, int]:
        """How far an exchange is from a request: one of another path is far, one that is used up is no candidate."""
        is_used_up = self._used[exchange.number] >= exchange.times
        return is_used_up, sum(5 if line.startswith("path") else 1 for line in lines)


def differences(said: Asked, sent: Sent, base: str) -> list[str]:
    """What keeps an exchange from answering a request, one line each; empty where it does."""
    found = []
    if said.method != sent.method:
        found.append(f"method: the exchange has {said.method}, the request {sent.method}")
    path = "/" + unquote(said.path).strip("/")
    below = base.rstrip("/") + path
    if sent.path.rstrip("/") not in (path.rstrip("/"), below.rstrip("/")):
        found.append(f"path: the exchange has {path}, the request {sent.path.removeprefix(base.rstrip('/')) or '/'}")
    found += _differing("params", said.params, sent.params)
    headers = {name: [value] for name, value in sent.headers.items()}
    found += _differing("headers", {name.lower(): value for name, value in said.headers.items()}, headers)
    found += _differing("form", said.form, sent.form)
    if said.json is not None:
        found += _within(said.json, sent.json, "json")
    return found


def _differing(what: str, said: Mapping[str, Said], sent: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, value in said.items():
        there = list(sent.get(name, ()))
        wanted = [as_text(one) for one in value] if isinstance(value, tuple) else [as_text(value)]
        if value is None:
            if there:
                yield f"{what}.{name}: must not be sent, and the request has {_short(there)}"
        elif there != wanted:
            yield f"{what}.{name}: the exchange has {_short(wanted)}, the request {_short(there) if there else 'none'}"


def _within(said: object, sent: object, place: str) -> Iterator[str]:
    """Where JSON is not what was said; of an object only what is named is compared."""
    if isinstance(said, Mapping) and isinstance(sent, Mapping):
        for name, value in said.items():
            yield from _within(value, sent.get(name), f"{place}.{name}")
    elif isinstance(said, list) and isinstance(sent, list) and len(said) == len(sent):
        for index, (one, other) in enumerate(zip(said, sent, strict=True)):
            yield from _within(one, other, f"{place}[{index}]")
    elif said != sent or isinstance(said, bool) != isinstance(sent, bool):
        yield f"{place}: the exchange has {_json(said)}, the request {_json(sent)}"


def _response(answer: Answer, date: str) -> httpx.Response:
    headers = {"date": date} | {name.lower(): as_text(value) for name, value in answer.headers.items()}
    kind, content = "text/plain; charset=utf-8", b""
    if answer.has_json:
        kind, content = "application/json", msgspec.json.encode(answer.json)
    elif answer.file is not None:
        kind = "application/json" if answer.file.suffix == ".json" else "application/octet-stream"
        content = answer.file.read_bytes()
    elif answer.body is not None:
        content = answer.body.encode()
    headers.setdefault("content-type", kind)
    return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(content))


def _weight(said: Asked) -> int:
    return len(said.params) + len(said.headers) + len(said.form) + _size(said.json)


def _size(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else value is not None


def _written(said: Asked) -> str:
    given = ((name, value if isinstance(value, tuple) else (value,)) for name, value in said.params.items())
    query = "&".join(f"{name}={as_text(one)}" for name, values in given for one in values if one is not None)
    return f"{said.method} {said.path}{'?' if query else ''}{query}"


def _place(exchange: Exchange) -> str:
    """`sleeps.yaml:12`; the folder is that of the test."""
    return exchange.where.replace("\\", "/").rpartition("/")[2]


def _short(values: Sequence[str]) -> str:
    text = ", ".join(repr(value) for value in values)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def _json(value: object) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
