"""`when_stored`: a request per record, sent only after the record and everything fetched for it is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hde.errors import SourceError, Stopped, Unreachable
from hde.rows import RawTable
from hde.source.errand import run_errand
from hde.source.session import Session
from hde.spec.connector import Resource
from hde.spec.elements import parents_of
from hde.spec.request import Errand
from hde.steps import fan_out
from hde.steps.report import Report
from hde.store import queues
from hde.store.database import Connection, transaction
from hde.store.queues import Queue, Record

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def send_receipts(
    connection: Connection,
    session: Session,
    resources: Mapping[str, Resource],
    chosen: Mapping[str, Resource],
    tables: Mapping[str, RawTable],
    account: int,
    report: Report,
) -> None:
    """Of every resource that declares them. What fails is owed, and sent again by the next run."""
    for resource in chosen.values():
        if resource.when_stored is None:
            continue
        queue = Queue(account, f"when_stored:{resource.name}", tables[resource.name])
        below = [one for one in resources.values() if _comes_from(one, resource.name)]
        if any(_is_owing(one, resources, report) for one in below):
            report.note(f"{resource.name}: no receipts were sent, since not everything fetched for its records is here")
            continue
        waiting_for = [fan_out.queue_of(one, account, tables) for one in below if not fan_out.is_each_time(one)]
        for record in _due(connection, queue, waiting_for):
            if not _send(connection, session, resource, resource.when_stored, queue, record, report):
                break


def _due(connection: Connection, queue: Queue, waiting_for: Sequence[Queue]) -> Iterator[Record]:
    """Records whose receipt is owed or was never sent, and for which nothing is still to be fetched.

    One that must wait is owed by itself, so that the mark moves over it and it is not taken for a new one later.
    """
    with transaction(connection) as cursor:
        owed = queues.owed(cursor, queue)
        held = {record.seq for other in waiting_for for record in queues.owed(cursor, other)}
        reach = min((queues.mark(cursor, other) for other in waiting_for), default=None)
        seq = queues.mark(cursor, queue)
    yield from (record for record in owed if record.seq not in held)
    for record in _after(connection, queue, seq):
        if reach is not None and record.seq > reach:
            return
        if record.seq not in held:
            yield record
            continue
        with transaction(connection) as cursor:
            queues.owe(cursor, queue, record.seq, "what is fetched for it is not here yet")
            queues.move(cursor, queue, record.seq)


def _after(connection: Connection, queue: Queue, seq: int) -> Iterator[Record]:
    while True:
        with transaction(connection) as cursor:
            records = queues.after(cursor, queue, seq)
        if not records:
            return
        yield from records
        seq = records[-1].seq


def _send(
    connection: Connection,
    session: Session,
    resource: Resource,
    receipt: Errand,
    queue: Queue,
    record: Record,
    report: Report,
) -> bool:
    """False where the source does not answer at all: the others would wait in vain."""
    error: SourceError | None = None
    try:
        report.asked(resource.name, run_errand(session, receipt, {"record": _decode(record.payload)}))
    except Stopped:
        raise
    except SourceError as failed:
        error = failed
    with transaction(connection) as cursor:
        if error is None:
            queues.settle(cursor, queue, record.seq)
        else:
            queues.owe(cursor, queue, record.seq, str(error))
        queues.move(cursor, queue, record.seq)
    if error is not None:
        report.failed(resource.name, f"the receipt of record {record.key}: {error}")
    return not isinstance(error, Unreachable)


def _comes_from(resource: Resource, name: str) -> bool:
    parents = parents_of(resource.for_each)
    return parents is not None and parents.resource == name


def _is_owing(resource: Resource, resources: Mapping[str, Resource], report: Report) -> bool:
    """Whether this run could not read something of a resource read in every run, or of one further down."""
    if fan_out.is_each_time(resource) and report.of(resource.name).failures:
        return True
    below = [one for one in resources.values() if _comes_from(one, resource.name)]
    return any(report.of(one.name).failures or _is_owing(one, resources, report) for one in below)
