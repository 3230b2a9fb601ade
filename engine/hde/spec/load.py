"""A source as its files say it: a connector and its mappings, read, checked and frozen, all complaints at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hde.spec import mapping as frozen
from hde.spec.connector import Connector
from hde.spec.find import find_connector, mappings_folder
from hde.spec.freeze import freeze_connector, like_problems, name_problems, without_shape
from hde.spec.freeze_mapping import Lookups, freeze_mapping, mapping_problems
from hde.spec.merge import Merged, merge
from hde.spec.problem import Problem, Problems, did_you_mean
from hde.spec.schema import located, part_complaints, schema_problems
from hde.spec.whole import whole_connector
from hde.spec.yaml_file import YamlFile, parse_yaml

if TYPE_CHECKING:
    from hde.spec.partly import Partial

__all__ = [
    "Remains",
    "Source",
    "find_connector",
    "load_source",
    "mappings_folder",
    "read_remains",
    "read_source",
    "resolved",
]

LOOKUPS = "lookups.yaml"


@dataclass(frozen=True)
class Source:
    """One source. The files are kept for the places of what later checks complain about."""

    connector: Connector
    mappings: tuple[frozen.Mapping, ...]
    connector_file: YamlFile
    mapping_files: Mapping[str, YamlFile] = field(default_factory=dict)
    """By the mapping's name."""


@dataclass(frozen=True)
class Remains:
    """What is left of a source with mistakes in its files: enough to look for more of them, and for nothing else."""

    connector: Connector | None
    connector_file: YamlFile | None
    mappings: tuple[Partial, ...]
    """Those with mistakes; where the connector has one, the others as well."""


def load_source(connector_file: Path, mappings_folder: Path) -> Source:
    """The source; Problems with everything that is wrong with its files. A folder that is not there has no mappings."""
    source, problems = read_source(connector_file, mappings_folder)
    if source is None or problems:
        raise Problems(problems)
    return source


def read_source(connector_file: Path, mappings_folder: Path) -> tuple[Source | None, list[Problem]]:
    """What is wrong with the files, and the source with the mappings that have no problem; None: the connector has.

    Never raises for what a file holds.
    """
    file, problems = whole_connector(connector_file)
    resources: dict[str, Merged] = {}
    if file is not None:
        resources = _merged(file)
        problems = _without_doubles(problems, _connector_problems(file, resources))
    mapping_files, lookups, more = _read_mappings(mappings_folder)
    if file is None or problems:
        return None, sorted([*problems, *more])
    connector = freeze_connector(file, resources)
    mappings = {one: freeze_mapping(file, connector.name, lookups) for one, file in enumerate(mapping_files)}
    if connector.shares_mappings:  # of what this one does not fetch
        mappings = {one: mapping for one, mapping in mappings.items() if mapping.from_ in connector.resources}
    by_name = {mapping.name: mapping_files[one] for one, mapping in mappings.items()}
    return Source(connector, tuple(mappings.values()), file, by_name), sorted(more)


def resolved(connector_file: Path) -> dict[str, object]:
    """A connector's file without errors as it would read without any `like`: all that is taken over merged in."""
    file, _ = whole_connector(connector_file)
    data = file.data if file is not None and isinstance(file.data, dict) else {}
    resources = {name: merged.data for name, merged in _merged(file).items()} if file is not None else {}
    return {name: resources if name == "resources" else said for name, said in data.items() if name != "shared"}


def read_remains(connector_file: Path, mappings_folder: Path) -> Remains:
    """The rest of a source about which `read_source` has complaints. Never raises for what a file holds."""
    from hde.spec.partly import partial_connector, partial_mapping

    file, problems = whole_connector(connector_file)
    connector: Connector | None = None
    if file is not None:
        resources = _merged(file)
        problems = _without_doubles(problems, _connector_problems(file, resources))
        connector = partial_connector(file, problems, resources) if problems else freeze_connector(file, resources)
    lookups, _ = _read_lookups(mappings_folder / LOOKUPS)
    partial = [
        partial_mapping(read, found, connector_file.stem, lookups)
        for read, found in (_read_mapping(path, lookups) for path in _mapping_paths(mappings_folder))
        if read is not None and lookups is not None and (found or problems)
    ]
    return Remains(connector, file, tuple(one for one in partial if one is not None))


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


def _connector_problems(file: YamlFile, resources: Mapping[str, Merged]) -> list[Problem]:
    """What is wrong with the file as written, with its resources once merged, and with its names."""
    problems = schema_problems(file, "connector")
    no_shape = list(like_problems(file))
    lost = without_shape(file)
    merged_problems = [
        problem for name, merged in resources.items() if name not in lost for problem in _merged_problems(file, merged)
    ]
    found = _without_doubles([*problems, *no_shape], merged_problems)
    said = {(problem.path, problem.message) for problem in found}
    own = [
        problem
        for problem in found
        if not (shared := _in_shared(problem.path, file)) or (shared, problem.message) not in said
    ]
    return [*own, *name_problems(file, resources)]


def _in_shared(path: str, file: YamlFile) -> str:
    """A place in a resource as the place in the shared beginning it is like; empty where there is none."""
    top, _, below = path.partition(".")
    name, _, rest = below.partition(".")
    resource = file.data.get(top, {}).get(name) if top == "resources" and isinstance(file.data, dict) else None
    return f"shared.{resource['like']}.{rest}" if isinstance(resource, dict) and "like" in resource else ""


def _merged_problems(file: YamlFile, merged: Merged) -> list[Problem]:
    return located(
        [
            *part_complaints(merged.data, "connector", "resource"),
            *part_complaints(merged.data, "connector", "complete"),
        ],
        lambda complaint: file.problem(merged.origin(complaint.path), complaint.message, value=complaint.of_value),
    )


def _read_mappings(folder: Path) -> tuple[list[YamlFile], Lookups, list[Problem]]:
    """The mapping files without problems, the lookups beside them, and all problems."""
    lookups, problems = _read_lookups(folder / LOOKUPS)
    files: list[YamlFile] = []
    for path in sorted(folder.glob("*.yml")):
        problems.append(Problem(str(path), 1, 1, "", f"files are named .yaml: {path.stem}.yaml"))
    for path in _mapping_paths(folder):
        read, found = _read_mapping(path, lookups)
        if read is not None and not found and lookups is not None:
            files.append(read)
        problems += found
    return files, lookups or {}, problems


def _mapping_paths(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.yaml")) if path.name != LOOKUPS]


def _read_mapping(path: Path, lookups: Lookups | None) -> tuple[YamlFile | None, list[Problem]]:
    read, found = parse_yaml(path)
    if read is not None and did_you_mean(path.name, [LOOKUPS]) and not {"from", "to"} & set(_keys(read)):
        return read, [*found, Problem(str(path), 1, 1, "", f"shared lookups stand in {LOOKUPS}: name the file so")]
    if read is not None:
        shape = schema_problems(read, "mapping")
        found = _without_doubles(found, shape or mapping_problems(read, lookups))
    return read, found


def _keys(read: YamlFile) -> Iterable[str]:
    return read.data if isinstance(read.data, dict) else ()


def _read_lookups(file: Path) -> tuple[Lookups | None, list[Problem]]:
    """The shared lookups; None where they cannot be read, so that no mapping is said to name a wrong one."""
    if not file.exists():
        return {}, []
    read, problems = parse_yaml(file)
    if read is None:
        return None, problems
    problems = _without_doubles(problems, schema_problems(read, "mapping", "lookups"))
    lookups: Lookups = read.data  # type: ignore[assignment]  # the schema has seen that it is a map of maps
    return (None if problems else lookups), problems


def _without_doubles(first: list[Problem], then: Iterable[Problem]) -> list[Problem]:
    """Both, without what is said again at a place: by another resource that is `like` the same, or of a bad value."""
    said = {(problem.file, problem.line, problem.column) for problem in first}
    kept: dict[tuple[str, int, int, str], Problem] = {}
    for problem in then:
        place = (problem.file, problem.line, problem.column)
        if place not in said:
            kept.setdefault((*place, problem.message), problem)
    return [*first, *kept.values()]
