"""What an `each` makes of a record, as far as the mapping alone tells: items with other names, indexes that move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from hde.check.place import complain
from hde.check.written import RECORD, Written, written
from hde.mapping.expression import is_plain
from hde.mapping.scope import Scope
from hde.spec.mapping import Each
from hde.spec.mapping import Mapping as OneMapping
from hde.spec.problem import Problem, with_hint
from hde.spec.yaml_file import YamlFile

_PROJECTIONS = ("projection", "filter_projection", "value_projection", "flatten")


def items_problems(mapping: OneMapping, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with the items of a mapping and with what is read of them."""
    for one in written(mapping, file):
        if "each" in one.trail and "zip" in one.trail and _leaves_out(one):
            message = (
                f"{one.text} leaves out what is null, so it need not be as long as the lists beside it: name the list "
                "itself, or take the objects apart (`each: PATH` of their list)"
            )
            yield complain(file, one.trail, message)
        elif "each" in one.trail[-2:] and one.key is None and _leaves_out(one):
            bare = one.text.removesuffix("[*]").removesuffix("[]")
            message = (
                f"{one.text} leaves out items that are null, and their index is the `part` of the others: write {bare}"
            )
            message = (
                message
                if bare != one.text and is_plain(bare)
                else (
                    f"{one.text} leaves items out, so their index, which is their `part`, changes when others come: "
                    "give a `key`, or leave them out by `when`"
                )
            )
            yield complain(file, one.trail, message, "warning")
        elif fault := _of_item(one):
            yield complain(file, one.trail, fault)


def _of_item(one: Written) -> str:
    name = one.of or ""
    if one.is_item_name and name.endswith("index"):
        counted = _each_at(one.here.scope, name.count("parent"))
        if counted is not None and counted.entries is not None:
            return f"{one.text}: the entries of an object have no order; $parent and `key` tell them apart"
    each = one.here.scope.each
    if name != RECORD or each is None or not is_plain(one.text):
        return ""
    names = ["key", "value"] if each.entries is not None else list(each.zip)
    first = one.text.split(".")[0]
    if each.entries is not None and one.text.startswith("key."):
        return f"{one.text}: the key of an entry is a text, with nothing below it"
    if not names or first in names:
        return ""
    return with_hint(f"{first} is not in the item, which has {', '.join(names)}", first, names)


def _each_at(scope: Scope, out: int) -> Each | None:
    """The `each` so many levels out."""
    for _ in range(out):
        if scope.outer is None:
            return None
        scope = scope.outer
    return scope.each


def _leaves_out(one: Written) -> bool:
    """Whether an expression ends in a projection, which drops what is null."""
    try:
        node: Mapping[str, Any] = jmespath.compile("@" if is_plain(one.below) else one.below).parsed
    except JMESPathError:
        return False
    while node["type"] in ("pipe", "subexpression", "index_expression") and node["children"]:
        node = node["children"][-1]
    return node["type"] in _PROJECTIONS and not _joins(node)


def _joins(node: Mapping[str, Any]) -> bool:
    """`[[@], parts][]`: whole lists, one behind the other."""
    flat, then = node["children"][0], node["children"][-1]
    joined = flat["type"] == "flatten" and flat["children"][0]["type"] == "multi_select_list"
    return bool(joined and then["type"] == "identity")
