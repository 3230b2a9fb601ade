"""Whether a value is as a schema says: yes or no, and nothing of why.

jsonschema says why. To load it and to ask it takes longer than all else of reading a connector, so it is asked only
where this says no; a test holds the two against each other. Knows the keywords that our schemas use, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, Final

from hde.errors import WrongUse
from hde.spec.formats import CHECKS

Schema = Mapping[str, Any]
Rule = Callable[[Any, Any, Schema, Schema], bool]
"""From what the keyword says, the value, the schema the keyword stands in and the whole one."""


def is_valid(value: object, schema: Schema | bool, root: Schema) -> bool:
    """Whether a value read from YAML holds; `root` is what `$ref` points into."""
    if isinstance(schema, bool):
        return schema
    of_kind = OF_KIND.get(type(value), {})
    for keyword, said in schema.items():
        rule = OF_ALL.get(keyword) or of_kind.get(keyword)
        if rule is not None and not rule(said, value, schema, root):
            return False
    return True


def _ref(said: str, value: object, schema: Schema, root: Schema) -> bool:
    target: Any = root
    for part in said.removeprefix("#/").split("/"):
        target = target[part]
    return is_valid(value, target, root)


def _type(said: str | list[str], value: object, schema: Schema, root: Schema) -> bool:
    return any(_is(value, kind) for kind in ([said] if isinstance(said, str) else said))


def _is(value: object, kind: str) -> bool:
    match value:
        case None:
            return kind == "null"
        case bool():
            return kind == "boolean"
        case str():
            return kind == "string"
        case dict():
            return kind == "object"
        case list():
            return kind == "array"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
    return False


def _same(one: object, other: object) -> bool:
    """As in JSON, where true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _if(said: Schema, value: object, schema: Schema, root: Schema) -> bool:
    return is_valid(value, schema.get("then" if is_valid(value, said, root) else "else", True), root)


def _one_of(said: list[Schema], value: object, schema: Schema, root: Schema) -> bool:
    return sum(is_valid(value, part, root) for part in said) == 1


def _format(said: str, value: str, schema: Schema, root: Schema) -> bool:
    try:
        CHECKS[said](value)
    except WrongUse:
        return False
    return True


def _dependent_required(said: Mapping[str, list[str]], value: dict[str, object], schema: Schema, root: Schema) -> bool:
    return all(needed in value for key, others in said.items() if key in value for needed in others)


def _properties(said: Mapping[str, Schema], value: dict[str, object], schema: Schema, root: Schema) -> bool:
    return all(is_valid(value[key], part, root) for key, part in said.items() if key in value)


def _pattern_properties(said: Mapping[str, Schema], value: dict[str, object], schema: Schema, root: Schema) -> bool:
    return all(
        is_valid(below, part, root)
        for pattern, part in said.items()
        for key, below in value.items()
        if re.search(pattern, key)
    )


def _additional_properties(said: Schema | bool, value: dict[str, object], schema: Schema, root: Schema) -> bool:
    known, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
    return all(
        is_valid(below, said, root)
        for key, below in value.items()
        if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    )


OF_ALL: Final[Mapping[str, Rule]] = {
    "$ref": _ref,
    "type": _type,
    "const": lambda said, value, schema, root: _same(said, value),
    "enum": lambda said, value, schema, root: any(_same(one, value) for one in said),
    "if": _if,
    "not": lambda said, value, schema, root: not is_valid(value, said, root),
    "allOf": lambda said, value, schema, root: all(is_valid(value, part, root) for part in said),
    "anyOf": lambda said, value, schema, root: any(is_valid(value, part, root) for part in said),
    "oneOf": _one_of,
}
_OF_NUMBERS: Final[Mapping[str, Rule]] = {
    "minimum": lambda said, value, schema, root: value >= said,
    "maximum": lambda said, value, schema, root: value <= said,
}
OF_KIND: Final[Mapping[type, Mapping[str, Rule]]] = {
    str: {
        "format": _format,
        "pattern": lambda said, value, schema, root: re.search(said, value) is not None,
        "minLength": lambda said, value, schema, root: len(value) >= said,
    },
    list: {
        "items": lambda said, value, schema, root: all(is_valid(item, said, root) for item in value),
        "minItems": lambda said, value, schema, root: len(value) >= said,
        "maxItems": lambda said, value, schema, root: len(value) <= said,
        "uniqueItems": lambda said, value, schema, root: not any(_same(*pair) for pair in combinations(value, 2)),
    },
    dict: {
        "required": lambda said, value, schema, root: all(key in value for key in said),
        "dependentRequired": _dependent_required,
        "properties": _properties,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "minProperties": lambda said, value, schema, root: len(value) >= said,
        "maxProperties": lambda said, value, schema, root: len(value) <= said,
    },
    int: _OF_NUMBERS,
    float: _OF_NUMBERS,
}
