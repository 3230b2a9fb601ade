"""Everything one source says, held against itself, the canonical model and its fixtures: all complaints at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hde.check.answers import answers_problems
from hde.check.coverage import coverage_problems
from hde.check.expectations import expectations_problems
from hde.check.fit import fit_problems
from hde.check.fixtures import misplaced_problems, pages_problems, read_fixtures
from hde.check.folders import pairs, yaml_files
from hde.check.items import items_problems
from hde.check.literals import literals_problems
from hde.check.meaning import meaning_problems, no_columns
from hde.check.names import names_problems
from hde.check.place import complain, dig
from hde.check.recorded import Recorded, recorded
from hde.check.references import one_mapping_each, references_problems
from hde.check.sign_in import sign_in_problems
from hde.check.tables import tables_problems
from hde.check.trial import excused, trial_problems
from hde.check.written import each_reading
from hde.errors import WrongUse
from hde.mapping.compiled import CompiledMapping, compile_mapping
from hde.spec.connector import Connector
from hde.spec.elements import parents_of
from hde.spec.find import shared_mappings
from hde.spec.load import LOOKUPS, Remains, Source, mappings_folder, read_remains, read_source
from hde.spec.mapping_test import read_tests
from hde.spec.partly import Partial
from hde.spec.problem import Problem, dotted
from hde.spec.resource_test import read_resource_tests
from hde.spec.yaml_file import YamlFile, parse_yaml


def check_source(source: Source) -> list[Problem]:
    """Every complaint about a source that could be read, sorted, each once."""
    return sorted(set(_problems(source, source.connector_file)))


def check_paths(paths: Sequence[Path]) -> list[Problem]:
    """Every complaint about every file: those of reading it, and where it could be read those of `check_source`.

    A path is a connector, a mapping, the mappings of a source, or a folder of these; without paths, ./connectors and
    ./mappings are meant, or what comes along with hde where neither is there.
    """
    found, problems = pairs(paths)
    for pair in found:
        source, said = read_source(pair.connector, pair.mappings)
        problems += said
        if said:
            problems += _of_remains(read_remains(pair.connector, pair.mappings), whole=source is not None)
        if not pair.is_shared:
            problems += read_tests(pair.mappings)[1]
            problems += expectations_problems(pair.mappings)
            problems += read_resource_tests(pair.mappings, source.connector if source else None)[1]
        if source is not None:
            problems += check_source(source)
    return sorted(set(problems))


def _of_remains(remains: Remains, *, whole: bool) -> Iterator[Problem]:
    """Errors only: what could not be read may use what seems unused. `whole`: the connector is checked anyway."""
    found: list[Problem] = []
    connector, file = remains.connector, remains.connector_file
    if connector is not None and file is not None and not whole:
        found += [
            *answers_problems(connector, file),
            *names_problems(connector, file),
            *sign_in_problems(connector, file),
            *literals_problems(connector, file),
            *tables_problems(connector, file),
        ]
    for one in remains.mappings:
        said = [*meaning_problems(one.mapping, one.file), *items_problems(one.mapping, one.file)]
        if any(path.partition(".")[0] == "with" for path in one.wrong):
            pass  # names of other records that are not there any more are no further mistake
        elif connector is not None and {one.mapping.from_, *(to.from_ for to in one.mapping.with_.values())} <= (
            set(connector.resources) | (_unknown(one, file) if file else set())
        ):
            said += references_problems(one.mapping, connector, one.file)
        found += [problem for problem in said if not one.speaks_of(problem)]
    yield from (problem for problem in found if problem.level == "error")


def _unknown(one: Partial, file: YamlFile) -> set[str]:
    """The resources a mapping names that do not even stand in the connector's file."""
    resources = dig(file.data, "resources")
    named = {one.mapping.from_, *(to.from_ for to in one.mapping.with_.values())}
    return named - set(resources if isinstance(resources, dict) else ())


def _problems(source: Source, connector_file: YamlFile) -> Iterator[Problem]:
    connector = source.connector
    yield from answers_problems(connector, connector_file)
    yield from names_problems(connector, connector_file)
    yield from sign_in_problems(connector, connector_file)
    yield from literals_problems(connector, connector_file)
    yield from tables_problems(connector, connector_file)
    files = [(mapping, source.mapping_files[mapping.name]) for mapping in source.mappings]
    yield from one_mapping_each(files)
    sound: dict[str, CompiledMapping] = {}
    for mapping, file in files:
        said = [
            *references_problems(mapping, connector, file),
            *meaning_problems(mapping, file),
            *items_problems(mapping, file),
        ]
        yield from said
        if not any(problem.level == "error" for problem in said):
            try:
                sound[mapping.name] = compile_mapping(mapping)
            except WrongUse as error:
                # What the engine refuses must not pass for valid, even where nothing here has better words for it.
                yield complain(file, ("from",), str(error))
    if connector.shares_mappings:
        yield from _shares(connector, connector_file)
        return
    known: dict[str, Recorded] = {}
    tried: list[Problem] = []
    for folder in _folders(source):
        found: dict[str, dict[str, object]] = {}
        for resource in connector.resources:
            records, problems = read_fixtures(folder, resource)
            pages = list(pages_problems(folder, connector.resources[resource], records))
            yield from [*problems, *pages]
            records = {name: record for name, record in records.items() if not pages}
            if records:
                known[resource] = recorded(resource, records)
                found[resource] = records
        yield from misplaced_problems(folder, list(connector.resources))
        tried += _tried(source, found, sound, folder)
    nowhere = {(str(file.file), dotted(trail)) for mapping, file in files for trail in no_columns(mapping, file)}
    said = [
        problem
        for problem in coverage_problems(source, known)
        if not {(problem.file, problem.path), (problem.file, problem.path.rpartition(".")[0])} & nowhere
    ]
    yield from said
    # A misspelt path is said once, not again as what the fixtures make of it.
    places = {(problem.file, problem.line, problem.column) for problem in said}
    unread = {(problem.file, problem.path.partition(".each")[0]) for problem in said if ".each" in problem.path}
    yield from (
        problem
        for problem in tried
        if (problem.file, problem.line, problem.column) not in places
        and not any(problem.file == file and problem.path.startswith(rows) for file, rows in unread)
    )
    yield from _left_out(source, known)


def _shares(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """Whether somebody looks at the fixtures and tests of mappings that are another connector's."""
    other = connector.file.with_name(f"{connector.mappings}.yaml")
    if not other.is_file():
        message = f"no connector {connector.mappings}: {other} is not there, under which its mappings are tested"
        yield complain(file, ("mappings",), message)
    elif again := shared_mappings(other):
        yield complain(file, ("mappings",), f"{connector.mappings} has the mappings of {again} itself: name that one")


def _tried(
    source: Source, found: Mapping[str, dict[str, object]], sound: Mapping[str, CompiledMapping], folder: Path
) -> Iterator[Problem]:
    """What the recorded records prove: raw columns of another type, mappings that cannot work."""
    tests = read_tests(folder)[0]
    files = {mapping.from_: source.mapping_files[mapping.name] for mapping in source.mappings}
    for name, records in found.items():
        wrong = excused(tests, files[name].file.stem) if name in files else frozenset()
        yield from fit_problems(source.connector.resources[name], records, folder, wrong, source.connector_file)
    for mapping in source.mappings:
        if mapping.name in sound:
            file = source.mapping_files[mapping.name]
            yield from trial_problems(mapping, sound[mapping.name], source.connector, file, found, tests)


def _left_out(source: Source, known: dict[str, Recorded]) -> Iterator[Problem]:
    """What stands there and nothing uses, and what is used and cannot be checked."""
    used = {mapping.from_ for mapping in source.mappings}
    resources = source.connector.resources
    reached = used | {one.from_ for mapping in source.mappings for one in mapping.with_.values()}
    reached |= {above.resource for one in resources.values() if (above := parents_of(one.for_each))}
    reached |= {name for name, one in resources.items() if one.when_stored}
    for mapping in source.mappings:
        file = source.mapping_files[mapping.name]
        if mapping.from_ in source.connector.resources and mapping.from_ not in known:
            folder = file.file.parent / "fixtures" / mapping.from_
            if any(folder.glob("*.json")):
                continue
            message = f"no fixture in {folder.as_posix()}: whether the paths here exist was not checked"
            yield complain(file, ("from",), message, "warning")
    if not _is_whole(source):
        return
    for name in resources:
        if name not in reached:
            message = f"no mapping reads {name}: its records stay raw"
            yield complain(source.connector_file, ("resources", name), message, "warning")
    yield from _lookups(source)


def _is_whole(source: Source) -> bool:
    """Whether every mapping could be read: one that could not may use what seems unused."""
    read = {file.file for file in source.mapping_files.values()}
    folder = mappings_folder(source.connector_file.file)
    folders = _folders(source) | ({folder} if folder.is_dir() else set())
    return all(file in read or file.name == LOOKUPS for folder in folders for file in yaml_files(folder))


def _folders(source: Source) -> set[Path]:
    return {source.mapping_files[mapping.name].file.parent for mapping in source.mappings}


def _lookups(source: Source) -> Iterator[Problem]:
    """Shared lookups no column uses."""
    used: set[str | None] = set()
    for mapping in source.mappings:
        for target in mapping.to.values():
            for rows in target.rows:
                for reading in rows.columns.values():
                    used |= {one.lookup.name for _, one in each_reading(reading, ()) if one.lookup}
    for folder in _folders(source):
        file, _ = parse_yaml(folder / LOOKUPS) if (folder / LOOKUPS).is_file() else (None, [])
        for name in file.data if file and isinstance(file.data, dict) else ():
            if file and name not in used:
                yield complain(file, (name,), f"no column uses the lookup {name}", "warning", about_key=True)
