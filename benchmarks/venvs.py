"""The peers' interpreters, each with what that peer needs and nothing of the product's. Made once."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENVS = HERE / ".venvs"
PROJECT = HERE.parent / "pyproject.toml"
NEEDS = {
    "hand": ("httpx", "orjson", "pycurl", "msgspec", "psycopg[binary]", "sqlalchemy"),
    "dlt": ("dlt[postgres]",),
    "hde": (str(HERE.parent),),
}
TOLD = {"hand": ("httpx", "orjson", "pycurl", "msgspec", "psycopg", "sqlalchemy"), "dlt": ("dlt", "psycopg2-binary")}
"""Whose versions belong into the results."""
VERSIONS = """
import importlib.metadata, json, sys
installed = {one.name.lower(): one.version for one in importlib.metadata.distributions()}
print(json.dumps({name: installed[name] for name in sys.argv[1:] if name in installed}))
"""


def python_of(name: str) -> str:
    """The interpreter of that environment, which is made and filled when it is not there."""
    folder = VENVS / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = "\n".join((*NEEDS[name], PROJECT.read_text() if name == "hde" else ""))
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"Installing {', '.join(NEEDS[name])} into {folder.relative_to(HERE.parent)} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS[name]]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return str(python)


def versions(name: str, python: str) -> dict[str, str]:
    """Of the packages that matter, as they are installed for `python`."""
    command = [python, "-c", VERSIONS, *TOLD.get(name, ())]
    found: dict[str, str] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def engine_at_hand() -> bool:
    """Whether this interpreter has all that hde needs. Nothing of it is imported: the harness must stay small."""
    needed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w.-]", one)[0] for one in needed if ";" not in one}
    return names <= {one.name.lower().replace("_", "-") for one in importlib.metadata.distributions()}


def begin_again_with_the_engine() -> None:
    """This same call with an interpreter that has what hde needs. Does not return."""
    python = python_of("hde")
    if Path(sys.prefix) == VENVS / "hde":
        sys.exit(f"{sys.prefix} lacks something that hde needs: delete it, and try again.")
    os.execv(python, [python, *sys.argv])
