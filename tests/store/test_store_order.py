"""Promise 3: within an account, order of `_seq` is order of commit, so a reader that follows it overlooks nothing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from store_made import AT, THINGS, ask, prepared, raw

from hde.canonical import TABLES
from hde.store import canonical, consumers, merge
from hde.store.canonical import Lineage
from hde.store.consumers import Reader
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


EIGHT = 8
READER = Reader("made/things", "v1", THINGS, (), ("workouts",))
LINEAGE = Lineage(0, READER.mapping, "v1", "made", "made_raw.things", 1, AT)


def rewrite(database: Database, account: int, writer: int) -> None:
    """Batches of records that all writers share, in an order of this writer's own."""
    chance = random.Random(writer)
    with database.connection() as connection:
        for batch in range(12):
            records = [{"id": f"{number}", "v": 100 * writer + batch} for number in chance.sample(range(40), 10)]
            records.append({"id": f"{writer}-{batch}", "v": 0})
            with transaction(connection) as cursor:
                merge.lock_account(cursor, THINGS.schema, account)
                merge.merge(cursor, THINGS, account, [Arrival(raw(THINGS, record), AT) for record in records], 1)
                time.sleep(chance.random() / 500)


def workout(text: str) -> canonical.Values:
    known = {"start_time": AT, "source_sport": text}
    return tuple(known.get(column.name) for column in TABLES["workouts"].columns)


def map_until_told(database: Database, account: int, done: threading.Event) -> int:
    """How many records were mapped here. Other mappers of the same mapping are at work."""
    with database.connection() as connection:
        return sum(_mapped(connection, account, done))


def _mapped(connection: Connection, account: int, done: threading.Event) -> Iterator[int]:
    is_last = False
    while True:
        with transaction(connection) as cursor:
            state = consumers.state(cursor, READER, account, lock=True)
            batch = consumers.next_batch(cursor, READER, account, state)
            if batch:
                rows = {one.key: {"": workout(one.payload)} for one in batch.due}
                canonical.write(cursor, "workouts", replace(LINEAGE, account=account), rows)
                consumers.move(cursor, READER, account, batch.raw_table, batch.seq)
        if batch:
            yield len(batch.due)
        elif is_last:
            return
        is_last = done.is_set()


def test_eight_writers_and_eight_mappers_at_once_lose_nothing(
    database: Database, connection: Connection, account: int
) -> None:
    prepared(connection, THINGS)
    done = threading.Event()
    with ThreadPoolExecutor(2 * EIGHT) as pool:
        mappers = [pool.submit(map_until_told, database, account, done) for _ in range(EIGHT)]
        writers = [pool.submit(rewrite, database, account, number) for number in range(EIGHT)]
        try:
            for writer in writers:
                writer.result(60)
        finally:
            done.set()
        mapped = sum(mapper.result(60) for mapper in mappers)
    changes = ask(connection, "SELECT count(*) FROM made_raw.things_history")[0]
    (count,) = ask(connection, "SELECT count(*) FROM made_raw.things")
    assert count == 40 + 12 * EIGHT
    assert count <= mapped <= count + changes, "each version at most once"
    differing = ask(
        connection,
        "SELECT count(*) FROM made_raw.things r FULL JOIN canonical.workouts c ON c.raw_source_id = r.id"
        " WHERE c.source_sport IS DISTINCT FROM r.payload::text",
    )
    assert differing == [0], "what is stored last is what is mapped"
