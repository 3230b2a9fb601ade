"""Going on where the database went away under a run, or gave way to another transaction.

Nothing in memory is trusted after that: the run begins again, from what is stored, exactly as the next one would. So a
batch is repeated whole, and one whose commit was answered by nobody is either found stored or owed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hde.errors import Busy, DatabaseAway, DatabaseInterrupted
from hde.steps.report import Report
from hde.steps.settings import patience

MOST = 5
_log = logging.getLogger(__name__)


def again(attempt: Callable[[threading.Event], None], stop: threading.Event, report: Report) -> None:
    """Call `attempt` with a stop sign of its own, up to five times more where the database was lost in the midst."""
    pause, most = patience().first, patience().most
    for left in range(MOST, -1, -1):
        with _until_stopped(stop) as own:
            try:
                attempt(own)
                return
            except (DatabaseAway, Busy) as error:
                # A database that was never there is not waited for; after a loss it may take a while to be there again,
                # and to notice that the connection which holds the account is dead.
                if not isinstance(error, DatabaseInterrupted) and left == MOST:
                    raise
                if not left or stop.is_set():
                    raise
                _log.warning("%s\nGoing on from what is stored, in %g seconds", str(error).partition("\n")[0], pause)
        stop.wait(pause)
        pause = min(2 * pause, most)
        report.begin_again()


@contextmanager
def _until_stopped(stop: threading.Event) -> Iterator[threading.Event]:
    """A stop sign that is set with `stop`, and when the block ends: readers that are left see that they are late."""
    own = threading.Event()
    if stop.is_set():
        own.set()

    def follow() -> None:
        while not own.is_set():
            if stop.wait(0.2):
                own.set()

    threading.Thread(target=follow, name="stop sign", daemon=True).start()
    try:
        yield own
    finally:
        own.set()
