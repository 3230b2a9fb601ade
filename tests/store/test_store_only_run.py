"""One command at a time for each account; who comes second is told by whom and since when it is held."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import pytest

from hde.errors import Busy, Stopped
from hde.store.database import Connection, Database
from hde.store.journal import Account
from hde.store.only_run import only_run

SOMEONE = Account(1, "made", "someone", {})
HELD = r"made someone is being read by hde remap, process {} on \S+, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def test_a_second_run_of_an_account_is_refused_while_the_first_lasts(database: Database) -> None:
    other = Account(2, "made", "someone else", {})
    with only_run(database, SOMEONE, "remap"), only_run(database, other), pytest.raises(Busy) as refused:
        only_run(database, SOMEONE).__enter__()
    assert re.match(HELD.format(os.getpid()), str(refused.value))
    assert refused.value.exit_code == 5
    with only_run(database, SOMEONE):
        pass


def test_a_run_that_waits_begins_when_the_first_has_ended(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def second() -> None:
        with only_run(database, SOMEONE, wait_until=threading.Event()):
            order.append("second")

    thread = threading.Thread(target=second)
    with only_run(database, SOMEONE, "remap"):
        thread.start()
        while "waiting for it to end" not in caplog.text:
            assert thread.is_alive()
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert re.search(HELD.format(os.getpid()), caplog.text)


def test_waiting_can_be_stopped(database: Database) -> None:
    stop = threading.Event()
    stop.set()
    with only_run(database, SOMEONE), pytest.raises(Stopped, match="made someone is being read"):
        only_run(database, SOMEONE, wait_until=stop).__enter__()


def test_a_killed_run_stands_in_nobodys_way(database: Database, connection: Connection, account: int) -> None:
    code = """
import sys
from hde.store.database import Database
from hde.store.journal import Account
from hde.store.only_run import only_run
with only_run(Database(sys.argv[1]), Account(1, "made", "someone", {})):
    print("held", flush=True)
    sys.stdin.read()
"""
    pipe = subprocess.PIPE
    held = subprocess.Popen([sys.executable, "-c", code, database.conninfo], stdin=pipe, stdout=pipe, text=True)
    assert held.stdout
    assert held.stdout.readline() == "held\n"
    with pytest.raises(Busy, match=f"process {held.pid} on"), only_run(database, SOMEONE):
        pass
    held.kill()
    held.communicate()
    connection.autocommit = True
    while connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() != (0,):
        pass
    with only_run(database, SOMEONE):
        pass
