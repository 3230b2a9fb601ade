"""Watching a mapping at work: what is compiled inside `watching()` reports every path and column it reads.

Nothing is read a second way: the functions that report are the ones that map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class ColumnRead:
    """A column as it was read once: by which reading, what stood at its paths, and what came of it."""

    name: str
    reading: object
    paths: list[tuple[str, object]] = field(default_factory=list)
    """Each path as an issue names it, with the source's value; in the order they were asked for."""
    value: object = None
    stopped: Exception | None = None
    """Why there is no value: a Finding, or a Skip."""


@dataclass
class Watch:
    """Everything read since it was emptied."""

    columns: list[ColumnRead] = field(default_factory=list)
    loose: list[tuple[str, object]] = field(default_factory=list)
    """Paths read outside a column: those of `when`."""
    _open: list[ColumnRead] = field(default_factory=list)

    def empty(self) -> None:
        self.columns, self.loose = [], []

    def saw(self, text: str, value: object) -> None:
        (self._open[-1].paths if self._open else self.loose).append((text, value))

    @contextmanager
    def column(self, name: str, reading: object) -> Iterator[ColumnRead]:
        read = ColumnRead(name, reading)
        self.columns.append(read)
        self._open.append(read)
        try:
            yield read
        except Exception as error:
            read.stopped = error
            raise
        finally:
            self._open.pop()


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watching() -> Iterator[Watch]:
    """What is compiled in this block reports to the watch for as long as it lives."""
    watch = Watch()
    token = _WATCH.set(watch)
    try:
        yield watch
    finally:
        _WATCH.reset(token)


def watched_path(text: str, get: Function) -> Function:
    """`get`, which reports where somebody watches."""
    watch = _WATCH.get()
    if watch is None:
        return get

    def seen(document: object) -> object:
        try:
            value = get(document)
        except Exception:
            watch.saw(text, None)
            raise
        watch.saw(text, value)
        return value

    return seen  # type: ignore[return-value]  # it takes and gives what `get` does


def watched_column(name: str, reading: object, read: Function) -> Function:
    """`read`, which reports where somebody watches."""
    watch = _WATCH.get()
    if watch is None:
        return read

    def seen(documents: object, issues: object) -> object:
        with watch.column(name, reading) as column:
            column.value = read(documents, issues)
            return column.value

    return seen  # type: ignore[return-value]  # it takes and gives what `read` does
