"""What can still be read of files with mistakes in them, so that one mistake does not hide the others.

Only for finding more mistakes: nothing that comes from here may ever be run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hde.spec import mapping as frozen
from hde.spec.connector import Connector
from hde.spec.freeze import freeze_connector
from hde.spec.freeze_mapping import OF_ROW, Lookups, freeze_mapping, mapping_problems
from hde.spec.merge import Merged
from hde.spec.problem import KeyPath, Problem, dotted
from hde.spec.schema import schema_problems
from hde.spec.yaml_file import YamlFile

_NOTHING: Mapping[str, object] = {"const": None}
"""Stands for a column that cannot be read, so that nobody says the column is missing."""


@dataclass(frozen=True)
class Partial:
    """A mapping without what is wrong in it. `wrong` are the dotted paths nothing more can be said about."""

    mapping: frozen.Mapping
    file: YamlFile
    wrong: tuple[str, ...] = ()

    def speaks_of(self, problem: Problem) -> bool:
        """Whether a complaint is about what was taken out."""
        return any(problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")) for path in self.wrong)


def partial_mapping(file: YamlFile, problems: Iterable[Problem], source: str, lookups: Lookups) -> Partial | None:
    """What is left of a mapping whose file has `problems`; None where too little is."""
    trails = {dotted(trail): trail for trail in file.positions}
    data = copy.deepcopy(file.data)
    wrong: set[str] = set()
    for problem in problems:
        trail = trails.get(problem.path)
        if not trail:
            return None
        end = _column_end(trail)
        gone = trail[: end or _each_end(trail)]
        wrong.add(dotted(gone))
        _take_out(data, gone, is_column=bool(end))
    left = replace(file, data=data)
    if schema_problems(left, "mapping") or list(mapping_problems(left, lookups)):
        return None
    return Partial(freeze_mapping(left, source, lookups), left, tuple(sorted(wrong)))


def partial_connector(file: YamlFile, problems: Iterable[Problem], resources: Mapping[str, Merged]) -> Connector | None:
    """The connector without resources that have a problem; None where a problem is elsewhere."""
    data: Any = file.data
    broken: set[str] = set()
    for problem in problems:
        top, _, rest = problem.path.partition(".")
        name = rest.partition(".")[0]
        if top == "resources" and name in resources:
            broken.add(name)
        elif top == "shared" and name:
            broken |= {
                one for one, said in data["resources"].items() if isinstance(said, dict) and said.get("like") == name
            }
        else:
            return None
    sound = {name: merged for name, merged in resources.items() if name not in broken}
    if not sound or len(resources) < len(data["resources"]):
        return None
    return freeze_connector(file, sound)


def _column_end(trail: KeyPath) -> int:
    """How much of a trail names a column; 0 where it is not in one."""
    match trail:
        case ("columns", _, *_):
            return 2
        case ("to", _, "columns", _, *_):
            return 4
        case ("to", _, "rows", _, column, *_) if column not in OF_ROW:
            return 5
        case _:
            return 0


def _each_end(trail: KeyPath) -> int:
    """How much of a trail has to go: without its `each`, nothing beside it means what it says.

    Of a table that says both `columns` and `rows` nobody knows which was meant.
    """
    if trail[:1] == ("to",) and trail[2:] in (("columns",), ("rows",)):
        return 2
    for place in (2, 4):
        if trail[:1] == ("to",) and trail[place : place + 1] == ("each",):
            return place
    return len(trail)


def _take_out(data: object, trail: KeyPath, *, is_column: bool) -> None:
    *above, last = trail
    inside: Any = data
    for step in above:
        inside = inside.get(step) if isinstance(inside, dict) else None
    if isinstance(inside, dict) and is_column:
        inside[last] = dict(_NOTHING)
    elif isinstance(inside, dict):
        inside.pop(last, None)
