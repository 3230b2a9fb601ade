"""Finding a connector's file by name or path, and the mappings that belong to it."""

from __future__ import annotations

import os
from pathlib import Path

from hde.errors import WrongUse
from hde.places import bundled
from hde.spec.formats import CONNECTOR_NAME
from hde.spec.problem import did_you_mean, quoted
from hde.spec.yaml_file import parse_yaml


def find_connector(name_or_path: str) -> Path:
    """A connector's file: a path as given, or a name from `./connectors`, else a bundled one; else WrongUse."""
    if not CONNECTOR_NAME.match(name_or_path):
        path = Path(name_or_path)
        if path.is_file():
            return path
        raise WrongUse(f"No connector {quoted(name_or_path)}: there is no such file.{_known(path.stem)}")
    for folder in _folders():
        if (folder / f"{name_or_path}.yaml").is_file():
            return folder / f"{name_or_path}.yaml"
    raise WrongUse(f"No connector {quoted(name_or_path)}.{_known(name_or_path)}")


def mappings_folder(connector_file: Path) -> Path:
    """Where the mappings of a connector lie: `mappings/NAME` beside the folder of `NAME.yaml`, or where that shares."""
    folder = shared_mappings(connector_file) or connector_file.stem
    return Path(os.path.normpath(connector_file.parent / ".." / "mappings" / folder))


def shared_mappings(connector_file: Path) -> str | None:
    """The other connector whose mappings this one has, as its `mappings` says; None where they are its own."""
    try:
        if b"mappings" not in connector_file.read_bytes():
            return None  # most have their own, and need not be read twice
    except OSError:
        return None
    read, _ = parse_yaml(connector_file)
    said = read.data.get("mappings") if read is not None and isinstance(read.data, dict) else None
    is_other = isinstance(said, str) and CONNECTOR_NAME.match(said) and said != connector_file.stem
    return str(said) if is_other else None


def _folders() -> tuple[Path, Path]:
    return Path("connectors"), bundled("connectors")


def _known(name: str) -> str:
    names = sorted({file.stem for folder in _folders() for file in folder.glob("*.yaml")})
    there_is = f" There is {', '.join(names)}." if names else ""
    return did_you_mean(name, names) or there_is
