"""Paths held against fixtures: what is read and no fixture has is a typo; what is there and nothing reads is lost."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from jmespath.exceptions import JMESPathError

from hde.check.missing_path import missing_path
from hde.check.place import complain
from hde.check.reads import Reads, reads
from hde.check.record_paths import Path, alternatives, dotted, matches
from hde.check.recorded import Recorded
from hde.check.tables import column_trail
from hde.check.written import RECORD, Written, written
from hde.errors import WrongUse
from hde.mapping.expression import is_plain
from hde.spec.connector import Resource
from hde.spec.formats import check_jmespath
from hde.spec.load import Source
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.problem import Problem
from hde.spec.yaml_file import YamlFile

_DASHED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+)""")
"""What stands in quotes, or a name with `-` that does not."""


def coverage_problems(source: Source, known: Mapping[str, Recorded]) -> Iterator[Problem]:
    """`known` has an entry for every resource that has fixtures; the paths of others are not checked."""
    read: dict[str, Reads] = defaultdict(Reads)
    lacking: set[tuple[str, Path]] = set()
    own: dict[str, list[Written]] = {}
    for mapping in source.mappings:
        file = source.mapping_files[mapping.name]
        own[mapping.name] = list(written(mapping, file))
        for one in own[mapping.name]:
            for of, found in one.reads.items():
                resource = _resource_of(of, mapping)
                read[resource] |= found
                for path in _asked(one, found, known[resource]) if resource in known else ():
                    if not known[resource].has(path) and not _stands_elsewhere(path, found, known[resource]):
                        # the items of a list that is not there are not there either: said once, of the list
                        if not any((resource, path[:end]) in lacking for end in range(len(path))):
                            said = missing_path(one, path, mapping, known[resource], known.get(mapping.from_))
                            yield complain(file, one.trail, said)
                        lacking.add((resource, path))
                        # What a misspelt path meant counts as read: one mistake, one complaint.
                        meant = known[resource].meant(path)
                        read[resource] |= Reads(frozenset({meant} if meant else ()))
        yield from _unreadable(mapping, file)
        read[mapping.from_] |= Reads(frozenset(path for text in mapping.ignore for path in _read(ignored(text)).paths))
    for name, resource_said in source.connector.resources.items():
        if name in known:
            yield from _columns(resource_said, source.connector_file, known[name])
    first = {mapping.from_: mapping for mapping in reversed(source.mappings)}
    for mapping in source.mappings:
        if mapping.from_ in known and mapping.from_ in source.connector.resources:
            file = source.mapping_files[mapping.name]
            yield from _ignored(mapping, own[mapping.name], known[mapping.from_], file)
            if first[mapping.from_] is mapping:
                covered = read[mapping.from_] | _kept(source.connector.resources[mapping.from_], mapping)
                yield from _lost(mapping, covered, known[mapping.from_], file)


def _asked(one: Written, found: Reads, known: Recorded) -> list[Path]:
    """The paths that fixtures should have. Nobody knows how deep a tree is: what stands anywhere in it is there."""
    if one.in_tree and found.paths:
        return [] if any(map(known.has, found.paths)) else [min(found.paths, key=lambda path: (len(path), path))]
    return sorted(found.paths)


def _stands_elsewhere(path: Path, found: Reads, known: Recorded) -> bool:
    """Whether items come from several places of a record, and one of them has it: a record itself and its parts."""
    return any(
        known.has(other) for other in found.paths if path != other and (_ends(path, other) or _ends(other, path))
    )


def _ends(path: Path, end: Path) -> bool:
    return path[-len(end) :] == end


def _resource_of(of: str, mapping: OneMapping) -> str:
    """The resource whose records are read; '' where it is something else."""
    if of == RECORD:
        return mapping.from_
    reference = mapping.with_.get(of)
    return reference.from_ if reference else ""


def _columns(resource: Resource, file: YamlFile, seen: Recorded) -> Iterator[Problem]:
    for column in resource.columns:
        if not column.path.startswith("$"):
            for path in sorted(_read(column.path).paths):
                if not seen.has(path):
                    yield complain(file, column_trail(file, resource.name, column), seen.missing(path), about_key=True)
    for index, volatile in enumerate(resource.volatile):
        for path in sorted(_read(volatile).paths):
            if not seen.has(path):
                yield complain(file, ("resources", resource.name, "volatile", index), seen.missing(path))


def _kept(resource: Resource, mapping: OneMapping) -> Reads:
    """What counts as mapped without being written in a column: the key, as `raw_source_id`, and the keys of `with`."""
    names = {*resource.key, *(reference.key for reference in mapping.with_.values())}
    columns = [column for column in resource.columns if column.name in names and not column.path.startswith("$")]
    return Reads(frozenset(path for column in columns for path in _read(column.path).paths))


def _unreadable(mapping: OneMapping, file: YamlFile) -> Iterator[Problem]:
    """Keys of `ignore` that name no field of a record: nothing else would ever compile them."""
    for text in mapping.ignore:
        try:
            check_jmespath(ignored(text))
        except WrongUse as error:
            yield complain(file, ("ignore", text), str(error), about_key=True)
            continue
        if not _read(ignored(text)).paths:
            yield complain(file, ("ignore", text), f"{text} is no path of a field", about_key=True)


def ignored(text: str) -> str:
    """A path of `ignore` as JMESPath: what is named there only names fields, so `-` is never a sign in it."""
    return text if is_plain(text) else _DASHED.sub(lambda found: found[1] or json.dumps(found[2]), text)


def _ignored(mapping: OneMapping, expressions: list[Written], seen: Recorded, file: YamlFile) -> Iterator[Problem]:
    own = {path for one in expressions for path in one.reads.get(RECORD, Reads()).values}
    for text in mapping.ignore:
        for path in sorted(_read(ignored(text)).paths):
            trail = ("ignore", text)
            below = sorted(other for other in own if other[: len(path)] == path)
            if not seen.has(path):
                yield complain(file, trail, seen.missing(path), about_key=True)
            elif path in below or any(path[: len(other)] == other for other in own):
                yield complain(file, trail, f"{text} is ignored here and read as well", about_key=True)
            elif below:
                message = f"{text} is ignored here, and {dotted(below[0])} below it is read: ignore the others by name"
                yield complain(file, trail, message, about_key=True)


def _lost(mapping: OneMapping, covered: Reads, seen: Recorded, file: YamlFile) -> Iterator[Problem]:
    """Fields nobody reads or ignores, told at the highest object of which nothing is read."""
    values, tests = _all(covered.values), _all(covered.tests)
    lost = [leaf for leaf in sorted(seen.leaves) if not _is_covered(leaf, values, tests)]
    groups: dict[Path, list[Path]] = defaultdict(list)
    kept = [leaf for leaf in seen.leaves if leaf not in lost]
    for leaf in lost:
        groups[_highest(leaf, [*kept, *values, *tests])].append(leaf)
    for path, leaves in groups.items():
        many = f" ({len(leaves)} fields)" if len(leaves) > 1 else ""
        message = f"{mapping.from_}.{dotted(path)}{many} is in fixture {seen.leaves[leaves[0]]!r}"
        trail = ("ignore",) if mapping.ignore else ("from",)
        yield complain(file, trail, f"{message} and no mapping reads or ignores it", about_key=True)


def _is_covered(leaf: Path, values: set[Path], tests: set[Path]) -> bool:
    """Read itself, or with something above it, or empty here where something below it is read elsewhere."""
    if any(matches(path, leaf[: len(path)]) for path in values if len(path) <= len(leaf)):
        return True
    return any(matches(path[: len(leaf)], leaf) for path in (*values, *tests))


def _highest(leaf: Path, others: Iterable[Path]) -> Path:
    for end in range(1, len(leaf)):
        if not any(other[:end] == leaf[:end] for other in others):
            return leaf[:end]
    return leaf


def _all(paths: Iterable[Path]) -> set[Path]:
    return {one for path in paths for one in alternatives(path)}


def _read(text: str) -> Reads:
    """Nothing where it does not compile: that is said when the file is read."""
    try:
        return reads(text)
    except JMESPathError:
        return Reads()
