"""A recording as a test of a whole resource: the requests its pages answer, and what comes of them today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from hde.canonical import TABLES
from hde.errors import WrongUse
from hde.mapping.compiled import CompiledMapping
from hde.source.address import origin
from hde.source.asked import Sent
from hde.source.budget import Unlimited
from hde.source.carry import send_of
from hde.source.exact import exact_text
from hde.source.session import Session
from hde.spec.connector import Connector, Resource
from hde.spec.load import Source
from hde.spec.resource_test import Answer, Asked, Exchange, ResourceTest
from hde.steps.plan import connector_scope, instant
from hde.steps.recording.last_page import Told
from hde.steps.recording.record import Recording
from hde.steps.trying.played import Played, play
from hde.steps.trying.rehearsal import Records, elements, first_readings, map_row, read
from hde.steps.trying.resource_tests import raw_values
from hde.steps.trying.stand_ins import Clock, made_up_sign_in, settings_with

INSTEAD = "https://api.example.com"
"""The address in a test where the connector's own is a setting without a default."""


def settings_for_test(connector: Connector, real: Mapping[str, str]) -> dict[str, str]:
    """The settings a test must give so that its requests have an address: a made-up host, the real path."""
    try:
        origin(connector.http.base_url.render({"settings": settings_with(connector, {})}))
    except WrongUse:
        names = {name[1] for name in connector.http.base_url.names if name[0] == "settings" and len(name) > 1}
        return {
            name: INSTEAD + (urlsplit(real[name]).path if "://" in real[name] else "")
            for name in sorted(names)
            if connector.settings[name].default is None
        }
    return {}


def told_origin(connector: Connector, settings: Mapping[str, str]) -> str:
    base = urlsplit(connector.http.base_url.render({"settings": settings_with(connector, settings)}))
    return f"{base.scheme}://{base.netloc}"


def as_test(
    recording: Recording,
    source: Source,
    resource: Resource,
    settings: Mapping[str, str],
    files: Sequence[str],
    compiled: Sequence[CompiledMapping],
    records: Records,
    title: str,
) -> dict[str, Any]:
    """The file of the test as data. `files` are the names of the pages' files below the fixtures."""
    connector = source.connector
    account = dict(recording.account) if connector.account is not None else None
    now, since = _written(recording.now), _written(recording.since) if recording.since else None
    sent = _requests(recording, connector, resource, settings, account, now, since)
    base = urlsplit(connector.http.base_url.render({"settings": settings_with(connector, settings)})).path
    token = send_of(connector).param
    test = ResourceTest(
        resource.name,
        title,
        tuple(
            _exchange(one, page, base, token, at)
            for at, (one, page) in enumerate(zip(sent, recording.pages, strict=True), 1)
        ),
        now=now,
        since=since,
        settings=dict(settings),
        account=account,  # type: ignore[arg-type]  # what JSON holds; nested fields are nobody's business here
    )
    played = play(test, connector)
    if played.failed is not None:
        raise WrongUse(f"the recording cannot be read again as a test: {played.failed}")
    said: dict[str, Any] = {"title": title, "now": now}
    said |= {"since": since} if since else {}
    said |= {"settings": dict(settings)} if settings else {}
    said |= {"account": account} if account is not None else {}
    said["exchanges"] = [
        {"request": _asked(one.request), "answer": _answer(page, file)}
        for one, page, file in zip(test.exchanges, recording.pages, files, strict=True)
    ]
    said["expect"] = _expected(played, source, resource, compiled, records, now)
    return {"resource": resource.name, "tests": [said]}


class _InOrder(httpx.BaseTransport):
    """Answers whatever is asked with one page after the other, and keeps what was asked."""

    def __init__(self, pages: Sequence[Told]) -> None:
        self._pages = iter(pages)
        self.sent: list[Sent] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        page = next(self._pages, None)
        if page is None:
            raise WrongUse("the recording cannot be told as a test: after its last page another one is asked for")
        self.sent.append(Sent.of(request))
        document, headers = page
        return httpx.Response(
            200,
            headers={**headers, "content-type": "application/json"},
            stream=httpx.ByteStream(exact_text(document).encode()),
        )


def _requests(
    recording: Recording,
    connector: Connector,
    resource: Resource,
    settings: Mapping[str, str],
    account: Mapping[str, object] | None,
    now: str,
    since: str | None,
) -> list[Sent]:
    """What is asked when the pages are read again."""
    everything = settings_with(connector, settings)
    answers = _InOrder(recording.pages)
    auth = made_up_sign_in(connector, everything)
    with Session(
        connector, everything, auth=auth, budget=Unlimited(), stop=Clock(), account=account, transport=answers
    ) as session:
        for element in elements(connector, resource, lambda other: ()):
            readings = first_readings(
                connector,
                resource,
                now=instant(now, "now"),
                scope=connector_scope(connector, everything, account or {}),
                since=instant(since, "since") if since else None,
                element=element,
            )
            for _ in read(session, readings):
                pass
    return answers.sent


def _exchange(sent: Sent, page: Told, base: str, token: str | None, number: int) -> Exchange:
    """What is asked, but for the parameter `token`: the sign-in sends that, whatever the test says."""
    document, headers = page
    params = {
        name: tuple(values) if len(values) > 1 else values[0] for name, values in sent.params.items() if name != token
    }
    form = {name: tuple(values) if len(values) > 1 else values[0] for name, values in sent.form.items()}
    asked = Asked(sent.path.removeprefix(base.rstrip("/")) or "/", sent.method, params, {}, sent.json, form)
    answer = Answer(headers={**headers, "content-type": "application/json"}, body=exact_text(document))
    return Exchange(asked, answer, 1, number, "recording")


def _asked(asked: Asked) -> dict[str, Any]:
    said: dict[str, Any] = {} if asked.method == "GET" else {"method": asked.method}
    said["path"] = asked.path
    for name in ("params", "form"):
        if values := getattr(asked, name):
            said[name] = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    return said | ({"json": _plain(asked.json)} if asked.json is not None else {})


def _answer(page: Told, file: str) -> dict[str, Any]:
    return ({"headers": dict(page[1])} if page[1] else {}) | {"file": file}


def _expected(
    played: Played, source: Source, resource: Resource, compiled: Sequence[CompiledMapping], records: Records, now: str
) -> dict[str, Any]:
    expect: dict[str, Any] = {"raw": [], "canonical": {}}
    at = instant(now, "now")
    for row in played.rows.values():
        values = raw_values(row, resource)
        names = resource.key or [column.name for column in resource.columns]
        expect["raw"].append({name: _plain(values[name]) for name in names})
        for one in map_row(
            row, resource.name, source, compiled, records=records, account=played.account, observed_at=at
        ):
            played.note(one.mapped.issues)
            for made in one.mapped.rows:
                expect["canonical"].setdefault(made.table, []).append(dict(_cells(made.table, made.part, made.values)))
    if not expect["canonical"]:
        del expect["canonical"]
    reasons = set(played.stopped)
    expect |= {"stopped": reasons.pop()} if len(reasons) == 1 else {}
    expect["requests"] = played.requests
    if played.issues:
        expect["issues"] = [{"path": path, "rule": rule} for path, rule in sorted(played.issues)]
    return expect


def _cells(table: str, part: str, values: Sequence[object]) -> Iterator[tuple[str, object]]:
    """What a mapping wrote; what the engine adds follows from it."""
    if part:
        yield "part", part
    for column, value in zip(TABLES[table].columns, values, strict=True):
        if value is not None and not column.by_engine and not (part and column.name == "metric"):
            yield column.name, _plain(value)


def _plain(value: Any) -> Any:
    """As YAML holds it."""
    match value:
        case datetime():
            return _written(value)
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case bool() | None | str() | int():
            return value
        case float() | Decimal():
            return float(value)
    return str(value)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def pretty(document: Any) -> bytes:
    """JSON to be read by people, its numbers as they were written."""
    return msgspec.json.format(exact_text(document).encode(), indent=2) + b"\n"
