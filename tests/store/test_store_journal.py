"""Accounts, issues without values, and sealed tokens."""

from __future__ import annotations

import threading

import psycopg
import pytest
from store_made import ask

from hde.errors import SignInNeeded
from hde.issues import Issue, issue_about
from hde.store import issues, journal
from hde.store.database import Connection, Database, as_url, transaction
from hde.store.tokens import DatabaseTokens
from hde.tokens.model import Stored, Token
from hde.tokens.seal import SecretKey


def test_another_person_at_the_same_source_is_another_account(connection: Connection) -> None:
    made = [journal.connect_account(connection, "made", who, {"n": 1}) for who in ("x", "y", "x")]
    other = journal.connect_account(connection, "other", "x", {})
    connection.commit()
    assert made[0].id == made[2].id
    assert len({one.id for one in (*made, other)}) == 3
    assert journal.accounts(connection, "made") == made[:2]
    assert ask(connection, "SELECT count(*) FROM canonical.person_accounts WHERE person = account") == [3]


def test_signing_in_again_makes_an_account_well(connection: Connection, account: int) -> None:
    journal.set_status(connection, account, "sign-in needed")
    connection.rollback()  # as a run that ends for want of a sign-in does
    assert ask(connection, "SELECT status FROM meta.connections") == ["sign-in needed"]
    journal.connect_account(connection, "made", "someone", {"mail": "new"})
    connection.commit()
    assert ask(connection, "SELECT status, kept FROM meta.connections") == [("connected", {"mail": "new"})]


def record(connection: Connection, account: int, found: dict[str, list[Issue]], origin: str = "raw") -> None:
    with transaction(connection) as cursor:
        issues.record(cursor, account, origin, "things", found, 1)


def test_issues_are_one_row_each_and_closed_when_the_record_reads_well(connection: Connection, account: int) -> None:
    state = "SELECT record, path, level, closed_at IS NOT NULL FROM meta.issues ORDER BY 1, 2"
    first, second = Issue("v", "type"), Issue("w", "range")
    record(connection, account, {"a": [first, second, first], "b": [first]})
    record(connection, account, {"a": [first], "c": []})
    assert ask(connection, state) == [("a", "v", "error", False), ("a", "w", "error", True), ("b", "v", "error", False)]
    record(connection, account, {"a": [], "b": []}, origin="made/things")
    assert ask(connection, "SELECT count(*) FROM meta.issues WHERE closed_at IS NULL") == [2]
    record(connection, account, {"a": [], "b": []})
    record(connection, account, {"a": [Issue("v", "type", "warning")]})
    assert ask(connection, state)[0] == ("a", "v", "warning", False)
    assert ask(connection, "SELECT count(*) FROM meta.issues") == [3]


def test_issues_hold_where_and_what_but_never_the_value(connection: Connection, account: int) -> None:
    record(connection, account, {"a": [issue_about("marked-value", "v", "type"), issue_about(["marked"], "l", "type")]})
    columns = ask(
        connection,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'meta' AND table_name = 'issues'",
    )
    assert not {"value", "values", "found", "message", "detail", "text"} & set(columns)
    assert "marked" not in str(ask(connection, "SELECT i::text FROM meta.issues i"))
    assert ask(connection, "SELECT json_type, length FROM meta.issues ORDER BY 1") == [("array", 1), ("string", 12)]


TOKEN = Token("marked-access", "marked-refresh", 1.5, {"scope": "marked"})


def tokens(database: Database, key: bytes = b"k" * 32) -> DatabaseTokens:
    return DatabaseTokens(database, SecretKey(key))


def test_tokens_come_back_and_are_sealed_in_the_database(database: Database, connection: Connection) -> None:
    store = tokens(database)
    assert store.read("made", "someone") is None
    store.write("made", "someone", Stored(TOKEN, 1))
    store.write("made", "someone", Stored(TOKEN, 2, 123.25))
    store.write("other", "someone", Stored(TOKEN))
    assert store.read("made", "someone") == Stored(TOKEN, 2, 123.25)
    assert (store.accounts("made"), store.accounts("nowhere")) == (["someone"], [])
    assert "marked" not in str(ask(connection, "SELECT t::text FROM meta.tokens t"))
    store.remove("made", "someone")
    assert store.read("made", "someone") is None
    assert store.read("other", "someone") == Stored(TOKEN)


def test_tokens_open_for_their_account_and_key_only(database: Database, connection: Connection) -> None:
    tokens(database).write("made", "someone", Stored(TOKEN))
    with pytest.raises(SignInNeeded, match="another key"):
        tokens(database, b"x" * 32).read("made", "someone")
    connection.execute("UPDATE meta.tokens SET external_id = 'somebody else'")
    connection.commit()
    with pytest.raises(SignInNeeded, match="copied from another account"):
        tokens(database).read("made", "somebody else")


def test_the_lock_of_a_token_keeps_others_out_until_it_is_left(database: Database) -> None:
    order: list[str] = []
    entered = threading.Event()

    def second() -> None:
        entered.wait()
        with tokens(database).locked("made", "someone"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with tokens(database).locked("made", "someone"):
        entered.set()
        with tokens(database).locked("made", "someone else"):
            order.append("another token")
        with psycopg.connect(database.conninfo, autocommit=True) as watcher:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while watcher.execute(waiting).fetchone() != (1,):
                pass
        order.append("first")
    thread.join()
    assert order == ["another token", "first", "second"]


def test_a_token_written_inside_the_lock_is_seen_by_the_next_holder(database: Database) -> None:
    with tokens(database).locked("made", "someone"):
        tokens(database).write("made", "someone", Stored(TOKEN, 5))
        assert tokens(database).read("made", "someone") == Stored(TOKEN, 5)
    assert "password" not in as_url(database.conninfo)
