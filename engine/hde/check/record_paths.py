"""Paths of a record as tuples of names: what it holds, how a path is written, which path stands for which.

`[]` stands for any element of a list and `*` for any name of an object. Knows nothing of expressions.
"""

from __future__ import annotations

import json

from hde.mapping.expression import is_plain

Path = tuple[str, ...]
ELEMENT = "[]"
ANY = "*"
PERHAPS_ELEMENT = "[]?"
"""Where `[]` flattens something that may be a list or not: the element, or the thing itself."""

MOST_PATHS = 200
"""Nothing an author writes comes from more places; what is beyond is left out."""

_DEEPEST = 100
"""What lies deeper in a record counts as one leaf."""


def paths_in(record: object) -> set[Path]:
    """The leaf paths of a record: scalars, nulls, empty lists and empty objects."""
    leaves: set[Path] = set()
    todo: list[tuple[Path, object]] = [((), record)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict) and value and len(path) < _DEEPEST:
            todo += [((*path, str(name)), below) for name, below in value.items()]
        elif isinstance(value, list) and value:
            todo += [(joined(path, ELEMENT), below) for below in value]
        else:
            leaves.add(path)
    return leaves


def dotted(path: Path) -> str:
    """A path as an author writes it: `entry[].resource.id`; names that are not plain are quoted; `@` is the record.

    A `-` needs no quotes where all is names and dots, and does beside brackets.
    """
    text = ""
    may_dash = ELEMENT not in path and ANY not in path
    for name in path:
        if name == ELEMENT:
            text += ELEMENT
        elif name != PERHAPS_ELEMENT:
            is_bare = name == ANY or (is_plain(name) and "." not in name and (may_dash or "-" not in name))
            bare = name if is_bare else json.dumps(name, ensure_ascii=False)
            text += f".{bare}" if text else bare
    return text or "@"


def alternatives(path: Path) -> set[Path]:
    """The paths one path may stand for: with and without each element that is only perhaps one."""
    found: set[Path] = {()}
    for name in path:
        longer = {joined(start, ELEMENT if name == PERHAPS_ELEMENT else name) for start in found}
        found = found | longer if name == PERHAPS_ELEMENT and len(found) < MOST_PATHS else longer
    return found


def matches(pattern: Path, path: Path) -> bool:
    """Whether `path` is what `pattern` names, `*` standing for any name."""
    if len(pattern) != len(path):
        return False
    return all(here == there or (here == ANY and there != ELEMENT) for here, there in zip(pattern, path, strict=True))


def joined(path: Path, name: str) -> Path:
    """A path and one name more."""
    # Lists of lists count as one list, because `[]` flattens them as it goes.
    same = name in (ELEMENT, PERHAPS_ELEMENT) and path[-1:] in ((ELEMENT,), (PERHAPS_ELEMENT,))
    return path if same else (*path, name)
