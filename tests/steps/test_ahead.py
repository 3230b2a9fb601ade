"""Preparing one thing ahead: in order, no further than one, errors raised where the items are used, no thread left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from hde.steps.ahead import one_ahead


def test_items_come_in_order_and_all_of_them() -> None:
    assert list(one_ahead(lambda: iter(range(100)))) == list(range(100))
    assert list(one_ahead(lambda: iter(()))) == []


def test_only_one_waits_while_another_is_prepared() -> None:
    begun: list[int] = []

    def prepare() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    with closing(one_ahead(prepare)) as items:
        assert next(items) == 0
        assert max(begun) <= 3


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def prepare() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = one_ahead(prepare)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_closing_early_ends_the_thread() -> None:
    before = threading.active_count()
    with closing(one_ahead(lambda: iter(range(1000)))) as items:
        next(items)
    assert threading.active_count() == before
