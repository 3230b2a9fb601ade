"""The member API's answers: parameters checked, records filtered and paged as the provider documents it. Reads one
snapshot; knows nothing of sockets, tokens or limits."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hde.sandbox.clock import epoch_milliseconds
from hde.sandbox.whoop.member import BODY, PROFILE
from hde.sandbox.whoop.records import FOREVER, Entry, Snapshot

BASE = "/developer"
DEFAULT_LIMIT, MAXIMAL_LIMIT = 10, 25

# The documents call the last page's next_token absent, null or empty, so each collection ends in its own way.
_LAST_PAGE: dict[str, dict[str, object]] = {
    "cycle": {"next_token": None},
    "recovery": {},
    "sleep": {},
    "workout": {"next_token": ""},
}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_WHOLE = re.compile(r"[+-]?\d{1,10}", re.ASCII)


class Answer(NamedTuple):
    status: int
    body: bytes = b""


class _BadRequest(Exception):
    """The client's parameters are not what the documents ask for."""


@dataclass(frozen=True)
class Route:
    """A path below BASE, the scope it needs and what it answers: `(snapshot, id or "", query) -> Answer`."""

    path: re.Pattern[str]
    scope: str
    answer: Callable[[Snapshot, str, Mapping[str, str]], Answer]


def find(path: str) -> tuple[Route, str] | None:
    """The route of a path below BASE and the id in it."""
    for route in ROUTES:
        if match := route.path.fullmatch(path):
            return route, match["id"] if "id" in match.groupdict() else ""
    return None


def respond(route: Route, snapshot: Snapshot, key: str, query: Mapping[str, str]) -> Answer:
    try:
        return route.answer(snapshot, key, query)
    except _BadRequest as wrong:
        return problem(400, str(wrong))


def problem(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"code": status, "message": message}).encode())


def _collection(name: str) -> Callable[[Snapshot, str, Mapping[str, str]], Answer]:
    def answer(snapshot: Snapshot, key: str, query: Mapping[str, str]) -> Answer:
        limit = _limit(query)
        start = _instant(query, "start", -FOREVER)
        end = _instant(query, "end", snapshot.now)
        after = _position(name, query)
        found = [
            entry
            for entry in snapshot.collections[name]
            if entry.start < end and entry.end > start and (after is None or (entry.start, entry.id) < after)
        ]
        # "Limit" is all that is promised: a first page of sleeps comes one short, as no page's length means anything.
        size = limit - 1 if name == "sleep" and after is None and limit > 1 else limit
        return _page(name, query, found, size)

    return answer


def _page(name: str, query: Mapping[str, str], found: list[Entry], size: int) -> Answer:
    page = found[:size]
    more = {"next_token": _token(name, query, page[-1])} if len(found) > size else _LAST_PAGE[name]
    rest = json.dumps(more, separators=(",", ":"))[1:]
    records = b",".join(entry.body for entry in page)
    return Answer(200, b'{"records":[' + records + b"]" + (b"," if more else b"") + rest.encode())


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MAXIMAL_LIMIT:
        raise _BadRequest(f"limit must be a whole number from 1 to {MAXIMAL_LIMIT}")
    return int(text)


def _instant(query: Mapping[str, str], name: str, default: int) -> int:
    if name not in query:
        return default
    try:
        if not _DATE_TIME.fullmatch(query[name]):
            raise ValueError
        return epoch_milliseconds(datetime.fromisoformat(query[name].upper()))
    except (ValueError, OverflowError):
        raise _BadRequest(f"{name} must be a date-time with seconds and zone, like 2022-04-24T11:25:44.774Z") from None


def _token(name: str, query: Mapping[str, str], last: Entry) -> str:
    plain = f"{last.start}/{last.id}"
    return urlsafe_b64encode(f"{_seal(name, query, plain)}/{plain}".encode()).rstrip(b"=").decode()


def _position(name: str, query: Mapping[str, str]) -> tuple[int, str] | None:
    """The (start, id) that the page before ended with."""
    token = query.get("nextToken", "")
    if not token:
        return None
    try:
        seal, start, key = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split("/")
        if seal != _seal(name, query, f"{start}/{key}"):
            raise ValueError
        return int(start), key
    except ValueError:
        raise _BadRequest("nextToken is not one that this query was answered with") from None


def _seal(name: str, query: Mapping[str, str], plain: str) -> str:
    text = json.dumps([name, query.get("start"), query.get("end"), plain])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _by_number(name: str) -> Callable[[Snapshot, str, Mapping[str, str]], Answer]:
    def answer(snapshot: Snapshot, key: str, query: Mapping[str, str]) -> Answer:
        if not _WHOLE.fullmatch(key):
            raise _BadRequest("the cycle's id must be a whole number")
        records = snapshot.main_sleeps if name == "main_sleep" else snapshot.records[name]
        return _one(records.get(str(int(key))))

    return answer


def _by_uuid(name: str) -> Callable[[Snapshot, str, Mapping[str, str]], Answer]:
    def answer(snapshot: Snapshot, key: str, query: Mapping[str, str]) -> Answer:
        try:
            return _one(snapshot.records[name].get(str(UUID(key))))
        except ValueError:
            raise _BadRequest(f"the {name}'s id must be a UUID") from None

    return answer


def _one(body: bytes | None) -> Answer:
    return problem(404, "No resource found") if body is None else Answer(200, body)


def _fixed(record: Mapping[str, object]) -> Callable[[Snapshot, str, Mapping[str, str]], Answer]:
    return lambda snapshot, key, query: Answer(200, json.dumps(record).encode())


def _route(path: str, scope: str, answer: Callable[[Snapshot, str, Mapping[str, str]], Answer]) -> Route:
    return Route(re.compile(path.replace("{id}", "(?P<id>[^/]+)")), scope, answer)


# No /v1 at all: its last use was a migration of ids that ended before this member was made up.
ROUTES = (
    _route("/v2/user/profile/basic", "read:profile", _fixed(PROFILE)),
    _route("/v2/user/measurement/body", "read:body_measurement", _fixed(BODY)),
    _route("/v2/cycle", "read:cycles", _collection("cycle")),
    _route("/v2/cycle/{id}", "read:cycles", _by_number("cycle")),
    _route("/v2/cycle/{id}/sleep", "read:sleep", _by_number("main_sleep")),
    _route("/v2/cycle/{id}/recovery", "read:recovery", _by_number("recovery")),
    _route("/v2/recovery", "read:recovery", _collection("recovery")),
    _route("/v2/activity/sleep", "read:sleep", _collection("sleep")),
    _route("/v2/activity/sleep/{id}", "read:sleep", _by_uuid("sleep")),
    _route("/v2/activity/workout", "read:workout", _collection("workout")),
    _route("/v2/activity/workout/{id}", "read:workout", _by_uuid("workout")),
)
