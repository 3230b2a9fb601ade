"""Preparing the next thing in a thread while the last one is being used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

T = TypeVar("T")


def one_ahead(prepare: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
    """The items of `prepare()`, each prepared while the one before it is in use. Its errors are raised here.

    Close it: only then has the thread ended that works ahead.
    """
    items: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=1)
    done = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in prepare():
                if not _put(items, (item, None), done):
                    return
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that takes
            error = raised
        _put(items, (None, error), done)

    thread = threading.Thread(target=work, name="preparing", daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        done.set()
        thread.join()


def _put(items: queue.Queue[T], item: T, done: threading.Event) -> bool:
    while not done.is_set():
        try:
            items.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
