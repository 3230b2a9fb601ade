"""Exports of a run: ordered before anything else is read, waited for after that, then read like the files of a folder.

What the source said when it was ordered is stored before anybody waits, so that a later run goes on with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from hde.errors import Refused, SourceError, Stopped
from hde.source.download import Download
from hde.source.errand import run_errand
from hde.source.exported import (
    files_of,
    has_words,
    in_where,
    is_ready,
    listing,
    looked,
    ordered,
    pause_after,
    progress_in,
)
from hde.source.rules import GONE
from hde.source.session import Answer, Session
from hde.spec.connector import Resource
from hde.spec.export import Export
from hde.steps import plan, read_windows
from hde.steps.plan import NO_SETTLE, Reading, Whole
from hde.steps.stage import Options, Stage
from hde.steps.store_pages import Storing
from hde.store import exports, ledger
from hde.store.database import transaction
from hde.store.exports import Ordered
from hde.store.ledger import Stream, WindowRecord

__all__ = ["UnderWay", "begin", "fetch"]

LONGEST_FAILING = 86_400.0
"""Seconds for which an export whose state cannot be had is asked for; then it is ordered anew."""


@dataclass
class UnderWay:
    """An export that a run has ordered, or goes on with."""

    export: Export
    ordered: Ordered
    resources: Mapping[str, Resource]
    """Those of the run that it feeds."""
    lost: Event = field(default_factory=Event)
    """Set where the source does not have its files any more."""
    files: dict[str, list[Download]] = field(default_factory=dict)
    """By resource, of those that have not read all of theirs yet."""
    bookmark: object = None
    """What the next one is to begin after."""
    complains: bool = False
    """The source has something to say about it: what is not in it may only have failed."""

    @property
    def mark(self) -> dict[str, object]:
        """Tells a file that was read of this export from one of another."""
        return {"export": self.ordered.ordered_at.isoformat()}


def begin(stage: Stage, session: Session, resources: Mapping[str, Resource], options: Options) -> list[UnderWay]:
    """Every export that feeds one of these resources: one that is under way already, else ordered now."""
    begun: list[UnderWay] = []
    for export in stage.source.connector.exports.values():
        fed = _fed_by(export, resources)
        if not fed or stage.way.stop.is_set():
            continue
        try:
            found = _found(stage, session, export, fed, options) or _order(stage, session, export, fed, options)
        except SourceError as error:
            _failed(stage, fed, error)
            continue
        if found is not None:
            begun.append(UnderWay(export, found, fed))
    return begun


def fetch(stage: Stage, session: Session, under_way: list[UnderWay], storing: Storing, options: Options) -> None:
    """Wait for each export, read its files into the raw tables, and let the source forget it."""
    for one in under_way:
        if stage.way.stop.is_set():
            return
        try:
            answer = _awaited(stage, session, one, options)
            readings = _readings(stage, session, one, answer) if answer else []
        except SourceError as error:
            _failed(stage, one.resources, error)
            continue
        if answer is None:
            continue
        parallel = stage.source.connector.http.parallel
        read_windows.read_and_store(
            read_windows.readers(session, readings, stage.report, stage.way.stop, parallel), storing
        )
        if not stage.way.stop.is_set():
            _finish(stage, session, one)


def _found(
    stage: Stage, session: Session, export: Export, fed: Mapping[str, Resource], options: Options
) -> Ordered | None:
    """The one that is under way, where it is what would be ordered now and holds something that `fed` has not read."""
    with transaction(stage.connection) as cursor:
        found = exports.find(cursor, stage.account.id, export.name)
    if found is None:
        return None
    wanted = plan.export_hash(stage.source.connector, export)
    is_wanted = found.request_hash == wanted and not (options.asked.full and found.bookmark is not None)
    if is_wanted and not fed.keys().isdisjoint(_unread(stage, export, found)):
        stage.report.note(f"{export.name}: going on with the export of {found.ordered_at:%Y-%m-%d %H:%M} UTC")
        return found
    _discard(stage, session, export, found)
    return None


def _order(
    stage: Stage, session: Session, export: Export, fed: Mapping[str, Resource], options: Options
) -> Ordered | None:
    """Ask for it, and store what is needed to go on asking. None: it is not for this account."""
    connector, now = stage.source.connector, datetime.now(UTC)
    with transaction(stage.connection) as cursor:
        for resource in fed.values():
            stream = Stream(stage.account.id, resource.name, plan.request_hash(connector, resource))
            if ledger.request_changed(cursor, stream) and not options.asked.full:
                stage.report.note(plan.changed_request(resource))
    bookmark = None if options.asked.full else _bookmark(stage, export)
    answer, kept = ordered(session, export, bookmark)
    stage.report.asked(next(iter(fed)), answer.requests)
    if answer.outcome == "skip":
        for name in fed:
            stage.report.window_done(name, f"skipped: {answer.status}")
        return None
    made = plan.export_hash(connector, export)
    said = Ordered(stage.account.id, export.name, now, made, kept, bookmark)
    with transaction(stage.connection) as cursor:
        exports.keep(cursor, said)
    return said


def _awaited(stage: Stage, session: Session, one: UnderWay, options: Options) -> Answer | None:
    """The answer that lists the files; None where the run has waited long enough. An expired one is ordered anew."""
    try:
        return _polled(stage, session, one)
    except Refused as error:
        with transaction(stage.connection) as cursor:
            if error.status in GONE or _is_over(error, one.ordered):
                exports.forget(cursor, stage.account.id, one.export.name)
        if error.status not in GONE:
            raise
    stage.report.note(f"{one.export.name}: the source does not know the export any more; ordered anew")
    anew = _order(stage, session, one.export, one.resources, options)
    if anew is None:
        return None
    one.ordered = anew
    return _polled(stage, session, one)


def _is_over(error: Refused, ordered: Ordered) -> bool:
    """Whether a no means that this export will never be: not one that a sign-in, a right or time may heal."""
    may_heal = error.status == 0 or error.status in (401, 403, 408, 429) or error.status >= 500
    return not may_heal or (datetime.now(UTC) - ordered.ordered_at).total_seconds() > LONGEST_FAILING


def _polled(stage: Stage, session: Session, one: UnderWay) -> Answer | None:
    export, report = one.export, stage.report
    until = time.monotonic() + export.poll.max_wait.total_seconds()
    first = next(iter(one.resources))
    while True:
        answer = looked(session, export, one.ordered.kept)
        report.asked(first, answer.requests)
        if is_ready(export, answer):
            report.waits_for(None)
            answer, took = listing(session, export, one.ordered.kept, answer)
            report.asked(first, took)
            return answer
        said, pause = progress_in(export, answer), pause_after(session, export, answer)
        if time.monotonic() + pause >= until:
            report.waits_for(None)
            for name in one.resources:
                report.preparing(name, export.name, said)
            return None
        report.waits_for(f"waiting for {export.name}{f' ({said})' if said else ''}")
        session.pause(pause)


def _readings(stage: Stage, session: Session, one: UnderWay, answer: Answer) -> list[Reading]:
    """A reading for each file that is not stored yet; the files that hold the source's words go with the first."""
    readings: list[Reading] = []
    one.bookmark = in_where(one.export.bookmark, answer) if one.export.bookmark else None
    one.complains = has_words(one.export, answer)
    unread = _unread(stage, one.export, one.ordered)
    with transaction(stage.connection) as cursor:
        for name, resource in one.resources.items():
            if name not in unread:
                continue
            files = files_of(session, one.export, resource, answer, one.lost, with_words=not one.files)
            one.files[name] = files
            ledger.drop_open_windows_of(cursor, stage.account.id, name, "read whole again")
            ledger.forget_elements(cursor, stage.account.id, name, ["", *(file.name for file in files)])
            readings += _of_resource(one, resource, list(_left(cursor, stage, one, name)), stage)
    return readings


def _left(cursor: ledger.Cursor, stage: Stage, one: UnderWay, name: str) -> Iterator[Download]:
    """The files of a resource that are not stored to their end."""
    resource = stage.source.connector.resources[name]
    made = plan.request_hash(stage.source.connector, resource)
    known = ledger.element_marks(cursor, stage.account.id, name)
    return (file for file in one.files[name] if known.get(file.name) != (one.mark, made))


def _of_resource(one: UnderWay, resource: Resource, left: list[Download], stage: Stage) -> Iterator[Reading]:
    made = plan.request_hash(stage.source.connector, resource)
    whole: Whole | None = None
    if resource.missing == "delete":
        # Only all files of a complete export together can say what vanished.
        is_complete = one.ordered.bookmark is None and not one.complains
        left = one.files[resource.name] if left and is_complete else left
        whole = Whole(len(left), intact=is_complete)
    for file in left:
        stage.report.planned(resource.name, 1)
        stream = Stream(stage.account.id, resource.name, made, file.name)
        window = WindowRecord(stream, None, one.ordered.ordered_at, bookmark=one.mark)
        yield Reading(resource, window, download=file, whole=whole or Whole())


def _finish(stage: Stage, session: Session, one: UnderWay) -> None:
    """What was read to its end counts as read; once that is everything, the source need not keep it."""
    connector, account = stage.source.connector, stage.account.id
    with transaction(stage.connection) as cursor:
        for name, resource in one.resources.items():
            if name not in one.files or next(_left(cursor, stage, one, name), None) is not None:
                continue
            stream = Stream(account, name, plan.request_hash(connector, resource))
            window = WindowRecord(stream, None, one.ordered.ordered_at, bookmark=one.bookmark)
            ledger.cover(cursor, window, NO_SETTLE)
            ledger.forget_elements(cursor, account, name, [""])
        if one.lost.is_set():
            exports.forget(cursor, account, one.export.name)
            return
    others = [name for name in _unread(stage, one.export, one.ordered) if name not in one.resources]
    if others:
        stage.report.note(f"{one.export.name}: kept for {', '.join(others)}, which were not asked for")
    elif not _unread(stage, one.export, one.ordered):
        _discard(stage, session, one.export, one.ordered)


def _discard(stage: Stage, session: Session, export: Export, ordered: Ordered) -> None:
    """Tell the source that nobody asks for it any more, then forget it: killed between, the next run tells it again."""
    if export.discard is not None:
        try:
            run_errand(session, export.discard, {"export": dict(ordered.kept)})
        except Stopped:
            raise
        except SourceError as error:
            if not (isinstance(error, Refused) and error.status in GONE):
                stage.report.note(f"{export.name}: the source did not let it go: {error}")
    with transaction(stage.connection) as cursor:
        exports.forget(cursor, stage.account.id, export.name)


def _unread(stage: Stage, export: Export, ordered: Ordered) -> list[str]:
    """Resources that it feeds, chosen or not, and that have not read it to its end."""
    fed = _fed_by(export, stage.source.connector.resources)
    with transaction(stage.connection) as cursor:
        known = exports.read_so_far(cursor, stage.account.id, fed)
    return [name for name in fed if known.get(name, (None, None))[0] != ordered.ordered_at]


def _bookmark(stage: Stage, export: Export) -> object:
    """What all resources have read up to: that of the one that is furthest behind. None: one has read nothing."""
    fed = _fed_by(export, stage.source.connector.resources)
    with transaction(stage.connection) as cursor:
        known = exports.read_so_far(cursor, stage.account.id, fed)
    marks = [(at, mark) for at, mark in known.values() if at is not None and mark is not None]
    if export.bookmark is None or len(marks) < len(fed):
        return None
    return min(marks, key=lambda one: one[0])[1]


def _fed_by(export: Export, resources: Mapping[str, Resource]) -> dict[str, Resource]:
    return {name: one for name, one in resources.items() if one.export is not None and one.export.of == export.name}


def _failed(stage: Stage, resources: Mapping[str, Resource], error: SourceError) -> None:
    stage.report.waits_for(None)
    if isinstance(error, Stopped):
        stage.report.stopped = True
        return
    for name in resources:
        stage.report.failed(name, str(error).removeprefix(f"{stage.source.connector.name}: "))
