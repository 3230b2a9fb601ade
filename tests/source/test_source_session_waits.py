"""What is tried again, how long it is waited for, and what ends a wait."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from source_made import Reply, request

from hde.errors import Refused, Stopped, Unreachable
from hde.source.budget import Turns, next_period
from hde.source.session import Patience
from hde.spec.connector import RateLimit
from hde.spec.template import compile_template


@pytest.mark.parametrize("status", [408, 500, 502, 503, 599])
def test_what_may_pass_is_tried_again(source, open_session, status):
    source.in_turn(Reply(status=status), Reply(status=status), {"ok": 1})
    answer = open_session().answer(request(), {})
    assert (answer.outcome, answer.requests) == ("read", 3)


def test_a_failure_that_says_when_to_come_back_is_waited_for(source, open_session):
    budget = Counting()
    source.in_turn(*[Reply(status=503, headers={"Retry-After": "0"})] * 4, {"ok": 1})
    assert open_session(budget=budget).answer(request(), {}).outcome == "read"
    assert len(budget.waits) == 4


def test_what_does_not_pass_ends_after_the_last_try(source, open_session):
    source.in_turn(Reply(status=500))
    with pytest.raises(Refused, match="after 3 tries") as caught:
        open_session().answer(request(), {})
    assert (caught.value.status, len(source.seen)) == (500, 3)


@pytest.mark.parametrize("broken", [Reply(hang_up=True), Reply({"a": "x" * 500}, cut_at=100)])
def test_a_broken_connection_is_tried_again(source, open_session, broken):
    source.in_turn(broken, {"ok": 1})
    assert open_session().answer(request(), {}).body == b'{"ok":1}'


def test_no_answer_at_all_is_unreachable(source, open_session):
    source.in_turn(Reply(hang_up=True))
    with pytest.raises(Unreachable, match="3 tries"):
        open_session().answer(request(), {})


class Counting:
    def __init__(self) -> None:
        self.reserved = 0
        self.waits: list[float] = []
        self.first = 0.01

    def reserve(self) -> float:
        self.reserved += 1
        return self.first if self.reserved == 1 else 0.0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def test_every_request_is_counted_and_a_wait_is_told_to_all(source, open_session):
    budget = Counting()
    source.in_turn(Reply(status=429, headers={"Retry-After": "0.03"}), Reply(status=503), {"ok": 1})
    open_session(budget=budget).answer(request(), {})
    assert budget.reserved == 4  # the first reservation said: later
    assert budget.waits == [pytest.approx(0.03)]


def test_waits_without_end_are_refused(source, open_session):
    source.in_turn(Reply(status=429))
    with pytest.raises(Refused, match="still asks to wait") as caught:
        open_session().answer(request(), {})
    assert (caught.value.status, len(source.seen)) == (429, 5)


@pytest.mark.parametrize("reply", [Reply(status=429, headers={"Retry-After": "600"}), Reply(status=500)])
def test_stopping_ends_a_wait(source, open_session, stop, reply):
    source.in_turn(reply)
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        open_session(patience=Patience(first=60, tries=9)).answer(request(), {})


def test_stopping_cuts_an_answer_that_does_not_come(source, open_session, stop):
    hold = threading.Event()
    source.in_turn(Reply({}, hold=hold))
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        open_session().answer(request(), {})
    hold.set()


class Spent:
    """A limit that is used up: says how long to wait, one after the other, then lets all go."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)

    def reserve(self) -> float:
        return self.seconds.pop(0) if self.seconds else 0.0

    def wait(self, seconds: float) -> None: ...


DAY = {"rate_limits": (RateLimit(compile_template("{{ settings.rate }}"), timedelta(days=1)),)}


@pytest.mark.parametrize("seconds", [[9000.0], [0.02] * 9])
def test_a_limit_that_is_used_up_for_long_is_said_and_what_is_owed_stays_owed(source, open_session, seconds):
    session = open_session(
        budget=Spent(*seconds), settings={"rate": "10000"}, http=DAY, patience=Patience(all_waits=0.1)
    )
    with pytest.raises(Refused, match=r"(?s)limit of 10000 a day is used up.*stays owed.*run again after .* UTC"):
        session.answer(request(), {})
    assert source.seen == []


def test_the_sources_own_waits_count_towards_the_same_bound(source, open_session):
    source.in_turn(Reply(status=429, headers={"Retry-After": "0.05"}), {"ok": 1})
    with pytest.raises(Refused, match="used up"):
        open_session(budget=Spent(0.0, 0.06), patience=Patience(first=0.01, all_waits=0.1)).answer(request(), {})


def test_waits_are_told_to_the_log_and_long_ones_to_everybody_once(caplog):
    caplog.set_level(logging.INFO, logger="hde")
    turns = Turns(Spent(0.5, 11.0, 12.0, 100.0), Patience(), "demo", "10 a minute", pause=lambda seconds: None)
    assert turns.wait(1.0) == 124.5
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "demo: waiting 1 s: the limit of 10 a minute is used up"),
        ("WARNING", "demo: waiting 11 s: the limit of 10 a minute is used up"),
        ("INFO", "demo: waiting 12 s: the limit of 10 a minute is used up"),
        ("WARNING", "demo: waiting 100 s: the limit of 10 a minute is used up"),
    ]


def test_a_wait_the_source_asks_for_is_told_too(source, open_session, stop, caplog):
    source.in_turn(Reply(status=429, headers={"Retry-After": "600"}))
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(Stopped):
        open_session(patience=Patience()).answer(request(), {})
    assert "demo: waiting 600 s: the source answers 429" in caplog.text


def test_stopping_ends_a_wait_for_the_limit(open_session, stop):
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        open_session(budget=Spent(600.0), patience=Patience()).answer(request(), {})


def test_a_source_that_counts_by_the_clock_is_asked_again_when_it_has_struck() -> None:
    now = datetime.now(UTC).timestamp()
    assert next_period([timedelta(hours=1), timedelta(days=1)]) == pytest.approx(3600 - now % 3600, abs=2)
    assert next_period([]) is None
