"""Where connectors, mappings and migrations lie: with the author, in a checkout, or inside the installed package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import hde
from hde.errors import WrongUse
from hde.spec.formats import NAME
from hde.spec.problem import did_you_mean, quoted

_PACKAGE: Final = Path(hde.__file__).parent


def bundled(kind: Literal["connectors", "mappings", "migrations"]) -> Path:
    """The folder that came with the engine: inside the wheel, or at the top of a checkout."""
    inside = _PACKAGE / "bundled" / kind
    return inside if inside.is_dir() else _PACKAGE.parents[1] / kind


def find_connector(name_or_path: str) -> Path:
    """A connector's file: a path as given, or a name from `./connectors`, else a bundled one; else WrongUse."""
    if not NAME.match(name_or_path):
        path = Path(name_or_path)
        if path.is_file():
            return path
        raise WrongUse(f"no connector {quoted(name_or_path)}: no such file.{_known(path.stem)}")
    for folder in (Path("connectors"), bundled("connectors")):
        if (folder / f"{name_or_path}.yaml").is_file():
            return folder / f"{name_or_path}.yaml"
    raise WrongUse(f"no connector {quoted(name_or_path)}.{_known(name_or_path)}")


def mappings_folder(connector_file: Path) -> Path:
    """Where the mappings of a connector lie: `mappings/NAME` beside the folder of `NAME.yaml`."""
    return Path(os.path.normpath(connector_file.parent / ".." / "mappings" / connector_file.stem))


def _known(name: str) -> str:
    folders = (Path("connectors"), bundled("connectors"))
    names = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    there_is = f" There is {', '.join(names)}" if names else " There is none yet: `hde new` begins one"
    return did_you_mean(name, names) or there_is
