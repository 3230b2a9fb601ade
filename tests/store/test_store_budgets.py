"""Limits of requests are kept over any stretch of their length, whoever shares them."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
from store_made import ask

from hde.store import budgets
from hde.store.budgets import Limit, SharedBudget
from hde.store.database import Connection, Database


class Clock:
    """Time that only passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(budgets, "time", clock)
    return clock


@pytest.fixture
def stack(database: Database) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def budget(stack: ExitStack, database: Database, *limits: Limit, scope: str = "made/app") -> SharedBudget:
    """As a process of its own would have it."""
    return SharedBudget(stack.enter_context(database.connection(autocommit=True)), scope, limits)


def most_in_any(times: Sequence[float], seconds: float) -> int:
    return max(bisect_left(times, at + seconds) - index for index, at in enumerate(times))


LIMITS = [
    (Limit(10, 60),),
    (Limit(1, 1),),
    (Limit(100, 60), Limit(250, 3600)),
    (Limit(7, 1), Limit(30, 10), Limit(100, 60)),
    (Limit(1000, 60),),
]


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("processes", [1, 3])
def test_never_more_than_the_limit_in_any_stretch_of_its_length(
    database: Database, stack: ExitStack, clock: Clock, limits: tuple[Limit, ...], processes: int
) -> None:
    chance = random.Random(processes)
    everybody = [budget(stack, database, *limits) for _ in range(processes)]
    sent: list[float] = []
    ends = clock.now + 4 * min(limit.seconds for limit in limits)
    while clock.now < ends and len(sent) < 1500:
        wait = chance.choice(everybody).reserve()
        if wait:
            clock.now += wait if chance.random() < 0.5 else wait * chance.random()
        else:
            sent.append(clock.now)
            clock.now += chance.choice([0, 0, 0.001, 0.05, limits[0].seconds / 100])
    for limit in limits:
        assert most_in_any(sent, limit.seconds) <= limit.requests


@pytest.mark.parametrize("pause", [0.4, 0.7, 1.5])
def test_whoever_stays_below_the_limit_never_waits(
    database: Database, stack: ExitStack, clock: Clock, pause: float
) -> None:
    one, other = (budget(stack, database, Limit(200, 60), Limit(100_000, 86_400)) for _ in range(2))
    for _ in range(180):
        assert one.reserve() == other.reserve() == 0
        clock.now += max(pause, 2 * 62 / 180)


def test_what_is_told_to_wait_for_is_enough(database: Database, stack: ExitStack, clock: Clock) -> None:
    one = budget(stack, database, Limit(20, 60))
    for _ in range(20):
        assert one.reserve() == 0
    wait = one.reserve()
    assert 60 <= wait < 63
    clock.now += wait
    assert one.reserve() == 0


def test_processes_share_what_is_left_and_other_apps_do_not(database: Database, stack: ExitStack, clock: Clock) -> None:
    one, other = (budget(stack, database, Limit(3, 60)) for _ in range(2))
    apart = budget(stack, database, Limit(3, 60), scope="made/another app")
    assert [one.reserve(), other.reserve(), one.reserve()] == [0, 0, 0]
    assert one.reserve() > 0
    assert other.reserve() > 0
    assert apart.reserve() == 0


def test_told_to_wait_everybody_waits(database: Database, stack: ExitStack, clock: Clock) -> None:
    one, other = (budget(stack, database, Limit(1000, 60)) for _ in range(2))
    assert one.reserve() == 0
    one.wait(30)
    one.wait(10)
    for waiting in (one, other):
        assert waiting.reserve() == pytest.approx(30, abs=0.01)
    clock.now += 30.01
    assert one.reserve() == other.reserve() == 0
    one.wait(5)
    assert ask_blocks(database) == 1


def ask_blocks(database: Database) -> int:
    with database.connection() as connection:
        return int(ask(connection, "SELECT count(*) FROM meta.budgets WHERE seconds = 0")[0])


def test_what_another_process_has_leased_lasts_no_longer_than_a_second(
    database: Database, stack: ExitStack, clock: Clock
) -> None:
    one, other = (budget(stack, database, Limit(10_000, 86_400)) for _ in range(2))
    assert other.reserve() == 0
    one.wait(60)
    clock.now += 1.0
    assert other.reserve() > 58


def test_a_limit_declared_twice_counts_once_and_the_stricter_holds(
    database: Database, stack: ExitStack, clock: Clock
) -> None:
    one = budget(stack, database, Limit(100, 60), Limit(10, 60))
    assert [one.reserve() for _ in range(10)] == [0] * 10
    assert one.reserve() > 0


def test_without_limits_only_waiting_counts(database: Database, stack: ExitStack, clock: Clock) -> None:
    one = budget(stack, database)
    assert {one.reserve() for _ in range(200)} == {0}
    one.wait(3)
    assert one.reserve() == pytest.approx(3, abs=0.01)


def test_threads_share_one_budget(database: Database, stack: ExitStack, clock: Clock) -> None:
    one, other = (budget(stack, database, Limit(40, 3600)) for _ in range(2))
    granted: list[float] = []

    def work(of: SharedBudget) -> None:
        granted.extend(of.reserve() for _ in range(20))

    threads = [threading.Thread(target=work, args=(of,)) for of in (one, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 160
    assert granted.count(0) == 40


def test_counts_of_the_past_do_not_pile_up(
    database: Database, connection: Connection, stack: ExitStack, clock: Clock
) -> None:
    one = budget(stack, database, Limit(1000, 60))
    for _ in range(300):
        assert one.reserve() == 0
        clock.now += 1.5
    assert ask(connection, "SELECT count(*) FROM meta.budgets")[0] <= budgets.SLOTS + 2


def test_a_limit_on_the_clock_begins_anew_with_each_period(stack: ExitStack, database: Database, clock: Clock) -> None:
    by_the_clock = budget(stack, database, Limit(5, 60, aligned=True))
    clock.now += 50  # ten seconds before the next minute
    assert [by_the_clock.reserve() for _ in range(5)] == [0.0] * 5
    assert by_the_clock.reserve() == pytest.approx(10)
    clock.now += 10
    assert [by_the_clock.reserve() for _ in range(5)] == [0.0] * 5
    assert by_the_clock.reserve() == pytest.approx(60)


def test_what_was_taken_of_one_period_of_the_clock_is_not_used_in_the_next(
    stack: ExitStack, database: Database, clock: Clock
) -> None:
    first, second = (budget(stack, database, Limit(200, 60, aligned=True)) for _ in range(2))
    clock.now += 59.9
    assert first.reserve() == 0.0, "takes several at once"
    clock.now += 0.2
    sent = sum(one.reserve() == 0.0 for one in (first, second) for _ in range(300))
    assert sent == 200


def test_a_limit_of_an_account_is_its_own(stack: ExitStack, database: Database, clock: Clock) -> None:
    one, other = (budget(stack, database, Limit(3, 60, account=name), Limit(5, 60)) for name in ("one", "other"))
    assert sum(one.reserve() == 0.0 for _ in range(9)) == 3
    assert sum(other.reserve() == 0.0 for _ in range(9)) == 2, "the app's limit is shared"
