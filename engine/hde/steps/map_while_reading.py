"""Mapping beside the reading: a thread that maps what has been committed while more is being fetched and stored.

Order of `_seq` is order of commit, so it may run at any time and overlooks nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from hde.steps.map_raw import Mapper, Told, begin, map_batch
from hde.store.database import Connection, Database, repeated, transaction

PAUSE = 0.2  # seconds between two looks, so that batches are worth their transaction


@contextmanager
def mapping_beside(database: Database, mappers: Sequence[Mapper], told: Told) -> Iterator[None]:
    """Map while the block runs. What it leaves due is mapped by the pass that follows."""
    ended = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        if ended.wait(PAUSE):
            return  # where little is new, reading is over by now
        try:
            with database.connection() as connection:
                for mapper in mappers:
                    repeated(partial(begin, connection, mapper))
                while not ended.is_set():
                    for mapper in mappers:
                        _map(connection, mapper, told, ended)
                    ended.wait(PAUSE)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for this one
            failure.append(error)

    thread = threading.Thread(target=work, name="mapping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failure:
        raise failure[0]


def _map(connection: Connection, mapper: Mapper, told: Told, ended: threading.Event) -> None:
    while not ended.is_set():
        if repeated(lambda: map_batch(lambda: transaction(connection), mapper, told)) is None:
            return
