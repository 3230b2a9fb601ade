"""Generated code: it holds nothing of a mapping's text, reaches nothing of Python, and large expressions get none."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import jmespath
import pytest

from hde.mapping import expression
from hde.mapping.expression import ExpressionError
from hde.mapping.expression_code import Code
from hde.mapping.expression_tree import DEEPEST, MOST_NODES, heads
from hde.mapping.expression_values import NAMES

HOSTILE = (
    "__class__",
    "__import__('os').system('true')",
    "'",
    '"',
    '"""',
    "\\",
    "\n    raise SystemExit\n",
    "a]; import os; b[",
    "{x}",
    "%s",
    "k0",
    "v1",
    "document",
    "\0",
    "\u2028",
    "größe",
    "\U0001d4be",
    "\ud800",
)


def source(text: str) -> str:
    code, tree = Code(), expression.parse(text)
    with code.function("search", "document"):
        code.read_ahead(heads(tree), "document")
        code.line(f"return {code.value(tree, 'document')}")
    return code.source


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_a_mapping_is_in_the_code(name: str) -> None:
    said = json.dumps(name)
    text = f"{said}.{said} || {{{said}: `{{{said}: {said}}}`, x: a[?b == 'c'][7]}}"
    assert expression.compile(text)({name: {name: 1}}) == 1
    assert expression.compile(text)({}) == jmespath.search(text, {})
    written = source(text)
    assert name not in written or name in ("v1", "document"), written
    constants = [node.value for node in ast.walk(ast.parse(written)) if isinstance(node, ast.Constant)]
    assert {type(one) for one in constants} <= {type(None)}


def test_names_in_the_code_are_its_own() -> None:
    written = source("sort_by(a[?b > `1`].*.c[] | [1:2], &d)[*].{x: !y, z: join(', ', w)} || nothing(&e)")
    names = {node.id for node in ast.walk(ast.parse(written)) if isinstance(node, ast.Name)}
    ours = {*NAMES, "document"}
    assert all(name in ours or re.fullmatch(r"[kv][0-9]*|fv[0-9]+", name) for name in names), names


def test_the_code_runs_without_builtins() -> None:
    compiled: Any = expression.compile("a[?b].c")
    assert compiled.__globals__["__builtins__"] == {}
    assert not {"open", "eval", "exec", "compile", "getattr", "__import__"} & compiled.__globals__.keys()
    assert eval("__builtins__", compiled.__globals__) == {}


DEEP = "!" * (DEEPEST + 1) + "a"
LONG = " || ".join(["a"] * (DEEPEST + 1))
WIDE = f"[{', '.join(['a'] * (MOST_NODES + 1))}]"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (DEEP, f"more than {DEEPEST} levels deep"),
        (LONG, f"more than {DEEPEST} levels deep"),
        (WIDE, "more than 1,000 parts"),
        (".".join(["a-b"] * (MOST_NODES + 1)), "more than 1,000 parts"),
    ],
)
def test_what_is_too_large_is_left_to_the_reference(text: str, why: str) -> None:
    assert expression.not_compiled(text) == why
    found = [expression.compile(text)({"a": 1}), expression.compile_all(["a", text])({"a": 1})[1]]
    assert found == [None if "-" in text else jmespath.search(text, {"a": 1})] * 2


def test_what_a_later_jmespath_may_say_is_left_to_it() -> None:
    later = {"type": "arithmetic", "value": "+", "children": [{"type": "current", "children": []}]}
    assert Code.too_large({"type": "pipe", "children": [later, later]}) == "arithmetic is unknown here"


@pytest.mark.parametrize(
    "text",
    [
        "!" * (DEEPEST - 1) + "a",
        "a" + "[*].b" * (DEEPEST - 2),
        "a" + "[?b]" * (DEEPEST - 2),
        "a" + "[]" * (DEEPEST // 2 - 2),
        "[" * (DEEPEST - 1) + "a" + "]" * (DEEPEST - 1),
        "{a: " * (DEEPEST // 2 - 1) + "a" + "}" * (DEEPEST // 2 - 1),
        " && ".join(["a"] * (DEEPEST - 1)),
        "map(&" * (DEEPEST // 2 - 1) + "a" + ", @)" * (DEEPEST // 2 - 1),
        f"[{', '.join(['a'] * (MOST_NODES - 1))}]",
    ],
)
def test_what_is_nearly_too_large_is_compiled(text: str) -> None:
    document: Any = {"a": 1}
    for _ in range(DEEPEST):
        document = {"a": [document, {"b": document}]}
    assert expression.not_compiled(text) == ""
    for one in (document, [], None):
        try:
            expected: Any = jmespath.search(text, one)
        except jmespath.exceptions.JMESPathError as error:
            with pytest.raises(type(error)):
                expression.compile(text)(one)
        else:
            assert expression.compile(text)(one) == expected


@pytest.mark.parametrize("text", ["(" * 5000 + "a", "[" * 5000, "!" * 5000 + "a", f"a[{'9' * 5000}]"])
def test_what_the_parser_cannot_bear_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="is not JMESPath"):
        expression.compile(text)


def test_what_several_expressions_read_is_read_once() -> None:
    class Counting(dict[str, Any]):
        reads = 0

        def get(self, name: str, default: Any = None) -> Any:
            Counting.reads += 1
            return super().get(name, default)

    document = Counting(score=Counting(stage=Counting(a=1, b=2)), start="x")
    texts = ["score.stage.a", "score.stage.b", "score.stage.a || start", "[score.stage.b]", "score.stage.a == `1`"]
    assert expression.compile_all(texts)(document) == (1, 2, 1, [2], True)
    assert Counting.reads == len({"score", "start", "score.stage", "score.stage.a", "score.stage.b"})


def test_the_first_to_fail_speaks_for_many() -> None:
    with pytest.raises(jmespath.exceptions.UnknownFunctionError):
        expression.compile_all(["a", "nothing(@)", "length(a)"])({"a": 1})
    with pytest.raises(jmespath.exceptions.JMESPathTypeError):
        expression.compile_all(["a", "length(a)", "nothing(@)"])({"a": 1})


def test_none_at_once_are_none() -> None:
    assert expression.compile_all([])({"a": 1}) == ()
