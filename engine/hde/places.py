"""Where things are: the home folder, `.env`, and the connectors, mappings and migrations that come along."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from dotenv import dotenv_values

_PACKAGE = Path(__file__).parent


def home() -> Path:
    """The folder that holds the embedded database, tokens and keys: `HDE_HOME`, else the user's data folder."""
    named = os.environ.get("HDE_HOME")
    return Path(named).expanduser().absolute() if named else Path(platformdirs.user_data_dir("hde", appauthor=False))


def make_home() -> Path:
    folder = home()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def bundled(kind: str) -> Path:
    """The folder of `connectors`, `mappings` or `migrations`: inside the wheel, or at the top of a checkout."""
    inside = _PACKAGE / "bundled" / kind
    return inside if inside.is_dir() else _PACKAGE.parents[1] / kind


def load_env_file(folder: Path | None = None) -> None:
    """Read `HDE_*` from `.env` of the current folder; what the environment already says wins.

    Nothing else becomes part of the environment: `PGPASSWORD` or `HTTPS_PROXY` there would steer other libraries.
    Connectors look for their own settings there.
    """
    for name, value in dotenv_values((folder or Path.cwd()) / ".env", interpolate=False).items():
        if value and name.startswith("HDE_"):
            os.environ.setdefault(name, value)


def connectors_in_reach() -> list[str]:
    """Paths of the connectors in ./connectors where there is such a folder, else of those that come along."""
    here = Path("connectors")
    folder = here if here.is_dir() else bundled("connectors")
    return [str(file) for file in sorted(folder.glob("*.yaml"))]
