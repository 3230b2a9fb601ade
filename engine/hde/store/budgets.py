"""Requests counted ahead against the source's limits, shared through the database by all who share an app.

A limit of N per period is kept over any stretch of that length: time is cut into slots, and the slots that a stretch
may touch are summed. One that is aligned to the clock has one slot, its period in UTC.
A process takes a few requests at once, to be used within one slot, and gives back what it did
not use: else a slow sender would be counted as a fast one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from hde.store.database import Connection, lock_number, values_hidden

SLOTS = 60
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Limit:
    requests: int
    seconds: int
    aligned: bool = False
    """Each full period of the clock (UTC) begins anew."""
    account: str = ""
    """Whose limit it is; empty: the app's."""

    @property
    def slot_seconds(self) -> float:
        return self.seconds if self.aligned else self.seconds / SLOTS

    def scope(self, app: str) -> str:
        """What it is counted under."""
        return f"{app}{'/' if self.account else ''}{self.account}{'@clock' if self.aligned else ''}"


class SharedBudget:
    """The limits of one app. `reserve` and `wait` may be called from any thread.

    The connection must be in autocommit mode and used by nobody else.
    """

    def __init__(self, connection: Connection, scope: str, limits: Sequence[Limit]) -> None:
        self._connection = connection
        self._scope = scope
        self._limits = _strictest(limits)
        self._mutex = threading.Lock()
        self._held = 0
        self._held_since = 0.0
        self._held_until = 0.0
        shortest = min((limit.slot_seconds for limit in limits), default=1.0)
        self._lease = min(shortest, 1.0)

    def reserve(self) -> float:
        """0.0: one request is counted and may go out at once. Else: seconds to wait before asking again."""
        with self._mutex:
            if self._held and time.time() < self._held_until:
                self._held -= 1
                return 0.0
            with values_hidden(), self._connection.transaction(), self._connection.cursor() as cursor:
                return self._take(cursor)

    def wait(self, seconds: float) -> None:
        """The source said wait: nobody who shares this budget takes requests before then.

        What another process has taken already it may still send: for the length of a lease, a second at most.
        """
        with self._mutex, values_hidden():
            self._held_until = 0.0
            self._connection.execute(
                "DELETE FROM meta.budgets WHERE scope = %s AND seconds = 0 AND slot < %s",
                (self._scope, round(time.time() * 1000)),
            )
            self._connection.execute(
                "INSERT INTO meta.budgets (scope, seconds, slot, spent) VALUES (%s, 0, %s, 0) ON CONFLICT DO NOTHING",
                (self._scope, round((time.time() + seconds) * 1000)),
            )

    def _take(self, cursor: psycopg.Cursor[Any]) -> float:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (lock_number(f"budget:{self._scope}"),))
        if self._held:
            self._give_back(cursor)
        now = time.time()
        blocked = self._blocked_until(cursor) - now
        if blocked > 0:
            return blocked
        room = MOST_AT_ONCE
        for limit in self._limits:
            left, wait = self._room(cursor, limit, now)
            if left < 1:
                return wait
            room = min(room, left, max(1, limit.requests // 20))
        for limit in self._limits:
            cursor.execute(
                "INSERT INTO meta.budgets AS b (scope, seconds, slot, spent) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (scope, seconds, slot) DO UPDATE SET spent = b.spent + EXCLUDED.spent",
                (limit.scope(self._scope), limit.seconds, int(now / limit.slot_seconds), room),
            )
        self._held = room - 1
        self._held_since = now
        self._held_until = min([now + self._lease, *(_period_end(limit, now) for limit in self._limits)])
        return 0.0

    def _give_back(self, cursor: psycopg.Cursor[Any]) -> None:
        for limit in self._limits:
            cursor.execute(
                "UPDATE meta.budgets SET spent = spent - %s WHERE scope = %s AND seconds = %s AND slot = %s",
                (self._held, limit.scope(self._scope), limit.seconds, int(self._held_since / limit.slot_seconds)),
            )
        self._held = 0

    def _blocked_until(self, cursor: psycopg.Cursor[Any]) -> float:
        cursor.execute("SELECT max(slot) FROM meta.budgets WHERE scope = %s AND seconds = 0", (self._scope,))
        row = cursor.fetchone()
        return row[0] / 1000 if row and row[0] else 0.0

    def _room(self, cursor: psycopg.Cursor[Any], limit: Limit, now: float) -> tuple[int, float]:
        """Requests left, and seconds until the oldest counted slot is out of reach.

        A lease may be used up to one slot on; on the clock it ends with its period.
        """
        reach = 0 if limit.aligned else SLOTS + 1
        oldest = int(now / limit.slot_seconds) - reach
        where = (limit.scope(self._scope), limit.seconds)
        cursor.execute("DELETE FROM meta.budgets WHERE scope = %s AND seconds = %s AND slot < %s", (*where, oldest))
        cursor.execute(
            "SELECT COALESCE(sum(spent), 0), min(slot) FROM meta.budgets WHERE scope = %s AND seconds = %s", where
        )
        row = cursor.fetchone()
        spent, first = row if row else (0, None)
        wait = 0.0 if first is None else (first + reach + 1) * limit.slot_seconds - now
        return limit.requests - int(spent), max(wait, 0.05)


def _period_end(limit: Limit, now: float) -> float:
    """When what is counted for `limit` now stops counting: never too early for one that is kept over any stretch."""
    return (now // limit.seconds + 1) * limit.seconds if limit.aligned else float("inf")


def _strictest(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """One of each sort and period; counted under its period, a limit that is declared twice would count twice."""
    found: dict[tuple[int, bool, str], Limit] = {}
    for limit in limits:
        sort = (limit.seconds, limit.aligned, limit.account)
        if sort not in found or limit.requests < found[sort].requests:
            found[sort] = limit
    return tuple(found.values())
