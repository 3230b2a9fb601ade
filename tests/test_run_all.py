"""The set-up: on a Python that is too old, where no virtual environment can be made, and twice; and Docker's."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hde.errors import DatabaseUnreachable
from hde.store.database import as_url, open_database

TOP = Path(__file__).parents[1]
SCRIPT = TOP / "run_all.py"
POSIX = pytest.mark.skipif(os.name == "nt", reason="a shell script stands for Python")


@pytest.fixture
def run_all(tmp_path: Path) -> ModuleType:
    """run_all.py in a folder of its own, whose virtual environments hold a Python that only writes down its calls."""
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    spec = importlib.util.spec_from_file_location("run_all_copy", tmp_path / "run_all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_venv(run_all: ModuleType, *, fails: BaseException | None = None):
    def create(folder: Path, *, with_pip: bool, clear: bool) -> None:
        assert with_pip
        if clear:
            shutil.rmtree(folder, ignore_errors=True)
        run_all.SCRIPTS.mkdir(parents=True)
        run_all.PYTHON.write_text(f'#!/bin/sh\necho "$@" >> {run_all.HERE}/calls\n')
        run_all.PYTHON.chmod(0o755)
        if fails:
            raise fails

    return create


def calls(run_all: ModuleType) -> list[str]:
    file = run_all.HERE / "calls"
    return [line.rpartition("/")[2] for line in file.read_text().splitlines()] if file.exists() else []


def test_nothing_in_it_is_newer_than_python_3_6():
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 6))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "__future__" not in imported  # `annotations` is not there before 3.7, and ends the script at once


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.10"])
def test_an_older_python_is_told_what_is_needed(version):
    """Where the machine has one."""
    python = shutil.which(f"python{version}")
    if not python or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"no Python {version} here")
    ended = subprocess.run([python, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout.startswith(f"hde needs Python 3.11 or later; this is {version}.")
    assert ended.stderr == ""


@POSIX
@pytest.mark.parametrize("reason", [subprocess.CalledProcessError(1, ["ensurepip"]), PermissionError(13, "denied")])
def test_a_virtual_environment_that_cannot_be_made_is_one_line_and_made_anew_next_time(run_all, monkeypatch, reason):
    monkeypatch.setattr(run_all.venv, "create", make_venv(run_all, fails=reason))
    with pytest.raises(SystemExit) as caught:
        run_all.install("")
    assert "apt install python3-venv" in str(caught.value.code)
    assert "\n" not in str(caught.value.code)
    monkeypatch.setattr(run_all.venv, "create", make_venv(run_all))
    run_all.install("")
    assert len(calls(run_all)) == 1


@POSIX
def test_what_developers_need_is_enough_for_everybody(run_all, monkeypatch):
    monkeypatch.setattr(run_all.venv, "create", make_venv(run_all))
    installed = []
    for extra in ("", "", "dev", "dev", ""):
        run_all.install(extra)
        installed.append(len(calls(run_all)))
    assert installed == [1, 1, 2, 2, 2]
    (run_all.HERE / "pyproject.toml").write_text("[project]\n# changed\n")
    run_all.install("")
    run_all.install("dev")
    assert [call.endswith("[dev]") for call in calls(run_all)] == [False, True, False, True]


INTERRUPTED = """
import pathlib, signal, sys, time

def stop(number, frame):
    time.sleep(0.5)
    pathlib.Path("ended").touch()
    sys.exit(1)

signal.signal(signal.SIGINT, stop)
pathlib.Path("began").touch()
time.sleep(30)
"""


@POSIX
def test_an_interrupt_is_for_the_command_which_ends_in_its_own_time(run_all, monkeypatch):
    monkeypatch.setattr(run_all.venv, "create", make_venv(run_all))
    run_all.install("")
    (run_all.HERE / "child.py").write_text(INTERRUPTED)
    run_all.PYTHON.write_text(f"#!/bin/sh\nexec {sys.executable} child.py\n")
    process = subprocess.Popen(
        [sys.executable, "run_all.py"], cwd=run_all.HERE, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (run_all.HERE / "began").exists() and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to both
    _, said = process.communicate(timeout=30)
    assert (run_all.HERE / "ended").exists()
    assert (process.returncode, said) == (130, "")


@pytest.mark.skipif(os.name == "nt" or not shutil.which("pwsh"), reason="PowerShell with a Python that writes its call")
@pytest.mark.parametrize(
    ("given", "passed"), [([], ""), (["-ForceAuth", "-Start", "a b"], " --force-auth --start a b")]
)
def test_powershell_hands_its_options_on(tmp_path, given, passed):
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").chmod(0o755)
    ended = subprocess.run(
        [shutil.which("pwsh"), "-NoProfile", "-File", str(TOP / "run_all.ps1"), *given],
        env={**os.environ, "PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout.strip() == f"{SCRIPT}{passed}"


PASSWORD = "p@/%:$x #"


def test_the_compose_password_stands_outside_the_address():
    services = yaml.safe_load((TOP / "docker-compose.yml").read_text())["services"]
    environment = services["hde"]["environment"]
    assert environment["HDE_DATABASE_URL"] == "postgresql://hde@postgres:5432/hde"
    assert environment["PGPASSWORD"] == services["postgres"]["environment"]["POSTGRES_PASSWORD"]


def test_an_address_without_a_password_takes_it_from_the_environment(database, monkeypatch):
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE composed LOGIN PASSWORD '{PASSWORD}'")
    try:
        parts = {**conninfo_to_dict(database.conninfo), "user": "composed", "passfile": "/nowhere"}
        parts.pop("password", None)
        monkeypatch.setenv("HDE_DATABASE_URL", as_url(make_conninfo(**parts)))
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        with open_database(Path("unused")) as opened, opened.connection() as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("composed",)
        monkeypatch.setenv("PGPASSWORD", "another")
        with open_database(Path("unused")) as opened, pytest.raises(DatabaseUnreachable), opened.connection():
            pass
    finally:
        with psycopg.connect(database.conninfo, autocommit=True) as connection:
            connection.execute("DROP ROLE composed")
