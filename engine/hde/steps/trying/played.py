"""A resource read from the exchanges of a test, by all that a run reads it with. Compares nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import msgspec

from hde.errors import HdeError, WrongUse
from hde.issues import Issue
from hde.rows import RawRow, key_text
from hde.source.address import origin
from hde.source.asked import Sent
from hde.source.budget import Unlimited
from hde.source.outgoing import rendered
from hde.source.pages import Page
from hde.source.playback import Playback
from hde.source.session import Session
from hde.spec.connector import Connector, Resource
from hde.spec.resource_test import ResourceTest
from hde.steps.plan import connector_scope, instant
from hde.steps.trying.exported import exported_pages
from hde.steps.trying.rehearsal import elements, first_readings, read
from hde.steps.trying.stand_ins import Clock, NotGiven, WithoutChance, made_up_sign_in, no_log, settings_with


@dataclass
class Played:
    """What came of it."""

    rows: dict[tuple[str, ...], RawRow] = field(default_factory=dict)
    """The last of each key, in the order in which the keys came."""
    others: dict[str, dict[str, object]] = field(default_factory=dict)
    """The records that were read because elements come from them: by resource and by key."""
    issues: dict[tuple[str, str], Issue] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    """The source's own words, each once."""
    stopped: list[str] = field(default_factory=list)
    skipped: bool = False
    requests: int = 0
    waits: Sequence[float] = ()
    account: Mapping[str, object] = field(default_factory=dict)
    failed: HdeError | None = None
    unasked: tuple[str, ...] = ()

    def note(self, issues: Sequence[Issue]) -> None:
        for issue in issues:
            self.issues.setdefault((issue.path, issue.rule), issue)


def play(test: ResourceTest, connector: Connector) -> Played:
    """Reads the resource until it is read or fails. WrongUse where the test itself cannot be run."""
    if connector.resources[test.resource].files is not None:
        raise WrongUse(
            f"{test.where}: {test.resource} reads files, and exchanges are answers: test its mapping instead"
        )
    settings = settings_with(connector, test.settings)
    playback = Playback(test.exchanges, urlsplit(_base(connector, settings, test)).path, instant(test.now, "now"))
    auth = made_up_sign_in(connector, settings)
    played, clock = Played(), Clock()
    session = Session(
        connector, settings, auth=auth, budget=Unlimited(), stop=clock, patience=WithoutChance(), transport=playback
    )
    with no_log(), session:
        try:
            played.account = _account(session, playback, test)
            before = playback.requests
            try:
                _read(session, test, settings, played)
            finally:
                played.requests = playback.requests - before
        except HdeError as error:
            played.failed = error
    played.waits = clock.waits
    played.unasked = tuple(playback.unasked())
    return played


def _read(session: Session, test: ResourceTest, settings: Mapping[str, str], played: Played) -> None:
    resource = session.connector.resources[test.resource]
    for page in _pages(session, test, settings, played, resource):
        read, unkeyed = page.read()
        for row in read:
            played.rows[row.key] = row
            played.note(row.issues)
        played.note(unkeyed)
        played.warnings.update(dict.fromkeys(page.warnings))
        played.skipped = played.skipped or page.outcome == "skip"
        if page.stopped is not None:
            played.stopped.append(page.stopped)
    if resource.when_stored is not None:
        for row in played.rows.values():
            record = msgspec.json.decode(row.payload)
            session.answer(resource.when_stored.request, {"record": record}, resource.when_stored.errors)


def _pages(
    session: Session, test: ResourceTest, settings: Mapping[str, str], played: Played, resource: Resource
) -> Iterator[Page]:
    """Of every element and window. Elements come from records that are read as well."""
    connector = session.connector
    if resource.export is not None:
        yield from exported_pages(session, resource)
        return

    def parents(other: Resource) -> Iterable[RawRow]:
        rows: dict[tuple[str, ...], RawRow] = {}
        for page in _pages(session, test, settings, played, other):
            found, unkeyed = page.read()
            rows |= {row.key: row for row in found}
            played.note(unkeyed)  # such a record has no elements, and nobody would know why
        read = {key_text(row.key): msgspec.json.decode(row.payload) for row in rows.values()}
        played.others.setdefault(other.name, {}).update(read)
        return rows.values()

    for element in elements(connector, resource, parents):
        readings = first_readings(
            connector,
            resource,
            now=instant(test.now, "now"),
            scope=connector_scope(connector, settings, played.account),
            since=instant(test.since, "since") if test.since else None,
            element=element,
        )
        for _, page in read(session, readings):
            yield page


def _base(connector: Connector, settings: Mapping[str, str], test: ResourceTest) -> str:
    base = connector.http.base_url.render({"settings": settings})
    try:
        origin(base)
    except WrongUse as error:
        raise WrongUse(f"{test.where}: http.base_url: {error}; give the setting in it under `settings`") from None
    return base


def _account(session: Session, playback: Playback, test: ResourceTest) -> Mapping[str, object]:
    """What the test gives, else what an exchange says, else one that says how to give it once it is read."""
    spec = session.connector.account
    if test.account is not None:
        session.account = {"id": "made-up-id", **test.account}
    elif spec is None or spec.id is None or (spec.request is not None and _is_answered(session, playback)):
        session.identify()
    else:
        session.account = NotGiven()
    assert session.account is not None
    return session.account


def _is_answered(session: Session, playback: Playback) -> bool:
    connector, scope = session.connector, session.scope({})
    assert connector.account is not None
    assert connector.account.request is not None
    base = connector.http.base_url.render(scope)
    outgoing = rendered(connector.http, base, connector.account.request, scope)
    request = httpx.Request(outgoing.method, outgoing.url, headers=dict(outgoing.headers), content=outgoing.content)
    return playback.fitting(Sent.of(request)) is not None
