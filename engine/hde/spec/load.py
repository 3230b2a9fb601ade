"""A source as its files say it: a connector and its mappings, read, checked and frozen, all complaints at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hde.spec import mapping as frozen
from hde.spec.connector import Connector
from hde.spec.freeze import freeze_connector, like_problems, name_problems
from hde.spec.freeze_mapping import freeze_mapping, mapping_problems
from hde.spec.merge import Merged, merge
from hde.spec.places import bundled, find_connector, mappings_folder
from hde.spec.problem import Problem, Problems
from hde.spec.schema import located, part_complaints, schema_problems
from hde.spec.yaml_file import YamlFile, parse_yaml

__all__ = ["Source", "bundled", "find_connector", "load_source", "mappings_folder", "read_source"]

LOOKUPS = "lookups.yaml"


@dataclass(frozen=True)
class Source:
    """One source. The files are kept for the places of what later checks complain about."""

    connector: Connector
    mappings: tuple[frozen.Mapping, ...]
    connector_file: YamlFile
    mapping_files: Mapping[str, YamlFile] = field(default_factory=dict)
    """By the mapping's name."""


def load_source(connector_file: Path, mappings_folder: Path) -> Source:
    """The source; Problems with everything that is wrong with its files. A folder that is not there has no mappings."""
    source, problems = read_source(connector_file, mappings_folder)
    if source is None:
        raise Problems(problems)
    return source


def read_source(connector_file: Path, mappings_folder: Path) -> tuple[Source | None, list[Problem]]:
    """The source and what is wrong with its files; None where anything is. Never raises for what a file holds."""
    file, problems = parse_yaml(connector_file)
    resources: dict[str, Merged] = {}
    if file is not None:
        resources = _merged(file)
        problems = _without_doubles(problems, _connector_problems(file, resources))
    mapping_files, lookups, more = _read_mappings(mappings_folder)
    problems = sorted([*problems, *more])
    if file is None or problems:
        return None, problems
    connector = freeze_connector(file, resources)
    mappings = [freeze_mapping(one, connector.name, lookups) for one in mapping_files]
    by_name = {mapping.name: one for mapping, one in zip(mappings, mapping_files, strict=True)}
    return Source(connector, tuple(mappings), file, by_name), []


def _merged(file: YamlFile) -> dict[str, Merged]:
    """Every resource that is a map, merged with the shared beginning it names."""
    top = file.data if isinstance(file.data, dict) else {}
    shared, resources = top.get("shared"), top.get("resources")
    merged = {}
    for name, own in resources.items() if isinstance(resources, dict) else ():
        if isinstance(own, dict):
            like = own.get("like")
            shape = shared.get(like) if isinstance(shared, dict) and isinstance(like, str) else None
            at = ("shared", like) if isinstance(like, str) else ()
            merged[name] = merge(shape if isinstance(shape, dict) else {}, own, at, ("resources", name))
    return merged


def _connector_problems(file: YamlFile, resources: Mapping[str, Merged]) -> Iterator[Problem]:
    yield from schema_problems(file, "connector")
    no_shape = list(like_problems(file))
    yield from no_shape
    lost = {problem.path for problem in no_shape}
    for name, merged in resources.items():
        if f"resources.{name}.like" not in lost:
            yield from _merged_problems(file, merged)
    yield from name_problems(file, resources)


def _merged_problems(file: YamlFile, merged: Merged) -> list[Problem]:
    return located(
        part_complaints(merged.data, "connector", "resource"),
        lambda complaint: file.problem(merged.origin(complaint.path), complaint.message, value=complaint.of_value),
    )


def _read_mappings(folder: Path) -> tuple[list[YamlFile], Mapping[str, Any], list[Problem]]:
    problems: list[Problem] = []
    lookups: Mapping[str, Any] = {}
    files: list[YamlFile] = []
    if (folder / LOOKUPS).exists():
        read, found = parse_yaml(folder / LOOKUPS)
        found = _without_doubles(found, schema_problems(read, "mapping", "lookups") if read else ())
        problems += found
        if read is not None and isinstance(read.data, dict):
            lookups = read.data
    for path in sorted(folder.glob("*.y*ml")):
        if path.suffix != ".yaml":
            problems.append(Problem(str(path), 1, 1, "", f"files are named .yaml: {path.stem}.yaml"))
        elif path.name != LOOKUPS:
            read, found = parse_yaml(path)
            if read is not None:
                shape = schema_problems(read, "mapping")
                found = _without_doubles(found, shape or mapping_problems(read, lookups))
                files.append(read)
            problems += found
    return files, lookups, problems


def _without_doubles(
    first: list[Problem], then: Iterator[Problem] | list[Problem] | tuple[Problem, ...]
) -> list[Problem]:
    """Both, without what is said again at a place: by another resource that is `like` the same, or of a bad value."""
    said = {(problem.line, problem.column) for problem in first}
    kept = [problem for problem in then if (problem.line, problem.column) not in said]
    unique = {(problem.line, problem.column, problem.message): problem for problem in reversed(kept)}
    return [*first, *unique.values()]
