"""Which paths of a record an expression reads: whole paths, lists as `[]`, and what is only asked to be there."""

from __future__ import annotations

import inspect
import re

import jmespath.ast
import pytest

from hde.check.coverage import ignored
from hde.check.reads import _Walk, paths_read, reads
from hde.check.record_paths import alternatives, dotted, paths_in

VALUES = [
    ("start", {"start"}),
    ("score.strain", {"score.strain"}),
    ("user-data.first-name", {"user-data.first-name"}),
    ("@", {"@"}),
    ("name[0].given", {"name[].given"}),
    ("name[-1].given[0]", {"name[].given[]"}),
    ("name[].given", {"name[].given"}),
    ("name[*].given", {"name[].given"}),
    ("name[1:3].given", {"name[].given"}),
    ("name[].given[]", {"name[].given"}),
    ("grid[][].x", {"grid[].x"}),
    ("entry[].resource.id", {"entry[].resource.id"}),
    ("entry[].resource | [0].id", {"entry[].resource.id"}),
    ("zones.*.minutes", {"zones.*.minutes"}),
    ("values(zones)[].minutes", {"zones.*.minutes"}),
    ("entry[?search.mode == 'match'].resource", {"entry[].search.mode", "entry[].resource"}),
    ("coding[?system == 'x'].code | [0]", {"coding[].system", "coding[].code"}),
    ("coding[?starts_with(system, 'x')].code", {"coding[].system", "coding[].code"}),
    ("end && score_state || 'OPEN'", {"end", "score_state"}),
    ("(name[?use == 'official'] || name)[0].family", {"name[].use", "name[].family"}),
    ("name | {first: given, last: family}.last", {"name.family"}),
    ("{a: x.y, b: z}", {"x.y", "z"}),
    ("[a, b.c][0].d", {"a.d", "b.c.d"}),
    ("[a.b][?@] | [?!starts_with(@, '#')]", {"a.b"}),
    ("sort_by(laps, &start)[0].meters", {"laps[].start", "laps[].meters"}),
    ("max_by(laps, &meters).start", {"laps[].start", "laps[].meters"}),
    ("map(&code, coding)", {"coding[].code"}),
    ("sum(laps[].meters)", {"laps[].meters"}),
    ("length(laps)", {"laps"}),
    ("not_null(a, b).c", {"a.c", "b.c"}),
    ("to_array(note)[].text", {"note.text"}),
    ("join(' ', [given, family])", {"given", "family"}),
    ('"odd name"."a.b"', {'"odd name"."a.b"'}),
    ("`1`", set()),
    ("'text'", set()),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES)
def test_paths_read(expression: str, expected: set[str]) -> None:
    assert paths_read(expression) == expected


TESTS = [
    ("score", False, {"score"}, set()),
    ("score", True, set(), {"score"}),
    ("score && nap", False, {"nap"}, {"score"}),
    ("score && nap", True, set(), {"score", "nap"}),
    ("!score", False, set(), {"score"}),
    ("a == b", True, {"a", "b"}, set()),
    ("laps[?meters].start", False, {"laps[].start"}, {"laps[].meters"}),
    ("keys(zones)", False, set(), {"zones"}),
    ("contains(kinds, 'x')", True, {"kinds"}, set()),
]


@pytest.mark.parametrize(("expression", "test", "values", "tests"), TESTS)
def test_asking_whether_a_thing_is_there_does_not_read_what_is_below_it(
    expression: str, test: bool, values: set[str], tests: set[str]
) -> None:
    found = reads(expression, test=test)
    assert ({dotted(path) for path in found.values}, {dotted(path) for path in found.tests}) == (values, tests)


RECORDS = [
    ({"a": 1, "b": {"c": None, "d": {}}, "e": []}, {"a", "b.c", "b.d", "e"}),
    ({"laps": [{"x": 1}, {"y": [[1], [2]]}]}, {"laps[].x", "laps[].y[]"}),
    ({"a.b": 1, "c d": 2, "e-f": 3}, {'"a.b"', '"c d"', "e-f"}),
    ([1, 2], {"[]"}),
    (5, {"@"}),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_leaf_paths_of_a_record(record: object, expected: set[str]) -> None:
    assert {dotted(path) for path in paths_in(record)} == expected


def test_flattening_what_may_be_a_list_or_not_means_both() -> None:
    both = {found for path in reads("to_array(note)[].text").values for found in alternatives(path)}
    assert {dotted(path) for path in both} == {"note.text", "note[].text"}


def test_every_expression_of_jmespath_is_walked() -> None:
    """A node the walk does not know would silently read nothing."""
    known = set(re.findall(r'"([a-z_]+)"', inspect.getsource(_Walk)))
    made = {name for name in dir(jmespath.ast) if inspect.isfunction(getattr(jmespath.ast, name))}
    assert made - known <= {"literal", "expref", "key_val_pair", "current_node"}


HOSTILE = [
    " | ".join(["[@,@]"] * 60),
    " | ".join(["{a:@,b:@.a}"] * 60),
    " | ".join(["[[@,@],[@.a,@]][]"] * 30),
    " | ".join(["(a||b)"] * 60),
    " | ".join(["to_array(@)[].x"] * 40),
]


@pytest.mark.parametrize("expression", HOSTILE, ids=[text[:20] for text in HOSTILE])
def test_an_expression_that_multiplies_itself_is_bounded(expression: str) -> None:
    found = reads(expression).paths
    assert 0 < len(found) <= 1000
    assert all(len(alternatives(path)) <= 400 for path in found)


def test_a_record_nested_deeper_than_anyone_reads_ends_in_a_leaf() -> None:
    record: object = 1
    for _ in range(5000):
        record = {"a": record}
    assert {len(path) for path in paths_in(record)} == {100}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a-b", "c"), "a-b.c"),
        (("a-b", "[]", "c"), '"a-b"[].c'),
        (("a", "*", "b-c"), 'a.*."b-c"'),
        (("a b", "c"), '"a b".c'),
    ],
)
def test_a_path_is_printed_as_it_must_be_written(path: tuple[str, ...], text: str) -> None:
    assert dotted(path) == text
    assert reads(text).paths == {path}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a-b[].c-d", '"a-b"[]."c-d"'),
        ('"a-b"[].c-d-e', '"a-b"[]."c-d-e"'),
        ("a-b.c", "a-b.c"),
        ("a[-1].b", "a[-1].b"),
        ("a[?k == 'x-y'].v", "a[?k == 'x-y'].v"),
    ],
)
def test_an_ignored_name_holds_a_dash_without_quotes(text: str, path: str) -> None:
    assert ignored(text) == path
