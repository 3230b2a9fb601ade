"""Which connector goes with which mappings: from the paths a person names to pairs of a file and a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hde.places import bundled
from hde.spec.find import mappings_folder, shared_mappings
from hde.spec.problem import Problem
from hde.spec.yaml_file import parse_yaml

CONNECTORS, MAPPINGS = "connectors", "mappings"
_BESIDE = ("fixtures", "tests")


class Pair(NamedTuple):
    """A connector and the folder of its mappings, which need not be there."""

    connector: Path
    mappings: Path

    @property
    def is_shared(self) -> bool:
        """Whether the mappings are another connector's, under which their fixtures and tests are looked at."""
        return self.mappings.absolute().name != self.connector.stem


def pairs(paths: Sequence[Path]) -> tuple[list[Pair], list[Problem]]:
    """Every source the paths name, once. Without paths: ./connectors and ./mappings, else what comes along with hde."""
    found: dict[Pair, Pair] = {}
    problems: list[Problem] = []
    for path in paths or _everything():
        for one in _pairs(path):
            if isinstance(one, Problem):
                problems.append(one)
            else:
                found.setdefault(Pair(one.connector.resolve(), one.mappings.resolve()), one)
    return list(found.values()), problems


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files that stand in a folder itself."""
    return sorted(file for file in folder.iterdir() if file.suffix in (".yaml", ".yml") and file.is_file())


def _everything() -> list[Path]:
    here = [Path(name) for name in (CONNECTORS, MAPPINGS) if Path(name).is_dir()]
    return here or [bundled(CONNECTORS), bundled(MAPPINGS)]


def _pairs(path: Path) -> Iterator[Pair | Problem]:
    if path.is_dir():
        yield from _in_folder(path)
    elif path.is_file():
        if path.absolute().parent.name in _BESIDE:
            yield _of_mappings(_normal(path.parent / ".."))
        else:
            yield _of_connector(path) if _is_connector(path) else _of_mappings(path.parent)
    else:
        yield Problem(str(path), 1, 1, "", "there is no such file or folder")


def _in_folder(folder: Path) -> Iterator[Pair | Problem]:
    parts = [folder / name for name in (CONNECTORS, MAPPINGS) if (folder / name).is_dir()]
    absolute = folder.absolute()
    if parts:
        for part in parts:
            yield from _in_folder(part)
    elif absolute.name == MAPPINGS:
        yield from (_of_mappings(below) for below in sorted(folder.iterdir()) if below.is_dir())
    elif absolute.parent.name == MAPPINGS:
        yield _of_mappings(folder)
    elif files := yaml_files(folder):
        connectors = [file for file in files if absolute.name == CONNECTORS or _is_connector(file)]
        yield from (_of_connector(file) for file in connectors)
        if not connectors:
            yield _of_mappings(folder)
    elif absolute.name != CONNECTORS:
        yield Problem(str(folder), 1, 1, "", "there is no YAML here: neither connectors nor mappings")


def _of_connector(file: Path) -> Pair | Problem:
    if file.suffix != ".yaml":
        return Problem(str(file), 1, 1, "", f"files are named .yaml: {file.stem}.yaml")
    return Pair(file, mappings_folder(file))


def _of_mappings(folder: Path) -> Pair | Problem:
    name = folder.absolute().name
    top = _normal(folder / ".." / "..")
    for connectors in (top / CONNECTORS, bundled(CONNECTORS)):
        file = connectors / f"{name}.yaml"
        if not file.is_file():
            continue
        if other := shared_mappings(file):
            message = f"nothing reads these mappings: {file} has those of {other} (`mappings: {other}`)"
            return Problem(str(folder), 1, 1, "", message)
        return Pair(file, folder)
    return Problem(
        str(folder), 1, 1, "", f"no connector for these mappings: {top / CONNECTORS / name}.yaml is not there"
    )


def _normal(path: Path) -> Path:
    """`connectors/..` as `.`, so that a file has one name in all complaints."""
    return Path(os.path.normpath(path))


def _is_connector(file: Path) -> bool:
    if file.absolute().parent.name == CONNECTORS:
        return True
    if file.absolute().parent.parent.name == MAPPINGS:
        return False
    read, _ = parse_yaml(file)
    return read is not None and isinstance(read.data, dict) and bool({"resources", "like"} & set(read.data))
