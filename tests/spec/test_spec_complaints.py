"""Each wrong file gives exactly one complaint, in these words, at the key it is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_made import CONNECTOR, LOOKUPS, MAPPING, changed, read

from hde.spec.load import load_source
from hde.spec.problem import Problems

ERRORS = "[{do: empty}, {status: 404, do: emty}, {status: 4000, do: fail}, {statsu: 400, do: fail}]"
WRONG_CONNECTORS = [
    ("kind: cursor", "kind: curser",
     "11:24: shared.list.pagination.kind: 'curser' is not one of cursor, page, offset, url, link_header. "
     "Did you mean 'cursor'?"),
    ("kind: cursor", "kidn: cursor", "11:18: shared.list.pagination.kidn: unknown key 'kidn'. Did you mean 'kind'?"),
    ("kind: cursor, ", "", "11:5: shared.list.pagination: 'kind' is missing"),
    ("kind: cursor", "kind: page",
     "11:30: shared.list.pagination.next: 'next' does not go with kind page, "
     "which takes first, size, more, total, stop, max_pages"),
    (", next: next", "", "11:5: shared.list.pagination: 'next' is missing"),
    ("next: next", "next: {heder: X}",
     "11:39: shared.list.pagination.next.heder: unknown key 'heder'. Did you mean 'header'?"),
    ("next: next", "next: {header: 'a b'}",
     "11:47: shared.list.pagination.next.header: 'a b' is not a name of a header"),
    ("next: next", "next: 7",
     "11:38: shared.list.pagination.next: a text or a map is expected here, and this is the number 7: "
     "put it in quotes"),
    ("settle: 7d", "settle: 7 d",
     "12:35: shared.list.window.settle: '7 d' is not a span of time (90d, 12h, 30m, 45s or 2w)"),
    ("settle: 7d", "settle: 7",
     "12:35: shared.list.window.settle: a span of time (90d, 12h, 30m, 45s or 2w) is expected here, "
     "and this is the number 7"),
    (", settle: 7d", "", "12:5: shared.list.window: 'settle' is missing"),
    ("settle: 7d", "setle: 7d", "12:27: shared.list.window.setle: unknown key 'setle'. Did you mean 'settle'?"),
    ("settle: 7d", "settle: 7d, step: 0d",
     "12:45: shared.list.window.step: '0d' is not a span of time longer than nothing (90d, 12h, 30m, 45s or 2w)"),
    ("name: demo", "name: demo\nkeep: 0d",
     "2:7: keep: '0d' is not a span of time longer than nothing (90d, 12h, 30m, 45s or 2w)"),
    ("settle: 7d", "settle: 7d, from: yesterday",
     "12:45: shared.list.window.from: 'yesterday' is not a date (2015-01-31), a span (90d) or a template"),
    ("settle: 7d", "settle: 7d, format: iso",
     "12:47: shared.list.window.format: 'iso' is not rfc3339, date, epoch, epoch_ms or a strftime pattern "
     "(%Y-%m-%dT%H:%M)"),
    ("records: items", "records: 'items['", "10:14: shared.list.records: 'items[' is not JMESPath: its end is missing"),
    ("records: items", "records: a b", "10:14: shared.list.records: 'a b' is not JMESPath: "
     "'b' cannot stand at character 3"),
    ("records: items", "records: a.$b", "10:14: shared.list.records: 'a.$b' is not JMESPath: "
     "$ stands only at the start of a path"),
    ("    records: items", "    like: other\n    records: items",
     "10:5: shared.list.like: unknown key 'like' here: it stands beside `shared`, indented as that is, "
     "or in `resources`"),
    ("    like: list", "    like: lst", "15:11: resources.sleeps.like: 'lst' is not in `shared`. Did you mean 'list'?"),
    ("    like: list", "    lik: list", "15:5: resources.sleeps.lik: unknown key 'lik'. Did you mean 'like'?"),
    ("path: /sleeps", "pth: /sleeps", "16:5: resources.sleeps.pth: unknown key 'pth'. Did you mean 'path'?"),
    ("    path: /body\n", "", "28:3: resources.body: 'path' is missing"),
    ("key: []", "key: id", "30:10: resources.body.key: 'id' is not hash, and else a list is expected: write [id]"),
    ("key: []", "key: [1]",
     "30:11: resources.body.key[0]: a text is expected here, and this is the number 1: put it in quotes"),
    ("weight: float", "weight: flot",
     "31:23: resources.body.columns.weight: 'flot' is not one of text, int, bigint, float, numeric, boolean, date, "
     "timestamptz, uuid, jsonb. Did you mean 'float'?"),
    ("weight: float", "weight: {path: x}", "31:15: resources.body.columns.weight: 'type' is missing"),
    ("weight: float", "weight: {type: float, path: 'x['}",
     "31:43: resources.body.columns.weight.path: 'x[' is not JMESPath: its end is missing"),
    ("weight: float", "'weight kg': float",
     "31:15: resources.body.columns.weight kg: 'weight kg' gives no name of a column (a-z, 0-9 and _, a letter first); "
     "write weight_kg: {type: ..., path: 'weight kg'}"),
    ("weight: float", "_weight: float",
     "31:15: resources.body.columns._weight: '_weight': names that begin with _ are the engine's"),
    ("weight: float", "payload: float",
     "31:15: resources.body.columns.payload: 'payload' is the whole record, which is always there"),
    ("weight: float", "a.b: float, a_b: int",
     "31:27: resources.body.columns.a_b: a_b and a.b are both column a_b: name one of them differently"),
    ("weight: float", f"{'x' * 40}.{'y' * 40}: float",
     f"31:15: resources.body.columns.{'x' * 40}.{'y' * 40}: a column's name of 81 characters; 63 are the most: "
     f"write NAME: {{type: ..., path: {'x' * 40}.{'y' * 40}}}"),
    ("  body:", "  Body:",
     "28:3: resources.Body: 'Body' is not a name of a resource (a-z, 0-9 and _, at most 55, a letter first). "
     "Did you mean 'body'?"),
    ("  body:", f"  {'b' * 56}:",
     f"28:3: resources.{'b' * 56}: '{'b' * 56}' is not a name of a resource "
     "(a-z, 0-9 and _, at most 55, a letter first)"),
    ("  body:", "  naps_history:",
     "28:3: resources.naps_history: naps_history is also the name of the table that keeps the former versions of naps"),
    ("  body:", "  empty: 3\n  body:", "28:10: resources.empty: a map is expected here, and this is the number 3"),
    ("path: /body", "path: /body\n    for_eech: [a]",
     "30:5: resources.body.for_eech: unknown key 'for_eech'. Did you mean 'for_each'?"),
    ("path: /body", "path: /body\n    method: get",
     "30:13: resources.body.method: 'get' is not one of GET, POST, PUT, PATCH, DELETE. Did you mean 'GET'?"),
    ("path: /body", "path: /body\n    json: {a: 1}\n    form: {b: 2}",
     "31:5: resources.body.form: 'json' and 'form' exclude each other; take one of them"),
    ("path: /body", "path: /body\n    json: {a: [1, '{{ x']}",
     "30:19: resources.body.json.a[1]: {{ without }} in '{{ x'"),
    ("name: demo", "name: Demo",
     "1:7: name: 'Demo' is not a name of a connector (a-z, 0-9, - and _, a letter first)"),
    ("name: demo", "name: public", "1:7: name: 'public' is taken; give the connector another name"),
    ("name: demo", "name: pg_demo", "1:7: name: 'pg_demo' is taken; give the connector another name"),
    ("name: demo", f"name: {'d' * 60}", "1:7: name: a name of 60 characters; 59 are the most"),
    ("name: demo", "nmae: demo", "1:1: nmae: unknown key 'nmae'. Did you mean 'name'?"),
    ("name: demo", "name: demo\nauth: {kind: oauth2_cod}",
     "2:14: auth.kind: 'oauth2_cod' is not one of basic, oauth2_code, oauth2_client, session. "
     "Did you mean 'oauth2_code'?"),
    ("name: demo", "name: demo\nauth: {knd: oauth2_code}", "2:8: auth.knd: unknown key 'knd'. Did you mean 'kind'?"),
    ("name: demo", "name: demo\nauth: {client: {}}",
     "2:1: auth: 'kind' is missing: basic, oauth2_code, oauth2_client or session"),
    ("name: demo", "name: demo\nauth: yes", "2:7: auth: a map is expected here, and this is the text 'yes'"),
    ("name: demo", "name: demo\naccount: {params: {a: b}, id: id}",
     "2:11: account.params: 'params' means nothing without 'path'"),
    ("name: demo", "name: demo\naccount: {pat: /x, id: id}", "2:11: account.pat: unknown key 'pat'. "
     "Did you mean 'path'?"),
    ("secret: true", "secret: yes", "3:17: settings.key.secret: true or false is expected here, "
     "and this is the text 'yes': write true"),
    ("{secret: true}", "", "3:7: settings.key: a map is expected here, and this is nothing"),
    ("key: {secret: true}", "Key: {secret: true}",
     "3:3: settings.Key: 'Key' is not a name of a setting (a-z, 0-9 and _, at most 63, a letter first). "
     "Did you mean 'key'?"),
    ("settings.key", "settings.key | upcase",
     "6:28: http.headers.Authorization: {{ settings.key | upcase }}: no filter 'upcase'; "
     "there are base64, default, int, join, lower, replace, sha1, sha256, string, trim, upper"),
    ('"Bearer {{ settings.key }}"', '"a\\nb"', "6:28: http.headers.Authorization: 'a\\nb' is not one line, "
     "as a header must be"),
    ("requests: 100", "requests: 0", "7:28: http.rate_limits[0].requests: 0 is too small; 1 is the least"),
    ("per: 1m", "per: 1m, of: user",
     "7:46: http.rate_limits[0].of: 'user' is not one of app, account"),
    ("requests: 100", "requests: 0100",
     "7:28: http.rate_limits[0].requests: write '0100' in quotes, or as a plain number (100)"),
    ("resources:", "resorces:", "13:1: resorces: unknown key 'resorces'. Did you mean 'resources'?"),
]  # fmt: skip
WRONG_MAPPINGS = [
    ("lookup: state", "lookup: stat", "5:38: columns.state.lookup: 'stat' is not in lookups.yaml. "
     "Did you mean 'state'?"),
    ("lookup: state", "lokup: state", "5:30: columns.state.lokup: unknown key 'lokup'. Did you mean 'lookup'?"),
    ("lookup: state", "lookup: state, unknown: drop",
     "5:54: columns.state.unknown: 'drop' is not one of issue, null, keep, skip"),
    ("lookup: state", "unknown: keep", "5:30: columns.state.unknown: 'unknown' means nothing without 'lookup'"),
    ("lookup: state", "lookup: {}", "5:38: columns.state.lookup: an empty map"),
    ("lookup: state", "lookup: {A: [final]}",
     "5:42: columns.state.lookup.A: a text, a number or true or false is expected here, and this is a list"),
    ("path: score_state", "path: score_state, const: 1",
     "5:30: columns.state.const: 'path' and 'const' exclude each other; take one of them"),
    ("path: score_state, ", "", "5:3: columns.state: 'path', 'first', 'sum' or 'const' is missing"),
    ("path: score_state", "pth: score_state", "5:11: columns.state.pth: unknown key 'pth'. Did you mean 'path'?"),
    ("start_time: start", "strt_time: start",
     "4:3: columns.strt_time: 'strt_time' is not a column of sleep_sessions, biometrics_vitals. "
     "Did you mean 'start_time'?"),
    ("start_time: start", "start_time: {path: start, time: epohc}",
     "4:35: columns.start_time.time: 'epohc' is not epoch, epoch_ms, clock or a strptime pattern (%d.%m.%Y %H:%M). "
     "Did you mean 'epoch'?"),
    ("start_time: start", "start_time: {path: start, offset: {pth: x}}",
     "4:38: columns.start_time.offset.pth: unknown key 'pth'. Did you mean 'path'?"),
    ("is_nap: nap", "is_nap: $",
     "9:15: to.sleep_sessions.columns.is_nap: '$' is not a path: after $ comes a name, then a path below it "
     "($sleep.start)"),
    ("is_nap: nap", "is_nap: $other.a[",
     "9:15: to.sleep_sessions.columns.is_nap: 'a[' is not JMESPath: its end is missing"),
    ("is_nap: nap", "is_nap: ''", "9:15: to.sleep_sessions.columns.is_nap: an empty path; take the key out, "
     "or write @ for the whole"),
    ("is_nap: nap", "is_nap: true",
     "9:15: to.sleep_sessions.columns.is_nap: a text or a map is expected here, and this is true: write {const: true}"),
    ("is_nap: nap", "is_nap: {first: [a, {path: b, lookup: nope}]}",
     "9:45: to.sleep_sessions.columns.is_nap.first[1].lookup: 'nope' is not in lookups.yaml"),
    ("sum: [a, b]", "sum: a",
     "10:21: to.sleep_sessions.columns.asleep.sum: a list is expected here, and this is the text 'a': write [a]"),
    ("    rows:", "    row:", "12:5: to.biometrics_vitals.row: unknown key 'row'. Did you mean 'rows'?"),
    ("    rows:", "    columns: {}\n    rows:",
     "13:5: to.biometrics_vitals.rows: 'columns' and 'rows' exclude each other; what all rows share "
     "stands in `columns` before `to`"),
    ("  sleep_sessions:", "  Sleep:", "7:3: to.Sleep: 'Sleep' is not a name of a canonical table. "
     "Did you mean 'sleep'?"),
    ("with: {other", "with: {row",
     "2:8: with.row: 'row' is not a name for another record (a-z, 0-9 and _, a letter first; account, row, parent and "
     "index are taken)"),
    ("{id: the key}", "{id: }", "16:14: ignore.id: a text is expected here, and this is nothing"),
    ("from: sleeps", "form: sleeps", "1:1: form: unknown key 'form'. Did you mean 'from'?"),
]  # fmt: skip


def test_the_sources_they_are_broken_from_are_sound(tmp_path: Path) -> None:
    source, complaints = read(tmp_path)
    assert complaints == []
    assert source is not None
    assert [mapping.name for mapping in source.mappings] == ["demo/sleeps"]


@pytest.mark.parametrize(("old", "new", "complaint"), WRONG_CONNECTORS)
def test_a_wrong_connector(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    source, complaints = read(tmp_path, connector=changed(CONNECTOR, old, new))
    assert complaints == [f"demo.yaml:{complaint}"]
    assert source is None


@pytest.mark.parametrize(("old", "new", "complaint"), WRONG_MAPPINGS)
def test_a_wrong_mapping(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    source, complaints = read(tmp_path, mapping=changed(MAPPING, old, new))
    assert complaints == [f"sleeps.yaml:{complaint}"]
    assert source is not None, "the connector can still be checked"
    assert source.mappings == ()


@pytest.mark.parametrize(
    ("lookups", "complaint"),
    [
        ("state: final\n", "1:8: state: a map is expected here, and this is the text 'final'"),
        (
            "State: {A: b}\n",
            "1:1: State: 'State' is not a name of a lookup (a-z, 0-9 and _, a letter first). Did you mean 'state'?",
        ),
        (
            "- a\n",
            "1:1: a map is expected here, and this is a list: write each as NAME: VALUE, without '- ' and brackets",
        ),
        ("", "1:1: the file is empty"),
        ("state: {A: final, A: pending}\n", "1:19: state.A: 'A' is here twice, first in line 1"),
    ],
)
def test_wrong_lookups_do_not_make_the_mappings_wrong(tmp_path: Path, lookups: str, complaint: str) -> None:
    source, complaints = read(tmp_path, lookups=lookups)
    assert complaints == [f"lookups.yaml:{complaint}"]
    assert source is not None
    assert source.mappings == ()


def test_everything_wrong_in_all_files_is_said_at_once(tmp_path: Path) -> None:
    connector = changed(changed(CONNECTOR, "kind: cursor", "kind: curser"), "path: /body", f"errors: {ERRORS}")
    mapping = changed(MAPPING, "is_nap: nap", "is_nap: 'nap['")
    _, complaints = read(tmp_path, connector=connector, mapping=mapping, lookups=LOOKUPS + "a: b\n")
    assert complaints == [
        "demo.yaml:11:24: shared.list.pagination.kind: 'curser' is not one of cursor, page, offset, url, link_header. "
        "Did you mean 'cursor'?",
        "demo.yaml:28:3: resources.body: 'path' is missing",
        "demo.yaml:29:14: resources.body.errors[0]: 'status' or 'body' is missing",
        "demo.yaml:29:45: resources.body.errors[1].do: 'emty' is not one of retry, wait, refresh, restart, empty, "
        "skip, fail. Did you mean 'empty'?",
        "demo.yaml:29:61: resources.body.errors[2].status: 4000 is too large; 599 is the most",
        "demo.yaml:29:79: resources.body.errors[3].statsu: unknown key 'statsu'. Did you mean 'status'?",
        "lookups.yaml:2:4: a: a map is expected here, and this is the text 'b'",
        "sleeps.yaml:9:15: to.sleep_sessions.columns.is_nap: 'nap[' is not JMESPath: its end is missing",
    ]


def test_loading_raises_all_complaints_one_per_line(tmp_path: Path) -> None:
    read(
        tmp_path, connector=changed(CONNECTOR, "kind: cursor", "kidn: cursor"), mapping=changed(MAPPING, "from", "fro")
    )
    with pytest.raises(Problems) as raised:
        load_source(tmp_path / "connectors/demo.yaml", tmp_path / "mappings/demo")
    assert [line.split(": ", 1)[1] for line in str(raised.value).splitlines()] == [
        "shared.list.pagination.kidn: unknown key 'kidn'. Did you mean 'kind'?",
        "fro: unknown key 'fro'. Did you mean 'from'?",
    ]
    assert raised.value.exit_code == 2
    assert len(raised.value.problems) == 2


def test_another_ending_is_said_and_not_passed_over(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "mappings/demo/body.yml").write_text("from: body\n")
    _, complaints = read(tmp_path)
    assert complaints == ["body.yml:1:1: files are named .yaml: body.yaml"]


def test_a_long_value_is_cut_short_in_a_complaint(tmp_path: Path) -> None:
    _, (complaint,) = read(tmp_path, connector=changed(CONNECTOR, "kind: cursor", f"kind: {'secret' * 50}"))
    assert len(complaint) < 200
