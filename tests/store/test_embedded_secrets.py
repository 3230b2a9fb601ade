"""What the embedded PostgreSQL promises, and what no log, argument or environment of it may hold."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

import psycopg
import pytest
from embedded_made import (
    child,
    connected,
    ended,
    linux,
    mark,
    says,
    server_processes,
)

from hde.errors import DatabaseUnreachable
from hde.store import embedded
from hde.store.embedded import cluster


def test_settings_are_the_promised_ones(home: Path) -> None:
    expected = {
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "log_min_messages": "log",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "jit": "off",
        "TimeZone": "UTC",
        "max_wal_size": "2GB",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
    }
    home.mkdir()
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        shown = {name: connection.execute(f"SHOW {name}").fetchone() for name in expected}
        locale = connection.execute(
            "SELECT datname, datlocprovider, datlocale, current_user FROM pg_database WHERE datname = 'hde'"
        ).fetchone()
        trusting = connection.execute("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'")
        assert trusting.fetchone() == (0,)
    assert {name: row[0] for name, row in shown.items() if row} == expected
    assert locale == ("hde", "b", "C.UTF-8", "hde")


@linux
def test_password_is_in_no_argument_environment_log_or_conninfo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDE_SECRET_KEY", "marked-secret-of-ours")
    seen = b""
    home.mkdir()
    other = child(home)
    while other.poll() is None and not (home / "pg" / "postmaster.pid").exists():
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                seen += entry.read_bytes()
    assert says(other) == "attached"
    password = (home / "pgpass").read_text().strip().rpartition(":")[2]
    assert len(password) >= 32
    for pid in server_processes(home):
        with contextlib.suppress(OSError):
            seen += Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    assert b"initdb" in seen
    assert ended(other) == (0, "")
    seen += embedded.conninfo(home).encode() + (home / "pg.log").read_bytes()
    assert password.encode() not in seen
    assert b"marked-secret-of-ours" not in seen
    assert stat.S_IMODE((home / "pgpass").stat().st_mode) == 0o600


def test_wrong_password_is_told_and_leaves_no_server_behind(made: Path) -> None:
    (made / "pgpass").write_text("*:*:*:hde:wrong\n")
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"), embedded.attached(made):
        pass
    assert not embedded.running(made)


FAILING = [
    "INSERT INTO person VALUES ('marked-value', 50)",
    "INSERT INTO person VALUES ('marked-value-2', 999)",
    "SELECT 'marked-value'::int",
    "INSERT INTO person VALUES ('marked-value-3', NULL)",
    "SELECT * FROM person WHERE name = 'marked-value' AND missing_column",
    "DO $$ BEGIN RAISE EXCEPTION 'marked-value'; END $$",
    "DO $$ BEGIN RAISE WARNING 'marked-value'; END $$",
]


def test_failing_statements_leave_no_row_value_in_the_log(home: Path) -> None:
    home.mkdir()
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        connection.execute("CREATE TABLE person (name text PRIMARY KEY, pulse int NOT NULL CHECK (pulse < 300))")
        connection.execute("INSERT INTO person VALUES ('marked-value', 60)")
        for statement in FAILING:
            with contextlib.suppress(psycopg.Error):
                connection.execute(statement)
        with pytest.raises(psycopg.Error), connection.cursor().copy("COPY person FROM STDIN") as copy:
            copy.write(b"marked-name\tmarked-value\n")
    log = (home / "pg.log").read_text()
    assert "ready to accept connections" in log
    assert "marked" not in log


def test_log_keeps_its_last_piece_when_it_has_grown(made: Path) -> None:
    log = made / "pg.log"
    with log.open("a") as out:
        out.writelines(f"line {number}\n" for number in range(200_000))
    assert mark(made) == 7
    assert log.stat().st_size < 200_000
    assert "line 199999\n" in log.read_text()


def test_reason_is_the_last_telling_line_without_time_and_process() -> None:
    said = (
        '2026-11-22 20:00:40 UTC [1] LOG:  listening\n2026-11-22 20:00:40 UTC [1] FATAL:  lock file "x" is empty\n'
        "2026-11-22 20:00:40 UTC [1] LOG:  database system is shut down\n"
    )
    assert cluster.reason(said) == 'lock file "x" is empty'
    assert cluster.reason("") == ""
