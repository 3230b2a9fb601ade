"""The YAML tests of mappings: what they say, frozen, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_made import changed, write

from hde.spec.mapping_test import ExpectedIssue, Given, ManyRows, MappingTest, read_tests

TESTS = """\
mapping: sleeps
tests:
  - title: a nap is a nap
    given: nap
    with: {other: heavy}
    row: {observed_at: "2026-01-02T03:04:05Z"}
    account: {zone: Europe/Berlin}
    expect:
      sleep_sessions: [{is_nap: true, asleep: 3600, local_date: 2026-01-02, part: ""}]
    issues: [{path: sport, rule: lookup}]
  - title: an unknown state is an issue
    given: {fixture: nap, set: {score_state: NEW, score.x: null}, drop: [score.y]}
    error: {path: score_state, rule: lookup}
  - title: it waits
    given: {id: 1, deep: {er: [1, 2]}}
    with: {other: null}
    waiting: true
"""


def written(folder: Path, text: str) -> tuple[tuple[MappingTest, ...], list[str]]:
    mappings = write(folder).parent.parent / "mappings" / "demo"
    for name in ("fixtures/sleeps/nap.json", "fixtures/body/heavy.json"):
        (mappings / name).parent.mkdir(parents=True, exist_ok=True)
        (mappings / name).write_text("{}")
    (mappings / "tests").mkdir(exist_ok=True)
    (mappings / "tests/sleeps.yaml").write_text(text)
    tests, problems = read_tests(mappings)
    return tests, [str(problem).replace(f"{mappings}/", "").replace(str(mappings), "demo") for problem in problems]


def test_of_many_rows_a_test_says_what_matters(tmp_path: Path) -> None:
    many = "{count: 288, all: {is_nap: false}, rows: [{part: 7, asleep: 61}]}"
    (test, *_), complaints = written(
        tmp_path, changed(TESTS, '[{is_nap: true, asleep: 3600, local_date: 2026-01-02, part: ""}]', many)
    )
    assert complaints == []
    assert test.expect == {"sleep_sessions": ManyRows(288, {"is_nap": False}, ({"part": 7, "asleep": 61},))}


def test_tests_are_frozen(tmp_path: Path) -> None:
    tests, complaints = written(tmp_path, TESTS)
    assert complaints == []
    nap, unknown, waits = tests
    assert nap == MappingTest(
        mapping="sleeps",
        title="a nap is a nap",
        given=Given("nap"),
        with_={"other": Given("heavy")},
        row={"observed_at": "2026-01-02T03:04:05Z"},
        account={"zone": "Europe/Berlin"},
        expect={"sleep_sessions": ({"is_nap": True, "asleep": 3600, "local_date": "2026-01-02", "part": ""},)},
        issues=(ExpectedIssue("sport", "lookup"),),
        where=f"{tmp_path}/mappings/demo/tests/sleeps.yaml:3",
    )
    assert unknown.given == Given("nap", {"score_state": "NEW", "score.x": None}, ("score.y",))
    assert unknown.error == ExpectedIssue("score_state", "lookup")
    assert unknown.expect is None
    assert waits.given == Given(record={"id": 1, "deep": {"er": [1, 2]}})
    assert waits.with_ == {"other": None}
    assert waits.waiting


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("given: nap", "given: nop", "4:12: tests[0].given: no fixture 'nop' in fixtures/sleeps. "
         "Did you mean 'nap'?"),
        ("given: nap", "given: ../../secret",
         "4:12: tests[0].given: '../../secret' is not a name of a fixture (a-z, 0-9, _ and -)"),
        ("given: nap", "given: [nap]", "4:12: tests[0].given: a name of a fixture (a-z, 0-9, _ and -) "
     "or a map is expected here, and this is a list"),
        ("fixture: nap", "fixture: nop", "12:22: tests[1].given.fixture: no fixture 'nop' in fixtures/sleeps. "
         "Did you mean 'nap'?"),
        ("fixture: nap, set", "fixture: nap, sett",
         "12:27: tests[1].given.sett: unknown key 'sett'. Did you mean 'set'?"),
        ("other: heavy", "othr: heavy", "5:12: tests[0].with.othr: 'othr' is not in `with` of sleeps. "
         "Did you mean 'other'?"),
        ("other: heavy", "other: heavi", "5:19: tests[0].with.other: no fixture 'heavi' in fixtures/body. "
         "Did you mean 'heavy'?"),
        ("mapping: sleeps", "mapping: sleps", "1:10: mapping: 'sleps' is no mapping in demo. Did you mean 'sleeps'?"),
        ("    waiting: true\n", "", "14:5: tests[2]: 'expect', 'error' or 'waiting' is missing"),
        ("waiting: true", "waiting: false", "17:14: tests[2].waiting: 'false' is not true, the only one there is"),
        ("waiting: true", "waiting: true\n    expect: {}",
         "17:5: tests[2].waiting: 'expect' and 'waiting' exclude each other; take one of them"),
        ("title: it waits", "titel: it waits", "14:5: tests[2].titel: unknown key 'titel'. Did you mean 'title'?"),
        ("{is_nap: true", "{is_nap: [true]",
         "9:33: tests[0].expect.sleep_sessions[0].is_nap: a text, a number or true or false is expected here, "
         "and this is a list"),
        ("sleep_sessions: [", "sleep_sessions: {}  # [",
         "9:23: tests[0].expect.sleep_sessions: an empty map"),
        ("sleep_sessions: [", "sleep_sessions: 2  # [",
         "9:23: tests[0].expect.sleep_sessions: a list or a map is expected here, and this is the number 2"),
        ("[{is_nap: true, asleep: 3600, local_date: 2026-01-02, part: \"\"}]", "{rows: [{is_nap: true}]}",
         "9:31: tests[0].expect.sleep_sessions.rows[0]: 'part' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_test(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    tests, complaints = written(tmp_path, changed(TESTS, old, new))
    assert complaints == [f"tests/sleeps.yaml:{complaint}"]
    assert tests == ()


def test_no_folder_no_tests(tmp_path: Path) -> None:
    assert read_tests(tmp_path) == ((), [])
