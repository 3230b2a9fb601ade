"""Templates: expressions only, null stays null, and nothing they compute can grow, loop or look behind the scenes."""

from __future__ import annotations

import re

import pytest

from hde.spec.template import Template, TemplateError, compile_template, compile_tree, render_tree
from hde.spec.template_filters import LONGEST_OUTPUT

SCOPE = {
    "settings": {"key": "k", "count": "5", "on": True},
    "page": {"cursor": None, "number": 3},
    "window": {"start": "2026-01-02T00:00:00Z"},
    "each": ["a", None, 2],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ page.number }}", 3),
        ("{{ page.cursor }}", None),
        ("{{ page.nowhere }}", None),
        ("{{ nowhere }}", None),
        ("{{ each }}", ["a", None, 2]),
        ("p{{ page.number }}", "p3"),
        ("{{ settings.on }}!", "true!"),
        ("{{ settings.count | int }}", 5),
        ("{{ page.cursor | int }}", None),
        ("{{ page.cursor | upper }}", None),
        ("{{ page.cursor | string }}", None),
        ("{{ page.cursor | replace('a', 'b') }}", None),
        ("{{ page.cursor | default('first') }}", "first"),
        ("{{ page.cursor | join(',') }}", None),
        ("{{ each | join(',') }}", "a,2"),
        ("{{ settings.key | upper }}", "K"),
        ("{{ settings.key ~ '-' ~ page.number ~ settings.on }}", "k-3true"),
        ("{{ window.start | replace('Z', '+00:00') }}", "2026-01-02T00:00:00+00:00"),
        ("{{ 'a' if page.cursor else 'b' }}", "b"),
        ("{{ page.number + 1 }}", 4),
        ("{{ each[0] }}", "a"),
    ],
)
def test_the_value_of_a_template(text: str, value: object) -> None:
    assert compile_template(text).value(SCOPE) == value


class Sized(dict[str, object]):
    size = 7


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("a.b.c", {"a": {"b": {"c": 1}}}),
        ("a.b.c", {"a": {"b": {}}}),
        ("a.b.c", {"a": {}}),
        ("a.b.c", {"a": {"b": None}}),
        ("a.b", {"a": {"b": False}}),
        ("a.b", {"a": ["b"]}),
        ("a.real", {"a": 5}),
        ("a.size", {"a": Sized()}),
        ("a.size", {"a": Sized(size=1)}),
        ("a.items", {"a": {"items": [1]}}),
        ("items", {"items": [1]}),
        ("true", {"true": 2}),
        ("none", {}),
        ("a.b", {}),
    ],
)
def test_a_dotted_name_gives_what_jinja_gives_for_it(name: str, scope: dict[str, object]) -> None:
    def given(text: str) -> str:
        try:
            return re.sub(" at 0x.*", "", repr(compile_template(text).value(scope)))
        except TemplateError as error:
            return str(error).partition("}} ")[2]

    assert given(f"{{{{ {name} }}}}") == given(f"{{{{ ({name}) }}}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a{{ page.cursor }}", "{{ page.cursor }} gives nothing in 'a{{ page.cursor }}', where a text is needed"),
        ("{{ 'a' ~ page.cursor }}", "{{ 'a' ~ page.cursor }}: null inside a text; `default` or a condition says what "
         "stands there instead"),
        ("{{ settings.key | int }}", "{{ settings.key | int }}: `int` of what is no whole number"),
        ("{{ page.cursor + 1 }}", "{{ page.cursor + 1 }} cannot be computed (TypeError)"),
        ("{{ a.b.c }}", "{{ a.b.c }} cannot be computed (UndefinedError)"),
        (f"{{{{ settings.key | replace('k', '{'k' * 2000}') | replace('k', '{'k' * 2000}') }}}}",
         f"more than {LONGEST_OUTPUT} characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_said_without_the_value(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        compile_template(text).render(SCOPE)
    assert str(raised.value).endswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ a", "{{ without }} in '{{ a'"),
        ("a }}", "{{ without }} in 'a }}'"),
        ("{% if a %}", "templates are expressions: {{ ... }} works, {% ... %} and {# ... #} do not"),
        ("{# a #}", "templates are expressions: {{ ... }} works, {% ... %} and {# ... #} do not"),
        ("{{ a b }}", "{{ a b }}: expected token 'end of print statement', got 'b'"),
        ("{{ a.__class__ }}", "{{ a.__class__ }}: names that begin with _ are out of reach"),
        ("{{ a['__class__'] }}", "{{ a['__class__'] }}: names that begin with _ are out of reach"),
        ("{{ _a }}", "{{ _a }}: names that begin with _ are out of reach"),
        ("{{ a() }}", "{{ a() }}: call is not part of templates; names, filters and ~ are"),
        ("{{ 9 ** 9 ** 9 }}", "{{ 9 ** 9 ** 9 }}: pow is not part of templates; names, filters and ~ are"),
        ("{{ 'a' * 9 }}", "{{ 'a' * 9 }}: mul is not part of templates; names, filters and ~ are"),
        ("{{ '%s' % a }}", "{{ '%s' % a }}: mod is not part of templates; names, filters and ~ are"),
        ("{{ a | attr('b') }}", "{{ a | attr('b') }}: no filter 'attr'; there are base64, default, int, join, "
         "lower, replace, sha1, sha256, string, trim, upper"),
        ("{{ " + "(" * 4000 + " }}", "nested too deeply"),
        ("{{ " + "not " * 2000 + "a }}", "nested too deeply"),
        ("x" * 10_001, "a template of 10001 characters; 10000 are the most"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_when_it_is_read(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        compile_template(text)
    assert str(raised.value).endswith(message)


def test_what_is_reached_by_a_computed_name_is_nothing() -> None:
    assert compile_template("{{ settings['__cla' ~ 'ss__'] }}").value(SCOPE) is None


def test_the_names_a_template_reads_are_known() -> None:
    template = compile_template("{{ settings.base }}/x/{{ page.cursor | default(window.start) }}{{ each }}")
    assert template.names == {("settings", "base"), ("page", "cursor"), ("window", "start"), ("each",)}


def test_a_template_alone_that_gives_null_is_left_out_and_a_constant_null_stays() -> None:
    tree = compile_tree(
        {"cursor": "{{ page.cursor }}", "none": None, "list": ["{{ page.cursor }}", "{{ page.number }}"]}
    )
    assert render_tree(tree, SCOPE) == {"none": None, "list": [3]}


@pytest.mark.parametrize(
    ("value", "segment"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("a.b", "a.b"), ("é ?#", "%C3%A9%20%3F%23"), (7, "7")],
)
def test_a_value_in_a_path_is_one_segment(value: object, segment: str) -> None:
    assert compile_template("/x/{{ v }}").render({"v": value}, as_segments=True) == f"/x/{segment}"


def test_templates_are_equal_by_their_text_and_show_it() -> None:
    assert compile_template("{{ a }}") == compile_template("{{ a }}")
    assert len({compile_template("a"), compile_template("a")}) == 1
    assert repr(compile_template("{{ a }}")) == "Template('{{ a }}')"
    assert isinstance(compile_template(""), Template)
