"""Which files of a folder a run reads: those that are not as they were when they were last read to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hde.errors import WrongUse
from hde.source.files import SourceFile, files_in, folder_of
from hde.spec.connector import Connector, Files, Resource
from hde.spec.load import Source
from hde.spec.template import Template
from hde.steps import without_key
from hde.steps.plan import Range, Reading, Whole, request_hash
from hde.store import ledger
from hde.store.ledger import Stream, WindowRecord
from hde.store.merge import Cursor


def reading_from(source: Source, folder: Path) -> Source:
    """The source with another folder than its connector names; what only that one needed is asked of nobody."""
    connector = source.connector
    if connector.files is None:
        raise WrongUse(f"--from is for connectors that read files, and {connector.name} asks an API")
    named = {name[1] for name in connector.files.folder.names if name[0] == "settings"}
    settings = {
        name: replace(setting, default=setting.default or "") if name in named else setting
        for name, setting in connector.settings.items()
    }
    files = Files(Template(str(folder), (str(folder),), frozenset()))
    return replace(source, connector=replace(connector, files=files, settings=settings))


def files_of(connector: Connector, resource: Resource, scope: Mapping[str, object]) -> list[SourceFile]:
    """The files of a resource, in the order in which they are read."""
    assert connector.files is not None
    assert resource.files is not None
    return files_in(folder_of(connector.files.folder.render(scope)), resource.files)


def file_readings(
    cursor: Cursor,
    connector: Connector,
    resource: Resource,
    account: int,
    *,
    asked: Range,
    now: datetime,
    scope: Mapping[str, object],
    say: Callable[[str], None],
) -> list[Reading]:
    """A reading for each file that is to be read; with `missing: delete` for all of them, as soon as one is."""
    files = files_of(connector, resource, scope)
    if not files:
        say(f"{resource.name}: no file in the folder matches {resource.files}, so nothing was read")
        return []
    made = request_hash(connector, resource)
    known = {} if asked.full else ledger.element_marks(cursor, account, resource.name)
    changed = [file for file in files if known.get(file.name) != (file.fingerprint, made)]
    ledger.drop_open_windows_of(cursor, account, resource.name, "read whole again")
    is_whole = resource.missing == "delete" and bool(changed or set(known) - {file.name for file in files})
    if is_whole:
        changed = files
    # What vanished can be said only once all files are read: until then each of them is as if never read.
    ledger.forget_elements(cursor, account, resource.name, [] if is_whole else [file.name for file in files])
    without_key.settle_files_gone(cursor, account, resource.name, [file.name for file in files])
    if same := len(files) - len(changed):
        say(f"{resource.name}: {same} of {len(files)} files are as they were and were not read again (--full does)")
    whole = Whole(len(changed))
    return [_reading(resource, account, file, made, now, whole if is_whole else Whole()) for file in changed]


def _reading(resource: Resource, account: int, file: SourceFile, made: str, now: datetime, whole: Whole) -> Reading:
    window = WindowRecord(Stream(account, resource.name, made, file.name), None, now, bookmark=dict(file.fingerprint))
    return Reading(resource, window, file=file, whole=whole)
