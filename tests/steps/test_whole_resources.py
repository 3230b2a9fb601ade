"""Whole resources read from exchanges: what passes, and the exact words where it does not."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from run_made import call

from hde.check.source import check_paths
from hde.steps.trying.mapping_tests import run_tests

CONNECTOR = """\
name: made
settings: {url: {default: "https://api.made.example"}, key: {secret: true}, size: {default: 2}}
http:
  base_url: "{{ settings.url }}/v1"
  headers: {X-Key: "{{ settings.key }}"}
  wait: {header: X-Wait, is: epoch}
account: {path: /me, id: id, keep: {zone: tz}}
resources:
  things:
    path: /things
    params: {start: "{{ window.start }}", end: "{{ window.end }}", cursor: "{{ page.cursor }}"}
    records: records
    key: [id]
    pagination: {kind: cursor, next: next}
    window: {time: at, step: 30d, settle: 2d, from: 2025-12-01}
    errors: [{status: 404, do: skip}, {status: 410, do: restart}]
    columns: {id: bigint, at: timestamptz, v: numeric, ok: boolean, more: jsonb, sleep_id: bigint}
  sleeps: {path: /sleeps, key: [id], columns: {id: bigint}}
  mine: {path: "/users/{{ account.id }}/mine", key: [], columns: {zone: {type: text, path: $account.zone}}}
  numbered:
    path: /numbered
    method: POST
    json: {page: "{{ page.number }}", size: "{{ page.size }}", deep: {kept: [1, 2]}}
    key: [id]
    columns: {id: bigint}
    pagination: {kind: page, first: 1, size: 2, stop: short}
  linked: {path: /linked, key: [id], columns: {id: bigint}, pagination: {kind: link_header}}
  kinds: {for_each: [a, b], path: "/kinds/{{ each }}", key: [id], columns: {id: bigint}}
  details:
    for_each: {resource: sleeps, path: "parts[].id"}
    path: "/details/{{ each }}"
    key: [id]
    columns: {id: {type: bigint, path: "$each"}, name: text}
    warnings: told
  samples:
    for_each: {resource: sleeps}
    path: "/samples/{{ each.id }}"
    key: [sleep_id]
    columns: {sleep_id: {type: bigint, path: $each.id}}
  messages:
    path: /messages
    params: {token: "{{ bookmark }}"}
    records: list
    bookmark: {next: token}
    key: [id]
    columns: {id: bigint}
    when_stored: {method: PUT, path: "/messages/{{ record.id }}/seen"}
  listed: {path: /listed, format: csv, key: [id], columns: {id: bigint, v: float}}
  formed: {path: /formed, method: POST, form: {action: get, ids: [1, 2]}, key: [id], columns: {id: bigint}}
"""
MAPPING = """\
from: things
with: {sleep: {from: sleeps, key: sleep_id}}
columns: {start_time: $sleep.from, state: {const: final}}
to:
  biometrics_vitals: {rows: {weight: {value: {path: v, unit: kg}}}}
"""
SAMPLES = """\
from: samples
with: {sleep: {from: sleeps, key: sleep_id}}
columns: {start_time: $sleep.from, state: {const: final}}
to: {biometrics_vitals: {rows: {heart_rate: {value: {path: bpm, unit: /min}}}}}
"""
ONE = '{request: {path: /things}, answer: {json: {records: [{id: 1, at: "2026-01-01T00:00:00Z", v: 1.50}]}}}'
SINCE = "since: 2025-12-31\n    exchanges"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a connector; whatever wants a connection of its own fails."""
    monkeypatch.chdir(tmp_path)
    for name in ("connectors", "mappings/made/tests", "mappings/made/fixtures/sleeps", "mappings/made/fixtures/pages"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "connectors/made.yaml").write_text(CONNECTOR)
    (tmp_path / "mappings/made/things.yaml").write_text(MAPPING)
    (tmp_path / "mappings/made/samples.yaml").write_text(SAMPLES)
    (tmp_path / "mappings/made/fixtures/sleeps/night.json").write_text('{"id": 7, "from": "2026-01-01T22:00:00Z"}')
    (tmp_path / "mappings/made/fixtures/pages/one.json").write_text('{"records": [{"id": 5}]}')

    def no_network(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    return tmp_path


def said(folder: Path, text: str, resource: str = "things") -> list[str]:
    """What the one test of this text says."""
    file = folder / "mappings/made/tests/whole.yaml"
    file.write_text(f"resource: {resource}\ntests:\n  - title: it is so\n    {text.strip()}\n")
    (outcome,) = run_tests(folder / "connectors/made.yaml")
    return outcome.differences


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        pytest.param("things", """
    now: 2026-01-20
    exchanges:
      - request: {path: /things, params: {start: "2026-01-07T00:00:00Z", end: "2026-01-20T00:00:00Z", cursor: null}}
        answer: {json: {records: [{id: 1, at: "2026-01-02T01:00:00+01:00", v: 1.50, ok: true}], next: b}}
      - {request: {path: v1/things, params: {cursor: b}}, answer: {json: {records: [{id: 2}, {id: 1, v: 2}]}}}
      - request: {path: /things, params: {start: "2025-12-01T00:00:00Z", end: "2025-12-08T00:00:00Z"}}
        answer: {json: {records: [{id: 4, more: {a: [1]}, ok: false}]}}
      - {request: {path: /things, params: {start: "2025-12-08T00:00:00Z"}}, answer: {json: {records: []}}}
    expect:
      raw:
        - {id: 1, at: null, v: 2, key: "1", payload: {id: 1, v: 2}}
        - {id: 2, more: null}
        - {id: 4, more: {a: [1]}, ok: false}
      stopped: no next
      requests: 4
      waits: []""", id="windows and pages, and the last version of a record"),
        pytest.param("things", f"""
    {SINCE}:
      - {{request: {{path: /things}}, answer: {{status: 429, headers: {{X-Wait: 1767225690}}}}}}
      - {{request: {{path: /things}}, answer: {{status: 503}}, times: 3}}
      - {ONE}
    expect: {{raw: [{{id: 1, v: 1.5, at: "2026-01-01T00:00:00Z", ok: null}}], waits: [90, 1, 2, 4], requests: 5}}""",
            id="waits by the clock of the test, and repetitions without chance"),
        pytest.param("things", f"""
    {SINCE}:
      - {{request: {{path: /things}}, answer: {{json: {{records: [{{id: 1}}], next: old}}}}, times: 2}}
      - {{request: {{path: /things, params: {{cursor: old}}}}, answer: {{status: 410}}}}
      - {{request: {{path: /things, params: {{cursor: old}}}}, answer: {{json: {{records: [{{id: 2}}]}}}}}}
    expect: {{raw: [{{id: 1}}, {{id: 2}}], requests: 4}}""", id="a window that is begun anew"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{status: 404}}}}]
    expect: {{raw: [], skipped: true, stopped: "skipped: 404"}}""", id="nothing for this account"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{status: 403}}}}]
    error: answers 403""", id="a refusal"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{json: {{records: [{{id: 1, v: x}}, {{v: 2}}]}}}}}}]
    expect:
      raw: [{{id: 1, v: null}}]
      issues: [{{path: v, rule: "numeric: form"}}, {{path: id, rule: key missing}}]""", id="issues of raw rows"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{json: {{records: [{{id: 1, v: 70, sleep_id: 7}}]}}}}}}]
    expect: {{canonical: {{biometrics_vitals: [{{value: 70, start_time: "2026-01-01T22:00:00Z"}}]}}}}""",
            id="canonical rows, and whom they refer to"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{file: pages/one.json}}}}]
    expect: {{raw: [{{id: 5}}]}}""", id="an answer from a file"),
        pytest.param("things", f"""
    {SINCE}: [{{request: {{path: /things}}, answer: {{body: "<html>", headers: {{Content-Type: text/html}}}}}}]
    error: not JSON but text/html""", id="an error page"),
        pytest.param("things", f"""
    settings: {{url: "http://other.example/base", key: k-0815}}
    {SINCE}: [{{request: {{path: /base/v1/things, headers: {{x-key: k-0815, Accept-Nothing: null}}}},
                answer: {{json: {{records: []}}}}}}]
    expect: {{raw: []}}""", id="settings, headers and a whole path"),
        pytest.param("mine", """
    exchanges:
      - {request: {path: /me}, answer: {json: {id: a b, tz: Europe/Berlin}}}
      - {request: {path: /users/a b/mine}, answer: {json: {}}}
    expect: {raw: [{zone: Europe/Berlin}], requests: 1, stopped: single page}""", id="an account that is asked for"),
        pytest.param("mine", """
    account: {id: 12, zone: UTC}
    exchanges: [{request: {path: /users/12/mine}, answer: {json: {}}}]
    expect: {raw: [{zone: UTC}]}""", id="an account that is given"),
        pytest.param("numbered", """
    exchanges:
      - request: {path: /numbered, method: POST, json: {page: 1, deep: {kept: [1, 2]}}}
        answer: {json: [{id: 1}, {id: 2}]}
      - {request: {path: /numbered, method: POST, json: {page: 2}}, answer: {json: [{id: 3}]}}
    expect: {raw: [{id: 1}, {id: 2}, {id: 3}], stopped: short page}""", id="a JSON body"),
        pytest.param("linked", """
    exchanges:
      - request: {path: /linked}
        answer: {json: [{id: 1}], headers: {Link: '<https://api.made.example/v1/linked?p=2>; rel="next"'}}
      - {request: {path: /linked, params: {p: 2}}, answer: {json: [{id: 2}]}}
    expect: {raw: [{id: 1}, {id: 2}]}""", id="a next page by URL"),
        pytest.param("listed", """
    exchanges: [{request: {path: /listed}, answer: {body: "id,v\\n1,2.5\\n2,\\n", headers: {Content-Type: text/csv}}}]
    expect: {raw: [{id: 1, v: 2.5}, {id: 2, v: null}]}""", id="another format"),
        pytest.param("kinds", """
    exchanges:
      - {request: {path: /kinds/b}, answer: {json: [{id: 2}]}}
      - {request: {path: /kinds/a}, answer: {json: [{id: 1}]}}
    expect: {raw: [{id: 1}, {id: 2}], requests: 2}""", id="one request for each constant"),
        pytest.param("details", """
    exchanges:
      - {request: {path: /sleeps}, answer: {json: [{id: 1, parts: [{id: 8}, {id: 9}]}, {id: 2, parts: [{id: 9}]}]}}
      - {request: {path: /details/8}, answer: {json: {name: x}}}
      - {request: {path: /details/9}, answer: {json: {name: y, told: half of it}}}
    expect: {raw: [{id: 8, name: x}, {id: 9, name: y}], requests: 3, warnings: [half of it]}""",
            id="one request for each parent record, and what the source warns of"),
        pytest.param("details", """
    exchanges: [{request: {path: /sleeps}, answer: {json: [{parts: [{id: 8}]}]}}]
    expect: {raw: [], requests: 1, issues: [{path: id, rule: key missing}]}""",
            id="a parent record without its key has no elements, and is an issue"),
        pytest.param("samples", """
    exchanges:
      - request: {path: /sleeps}
        answer: {json: [{id: 8, from: "2026-01-02T21:00:00Z"}, {id: 9, from: "2026-01-03T21:00:00Z"}]}
      - {request: {path: /samples/9}, answer: {json: {bpm: 49}}}
      - {request: {path: /samples/8}, answer: {json: {bpm: 50}}}
    expect: {raw: [{sleep_id: 8}, {sleep_id: 9}], canonical: {biometrics_vitals: [
      {value: 50, start_time: "2026-01-02T21:00:00Z"}, {value: 49, start_time: "2026-01-03T21:00:00Z"}]}}""",
            id="the parent that an element came from is found among what the test read, by a column of the element"),
        pytest.param("messages", """
    exchanges:
      - {request: {path: /messages, params: {token: null}}, answer: {json: {list: [{id: 1}, {id: 2}], token: t}}}
      - {request: {path: /messages/1/seen, method: PUT}, answer: {status: 204}}
      - {request: {path: /messages/2/seen, method: PUT}, answer: {status: 204}}
    expect: {raw: [{id: 1}, {id: 2}], requests: 3}""", id="a receipt for each record"),
        pytest.param("formed", """
    exchanges: [{request: {path: /formed, method: POST, form: {action: get, ids: [1, 2]}}, answer: {status: 204}}]
    expect: {raw: [], stopped: "empty: 204"}""", id="a form, and nothing"),
    ],
)  # fmt: skip
def test_what_passes(folder: Path, resource: str, text: str) -> None:
    assert said(folder, text, resource) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"{SINCE}: [{ONE}]\n    expect: {{raw: [{{id: 2, v: null, at: 2026-01-01}}, {{id: 3}}]}}", [
            "raw: expected 2 rows, got 1 (1)",
            "raw, row 1, id: expected 2, got 1",
            "raw, row 1, v: expected null, got Decimal('1.5')",
            "raw, row 1, at: expected '2026-01-01', got 2026-01-01T00:00:00Z",
        ], id="other rows"),
        pytest.param(f"{SINCE}: [{ONE}]\n    expect: {{stopped: no more, requests: 2, waits: [1], skipped: true,"
                     " issues: [{path: v, rule: number}]}", [
            "stopped: expected 'no more', got 'no next'",
            "skipped: it was not",
            "requests: expected 2, got 1",
            "waits: expected [1], got []",
            "issue v: number: expected, and not there",
        ], id="another course"),
        pytest.param(f"{SINCE}: [{ONE}]\n    expect: {{canonical: {{biometrics_vitals: [{{value: 1.5}}]}}}}", [
            "biometrics_vitals: expected 1 row, got 0",
            "1 row of things waiting for a record of sleeps that is not among its fixtures",
        ], id="a record that waits"),
        pytest.param(f"{SINCE}: [{ONE}]\n    expect: {{warnings: [late]}}",
            ["warning 'late': expected, and not there"], id="no warning"),
        pytest.param(f"{SINCE}: [{ONE}]\n    error: teapot", ["expected an error with 'teapot', and there was none"],
            id="no error"),
        pytest.param(f"{SINCE}: [{{request: {{path: /things}}, answer: {{status: 403}}}}]\n    expect: {{}}",
            ["expected no error, got: made: GET /things answers 403"], id="an error"),
        pytest.param(f"{SINCE}: [{{request: {{path: /things}}, answer: {{status: 404}}}}]\n    expect: {{}}",
            ["it was skipped, and `skipped: true` is not expected"], id="skipped"),
        pytest.param("settings: {key: made-of-glass}\n    " + SINCE + """:
      - {request: {path: /things, params: {end: 2026-01-01, cursor: x}}, answer: {json: {}}}
      - {request: {path: /other, headers: {X-Key: of-wood}}, answer: {json: {}}, times: 2}
    expect: {}""", [
            "no exchange answers GET /things?start=2025-12-31T00:00:00Z&end=2026-01-01T00:00:00Z",
            "  nearest is exchange 1 (whole.yaml:7), but for",
            "    params.end: the exchange has '2026-01-01', the request '2026-01-01T00:00:00Z'",
            "    params.cursor: the exchange has 'x', the request none",
            "exchange 1 (whole.yaml:7) was never asked for: GET /things?end=2026-01-01&cursor=x",
            "exchange 2 (whole.yaml:8) was never asked for: GET /other",
        ], id="a request nobody answers"),
        pytest.param("settings: {key: made-of-glass}\n    " + SINCE + """:
      - {request: {path: /things, method: PUT, headers: {X-Key: of-wood}}, answer: {json: {}}}
    expect: {}""", [
            "no exchange answers GET /things?start=2025-12-31T00:00:00Z&end=2026-01-01T00:00:00Z",
            "  nearest is exchange 1 (whole.yaml:7), but for",
            "    method: the exchange has PUT, the request GET",
            "    headers.x-key: the exchange has 'of-wood', the request '***'",
            "exchange 1 (whole.yaml:7) was never asked for: PUT /things",
        ], id="no secret is shown"),
        pytest.param("since: 2025-12-31\n    exchanges:\n"
                     "      - {request: {path: /r, params: {x: [a, 1], y: true}}, answer: {}}\n    expect: {}", [
            "no exchange answers GET /things?start=2025-12-31T00:00:00Z&end=2026-01-01T00:00:00Z",
            "  nearest is exchange 1 (whole.yaml:6), but for",
            "    path: the exchange has /r, the request /things",
            "    params.x: the exchange has 'a', '1', the request none",
            "    params.y: the exchange has 'true', the request none",
            "exchange 1 (whole.yaml:6) was never asked for: GET /r?x=a&x=1&y=true",
        ], id="a parameter that is repeated"),
        pytest.param("exchanges: [" + ONE + "]\n    expect: {}", [
            "no exchange answers GET /things?start=2025-12-01T00:00:00Z&end=2025-12-08T00:00:00Z",
            "  exchange 1 (whole.yaml:4) fits and was used once already; `times` says how often",
        ], id="an exchange used up"),
        pytest.param(f"{SINCE}: [{ONE[:-1]}, times: 2}}]\n    expect: {{}}", [
            "exchange 1 (whole.yaml:5) was asked for 1 of 2 times: GET /things",
        ], id="an exchange not used up"),
        pytest.param("exchanges: []\n    since: 2025-12-31\n    expect: {}", [
            "no exchange answers GET /things?start=2025-12-31T00:00:00Z&end=2026-01-01T00:00:00Z",
            "  the test has no exchanges",
        ], id="no exchanges"),
    ],
)  # fmt: skip
def test_what_differs(folder: Path, text: str, lines: list[str]) -> None:
    assert said(folder, text) == lines


def test_an_account_of_which_nothing_is_said(folder: Path) -> None:
    assert said(folder, "exchanges: []\n    expect: {}", "mine") == [
        "expected no error, got: account.zone is needed: give it under `account`, or an exchange for the account's "
        "request"
    ]


def test_the_body_of_a_request_nobody_answers(folder: Path) -> None:
    text = "exchanges: [{request: {path: /numbered, method: POST, json: {page: 2, deep: {kept: [1]}}}, answer: {}}]"
    assert said(folder, f"{text}\n    expect: {{}}", "numbered")[1:5] == [
        '  with the body {"page":1,"size":2,"deep":{"kept":[1,2]}}',
        "  nearest is exchange 1 (whole.yaml:4), but for",
        "    json.page: the exchange has 2, the request 1",
        "    json.deep.kept: the exchange has [1], the request [1,2]",
    ]


GOOD = """\
resource: things
tests:
  - title: it is so
    exchanges:
      - {request: {path: /things}, answer: {file: pages/one.json}}
    expect: {raw: [{id: 1}]}
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("resource: things", "", "2:1: 'mapping' or 'resource' is missing"),
        ("resource: things", "resource: things\nmapping: things",
         "1:1: resource: 'mapping' and 'resource' exclude each other; take one of them"),
        ("resource: things", "resource: thing", "1:11: resource: made has no resource 'thing'. Did you mean 'things'?"),
        ("file: pages/one.json", "file: pages/on.json", "5:51: tests[0].exchanges[0].answer.file: no file "
         "'pages/on.json' in mappings/made/fixtures. Did you mean 'pages/one.json'?"),
        ("file: pages/one.json", "file: ../../../connectors/made.yaml", "5:51: tests[0].exchanges[0].answer.file: "
         "'../../../connectors/made.yaml' leads out of mappings/made/fixtures"),
        ("{id: 1}", "{idd: 1}", "6:21: tests[0].expect.raw[0].idd: things has no column 'idd'. Did you mean 'id'?"),
        ("    expect", "    settings: {siz: 1}\n    expect",
         "6:16: tests[0].settings.siz: made has no setting 'siz'. Did you mean 'size'?"),
        ("    exchanges", "    exchange", "4:5: tests[0].exchange: unknown key 'exchange'. Did you mean 'exchanges'?"),
        ("    expect: {raw: [{id: 1}]}\n", "", "3:5: tests[0]: 'expect' or 'error' is missing"),
        ("    expect", "    error: no\n    expect",
         "6:5: tests[0].error: 'expect' and 'error' exclude each other; take one of them"),
        ("path: /things}", "path: /things?x=1}", "5:26: tests[0].exchanges[0].request.path: '/things?x=1' is not a "
         "path without a query (what comes after ? stands in `params`)"),
        ("answer: {file", "answer: {json: 1, file",
         "5:54: tests[0].exchanges[0].answer.file: 'json' and 'file' exclude each other; take one of them"),
        ("    expect", "    now: yesterday\n    expect",
         "6:10: tests[0].now: 'yesterday' is no date or time (2026-01-31 or 2026-01-31T22:00:00Z)"),
        ("path: /things}", "pathh: /things}", "5:20: tests[0].exchanges[0].request.pathh: unknown key 'pathh'. "
         "Did you mean 'path'?"),
        ("answer: {file: pages/one.json}", "answer: {status: 99}",
         "5:53: tests[0].exchanges[0].answer.status: 99 is too small; 200 is the least"),
        ("    exchanges:", "    given: night\n    exchanges:", "4:5: tests[0].given: unknown key 'given'. "
         "There is account, error, now, settings, since"),
    ],
)  # fmt: skip
def test_a_wrong_file(folder: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    (folder / "mappings/made/tests/whole.yaml").write_text(GOOD.replace(old, new, 1))
    found = [str(problem) for problem in check_paths([]) if "tests/" in problem.file]
    assert found == [f"mappings/made/tests/whole.yaml:{complaint}"]


def test_a_mapping_that_is_not_valid_fails_alone(folder: Path) -> None:
    (folder / "mappings/made/samples.yaml").write_text(SAMPLES.replace("unit:", "unti:"))
    (folder / "mappings/made/tests/samples.yaml").write_text(
        "mapping: samples\ntests: [{title: of it, given: {record: {}}, expect: {}}]\n"
    )
    (folder / "mappings/made/tests/whole.yaml").write_text(GOOD.replace("id: 1", "id: 5"))
    (folder / "mappings/made/tests/wrong.yaml").write_text("resource: things\ntests: [{}]\n")
    (folder / "mappings/made/tests/things.yaml").write_text(
        "mapping: things\ntests: [{title: it waits, given: {record: {}}, waiting: true}]\n"
    )
    tested = call("test", "made")
    assert tested.code == 1
    assert "FAILED mappings/made/samples.yaml: not valid, so nothing of it was tested" in tested.out
    assert "unknown key 'unti'. Did you mean 'unit'?" in tested.out
    assert "FAILED mappings/made/tests/wrong.yaml" in tested.out
    assert tested.out.endswith("1 passed, 3 failed\n")


def test_the_command_chooses_by_title_and_file(folder: Path) -> None:
    (folder / "mappings/made/tests/whole.yaml").write_text(GOOD)
    assert call("test", "-k", "IT IS").out.endswith("0 passed, 1 failed\n")
    assert call("test", "-k", "whole.yaml").code == 1
    nothing = call("test", "-k", "teapot")
    assert nothing.code == 2
    assert "No test has 'teapot' in its title or file" in nothing.err
