#!/usr/bin/env python3
"""Set-up in one command, with nothing but Python 3.11 or later.

python3 run_all.py          install into .venv, then: with credentials in .env sign in and fetch everything,
                            without any show the demo
python3 run_all.py test     install what developers need as well, and run every check
"""
# Python 3.6 must still be able to read this file, to say that it is too old: no `from __future__ import annotations`.

import argparse
import hashlib
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
CONNECTOR = "whoop"
CREDENTIALS = ("WHOOP_CLIENT_ID", "WHOOP_CLIENT_SECRET")

SUITES = ("fhir4ds-v2==0.0.17",)
"""Packages that carry test suites of specifications: downloaded to be read by a test, never installed."""

CHECKS = (
    ("style", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("connectors and mappings", ["hde", "validate"]),
    ("mapping tests", ["hde", "test"]),
    ("docs are current", ["hde.spec.reference", "--check"]),
    ("software that is not ours", ["tests.counterparts.install"]),
    ("tests", ["pytest", "-n", "auto"]),
)


def main() -> int:
    arguments = parser().parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells people with an older Python
        print(f"hde needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})")
        return 2
    install("dev" if arguments.what == "test" else "")
    if arguments.what == "test":
        fetch_suites()
        return check()
    if not have_credentials():
        print("No credentials in .env yet (.env.example shows which): here is the demo instead.\n", flush=True)
        return hde("demo")
    code = hde("auth", CONNECTOR, *(["--force"] if arguments.force_auth else []))
    if code:
        return code
    since = ["--since", arguments.start] if arguments.start else []
    until = ["--until", arguments.end] if arguments.end else []
    return hde("run", CONNECTOR, *since, *until)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["test"], help="run every check instead")
    parser.add_argument("--force-auth", action="store_true", help="sign in anew even if the stored sign-in works")
    parser.add_argument("--start", metavar="T", help="fetch from this time on, e.g. 2025-09-01T00:00:00Z")
    parser.add_argument("--end", metavar="T", help="fetch up to this time")
    return parser


def install(extra: str) -> None:
    """Into .venv, once: again only when pyproject.toml changed, or when developers' tools are wanted and missing."""
    project = hashlib.sha256((HERE / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / "installed"
    is_whole = PYTHON.exists() and stamp.is_file()
    if is_whole and stamp.read_text() in (f"{project} {extra}", f"{project} dev"):
        return
    print(f"Installing into {VENV.name} (a minute, once) ...", flush=True)
    if not is_whole:
        make_venv()
    target = f"{HERE}[{extra}]" if extra else str(HERE)
    if run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", target):
        sys.exit("The installation failed; what pip said stands above.")
    stamp.write_text(f"{project} {extra}")


def fetch_suites() -> None:
    """Into .venv/suites, once. Without them their tests are skipped, and say so."""
    for suite in SUITES:
        name, _, version = suite.partition("==")
        if not list((VENV / "suites").glob(f"{name.replace('-', '_')}-{version}-*.whl")):
            command = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            if run(*command, "--only-binary", ":all:", "--dest", str(VENV / "suites"), suite):
                print(f"{suite} could not be downloaded: the test that reads it is skipped.", flush=True)


def make_venv() -> None:
    """Anew: what an earlier call left half made has no pip."""
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no pip for it"
        mine = "python{}.{}-venv".format(*sys.version_info)
        sys.exit(
            f"{VENV} cannot be made ({reason}). On Debian and Ubuntu: apt install python3-venv (or {mine}), then again."
        )


def have_credentials() -> bool:
    lines = (HERE / ".env").read_text(encoding="utf-8").splitlines() if (HERE / ".env").is_file() else []
    given = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    return all(os.environ.get(name) or given.get(name) for name in CREDENTIALS)


def hde(*arguments: str) -> int:
    return run("-m", "hde", *arguments)


def run(*arguments: str) -> int:
    """The exit code. Ctrl-C reaches the command as well: it is left to end in its own time, no sign-in half renewed."""
    process = subprocess.Popen([str(PYTHON), *arguments], cwd=HERE)
    is_interrupted = False
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            is_interrupted = True
            continue
        if is_interrupted:
            raise KeyboardInterrupt
        return code


def check() -> int:
    """Every check, all of them even if one fails; the exit code says whether all passed."""
    failed = []
    for title, (module, *arguments) in CHECKS:
        print(f"\n== {title}", flush=True)
        began = time.monotonic()
        code = run("-m", module, *arguments)
        if code:
            failed.append(title)
        print(f"-- {title}: {'FAILED' if code else 'ok'} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
