"""The source's words to ours: a lookup table compiled for one column. Keys are compared as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hde.canonical import Column
from hde.errors import WrongUse
from hde.issues import Issue, issue_about
from hde.mapping.at import Make
from hde.mapping.paths import Documents
from hde.mapping.values import Finding, refuse
from hde.spec.mapping import Lookup


class Skip(Exception):
    """This record makes no such row, and that is fine."""


def lookup_table(lookup: Lookup, column: Column, make: Make) -> dict[str, Any]:
    """The entries as canonical values; `make` is the column without its lookup. WrongUse for one that does not fit."""
    table: dict[str, Any] = {}
    for key, entry in lookup.entries.items():
        value = _entry(entry, key, lookup, column, make)
        if table.setdefault(lookup.key(key), value) != value:
            raise WrongUse(f"{_named(lookup)}: {key}: the same word, in letters of another case, is something else")
    return table


def with_lookup(lookup: Lookup, table: dict[str, Any], make: Make, path: str) -> Make:
    """`make` turns what `unknown: keep` keeps into a value."""
    unknown = lookup.unknown

    def find(value: Any, documents: Documents, issues: list[Issue]) -> Any:
        if isinstance(value, list):
            keys = {lookup.key(text) for one in _flat(value) if (text := key_text(one)) is not None}
            found = next((key for key in table if key in keys), None)
        else:
            text = key_text(value)
            found = None if text is None else lookup.key(text)
        if found in table:
            return table[found]
        match unknown:
            case "keep":
                return make(value, documents, issues)
            case "skip":
                raise Skip
            case "null":
                issues.append(issue_about(value, path, "lookup", "warning"))
                return None
            case _:
                refuse(value, path, "lookup")

    return find


def _flat(value: list[Any]) -> Iterator[Any]:
    """What is in a list and in the lists in it: codings of several concepts come as lists of lists."""
    todo = list(reversed(value))
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += reversed(one)
        else:
            yield one


def key_text(value: object) -> str | None:
    """A JSON scalar as a person writes it: true, 0, 1.5; None for null, lists and objects, which no key equals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def _named(lookup: Lookup) -> str:
    return f"lookup {lookup.name}" if lookup.name else "lookup"


def _entry(entry: object, key: str, lookup: Lookup, column: Column, make: Make) -> Any:
    try:
        return None if entry is None else make(entry, {}, [])
    except Finding as finding:
        rule = finding.issue.rule
        allowed = f": one of {', '.join(column.words)}" if rule == "word" else f" ({rule})"
        raise WrongUse(f"{_named(lookup)}: {key}: {entry!r} does not fit {column.name}{allowed}") from None
