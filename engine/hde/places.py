"""Where things are: the home folder, `.env`, and the connectors, mappings and migrations that come along."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from dotenv import dotenv_values

from hde.errors import WrongUse

_PACKAGE = Path(__file__).parent


def home() -> Path:
    """The folder that holds the embedded database, tokens and keys: `HDE_HOME`, else the user's data folder."""
    named = os.environ.get("HDE_HOME")
    return Path(named).expanduser().absolute() if named else Path(platformdirs.user_data_dir("hde", appauthor=False))


def make_home() -> Path:
    """The home, made where it is not there yet; WrongUse where it cannot be."""
    folder = home()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"{folder} cannot be made ({error.strerror}); choose another HDE_HOME, or --home") from None
    return folder


def bundled(kind: str) -> Path:
    """The folder of `connectors`, `mappings` or `migrations`: inside the wheel, or at the top of a checkout."""
    inside = _PACKAGE / "bundled" / kind
    return inside if inside.is_dir() else _PACKAGE.parents[1] / kind


def load_env_file() -> None:
    """Take `HDE_*` from `.env` into the environment; what the environment already says wins.

    Nothing else becomes part of it: `PGPASSWORD` or `HTTPS_PROXY` there would steer other libraries.
    """
    for name, value in env_file().items():
        if name.startswith("HDE_"):
            os.environ.setdefault(name, value)


def env_file() -> dict[str, str]:
    """What `.env` says, of the current folder, else of the home (cron starts anywhere). Nothing is expanded in it."""
    found: dict[str, str] = {}
    for file in (home() / ".env", Path.cwd() / ".env"):
        try:
            said = dotenv_values(file, interpolate=False)
        except (UnicodeDecodeError, OSError) as error:
            raise WrongUse(f"{file} cannot be read as text ({type(error).__name__}); save it as UTF-8") from None
        found.update({name: value for name, value in said.items() if value})
    return found


def connectors_in_reach() -> list[str]:
    """Paths of the connectors in ./connectors where there is such a folder, else of those that come along."""
    here = Path("connectors")
    folder = here if here.is_dir() else bundled("connectors")
    return [str(file) for file in sorted(folder.glob("*.yaml"))]
