"""The quick yes or no is what jsonschema says: of every keyword and every part of our schemas, right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from spec_made import read_yaml

from hde.places import bundled
from hde.spec.formats import format_checker
from hde.spec.schema import SCHEMAS, SchemaName, schema
from hde.spec.valid import OF_ALL, OF_KIND, is_valid
from hde.spec.whole import whole_connector

Schema = Mapping[str, Any]

NO_RULES = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default", "then", "else"}
VALIDATORS = {name: Draft202012Validator(schema(name), format_checker=format_checker()) for name in SCHEMAS}
JUNK: list[Any] = [
    None, True, False, 0, 1, 1.0, -1, 2.5, 10**6, "", "x", "90d", "GET", "{{ account.id }}", "{{ x", "a b", "a[",
    "hash", [], [1, True], ["a", "a"], [None], {}, {"like": "a"}, {"kind": "cursor"}, {"kind": "page", "size": 0},
    {"const": 1},
]  # fmt: skip
KEYS = ["extra", "like", "path", "json", "form", "kind", "const", "unit", "Bad Name", ""]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    if not isinstance(node, dict):
        return
    yield node
    for keyword in ("properties", "patternProperties", "$defs"):
        for below in node.get(keyword, {}).values():
            yield from nodes(below)
    for keyword in ("items", "additionalProperties", "if", "then", "else", "not"):
        yield from nodes(node.get(keyword))
    for keyword in ("anyOf", "oneOf", "allOf"):
        for below in node.get(keyword, ()):
            yield from nodes(below)


def read_whole(name: SchemaName, file: Path) -> object:
    """What is held against the schema: a connector with what it takes over."""
    read = whole_connector(file)[0] if name == "connector" else read_yaml(file)
    return read.data if read else None


Part = tuple[SchemaName, Schema, Any]
PARTS: list[Part] = [
    (name, node, one) for name in SCHEMAS for node in nodes(schema(name)) for one in node.get("examples", ())
]
FILES: list[tuple[SchemaName, Path]] = [
    *(("connector", file) for file in sorted(bundled("connectors").glob("*.yaml"))),
    *(("mapping", file) for file in sorted(bundled("mappings").glob("*/*.yaml")) if file.stem != "lookups"),
    *(("mapping-test", file) for file in sorted(bundled("mappings").glob("*/tests/*.yaml"))),
]
WHOLE: list[Part] = [(name, schema(name), read_whole(name, file)) for name, file in FILES]


def test_every_keyword_of_our_schemas_has_a_rule() -> None:
    used = {keyword for name in SCHEMAS for node in nodes(schema(name)) for keyword in node}
    known = set(OF_ALL).union(*OF_KIND.values())
    assert {keyword for keyword in used if not keyword.startswith("x-")} - NO_RULES == known


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ({"type": "integer"}, [1, 1.0, 1.5, True, "1", None]),
        ({"type": "number"}, [1, 1.5, True, "1"]),
        ({"type": ["boolean", "null"]}, [True, None, 0, "", [], {}]),
        ({"type": "object"}, [{}, [], ""]),
        ({"type": "array"}, [[], {}, "a"]),
        ({"const": 1}, [1, 1.0, True, "1"]),
        ({"const": True}, [True, 1, "true"]),
        ({"enum": ["a", 0]}, ["a", "b", 0, False, None]),
        ({"pattern": "^a"}, ["ab", "ba", 1]),
        ({"minLength": 2}, ["ab", "a", 1]),
        ({"format": "span"}, ["90d", "90", 90]),
        ({"format": "template"}, ["{{ account.id }}", "{{ x"]),
        ({"minimum": 2, "maximum": 3}, [1, 2, 3, 3.5, True, "1"]),
        ({"items": {"type": "string"}, "minItems": 1}, [[], ["a"], ["a", 1], "a", {}]),
        ({"maxItems": 2}, [[], [1, 2], [1, 2, 3], "abc"]),
        ({"uniqueItems": True}, [["a", "a"], ["a", "b"], [1, True], [1, 1.0], []]),
        ({"required": ["a"]}, [{}, {"a": None}, "a"]),
        ({"dependentRequired": {"a": ["b"]}}, [{}, {"a": 1}, {"a": 1, "b": 1}, {"b": 1}, "a"]),
        (
            {"properties": {"a": True}, "patternProperties": {"^b": {"type": "null"}}, "additionalProperties": False},
            [{}, {"a": 1}, {"b1": None}, {"b1": 1}, {"c": None}],
        ),
        ({"additionalProperties": {"type": "string"}}, [{"a": "b"}, {"a": 1}]),
        ({"minProperties": 1, "maxProperties": 1}, [{}, {"a": 1}, {"a": 1, "b": 1}, "ab"]),
        ({"if": {"type": "string"}, "then": {"const": "a"}, "else": {"const": 1}}, ["a", "b", 1, 2]),
        ({"if": {"type": "string"}, "then": {"const": "a"}}, ["a", "b", 1]),
        ({"not": {"type": "string"}}, ["a", 1]),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, ["a", "", 1]),
        ({"anyOf": [{"type": "string"}, {"minimum": 1}]}, ["a", 0, 1]),
        ({"oneOf": [{"type": "number"}, {"minimum": 1}]}, [0, 1, "a"]),
        ({"$ref": "#/$defs/one", "type": "string", "$defs": {"one": {"minLength": 1}}}, ["a", "", 1, []]),
    ],
)
def test_a_keyword_means_what_it_means_to_jsonschema(said: Schema, values: list[object]) -> None:
    validator = Draft202012Validator(said, format_checker=format_checker())
    assert [is_valid(value, said, said) for value in values] == [validator.is_valid(value) for value in values]
    assert len({is_valid(value, said, said) for value in values}) == 2, "a row that cannot fail"


def test_what_comes_along_and_every_example_holds() -> None:
    for name, part, value in [*PARTS, *WHOLE]:
        assert is_valid(value, part, schema(name)), value


@settings(max_examples=600, deadline=None, database=None)
@given(st.data())
def test_of_any_change_both_say_the_same(data: st.DataObject) -> None:
    name, part, value = data.draw(st.sampled_from([*PARTS, *WHOLE]))
    value = changed(data.draw, deepcopy(value))
    said = is_valid(value, part, schema(name))
    assert said == VALIDATORS[name].evolve(schema=part).is_valid(value), value


def changed(draw: Any, value: Any) -> Any:
    """A value with one thing in it replaced, taken out, added or renamed."""
    if not value or not isinstance(value, dict | list) or draw(st.integers(0, 5)) == 0:
        return deepcopy(draw(st.sampled_from(JUNK)))
    at = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    how = draw(st.sampled_from(["below", "below", "below", "out", "in"]))
    if how == "below":
        value[at] = changed(draw, value[at])
    elif how == "out":
        del value[at]
    elif isinstance(value, dict):
        value[draw(st.sampled_from(KEYS))] = deepcopy(draw(st.sampled_from([*JUNK, value[at]])))
    else:
        value.append(deepcopy(value[at]))
    return value
