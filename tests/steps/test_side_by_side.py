"""Readers side by side: handed over in order of arrival, bounded ahead, an error ends its own task only."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hde.errors import Stopped, Unreachable, Unreadable
from hde.steps import side_by_side
from hde.steps.side_by_side import Arrived, Readers

Read = Callable[[str, Callable[[], int]], Iterator["Page"]]


class Page(NamedTuple):
    ordinal: int
    task: str
    weight: int = 1
    index: int = 0


def readers(tasks: list[str], read: Read, parallel: int = 4, stop: threading.Event | None = None) -> Readers[str, Page]:
    return Readers(
        tasks,
        read,
        number=lambda page: page.ordinal,
        weight=lambda page: page.weight,
        parallel=parallel,
        stop=stop or threading.Event(),
    )


def everything(side: Readers[str, Page], most: int = 100) -> list[Arrived[str, Page]]:
    found: list[Arrived[str, Page]] = []
    try:
        while taken := side.take(most):
            found += taken
    finally:
        side.close()
    return found


@settings(max_examples=25, deadline=None)
@given(
    pages=st.lists(st.integers(0, 6), max_size=8),
    fails=st.sets(st.integers(0, 7)),
    parallel=st.integers(1, 6),
    most=st.integers(1, 20),
    seed=st.integers(0, 1000),
)
def test_what_arrives_is_handed_over_once_in_order_of_arrival(
    pages: list[int], fails: set[int], parallel: int, most: int, seed: int
) -> None:
    chance = random.Random(seed)
    order: list[tuple[str, int]] = []
    lock = threading.Lock()

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        for index in range(pages[int(task)]):
            time.sleep(chance.random() / 2000)
            with lock:  # arriving and noting it are one, as receiving an answer is
                number = arrived()
                order.append((task, index))
            time.sleep(chance.random() / 2000)
            yield Page(number, task, index=index)
        if int(task) in fails:
            raise Unreachable("no answer")

    found = everything(readers([str(number) for number in range(len(pages))], read, parallel), most)

    assert [(arrival.task, arrival.page.index) for arrival in found if arrival.page] == order
    assert sorted(int(arrival.task) for arrival in found if arrival.error) == sorted(fails & set(range(len(pages))))
    for task in {arrival.task for arrival in found}:  # an error is the last that is heard of a task
        mine = [arrival for arrival in found if arrival.task == task]
        assert all(first.error is None for first, _ in pairwise(mine))


def test_an_error_after_an_answer_keeps_that_answers_place() -> None:
    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        number = arrived()
        if task == "broken":
            raise Unreadable("not JSON")
        yield Page(number, task)

    found = everything(readers(["broken", "fine"], read, parallel=1))
    assert [(arrival.task, str(arrival.error or "")) for arrival in found] == [("broken", "not JSON"), ("fine", "")]


def test_readers_run_ahead_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "ROWS_AHEAD", 100)
    read_so_far = 0

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        nonlocal read_so_far
        for _ in range(100):
            read_so_far += 10
            yield Page(arrived(), task, weight=10)

    side = readers(["a", "b", "c"], read, parallel=3)
    taken, furthest = 0, 0
    while arrivals := side.take(50):
        taken += sum(arrival.weight for arrival in arrivals)
        time.sleep(0.001)
        furthest = max(furthest, read_so_far - taken)
    side.close()
    assert taken == 3000
    assert furthest <= 100 + 3 * 20  # and a page or two in the hands of each reader


def test_what_is_taken_at_once_is_bounded() -> None:
    ready = threading.Event()

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        for _ in range(20):
            yield Page(arrived(), task, weight=10)
        ready.set()

    side = readers(["a"], read)
    ready.wait(5)
    assert [sum(arrival.weight for arrival in side.take(35)) for _ in range(3)] == [40, 40, 40]
    side.close()


def test_a_crash_reaches_who_takes_and_ends_the_others() -> None:
    stop = threading.Event()

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        if task == "crash":
            raise ZeroDivisionError
        while not stop.is_set():
            yield Page(arrived(), task)

    side = readers(["fine", "crash"], read, stop=stop)
    with pytest.raises(ZeroDivisionError):
        everything(side)
    assert stop.is_set()
    assert all(not thread.is_alive() for thread in side._threads)


def test_a_stop_ends_what_is_being_read_and_begins_nothing_more() -> None:
    stop, begun = threading.Event(), []

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        begun.append(task)
        yield Page(arrived(), task)
        stop.set()
        yield Page(arrived(), task)
        raise AssertionError("read on after the stop")

    found = everything(readers(["a", "b", "c"], read, parallel=1, stop=stop))
    assert begun == ["a"]
    assert len([arrival for arrival in found if arrival.page]) == 2, "what was received is handed over"
    assert isinstance(found[-1].error, Stopped)


def test_everything_read_leaves_the_stop_sign_alone() -> None:
    stop = threading.Event()

    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        yield Page(arrived(), task)

    assert len(everything(readers(["a", "b"], read, stop=stop))) == 2
    assert not stop.is_set(), "whoever sees it set believes that somebody asked to stop"


def test_no_task_at_all_is_the_end() -> None:
    def read(task: str, arrived: Callable[[], int]) -> Iterator[Page]:
        raise AssertionError

    assert everything(readers([], read)) == []
