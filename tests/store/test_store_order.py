"""Promise 3: within an account, order of `_seq` is order of commit, so a reader that follows it overlooks nothing."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack

from store_made import AT, THINGS, ask, prepared, raw

from hde.store import merge
from hde.store.database import Connection, Database, transaction
from hde.store.merge import Arrival

WRITERS, BATCHES, ROWS = 4, 25, 5


def write(database: Database, account: int, writer: int) -> None:
    """Batches whose transactions stay open for a while after their rows have their numbers."""
    chance = random.Random(writer)
    with database.connection() as connection:
        for batch in range(BATCHES):
            keys = [f"{writer}-{batch}-{number}" for number in range(ROWS)]
            with transaction(connection) as cursor:
                merge.lock_account(cursor, THINGS.schema, account)
                arrivals = [Arrival(raw(THINGS, {"id": key, "v": batch}), AT) for key in keys]
                merge.merge(cursor, THINGS, account, arrivals, 1)
                time.sleep(chance.random() / 500)


def test_reader_by_seq_misses_nothing_of_many_slow_writers(
    database: Database, connection: Connection, account: int
) -> None:
    prepared(connection, THINGS)
    writers = [threading.Thread(target=write, args=(database, account, number)) for number in range(WRITERS)]
    seen: list[str] = []
    mark = 0
    with ExitStack() as stack:
        for writer in writers:
            writer.start()
            stack.callback(writer.join)
        more = True
        while more:
            more = any(writer.is_alive() for writer in writers)  # asked first, so that a last look follows the last one
            sql = "SELECT _seq, id FROM made_raw.things WHERE _account = %s AND _seq > %s ORDER BY _seq"
            found = ask(connection, sql, account, mark)
            seen += [key for _, key in found]
            mark = found[-1][0] if found else mark
    assert len(seen) == len(set(seen)) == WRITERS * BATCHES * ROWS
