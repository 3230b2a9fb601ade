"""Expressions in the habits of other languages, and what is said to whoever wrote them."""

from __future__ import annotations

import pytest

from hde.errors import WrongUse
from hde.spec.formats import check_jmespath, check_path

ARITHMETIC = "it has no arithmetic: `unit` converts, `sum` adds, `exponent` scales by powers of ten"
WRONG = [
    ("$.items", "'$.items' is not JMESPath, which has no $ for the whole: write items"),
    ("$[0]", "'$[0]' is not JMESPath, which has no $ for the whole: write [0]"),
    ("a['b'].c", "\"a['b'].c\" is not JMESPath: a name stands after a dot, not in ['b']: write a.b.c"),
    ("a or b", "'a or b' is not JMESPath: 'or' is written ||"),
    ("a = 'x'", "\"a = 'x'\" is not JMESPath: equal is =="),
    ("a > 5", "'a > 5' is not JMESPath: a number stands in backticks: `5`"),
    ("a + b", f"'a + b' is not JMESPath: {ARITHMETIC}"),
    ("{{ a.b }}", "'{{ a.b }}' is not JMESPath: templates are for what is sent; what is read is a path: a.b"),
    ("größe", "'größe' is not JMESPath: a name with letters beyond a-z stands in double quotes inside the path "
     "('\"größe\"')"),
    ("lenght(a)", "lenght is not a function of JMESPath. Did you mean 'length'?"),
    ("b[?contians(a, 'x')]", "contians is not a function of JMESPath. Did you mean 'contains'?"),
    ("length(a, b)", "length() takes 1 value, and is given 2"),
    ("not_null()", "not_null() takes at least 1 value, and is given 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_said(text: str, said: str) -> None:
    with pytest.raises(WrongUse) as raised:
        check_jmespath(text)
    assert str(raised.value) == said


def test_a_mapping_s_path_starts_at_the_record() -> None:
    with pytest.raises(WrongUse, match=r"a path starts at the record, without \$: write beats"):
        check_path("$.beats")


@pytest.mark.parametrize("text", ["max_by(a, &b)", "not_null(a, b, c)", "a[?b > `5`]", "['a'].b", "sum(map(&x, y))"])
def test_what_is_right_is_left_alone(text: str) -> None:
    check_jmespath(text)
