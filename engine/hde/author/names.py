"""Names as this project writes them, made from names as sources write them, and paths to what sources named."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence

from hde.check.record_paths import ANY, ELEMENT, PERHAPS_ELEMENT
from hde.mapping.expression import is_plain
from hde.spec.formats import LONGEST_NAME
from hde.spec.problem import snake

LONGEST_RESOURCE = 55
_JMESPATH_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def word_set(text: str) -> frozenset[str]:
    """Words that stand in one text, as a set."""
    return frozenset(text.split())


def word_list(text: str) -> tuple[str, ...]:
    """Words that stand in one text, in their order."""
    return tuple(text.split())


def words(text: str) -> tuple[str, ...]:
    """The words of a name, in small letters."""
    return tuple(snake(text).split("_"))


def plain(text: str) -> str:
    """A name without what its writers differ in: `start_time`, `startTime` and `starttime` are one."""
    return snake(text).replace("_", "")


def name_of(text: str, otherwise: str, longest: int = LONGEST_RESOURCE) -> str:
    """A name of a resource or a setting: a letter first, not too long."""
    name = snake(text)[:longest].strip("_")
    if name and not name[0].isalpha():
        name = f"{otherwise}_{name}"[:longest].strip("_")
    return name or otherwise


def singular(text: str) -> str:
    """`activities` as `activity`, `sleeps` as `sleep`; enough to find a key by the name of its resource."""
    if text.endswith("ies"):
        return f"{text[:-3]}y"
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text


def is_sayable(name: str) -> bool:
    """Whether a name of a source can stand in a path and in YAML."""
    return bool(name) and name.isprintable() and name not in (ELEMENT, ANY, PERHAPS_ELEMENT)


def path_text(names: Sequence[str]) -> str:
    """The path to a field: dotted, each name in quotes that JMESPath would not take bare."""
    dotted = ".".join(names)
    if is_plain(dotted) and all("." not in name for name in names):
        return dotted
    return ".".join(name if _JMESPATH_NAME.match(name) else json.dumps(name, ensure_ascii=False) for name in names)


def column_for(names: Sequence[str], taken: Container[str]) -> str:
    """A name for the raw column of a field that no other column has."""
    name = "_".join(filter(None, map(snake, names)))[: LONGEST_NAME - 4].strip("_") or "field"
    if not name[0].isalpha() or name == "payload":
        name = f"field_{name}"[: LONGEST_NAME - 4]
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found
