"""The files of a source that is a folder: found by a pattern, told apart by what they hold, opened as streams.

A ZIP is looked into like a folder, `.gz` is unpacked as it is read. Nothing outside the folder is ever opened.
"""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, cast

from hde.errors import Unreadable, WrongUse
from hde.source.unpacking import bounded, glob, members, open_member, reaches_into, readable

BUFFER = 256 * 1024


@dataclass(frozen=True)
class SourceFile:
    """A file of the folder, or one inside a ZIP there. `fault` says why it cannot be opened."""

    name: str
    """Its path below the folder, with `/`; inside a ZIP that of the ZIP before it."""
    modified: datetime
    """UTC; of a file in a ZIP that of the ZIP, whose own times have no zone."""
    fingerprint: Mapping[str, object]
    """Changes when the content does. JSON-able."""
    path: Path = field(repr=False)
    member: str | None = None
    fault: str | None = None

    @property
    def scope(self) -> dict[str, object]:
        """What columns may read as `$file`."""
        return {"name": self.name, "modified": self.modified.isoformat().replace("+00:00", "Z")}

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked. Unreadable where they are damaged, or became others meanwhile."""
        if self.fault:
            raise Unreadable(self.fault)
        with readable("the file"), self.path.open("rb", buffering=BUFFER) as stream:
            if self.member is None:
                yield _ungzipped(stream, self.name, self.path.stat().st_size)
            else:
                with zipfile.ZipFile(stream) as archive, _member(archive, self.member) as inner:
                    yield inner
        if self.member is None and _of_stat(self.path.stat()) != self.fingerprint:
            raise Unreadable("the file changed while it was read; the next run reads it again")


def folder_of(text: str) -> Path:
    """The folder a connector names; WrongUse where it is none. A relative one begins at the current folder."""
    folder = Path(text).expanduser()
    if not text.strip() or not folder.is_dir():
        raise WrongUse(f"{folder}: there is no such folder. Name the one that holds the files: hde run X --from FOLDER")
    return folder.resolve()


def files_in(folder: Path, pattern: str) -> list[SourceFile]:
    """The files below `folder` that match, the oldest first: of two that hold one record the newer one counts."""
    matches = glob(pattern).fullmatch
    found: list[SourceFile] = []
    for path, name in _walk(folder):
        if name.lower().endswith(".zip"):
            inside = _zipped(folder, path, name) if reaches_into(pattern, name) else []
            found += [file for file in inside if file.fault or matches(file.name)]
        elif matches(name):
            found.append(_file(folder, path, name))
    return sorted(found, key=lambda file: (file.modified, file.name))


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file with its name below the folder. Links to folders are not followed."""
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(top, name)
            yield path, path.relative_to(folder).as_posix()


def _file(folder: Path, path: Path, name: str) -> SourceFile:
    try:
        stat = path.stat()
    except OSError as error:
        return SourceFile(name, datetime.fromtimestamp(0, UTC), {}, path, fault=f"cannot be opened ({error.strerror})")
    fault = None if S_ISREG(stat.st_mode) else "is no plain file"
    if not path.resolve().is_relative_to(folder):
        fault = "is a link to a file outside the folder, which is not read"
    return SourceFile(name, datetime.fromtimestamp(stat.st_mtime, UTC), _of_stat(stat), path, fault=fault)


def _zipped(folder: Path, path: Path, name: str) -> list[SourceFile]:
    """The files in a ZIP; the ZIP itself with its fault where it cannot be looked into."""
    whole = _file(folder, path, name)
    if whole.fault:
        return [whole]
    try:
        with readable("the ZIP"), zipfile.ZipFile(path) as archive:
            inside = members(archive)
    except Unreadable as error:
        return [SourceFile(name, whole.modified, whole.fingerprint, path, fault=str(error))]
    return [
        SourceFile(
            f"{name}/{info.filename}", whole.modified, {"size": info.file_size, "crc": info.CRC}, path, info.filename
        )
        for info in inside
    ]


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[BinaryIO]:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise Unreadable("is not in the ZIP any more") from None
    with open_member(archive, info) as stream:
        yield _ungzipped(stream, name, info.file_size)


def _ungzipped(stream: BinaryIO, name: str, size: int) -> BinaryIO:
    return bounded(cast("BinaryIO", gzip.GzipFile(fileobj=stream)), size) if name.lower().endswith(".gz") else stream


def _of_stat(stat: os.stat_result) -> dict[str, object]:
    return {"size": stat.st_size, "modified": stat.st_mtime_ns}
