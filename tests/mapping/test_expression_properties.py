"""Compiled expressions against jmespath.py, on documents and expressions nobody thought of."""

from __future__ import annotations

import json
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.functions import Functions

from hde.mapping import expression
from hde.source.exact import Exact

pytestmark = pytest.mark.filterwarnings("ignore:deprecated string literal")

THE_SAME_EVERY_TIME = settings(deadline=None, database=None, derandomize=True, max_examples=500)

NAMES = st.sampled_from(["a", "b", "c", "d"])
NUMBERS = st.sampled_from([0, 1, -1, 2, 0.0, 1.0, 1.5, Exact("1.50"), Exact("0"), 10**30])
SCALARS = st.sampled_from([None, True, False, "", "a", "b", "abc", "1", "1.5", "é"]) | NUMBERS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=25
)

LEAVES = NAMES | st.sampled_from(["@", "`0`", "`1`", "`true`", "`null`", '`[1, "a"]`', "`{}`", "'a'", "''", "`2.5`"])
COMPARATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
FUNCTIONS = st.sampled_from([*sorted(Functions.FUNCTION_TABLE), "no_such_function"])
BOUNDS = st.sampled_from(["", "0", "1", "-1", "2", "-3"])
STEPS = st.sampled_from(["", ":", ":1", ":2", ":-1", ":0"])


def joined(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


def listed(inner: st.SearchStrategy[str], least: int = 1) -> st.SearchStrategy[str]:
    return st.lists(inner, min_size=least, max_size=3).map(", ".join)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Every form of the grammar, over smaller expressions."""
    argument = inner | joined("&", inner)
    pairs = st.lists(joined(NAMES, ": ", inner), min_size=1, max_size=3).map(", ".join)
    called = joined(FUNCTIONS, "(", listed(argument, 0), ")")
    below = NAMES | joined("[", listed(inner), "]") | joined("{", pairs, "}") | st.just("*") | called
    return st.one_of(
        joined(inner, ".", below),
        joined(inner, "[", st.integers(-4, 4).map(str), "]"),
        joined(inner, "[", BOUNDS, ":", BOUNDS, STEPS, "]"),
        joined(inner, st.sampled_from(["[*]", "[]", ".*"])),
        joined(inner, "[?", inner, "]"),
        joined("(", inner, ") ", COMPARATORS, " (", inner, ")"),
        joined("(", inner, st.sampled_from([" && ", " || ", " | "]), inner, ")"),
        joined(inner, st.sampled_from([" && ", " || ", " | "]), inner),
        joined("!", inner),
        joined("[", listed(inner), "]"),
        joined("{", pairs, "}"),
        joined(st.sampled_from(["sort_by", "max_by", "min_by"]), "(", inner, ", &", inner, ")"),
        joined("map(&", inner, ", ", inner, ")"),
        called,
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=12)


def outcome(search: Any, *arguments: Any) -> Any:
    """A value with the types in it, or an error with what it says."""
    try:
        return plain(search(*arguments))
    except Exception as error:  # noqa: BLE001 - which one it is, is what is compared
        return type(error), unaddressed(str(error))


def plain(value: Any) -> str:
    return unaddressed(repr(value))


def unaddressed(text: str) -> str:
    """Objects that stand for `&expression` say where they lie in memory; nothing else of the text may differ."""
    return text if " object at 0x" not in text else "an expression"


def parses(text: str) -> bool:
    try:
        jmespath.compile(text)
    except jmespath.exceptions.JMESPathError:
        return False
    return True


@THE_SAME_EVERY_TIME
@given(EXPRESSIONS.filter(parses), st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_a_compiled_expression_gives_and_refuses_what_jmespath_does(text: str, documents: list[Any]) -> None:
    compiled = expression.compile(text)
    for document in documents:
        assert outcome(compiled, document) == outcome(jmespath.search, text, document)


@THE_SAME_EVERY_TIME
@given(st.lists(EXPRESSIONS.filter(parses), max_size=5), DOCUMENTS)
def test_many_at_once_give_what_each_gives_alone(texts: list[str], document: Any) -> None:
    def one_by_one(document: Any) -> tuple[Any, ...]:
        return tuple([expression.compile(text)(document) for text in texts])

    assert outcome(expression.compile_all(texts), document) == outcome(one_by_one, document)


@THE_SAME_EVERY_TIME
@given(st.text(max_size=40) | EXPRESSIONS.map(lambda text: text[1:]))
def test_what_jmespath_does_not_take_is_refused_and_nothing_else(text: str) -> None:
    try:
        expression.compile(text)
    except expression.ExpressionError:
        assert not parses(text)
    else:
        assert parses(text) or expression.is_plain(text)


@THE_SAME_EVERY_TIME
@given(st.lists(st.text(max_size=8), min_size=1, max_size=4), DOCUMENTS)
def test_any_text_is_a_name(names: list[str], inner: Any) -> None:
    text = ".".join(json.dumps(name) for name in names)
    document = inner
    for name in reversed(names):
        document = {name: document}
    assert expression.compile(text)(document) is inner
