"""An export played through without a store: ordered, waited for, read, and let go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from threading import Event

from hde.source.download import read_download
from hde.source.errand import run_errand
from hde.source.exported import files_of, is_ready, listing, looked, ordered, pause_after
from hde.source.file_pages import page_of_file
from hde.source.pages import Page
from hde.source.session import Session
from hde.spec.connector import Resource


def exported_pages(session: Session, resource: Resource) -> Iterator[Page]:
    """The pages of a resource that an export feeds, as of a first run; what makes a run fail is raised."""
    assert resource.export is not None
    export = session.connector.exports[resource.export.of]
    answer, kept = ordered(session, export, None)
    if answer.outcome == "skip":
        yield replace(page_of_file(1, None, f"skipped: {answer.status}", [], []), outcome="skip")
        return
    while not is_ready(export, answer := looked(session, export, kept)):
        session.pause(pause_after(session, export, answer))
    answer, _ = listing(session, export, kept, answer)
    numbers = count(1)
    where = f"{session.connector.name}: {resource.name}"
    for file in files_of(session, export, resource, answer, Event(), with_words=True):
        yield from read_download(session, resource, file, where=where, arrived=lambda: next(numbers))
    if export.discard is not None:
        run_errand(session, export.discard, {"export": kept})
