"""Finding a connector's file by name or path, and the mappings that belong to it."""

from __future__ import annotations

import os
from pathlib import Path

from hde.errors import WrongUse
from hde.places import bundled
from hde.spec.formats import NAME
from hde.spec.problem import did_you_mean, quoted


def find_connector(name_or_path: str) -> Path:
    """A connector's file: a path as given, or a name from `./connectors`, else a bundled one; else WrongUse."""
    if not NAME.match(name_or_path):
        path = Path(name_or_path)
        if path.is_file():
            return path
        raise WrongUse(f"No connector {quoted(name_or_path)}: there is no such file.{_known(path.stem)}")
    for folder in _folders():
        if (folder / f"{name_or_path}.yaml").is_file():
            return folder / f"{name_or_path}.yaml"
    raise WrongUse(f"No connector {quoted(name_or_path)}.{_known(name_or_path)}")


def mappings_folder(connector_file: Path) -> Path:
    """Where the mappings of a connector lie: `mappings/NAME` beside the folder of `NAME.yaml`."""
    return Path(os.path.normpath(connector_file.parent / ".." / "mappings" / connector_file.stem))


def _folders() -> tuple[Path, Path]:
    return Path("connectors"), bundled("connectors")


def _known(name: str) -> str:
    names = sorted({file.stem for folder in _folders() for file in folder.glob("*.yaml")})
    there_is = f" There is {', '.join(names)}." if names else ""
    return did_you_mean(name, names) or there_is
