"""Paths of a mapping: at the record, or at something named with `$`. Says where to read, not what to make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hde.errors import WrongUse
from hde.issues import Issue
from hde.mapping import expression
from hde.mapping.scope import ITEM_NAMES, Scope
from hde.mapping.values import Finding
from hde.mapping.watch import watched_path
from hde.spec.problem import did_you_mean

RECORD = ""
"""The name under which `Documents` holds the record itself, or inside `each` the item."""

Documents = Mapping[str, object]
"""Everything a path can reach: the record, `account`, `row`, the records named in `with`, `parent` and `index`."""


class Path(NamedTuple):
    """`get(documents[of])` is the value, or a Finding where JMESPath cannot say.

    `text` is how the author would write it for the record as a whole, and what an issue is filed under.
    """

    text: str
    of: str
    get: expression.Expression
    below: str = "@"
    """What is read below `of`."""
    light: bool = False
    """`get` is no more than `below`, which never raises: generated code may read it as it likes."""
    unless_empty: bool = False
    """An empty list is null."""

    def value(self, documents: Documents) -> object:
        return self.get(documents[self.of])


def compile_path(text: str, scope: Scope) -> Path:
    """Compile `a.b` or `$name.a.b` where it stands in a mapping. WrongUse names what is wrong."""
    where = scope.in_record(text)
    if not text.startswith("$"):
        return _path(where, RECORD, text)
    match = expression.NAMED.match(text)
    if match is None:
        raise WrongUse(f"{text!r} is not a path: after $ comes a name, then a path below it ($sleep.start)")
    name, below, index = match.groups()
    if name not in scope.known:
        if name.rpartition("$")[2] in ITEM_NAMES:
            raise WrongUse(f"{text!r}: ${name} stands only inside {'another' if scope.depth else 'an'} `each`")
        known = [f"${one}" for one in sorted(scope.known)]
        meant = did_you_mean(f"${name}", known) or f" There is {', '.join(known)}"
        raise WrongUse(f"{text!r}: ${name} does not exist.{meant}")
    return _path(where, name, below or index or "@")


def truthy(value: object) -> bool:
    """JMESPath's truth: null, false, `""`, `[]` and `{}` are false, and 0 is true."""
    if value is None or value is False:
        return False
    return bool(value) if isinstance(value, str | list | dict) else True


def unless_empty(path: Path) -> Path:
    """With another path to follow, an empty list is nothing: a filter that finds nothing gives one."""
    get = path.get

    def read(document: object) -> object:
        found = get(document)
        return None if found == [] else found

    return path._replace(get=read, unless_empty=True)


def _path(text: str, of: str, below: str) -> Path:
    light = expression.is_light(below)
    get = _when_asked(below) if light else _finding(below, text)
    watched = watched_path(text, get)
    return Path(text, of, watched, below, light and watched is get)


def _when_asked(below: str) -> expression.Expression:
    """Compiled on its first use, which most have not: a row's generated code reads light paths by itself."""
    compiled: expression.Expression | None = None

    def read(document: object) -> object:
        nonlocal compiled
        if compiled is None:
            compiled = expression.compile(below)
        return compiled(document)

    return read


def _finding(below: str, text: str) -> expression.Expression:
    """What the expression raises as a Finding."""
    search = expression.compile(below)

    def read(document: object) -> object:
        try:
            return search(document)
        except expression.FAILURES:
            raise Finding(Issue(text, "expression")) from None

    return read
