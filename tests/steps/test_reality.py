"""A PostgreSQL that goes away, gives way, refuses or is not what is needed: what is repeated, and what is said.

On the embedded 18, and on Debian's 15 where that is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import datetime

import psycopg
import pytest
from faults_made import API, everything, member, three_days_ago, undisturbed_run
from killed_made import holding
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from reality_made import (
    DEBIANS,
    PASSWORD,
    RUNNER,
    as_runner,
    at_each_batch,
    command,
    database_of_runner,
    needs_15,
    server_of,
    with_runner,
)
from run_made import ask, call, ended, ending, start
from ways_made import Cutting, Pooler, hangs_up, listening, of_version, something_else

from hde.sandbox.faults import Faults, Rule
from hde.sandbox.faults import answers as way

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
DAYS = 30
DATABASE = "of_a_runner"
OVER_TCP = {"sslmode": "disable", "gssencmode": "disable"}


@pytest.fixture(scope="module", params=["18", pytest.param("15", marks=needs_15)])
def any_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The conninfo of its superuser."""
    if request.param == "18":
        yield with_runner(request.getfixturevalue("server"))
        return
    with server_of(DEBIANS) as server:
        yield with_runner(server.conninfo)


@pytest.fixture
def url(any_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with database_of_runner(any_server, DATABASE) as url:
        monkeypatch.setenv("HDE_DATABASE_URL", url)
        yield url


@pytest.fixture(scope="module")
def when() -> datetime:
    return three_days_ago()


@pytest.fixture(scope="module")
def undisturbed(server: str, when: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    home = tmp_path_factory.mktemp("home")
    with undisturbed_run(server, home, days=DAYS, now=when, name="unreal") as url:
        yield everything(url)


def raising(code: str) -> tuple[str, ...]:
    return at_each_batch(f"RAISE EXCEPTION 'marked-value' USING ERRCODE = '{code}', DETAIL = 'marked-value'")


def set_to(**settings: str) -> tuple[str, ...]:
    return tuple(f"ALTER DATABASE {DATABASE} SET {name} = '{value}'" for name, value in settings.items())


SORT = "PERFORM count(*) FROM (SELECT n FROM generate_series(1, 100000) n ORDER BY random()) s"
REFUSED = {
    "25006-read-only": (set_to(default_transaction_read_only="on"), "it only reads"),
    "42501-not-the-owner": ((f"REVOKE ALL ON whoop_raw.sleeps FROM {RUNNER}",), "this role may not do that"),
    "53100-full-disk": (raising("53100"), "the disk is full"),
    "53400-temp-limit": ((*at_each_batch(SORT), *set_to(temp_file_limit="64kB", work_mem="64kB")), "the disk is full"),
    "53200-out-of-memory": (raising("53200"), "it has no memory left"),
    "55P03-lock-timeout": (set_to(lock_timeout="50ms"), "held a table for longer than lock_timeout"),
    "57014-statement-timeout": ((*at_each_batch("PERFORM pg_sleep(9)"), *set_to(statement_timeout="150ms")),
                                "longer than statement_timeout"),
    "40001-endless": (raising("40001"), "gave way to another transaction, again and again"),
    "40P01-endless": (raising("40P01"), "waited for each other, again and again"),
    "57P01-endless": (at_each_batch("PERFORM pg_terminate_backend(pg_backend_pid())"), "somebody ended our connection"),
    "58030-bad-disk": (raising("58030"), "its disk cannot be read or written"),
    "XX001-damaged": (raising("XX001"), "its files are damaged"),
}  # fmt: skip


def test_what_is_refused_is_said_stays_owed_and_leaves_nothing_half_written(
    url: str, any_server: str, when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with member(monkeypatch, None, days=DAYS, now=when):
        assert call("run", "whoop", "user_basic_profile").code == 0, "the tables are made"
        before = rows_of(url)
        for name, (statements, says) in REFUSED.items():
            if "endless" in name and "hde-tests" not in any_server:
                continue  # once is enough
            command(any_server, DATABASE, *statements)
            locked = holding(any_server_of(any_server), "LOCK TABLE whoop_raw.sleeps IN SHARE MODE")
            with locked if "lock" in name else nullcontext():
                found = call("run", "whoop", "sleeps")
            assert (found.code, says in found.err) == (4, True), (name, found.said)
            assert "marked-value" not in found.said
            assert len(found.err.strip().splitlines()[-2:][0]) < 300
            command(any_server, DATABASE, "DROP TRIGGER IF EXISTS happens ON whoop_raw.sleeps",
                    f"ALTER DATABASE {DATABASE} RESET ALL", f"GRANT ALL ON whoop_raw.sleeps TO {RUNNER}")  # fmt: skip
            assert rows_of(url) == before, name
            assert ask(url, "SELECT count(*) FROM meta.runs WHERE outcome = 'done'") == [1], name
        assert call("run", "whoop").code == 0
    assert everything(url) == undisturbed


def rows_of(url: str) -> dict[str, object]:
    """All but what is covered: a window without records, which nothing disturbs, may be."""
    return {what: found for what, found in everything(url).items() if what != "covered"}


def any_server_of(conninfo: str) -> str:
    return make_conninfo(conninfo, dbname=DATABASE)


def now_and_then(what: str) -> tuple[str, ...]:
    """At the first and the third batch, whichever attempt they are part of: sequences are not rolled back."""
    return at_each_batch(f"IF nextval('public.batches') IN (1, 3) THEN {what}; END IF")


PASSING = {
    "serialization": now_and_then("RAISE EXCEPTION 'x' USING ERRCODE = '40001'"),
    "deadlock": now_and_then("RAISE EXCEPTION 'x' USING ERRCODE = '40P01'"),
    "disconnect": now_and_then("PERFORM pg_terminate_backend(pg_backend_pid())"),
    "disconnect-of-the-others": now_and_then(
        "PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
        " AND pid <> pg_backend_pid() AND datname = current_database()"
    ),
}


@pytest.mark.parametrize(
    ("any_server", "what"),
    [*(("18", what) for what in PASSING), pytest.param("15", "disconnect", marks=needs_15)],
    indirect=["any_server"],
)
def test_what_passes_is_repeated_whole(
    url: str, any_server: str, what: str, when: datetime, undisturbed: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with member(monkeypatch, None, days=DAYS, now=when):
        assert call("run", "whoop", "user_basic_profile").code == 0, "the tables are made"
        command(any_server, DATABASE, *PASSING[what])
        found = call("run", "whoop", "--json")
    assert found.code == 0, found.said
    assert everything(url) == undisturbed
    assert found.of("sleeps")["new"] == ask(url, "SELECT count(*) FROM whoop_raw.sleeps")[0]
    assert ask(url, "SELECT count(*) FROM meta.runs WHERE finished_at IS NULL") == [0]


@pytest.mark.parametrize("any_server", ["18"], indirect=True)
def test_a_mapping_that_gives_way_is_repeated_batch_by_batch(
    url: str, any_server: str, when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with member(monkeypatch, None, days=DAYS, now=when):
        assert call("run", "whoop", "--raw-only").code == 0
    often = "IF nextval('public.batches') IN (1, 2, 4) THEN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END IF"
    command(any_server, DATABASE, *at_each_batch(often, "canonical.sleep_sessions"))
    monkeypatch.setattr("hde.store.database._PAUSES", (0.01,) * 4)
    found = call("remap", "whoop")
    assert found.code == 0, found.said
    assert everything(url) == undisturbed


CUTS = [((), (7,)), ((9,), ()), ((6,), (12, 20))]


@pytest.mark.parametrize(("before", "after"), CUTS, ids=["answer-lost", "commit-lost", "thrice"])
@pytest.mark.parametrize("any_server", ["18"], indirect=True)
def test_a_commit_that_nobody_answered_counts_once(
    url: str, any_server: str, before: tuple[int, ...], after: tuple[int, ...], when: datetime,
    undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cutting = Cutting(str(conninfo_to_dict(any_server)["host"]), before=before, after=after)
    with listening(cutting) as port, member(monkeypatch, None, days=DAYS, now=when):
        through = as_runner(any_server, DATABASE, **OVER_TCP).replace("@/", f"@127.0.0.1:{port}/")
        monkeypatch.setenv("HDE_DATABASE_URL", through.replace(f"host={conninfo_to_dict(any_server)['host']}&", ""))
        found = call("run", "whoop")
    assert cutting.commits > max(*before, *after, 0)
    assert found.code == 0, found.said
    assert everything(url) == undisturbed


def test_a_run_outlives_a_restart_of_its_server(
    when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly = Faults([Rule(way.Drip(0.1), on=API)])
    with server_of() as server, database_of_runner(with_runner(server.conninfo), DATABASE) as url:
        monkeypatch.setenv("HDE_DATABASE_URL", url)
        with member(monkeypatch, slowly, days=DAYS, now=when) as sandbox:
            monkeypatch.setenv("HDE_PATIENCE", "0.5")
            with ending(start("run", "whoop")) as process:
                while len(sandbox.log) < 12:
                    assert process.poll() is None, process.communicate()
                server.stop("immediate")
                server.start()
                found = ended(process)
            assert found.code == 0, found.said
            assert "Going on from what is stored" in found.err
        assert everything(url) == undisturbed


def test_a_standby_is_looked_at_and_not_written_to(monkeypatch: pytest.MonkeyPatch, when: datetime) -> None:
    with server_of() as server:
        monkeypatch.setenv("HDE_DATABASE_URL", as_runner(with_runner(server.conninfo), f"template_of_{RUNNER}"))
        with member(monkeypatch, None, days=DAYS, now=when):
            assert call("run", "whoop", "user_basic_profile").code == 0
            server.stop()
            (server.folder / "data" / "standby.signal").touch()
            server.start()
            assert call("status").code == 0
            assert call("query", "SELECT count(*) FROM meta.runs").code == 0
            found = call("run", "whoop")
            assert (found.code, "it only reads" in found.err) == (4, True), found.said


CONNECTING = {
    "too-old": (of_version("14.22"), "PostgreSQL 14 is too old; 15 or later is needed"),
    "no-postgres": (something_else, "cannot be reached"),
    "hangs-up": (hangs_up, "cannot be reached"),
}


@pytest.mark.parametrize(("answer", "says"), CONNECTING.values(), ids=CONNECTING)
def test_what_is_no_postgresql_of_use_is_said(answer: object, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answer) as port:  # type: ignore[arg-type]  # all of them answer a socket
        monkeypatch.setenv("HDE_DATABASE_URL", f"postgresql://x:{PASSWORD}@127.0.0.1:{port}/x?sslmode=disable")
        found = call("status")
    assert (found.code, says in found.err) == (4, True), found.said
    assert PASSWORD not in found.said
    assert len(found.err.strip().splitlines()) <= 2


@pytest.mark.parametrize(("shares", "code"), [(True, 4), (False, 0)], ids=["transaction", "session"])
def test_a_pooler_that_shares_sessions_is_refused_and_one_that_does_not_is_well(
    shares: bool, code: int, url: str, any_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(conninfo_to_dict(any_server)["host"])
    with closing(Pooler(folder, shares=shares)) as pooler, listening(pooler) as port:
        through = as_runner(any_server, DATABASE, **OVER_TCP).replace("@/", f"@127.0.0.1:{port}/")
        monkeypatch.setenv("HDE_DATABASE_URL", through.replace(f"host={folder}&", ""))
        found = call("status")
    assert found.code == code, found.said
    assert ("pool_mode = session" in found.err) is shares


SIGN_INS = {
    "wrong-password": ((), f"runner:{PASSWORD}", "runner:wrong", "the password is not that of the role"),
    "no-database": ((), f"/{DATABASE}", "/nosuch", "there is no such database"),
    "no-more-connections": ((f"ALTER ROLE {RUNNER} CONNECTION LIMIT 0",), "", "", "it takes no more connections"),
    "may-not-connect": ((f"REVOKE CONNECT ON DATABASE {DATABASE} FROM public, {RUNNER}",), "", "",
                        "this role may not do that"),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "old", "new", "says"), SIGN_INS.values(), ids=SIGN_INS)
def test_who_is_not_let_in_is_told_why(
    statements: tuple[str, ...], old: str, new: str, says: str, url: str, any_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("hde.store.database._PAUSES", (0.01,) * 4)
    monkeypatch.setenv("HDE_DATABASE_URL", url.replace(old, new))
    command(any_server, "postgres", *statements)
    try:
        found = call("run", "whoop")
        assert call("status").err == found.err or "WHOOP needs" in found.err
    finally:
        command(any_server, "postgres", f"ALTER ROLE {RUNNER} CONNECTION LIMIT -1")
    assert (found.code, says in found.err) == (4, True), found.said
    assert len(found.err.strip().splitlines()) == 2


def test_a_database_of_somebody_else_is_said_to_be_that(any_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(any_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE of_somebody_else TEMPLATE template0")
    try:
        monkeypatch.setenv("HDE_DATABASE_URL", as_runner(any_server, "of_somebody_else"))
        found = call("status")
        assert found.code == 2
        assert "the tables have to be made in database of_somebody_else" in found.err
        assert ask(as_runner(any_server, "of_somebody_else"), "SELECT count(*) FROM pg_namespace"
                   " WHERE nspname IN ('meta', 'canonical')") == [0]  # fmt: skip
    finally:
        with psycopg.connect(any_server, autocommit=True) as connection:
            connection.execute("DROP DATABASE of_somebody_else WITH (FORCE)")


def test_a_server_whose_transactions_are_serializable_is_used_as_any_other(
    url: str, any_server: str, when: datetime, undisturbed: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that is waited for is followed by a look at what was committed meanwhile: not so in one snapshot."""
    command(any_server, "postgres", *set_to(default_transaction_isolation="serializable"))
    with member(monkeypatch, None, days=DAYS, now=when):
        found = call("run", "whoop")
    assert found.code == 0, found.said
    assert "Going on" not in found.err
    assert everything(url) == undisturbed
