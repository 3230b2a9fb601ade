"""Packed bytes read as they unpack, within bounds. Nothing is written to disk, so no name inside leads anywhere."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, cast

from hde.errors import Unreadable

MOST_TIMES = 200
"""Of its packed size, that a file may unpack to; text rarely reaches 50."""
HARMLESS = 64 * 1024 * 1024
"""Up to so many bytes nothing is asked: short texts that repeat themselves do reach more."""
LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes of all files together that are read out of one answer."""


@dataclass(frozen=True)
class Glob:
    """A pattern of names. It takes steps in proportion to pattern times name, whatever is in them."""

    steps: tuple[re.Pattern[str] | None, ...]
    """One per folder, the name last; None is `**`."""

    def fullmatch(self, name: str) -> bool:
        ends = {0}
        names = name.split("/")
        for step in self.steps:
            if step is None:
                first = min(ends)
                hidden = (at for at in range(first, len(names)) if not names[at] or names[at].startswith("."))
                ends = set(range(first, min(next(hidden, len(names)), len(names) - 1) + 1))
            else:
                ends = {at + 1 for at in ends if at < len(names) and step.fullmatch(names[at])}
            if not ends:
                return False
        return len(names) in ends


@lru_cache
def glob(pattern: str) -> Glob:
    """`*` and `?` within a name, `**` over folders. Names that begin with a dot are matched only by one that does."""
    *folders, name = pattern.split("/")
    steps = [None if step == "**" else _one_name(step) for step in folders]
    return Glob((*steps, *([None] if name == "**" else []), _one_name(name.replace("**", "*"))))


def _one_name(pattern: str) -> re.Pattern[str]:
    """Each part between stars is looked for once, from the left (atomic): no star is tried at more lengths."""
    first, *parts = [re.escape(part).replace("\\?", ".") for part in re.sub(r"\*+", "*", pattern).split("*")]
    inner = "".join(f"(?>.*?{part})" for part in parts[:-1])
    last = f".*{parts[-1]}" if parts else ""
    return re.compile(("" if pattern.startswith(".") else r"(?!\.)") + "(?!$)" + first + inner + last, re.DOTALL)


def reaches_into(pattern: str, folder: str) -> bool:
    """Whether something below a folder can match."""
    steps = pattern.split("/")
    for at, name in enumerate(folder.split("/")):
        if at < len(steps) and steps[at] == "**":
            return True
        if at >= len(steps) - 1 or not glob(steps[at]).fullmatch(name):
            return False
    return True


def unpacked_members(packed: bytes, pattern: str) -> Iterator[bytes]:
    """The files in a ZIP that match, by name."""
    with readable("the ZIP"), zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = [info for info in members(archive) if glob(pattern).fullmatch(info.filename)]
        if not found:
            count = len(members(archive))
            raise Unreadable(f"none of the {count} files in the ZIP matches {pattern!r}")
        room = LARGEST_ANSWER
        for info in found:
            with open_member(archive, info) as stream:
                text = stream.read(room + 1)
            if (room := room - len(text)) < 0:
                raise Unreadable(f"the ZIP unpacks to more than {LARGEST_ANSWER // 1024 // 1024} MB")
            yield text


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in a ZIP by name; Unreadable where a name leads out of it."""
    found = [info for info in archive.infolist() if not info.is_dir()]
    for info in found:
        if ".." in info.filename.split("/") or info.filename.startswith("/") or re.search(r"[\\:]", info.filename):
            raise Unreadable("the ZIP holds a name that leads out of it; nothing of it is read")
    return sorted(found, key=lambda info: info.filename)


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    """A file in a ZIP, as it unpacks."""
    if info.flag_bits & 1:
        raise Unreadable("the ZIP is encrypted")
    return bounded(cast("BinaryIO", archive.open(info)), info.compress_size)


def bounded(stream: BinaryIO, packed: int | Callable[[], int]) -> BinaryIO:
    """`stream`, which ends in Unreadable where it unpacks to far more than its packed size, which may still grow."""
    return cast("BinaryIO", io.BufferedReader(_Bounded(stream, packed), 256 * 1024))


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Whatever is wrong with packed bytes, in words."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unreadable(f"{what} is damaged ({type(error).__name__})") from None
    except OSError as error:
        what_is_it = f"cannot be read ({error.strerror})" if error.strerror else "is damaged"
        raise Unreadable(f"{what} {what_is_it}") from None
    except NotImplementedError:
        raise Unreadable(f"{what} is packed in a way that is not understood") from None


class _Bounded(io.RawIOBase):
    def __init__(self, stream: BinaryIO, packed: int | Callable[[], int]) -> None:
        self._stream = stream
        self._packed = packed
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # the buffer protocol has no name before 3.12
        data = self._stream.read(len(view))
        self._given += len(data)
        packed = self._packed if isinstance(self._packed, int) else self._packed()
        if self._given > max(HARMLESS, packed * MOST_TIMES):
            raise Unreadable(
                f"unpacks to more than {MOST_TIMES} times its size: no file of records does, so it is left"
            )
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
