"""The corners that the JMESPath specification names, one by one: what is asked, of what, and what comes of it.

Every case is held against jmespath.py as well: where that departs from the specification, we depart with it.
"""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from jmespath import exceptions

from hde.mapping import expression
from hde.mapping.expression import ExpressionError
from hde.source.exact import Exact

pytestmark = pytest.mark.filterwarnings("ignore:deprecated string literal")

PEOPLE = [{"n": "ann", "age": 30, "s": "ok"}, {"n": "bob", "age": 20}, {"n": "cy", "age": None, "s": ""}]

CASES: dict[str, list[tuple[str, Any, Any]]] = {
    "fields": [
        ("a", {"a": 1}, 1),
        ("a", {"b": 1}, None),
        ("a", [1], None),
        ("a", "text", None),
        ("a", 7, None),
        ("a", None, None),
        ("a.b.c", {"a": {"b": {"c": False}}}, False),
        ("a.b.c", {"a": {"b": 3}}, None),
        ('"with space"."\\u00e9\\n"', {"with space": {"é\n": 1}}, 1),
        ('"a.b"', {"a.b": 1, "a": {"b": 2}}, 1),
        ("a-b.c", {"a-b": {"c": 1}}, 1),
        ("@", 5, 5),
        ("@.a", {"a": 1}, 1),
    ],
    "indexes": [
        ("[0]", [1, 2], 1),
        ("[-1]", [1, 2], 2),
        ("[2]", [1, 2], None),
        ("[-3]", [1, 2], None),
        ("[0]", "ab", None),
        ("[0]", {"0": 1}, None),
        ("a[0][1].b", {"a": [[0, {"b": 1}]]}, 1),
        ("a[99999999999999999999999]", {"a": [1]}, None),
        ("a[-99999999999999999999999]", {"a": [1]}, None),
    ],
    "slices": [
        ("[1:3]", [0, 1, 2, 3], [1, 2]),
        ("[:]", [0, 1], [0, 1]),
        ("[::2]", [0, 1, 2], [0, 2]),
        ("[::-1]", [0, 1, 2], [2, 1, 0]),
        ("[-2:]", [0, 1, 2], [1, 2]),
        ("[10:-10:-2]", [0, 1, 2], [2, 0]),
        ("[0:1]", "text", None),
        ("[:1].a", [{"a": 1}, {"a": 2}], [1]),
        ("[1:]", [0, None, 1], [1]),
        ("a[0][0:2].b", {"a": [[{"b": 1}, {"b": 2}]]}, None),
        ("[::0]", None, None),
        ("[::0]", [1], ValueError),
    ],
    "list projections": [
        ("[*]", [1, None, 2], [1, 2]),
        ("[*].a", [{"a": 1}, {"b": 2}, {"a": None}, 3], [1]),
        ("[*].a", {"a": 1}, None),
        ("a[*].b", {"a": []}, []),
        ("a[*].b[*].c", {"a": [{"b": [{"c": 1}, {}]}, {"b": 7}, {"b": []}]}, [[1], []]),
        ("a[*][0]", {"a": [[1, 2], [], [3]]}, [1, 3]),
        ("a[*].b | [0]", {"a": [{"b": 1}, {"b": 2}]}, 1),
        ("a[*].b[0]", {"a": [{"b": [1]}, {"b": [2]}]}, [1, 2]),
    ],
    "object projections": [
        ("*", {"a": 1, "b": None, "c": 2}, [1, 2]),
        ("*.a", {"x": {"a": 1}, "y": {"b": 1}, "z": 3}, [1]),
        ("*", [1], None),
        ("*", {}, []),
        ("*.*", {"a": {"b": 1}, "c": 2}, [[1]]),
        ("a.*.b[]", {"a": {"x": {"b": [1]}, "y": {"b": [2, 3]}}}, [1, 2, 3]),
    ],
    "flatten": [
        ("[]", [[1, 2], 3, [4, [5]]], [1, 2, 3, 4, [5]]),
        ("[][]", [[1, [2]], [[3]]], [1, 2, 3]),
        ("[]", {"a": 1}, None),
        ("a[].b", {"a": [[{"b": 1}], {"b": 2}, {}]}, [1, 2]),
        ("a[].b[]", {"a": [{"b": [1]}, {"b": [2]}]}, [1, 2]),
        ("[]", [None, [None]], []),
    ],
    "filters": [
        ("[?age > `25`].n", PEOPLE, ["ann"]),
        ("[?age < `25` || s == ''].n", PEOPLE, ["bob", "cy"]),
        ("[?s]", PEOPLE, PEOPLE[:1]),
        ("[?!s].n", PEOPLE, ["bob", "cy"]),
        ("[?@]", [0, 1, "", "a", [], [0], {}, {"a": 0}, None, False, True], [0, 1, "a", [0], {"a": 0}, True]),
        ("[?a]", {"a": 1}, None),
        ("[?n == 'bob'] | [0].age", PEOPLE, 20),
        ("[?n == 'bob'].age | [0]", PEOPLE, 20),
        ("[?contains(n, 'b')].n", PEOPLE, ["bob"]),
        ("a[?b==`1`][?c==`2`]", {"a": [{"b": 1, "c": 2}]}, []),
        ("a[?b].c[0]", {"a": [{"b": 1, "c": [5]}]}, [5]),
    ],
    "comparisons": [
        ("a == b", {"a": [1, {"x": 2}], "b": [1, {"x": 2}]}, True),
        ("a == `1`", {"a": True}, False),
        ("a == `1`", {"a": 1.0}, True),
        ("a == `true`", {"a": 1}, False),
        ("a == `0`", {"a": False}, False),
        ("a != `0`", {"a": False}, True),
        ("a == `[1]`", {"a": [True]}, True),
        ("a == b", {}, True),
        ("a == `null`", {}, True),
        ("a == '1'", {"a": 1}, False),
        ("a != '1'", {"a": "1"}, False),
        ("a < `2`", {"a": 1}, True),
        ("a < `2`", {"a": "1"}, TypeError),
        ("a < b", {"a": "a", "b": "b"}, True),
        ("a < `2`", {"a": None}, None),
        ("a < `2`", {"a": True}, None),
        ("a >= `2`", {"a": [2]}, None),
        ("a <= `1`", {"a": Exact("1.0")}, True),
    ],
    "and, or, not": [
        ("a || b", {"a": 0, "b": 1}, 0),
        ("a || b", {"a": "", "b": 1}, 1),
        ("a || b", {"a": [], "b": {}}, {}),
        ("a || b || c", {"c": 3}, 3),
        ("a && b", {"a": 1, "b": None}, None),
        ("a && b", {"a": [], "b": 1}, []),
        ("a && b || c", {"a": 1, "b": {}, "c": 2}, 2),
        ("!a", {"a": 0}, False),
        ("!a", {"a": ""}, True),
        ("!!a", {"a": {"b": 1}}, True),
        ("!(a == b)", {"a": 1}, True),
        ("a || length(b)", {"a": 1, "b": 3}, 1),
        ("a && length(b)", {"b": 3}, None),
    ],
    "multi-select": [
        ("[a, b.c]", {"a": 1, "b": {"c": 2}}, [1, 2]),
        ("[a, b]", {}, [None, None]),
        ("{x: a, y: b}", {"a": 1}, {"x": 1, "y": None}),
        ("{x: a}", None, None),
        ("a.{x: b}", {"a": None}, None),
        ("a[*].{n: b, m: c}", {"a": [{"b": 1}, None]}, [{"n": 1, "m": None}]),
        ("{x: a, x: b}", {"a": 1, "b": 2}, {"x": 2}),
        ("[*].[a, b]", [{"a": 1}, {"b": 2}], [[1, None], [None, 2]]),
        ("{\"'\\\"\\n\": a}", {"a": 1}, {"'\"\n": 1}),
    ],
    "literals": [
        ("`{\"a\": [1, null]}`", None, {"a": [1, None]}),
        ("`1.50`", None, 1.5),
        ("'it''s'", None, ExpressionError),
        (r"'it\'s'", None, "it's"),
        ("`\"a\\`b\"`", None, "a`b"),
        ("`foo`", None, "foo"),
        ("`{`", None, "{"),
        ("`true`[0]", None, None),
        ("'`'", None, "`"),
        ("`[]`[0]", None, None),
    ],
    "pipes": [
        ("a | b", {"a": {"b": 1}}, 1),
        ("[*].a | length(@)", [{"a": 1}, {"a": 2}], 2),
        ("[*].a | [?@ > `1`] | [0]", [{"a": 1}, {"a": 2}], 2),
        ("a | [b, c]", {"a": None}, None),
    ],
    "functions": [
        ("abs(@)", -3, 3),
        ("abs(@)", "3", exceptions.JMESPathTypeError),
        ("avg(@)", [1, 2], 1.5),
        ("avg(@)", [], None),
        ("avg(@)", [True], exceptions.JMESPathTypeError),
        ("ceil(@)", Exact("1.2"), 2),
        ("floor(@)", -1.2, -2),
        ("contains(@, 'a')", "cab", True),
        ("contains(@, `1`)", [1], True),
        ("contains(@, `1`)", [True], True),
        ("contains(@, `1`)", "1", TypeError),
        ("contains(@, 'a')", {"a": 1}, exceptions.JMESPathTypeError),
        ("ends_with(@, 'c')", "abc", True),
        ("starts_with(@, 'c')", "abc", False),
        ("starts_with(@, `1`)", "1", exceptions.JMESPathTypeError),
        ("join(', ', @)", ["a", "b"], "a, b"),
        ("join(', ', @)", ["a", 1], exceptions.JMESPathTypeError),
        ("join(', ', @)", [], ""),
        ("keys(@)", {"b": 1, "a": 2}, ["b", "a"]),
        ("values(@)", {"b": 1, "a": None}, [1, None]),
        ("keys(@)", [], exceptions.JMESPathTypeError),
        ("length(@)", "é", 1),
        ("length(@)", {"a": 1}, 1),
        ("length(@)", None, exceptions.JMESPathTypeError),
        ("map(&a, @)", [{"a": 1}, {}], [1, None]),
        ("map(&length(@), @)", ["a", 1], exceptions.JMESPathTypeError),
        ("max(@)", [1, Exact("2.5")], Exact("2.5")),
        ("max(@)", [], None),
        ("max(@)", [1, "a"], exceptions.JMESPathTypeError),
        ("min(@)", ["b", "a"], "a"),
        ("max_by(@, &age)", PEOPLE[:2], PEOPLE[0]),
        ("max_by(@, &age)", PEOPLE, exceptions.JMESPathTypeError),
        ("min_by(@, &a)", [], None),
        ("merge(@, `{\"a\": 2}`)", {"a": 1, "b": 1}, {"a": 2, "b": 1}),
        ("not_null(a, b, `3`)", {"b": 0}, 0),
        ("not_null(a)", {}, None),
        ("reverse(@)", "abc", "cba"),
        ("reverse(@)", [1, None], [None, 1]),
        ("sort(@)", [2, 1], [1, 2]),
        ("sort(@)", [2, "a"], exceptions.JMESPathTypeError),
        ("sort_by(@, &age)[*].n", PEOPLE[:2], ["bob", "ann"]),
        ("sort_by(@, &s)", PEOPLE, exceptions.JMESPathTypeError),
        ("sort_by(@, &a)", [], []),
        ("sum(@)", [], 0),
        ("sum(@)", [1, Exact("0.5")], 1.5),
        ("to_array(@)", 1, [1]),
        ("to_number(@)", "1e3", 1000.0),
        ("to_number(@)", "12", 12),
        ("to_number(@)", "twelve", None),
        ("to_number(@)", True, None),
        ("to_number(@)", [1], None),
        ("to_string(@)", "a", "a"),
        ("to_string(@)", {"a": [1, None, "é"]}, '{"a":[1,null,"\\u00e9"]}'),
        ("to_string(@)", Exact("1.50"), "1.5"),
        ("type(@)", Exact("1.5"), "number"),
        ("[*].type(@)", [None, True, 1, "a", [], {}], ["null", "boolean", "number", "string", "array", "object"]),
        ("type(&a)", None, None),
        ("length(&a)", None, exceptions.JMESPathTypeError),
    ],
    "what is refused when it is run": [
        ("nothing(@)", 1, exceptions.UnknownFunctionError),
        ("a.nothing(@)", {}, exceptions.UnknownFunctionError),
        ("[*].nothing(@)", [], []),
        ("nothing(length(`1`))", 1, exceptions.JMESPathTypeError),
        ("length()", 1, exceptions.ArityError),
        ("length(@, @)", "a", exceptions.ArityError),
        ("contains(@)", "a", exceptions.ArityError),
        ("not_null()", 1, exceptions.VariadictArityError),
        ("merge()", 1, exceptions.VariadictArityError),
    ],
    "what does not compile": [
        (text, None, ExpressionError)
        for text in (
            "", "a.", ".a", "a..b", "a b", "a[", "a]", "[?", "a[?b", "*a", "a[*", "&", "a = b", "'a", "`a", "a.1",
            "{}", "{a}", "[a,]", "foo.`1`", "\"a\"(@)", "a[1:2:3:4]", "a[x:]", "((a)", "!", "a ||", "@@", "a[b c]",
            "$.a",
        )
    ],
}  # fmt: skip


def outcome(search: Any, *arguments: Any) -> Any:
    """What came of it: a value with the types in it, or the class of the error."""
    try:
        return repr(search(*arguments))
    except Exception as error:  # noqa: BLE001 - which one it is, is what is compared
        return type(error)


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [pytest.param(*case, id=f"{topic}: {case[0]}") for topic, cases in CASES.items() for case in cases],
)
def test_a_corner_of_the_specification(text: str, document: Any, expected: Any) -> None:
    if expected is ExpressionError:
        with pytest.raises(ExpressionError):
            expression.compile(text)
        assert issubclass(outcome(jmespath.compile, text), exceptions.JMESPathError)
        return
    wanted = expected if isinstance(expected, type) else repr(expected)
    assert outcome(expression.compile(text), document) == wanted
    if not expression.is_plain(text):
        assert outcome(jmespath.search, text, document) == wanted


def test_an_expression_that_is_a_value_is_known_as_one() -> None:
    assert type(expression.compile("&a")(None)).__name__ == type(jmespath.search("&a", None)).__name__


class Getting:
    """No dict, but it has `get`: the reference asks it."""

    def get(self, name: str) -> str:
        return f"got {name}"


class Made(dict[str, int]):
    def __missing__(self, name: str) -> int:
        return 1


@pytest.mark.parametrize("document", [Getting(), Made(), {"a": Getting()}, {"a": Made()}, (1, 2), {"a": (1, 2)}])
@pytest.mark.parametrize(
    "text", ["a", "a.b", "[a, b]", "[a.b, a.c]", "a[0]", "[0]", "*", "[]", "[*]", "[?@]", "a == b"]
)
def test_what_is_not_json_is_read_as_the_reference_reads_it(text: str, document: object) -> None:
    def shape(search: Any, *arguments: Any) -> Any:
        found = outcome(search, *arguments)
        return found if isinstance(found, type) else found.split(" at 0x")[0]

    assert shape(expression.compile(text), document) == shape(jmespath.search, text, document)
