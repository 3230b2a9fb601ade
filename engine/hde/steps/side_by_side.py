"""Reading several windows at once, and handing their pages over in the order in which the answers arrived.

That order is what makes storing right: an answer received earlier never overwrites one received later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from hde.errors import HdeError, Stopped

Task = TypeVar("Task")
Page = TypeVar("Page")

ROWS_AHEAD = 4_000
"""Readers pause when so many rows wait to be stored; with one page a reader beyond it, memory is bounded."""


@dataclass(frozen=True)
class Arrived(Generic[Task, Page]):
    """A page of a task, or the error that ended the task."""

    task: Task
    page: Page | None = None
    error: HdeError | None = None
    weight: int = 0


class Readers(Generic[Task, Page]):
    """Threads that read tasks. `read(task, arrived)` yields a task's pages; it must call `arrived()` once a page, the
    moment its answer is complete, and `number(page)` must give back what `arrived()` gave for it.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        read: Callable[[Task, Callable[[], int]], Iterator[Page]],
        *,
        number: Callable[[Page], int],
        weight: Callable[[Page], int],
        parallel: int,
        stop: threading.Event,
    ) -> None:
        self._tasks = iter(tasks)
        self._read, self._number, self._weight = read, number, weight
        self._stop = stop
        self._turn = threading.Condition()
        self._given = 0
        self._next = 0
        self._waiting: dict[int, Arrived[Task, Page] | None] = {}
        self._rows_waiting = 0
        self._crash: BaseException | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(max(1, parallel))]
        self._alive = len(self._threads)
        for thread in self._threads:
            thread.start()

    def take(self, most: int) -> list[Arrived[Task, Page]]:
        """The next arrivals in order: at least one, at most about `most` rows. Empty: every task has ended."""
        while not (taken := self._next_in_order(most)):
            with self._turn:
                # a bound on the wait lets Ctrl-C through on systems where waiting for a lock does not
                self._turn.wait_for(lambda: self._next in self._waiting or not self._alive or self._crash, timeout=0.5)
                if self._crash:
                    raise self._crash
                if not self._alive and not self._waiting:
                    return []
        return taken

    def _next_in_order(self, most: int) -> list[Arrived[Task, Page]]:
        taken: list[Arrived[Task, Page]] = []
        rows = 0
        with self._turn:
            while self._next in self._waiting and (not taken or rows < most):
                arrival = self._waiting.pop(self._next)
                self._next += 1
                if arrival:
                    taken.append(arrival)
                    rows += arrival.weight
            self._rows_waiting -= rows
            self._turn.notify_all()
        return taken

    def close(self) -> None:
        """Stop what still reads and wait for it. The stop sign is left alone where everything had ended by itself."""
        with self._turn:
            if self._alive:
                self._stop.set()
            self._rows_waiting = -(1 << 60)
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                with self._turn:
                    task = next(self._tasks, None)
                if task is None:
                    break
                self._read_task(task)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that takes
            with self._turn:
                self._crash = error
        finally:
            with self._turn:
                self._alive -= 1
                self._turn.notify_all()

    def _read_task(self, task: Task) -> None:
        pending: list[int] = []
        try:
            for page in self._read(task, lambda: self._arrive(pending)):
                number = self._number(page)
                pending.remove(number)
                self._put(number, Arrived(task, page=page, weight=self._weight(page)))
                if not self._wait_for_room():
                    raise Stopped("stopped")
        except HdeError as error:
            number = pending.pop(0) if pending else self._arrive([])
            self._put(number, Arrived(task, error=error))
        finally:
            for number in pending:
                self._put(number, None)

    def _arrive(self, pending: list[int]) -> int:
        with self._turn:
            number = self._given
            self._given += 1
        pending.append(number)
        return number

    def _put(self, number: int, arrival: Arrived[Task, Page] | None) -> None:
        with self._turn:
            self._waiting[number] = arrival
            self._rows_waiting += arrival.weight if arrival else 0
            self._turn.notify_all()

    def _wait_for_room(self) -> bool:
        with self._turn:
            self._turn.wait_for(lambda: self._rows_waiting < ROWS_AHEAD or self._stop.is_set())
        return not self._stop.is_set()
